"""What runs in a process of its own, mostly over the sanitized kernels: `python process.py COMMAND TARGET ...`.

    seeds TARGET FOLDER FILE                        writes its seeds to the folder, options for libFuzzer to the file
    fuzz TARGET [libFuzzer's options and folders]   looks for inputs that fail
    replay TARGET FOLDER SECONDS FILE               writes a digest of the result for each input of a folder, as JSON
    leaks TARGET FOLDER SECONDS                     fails where memory grows each time an input is run again

`run.py` starts them, with the sanitizers' runtime loaded first.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import itertools
import json
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.target import Target
from fuzz.targets import load

ROUNDS, WARM = 7, 2
"""Times that an input is run again to see whether memory grows, and how many of them fill caches."""

LEAK = 77
"""Exit code for a leak: that of libFuzzer for all that it finds."""

SINGLETONS = (None, True, False, (), b"", "")
"""Objects that a reference too many, or one too few, is likely to be of."""


def fuzz(target: Target, options: list[str]) -> None:
    import atheris  # noqa: PLC0415  # the other commands run without it

    atheris.Setup(["fuzz", *options], lambda data: target.run(bytes(data)))
    atheris.Fuzz()


def seeds(target: Target, folder: str, file: str) -> None:
    for seed in target.seeds():
        Path(folder, hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = ("".join(f"\\x{octet:02x}" for octet in token) for token in target.tokens)
    dictionary = Path(file).with_suffix(".dict")
    dictionary.write_text("".join(f'"{word}"\n' for word in words))
    Path(file).write_text(f"-dict={dictionary} -max_len={target.longest}")


def inputs(folder: str, seconds: float) -> Iterator[Path]:
    """Inputs of a folder, those of all sizes alike, until the time is over."""
    paths = sorted(Path(folder).iterdir(), key=lambda path: hashlib.sha256(path.name.encode()).digest())
    end = time.monotonic() + seconds
    for path in paths:
        if time.monotonic() > end:
            return
        yield path


def replay(target: Target, folder: str, seconds: str, file: str) -> None:
    digests = {}
    for path in inputs(folder, float(seconds)):
        result = repr(target.run(path.read_bytes()))
        digests[path.name] = hashlib.sha256(result.encode("utf-8", "surrogatepass")).hexdigest()
    Path(file).write_text(json.dumps(digests))


def leaks(target: Target, folder: str, seconds: str) -> None:
    held = ctypes.CDLL(None).__sanitizer_get_current_allocated_bytes
    held.restype = ctypes.c_size_t
    table = array("q", bytes(8 * ROUNDS * (1 + len(SINGLETONS))))  # made before, so that it is not what grows
    count = 0
    gc.freeze()  # what was there before need not be looked through each time
    for path in inputs(folder, float(seconds)):
        data = path.read_bytes()
        for at in range(ROUNDS):
            measure(target, data, held, table, at)
        for at, what in enumerate(("bytes", *(f"references to {single!r}" for single in SINGLETONS))):
            grown = table[at * ROUNDS : (at + 1) * ROUNDS].tolist()[WARM:]
            if all(after > before for before, after in itertools.pairwise(grown)):
                print(f"leak: {path}: more {what} with each run: {grown}")
                sys.exit(LEAK)
        count += 1
    print(f"{count} inputs leave no memory behind")


def measure(target: Target, data: bytes, held, table: array, at: int) -> None:
    """Bytes held after a run, and references to what there is only one of."""
    target.run(data)
    gc.collect()
    sys._clear_type_cache()  # it holds names of attributes, of which C code makes new ones
    table[at] = held()
    for place, single in enumerate(SINGLETONS, start=1):
        table[place * ROUNDS + at] = sys.getrefcount(single)


if __name__ == "__main__":
    command, name, *rest = sys.argv[1:]
    if command == "fuzz":
        fuzz(load(name), rest)
    else:
        {"seeds": seeds, "replay": replay, "leaks": leaks}[command](load(name), *rest)
