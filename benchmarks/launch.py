"""Runs a command and prints its seconds, its processor seconds and its peak memory in KiB; for `measure.py`.

A process of its own, and a small one: the peak memory that Linux tells of a process is at least that of the one that
started it, as both are the same until the program is loaded.
"""

import os
import sys
import time


def main() -> None:
    """`launch.py COMMAND...`; what the command writes to standard output goes nowhere."""
    command = sys.argv[1:]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()
