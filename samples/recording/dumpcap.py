"""Runs dumpcap on the loopback interface, and knows for sure when it captures and when it has captured everything."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from recording.packets import Packet, all_closed, read_pcapng, segment

PATIENCE = 15.0
"""Seconds to wait for dumpcap at each step: it starts in less than one and writes its file twice a second."""


class Trouble(Exception):
    """The samples cannot be recorded, for a reason that a person can do something about."""


def find_dumpcap() -> str:
    """Path of dumpcap."""
    path = shutil.which("dumpcap")
    if path is None:
        raise Trouble("dumpcap is missing: install the package wireshark-common (Debian, Ubuntu) or wireshark-cli")
    return path


class Recording:
    """Captures one TCP port of loopback from `start` to `stop`.

    A UDP socket that belongs to us is captured too. Packets sent through it show in the file when dumpcap has begun,
    and in the end that it has written all that came before them. They are left out of `packets`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.packets: list[Packet] = []
        self._folder = tempfile.TemporaryDirectory(prefix="inspector-samples-")
        self._file = Path(self._folder.name) / "raw.pcapng"
        self._errors = Path(self._folder.name) / "errors.txt"
        self._marks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._marks.bind(("127.0.0.1", 0))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Recording:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.stop()
        finally:
            self.close()

    def start(self) -> None:
        """Returns when dumpcap captures."""
        address = self._marks.getsockname()
        chosen = f"tcp port {self.port} or udp port {address[1]}"
        command = [find_dumpcap(), "-i", "lo", "-f", chosen, "-w", str(self._file), "-q", "-B", "32"]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        self._mark(b"begin", repeat=True)

    def stop(self) -> None:
        """Returns when every connection's end and all before it are in `packets`, and dumpcap is gone."""
        self._wait(lambda: all_closed(self._read()), "the connections did not close")
        self._mark(b"end", repeat=False)
        self.packets = [packet for packet in self._read() if segment(packet)]
        self._interrupt()
        summary = self._errors.read_text()
        if "Packets received/dropped" in summary and "/0 (pcap:0/" not in summary:
            raise Trouble(f"dumpcap lost packets: {summary.strip().splitlines()[-1]}")

    def close(self) -> None:
        """Ends dumpcap if it still runs, removes its file."""
        self._interrupt()
        self._marks.close()
        self._folder.cleanup()

    def _interrupt(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)

    def _read(self) -> list[Packet]:
        return list(read_pcapng(self._file.read_bytes())) if self._file.exists() else []

    def _mark(self, text: bytes, *, repeat: bool) -> None:
        sent = False

        def seen() -> bool:
            nonlocal sent
            if repeat or not sent:
                self._marks.sendto(text, self._marks.getsockname())
                sent = True
            return any(packet.data.endswith(text) and not segment(packet) for packet in self._read())

        self._wait(seen, "dumpcap does not capture")

    def _wait(self, condition: Callable[[], bool], complaint: str) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            if self._process is not None and self._process.poll() is not None:
                raise Trouble(f"dumpcap ended: {self._errors.read_text().strip()} (may this user capture?)")
            if time.monotonic() > limit:
                raise Trouble(complaint)
            time.sleep(0.05)
