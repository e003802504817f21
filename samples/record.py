"""Records the samples: real gRPC calls between a real server and client on loopback, captured with dumpcap.

    python samples/record.py [NAME ...] [--port PORT]

Without names all captures are recorded anew, and the payloads, the descriptor set and the table in README.md with
them. Needs dumpcap (package wireshark-common) with the right to capture, and Linux, whose loopback looks like Ethernet.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from recording import schema
from recording.dumpcap import Trouble, find_dumpcap
from recording.readme import write_readme

FOLDER = Path(__file__).resolve().parent
PORT = 50_051

SCENARIOS = {
    "predict": "scenarios.predict",
    "concurrent": "scenarios.concurrent",
    "gzip": "scenarios.compressed",
    "errors": "scenarios.errors",
    "large": "scenarios.large",
    "ipv6": "scenarios.ipv6",
    "hpack": "headers.hpack",
    "midstream": "scenarios.midstream",
}


def main() -> int:
    """Records what the command line asks for; 1 if that is not possible."""
    parser = argparse.ArgumentParser(description="Record the samples.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(SCENARIOS)}")
    parser.add_argument("--port", type=int, default=PORT, help="the sample server's port (default: %(default)s)")
    options = parser.parse_args()
    unknown = set(options.names) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such capture: {', '.join(sorted(unknown))}")
    try:
        record(options.names or list(SCENARIOS), options.port)
    except Trouble as error:
        print(f"record.py: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"record.py: {error.name} is missing: install the dependencies and the group test", file=sys.stderr)
        return 1
    return 0


def record(names: list[str], port: int) -> None:
    """Compiles the schema, then makes the captures one after the other."""
    find_dumpcap()
    with tempfile.TemporaryDirectory(prefix="inspector-samples-") as folder:
        schema.compile_protos(Path(folder), FOLDER / "vision.binpb")
        for name in names:
            print(f"recording {name}", file=sys.stderr, flush=True)
            module, function = SCENARIOS[name].split(".")
            _load(module, function)(_load("scenarios", "Stage")(FOLDER, port))
        _load("payloads", "write_payloads")(FOLDER / "payloads")
    write_readme(FOLDER)


def _load(module: str, name: str) -> Any:
    """Something of a module that imports what protoc made, and so cannot be imported before it has run."""
    return getattr(importlib.import_module(f"recording.{module}"), name)


if __name__ == "__main__":
    sys.exit(main())
