"""Runs the protoc that grpcio-tools carries, in a process of its own, and reads its complaints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspector.errors import SchemaError
from inspector.schema.import_roots import root_of
from inspector.schema.wording import one_line

TIMEOUT = 300
"""Seconds for a protoc run; googleapis takes 20."""

MAX_REPORTED = 5
"""Mistakes of one run that are shown."""

_LOCATED = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)")


def run_protoc(paths: Sequence[Path], roots: Sequence[Path], label: str) -> bytes:
    """The serialized FileDescriptorSet of the files and what they import. Raises SchemaError, which names them by
    `label` or by the place of the first mistake."""
    if any("\n" in str(path) for path in (*paths, *roots)):
        raise SchemaError("there is a line break in the name of a file", where=one_line(label), hint="rename it")
    with tempfile.TemporaryDirectory(prefix="inspector-") as scratch:
        output, arguments = Path(scratch, "set.binpb"), Path(scratch, "arguments")
        options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={output}"]
        # In a file, one a line: a large folder would exceed the length of a command line.
        lines = [*options, *(f"-I{root}" for root in roots), *(_as_argument(path, roots) for path in paths)]
        arguments.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        stderr = _run(arguments, label, roots)
        try:
            return output.read_bytes()
        except OSError as error:
            raise SchemaError(f"protoc failed: {one_line(stderr.strip())}", where=one_line(label)) from error


def _as_argument(path: Path, roots: Sequence[Path]) -> str:
    """The file, spelled so that protoc sees the root it is under, and no option in it."""
    root = root_of(path, roots)
    spelled = str(root / os.path.relpath(path, root) if root else path)
    return f"./{spelled}" if spelled.startswith(("-", "@")) else spelled


def _run(arguments: Path, label: str, roots: Sequence[Path]) -> str:
    """Runs protoc; returns its warnings. `-P` keeps modules in the current folder from being taken for ours."""
    command = [sys.executable, "-P", "-m", "grpc_tools.protoc", f"@{arguments}"]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SchemaError(f"protoc cannot be run: {one_line(str(error))}", where=one_line(label)) from error
    stderr = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise _mistakes(stderr, label, roots)
    return stderr


def _mistakes(stderr: str, label: str, roots: Sequence[Path]) -> SchemaError:
    """What protoc complains of as one error: the first mistake with its place, then the others."""
    lines = [line for line in stderr.splitlines() if ": warning: " not in line and line.strip()]
    located = [match for match in map(_LOCATED.fullmatch, lines) if match]
    if not located:
        reason = one_line("; ".join(lines[-MAX_REPORTED:]) or "no reason given", 500)
        return SchemaError(f"protoc failed: {reason}", where=one_line(label))
    first, *others = located
    message = "; ".join([one_line(first["message"]), *_others(others, roots)])
    return SchemaError(message, where=_place(first, roots), hint=_hint(located))


def _others(mistakes: Sequence[re.Match[str]], roots: Sequence[Path]) -> Iterator[str]:
    for mistake in mistakes[: MAX_REPORTED - 1]:
        yield f"{_place(mistake, roots)}: {one_line(mistake['message'])}"
    if len(mistakes) >= MAX_REPORTED:
        yield f"and {len(mistakes) - MAX_REPORTED + 1} more"


def _place(mistake: re.Match[str], roots: Sequence[Path]) -> str:
    """Where a mistake is, with the file as the user knows it: protoc may name it relative to an import path."""
    candidates = (Path(mistake["file"]), *(root / mistake["file"] for root in roots))
    file = next(filter(os.path.isfile, candidates), candidates[0])
    return f"{one_line(str(file))}:{mistake['line']}:{mistake['column']}"


def _hint(mistakes: Sequence[re.Match[str]]) -> str | None:
    if any(mistake["message"].startswith("Import ") for mistake in mistakes):
        return "add the folder that the import is relative to with -I"
    if any("is already defined in file" in mistake["message"] for mistake in mistakes):
        return "two files define the same: give the folder, or the file, that you mean"
    return None
