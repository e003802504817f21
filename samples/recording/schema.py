"""Compiles `protos/` to a folder that is gone afterwards, and to the descriptor set `samples/vision.binpb`."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

from recording.dumpcap import Trouble

PROTOS = Path(__file__).resolve().parents[2] / "protos"


def compile_protos(target: Path, descriptor_set: Path) -> None:
    """Writes modules to `target` and makes them importable; writes all descriptors, with comments, to a file."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    command = ["protoc", f"-I{PROTOS}", f"-I{_googleapis()}", f"-I{files('grpc_tools') / '_proto'}"]
    command += [f"--python_out={target}", f"--grpc_python_out={target}"]
    command += [f"--descriptor_set_out={descriptor_set}", "--include_imports", "--include_source_info"]
    if protoc.main([*command, *sources]):
        raise Trouble("protoc refused the files in protos/")
    sys.path.insert(0, str(target))


def _googleapis() -> Path:
    return Path(str(files("google.rpc") / "status.proto")).parents[2]
