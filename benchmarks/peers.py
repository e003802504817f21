"""The programs we are measured against, and our own command: where they are and which versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import paths
from google.protobuf import __version__ as protobuf_version
from google.protobuf.internal import api_implementation

_SCRIPTS = Path(sys.executable).parent


def _program(name: str, path: str = "") -> list[str]:
    found = shutil.which(name, path=path or os.pathsep.join((str(_SCRIPTS), os.environ.get("PATH", ""))))
    return [found] if found else []


INSPECTOR = _program("inspector", str(_SCRIPTS)) or [sys.executable, "-m", "inspector"]
TSHARK, PROTOC, BUF = _program("tshark"), _program("protoc"), _program("buf")

TSHARK_PORT = ("-d", "tcp.port==50051,http2")
"""tshark does not look for HTTP/2 on ports that it does not know."""


def refuse_if_missing() -> None:
    """Ends the program if a peer is not there."""
    packages = {"tshark": TSHARK, "protobuf-compiler": PROTOC, "buf-bin (from PyPI)": BUF}
    missing = [name for name, found in packages.items() if not found]
    if missing:
        raise SystemExit(f"`make bench` installs what is missing here: {', '.join(missing)}")


def environment() -> dict[str, str]:
    """What measured processes are given: caches of programs stay out of the user's folders, and Python keeps its byte
    code, as it does unless told otherwise."""
    caches = {"BUF_CACHE_DIR": str(paths.DATA / "buf-cache"), "INSPECTOR_CACHE": str(paths.DATA / "inspector-cache")}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | caches


def versions() -> str:
    """One line that names everything measured."""
    return "; ".join(
        (
            _first_line([*INSPECTOR, "--version"]),
            f"protobuf {protobuf_version} ({api_implementation.Type()})",
            _first_line([*TSHARK, "--version"]).partition(" (Git")[0],
            _first_line([*PROTOC, "--version"]),
            f"buf {_first_line([*BUF, '--version'])}",
        )
    )


def machine() -> str:
    """One line that describes the machine."""
    return (
        f"{os.cpu_count()} CPUs ({_processor()}), {_memory()}, {platform.system()}, Python {platform.python_version()}"
    )


def _first_line(command: list[str]) -> str:
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return shown.splitlines()[0].strip().rstrip(".")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
