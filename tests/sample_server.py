"""The server that the samples were recorded from, as a process of its own: `samples/recording`, and the modules made of
`protos/`, have names that others here have too."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"

_COMPILE = (
    "import pathlib, sys; from recording.schema import compile_protos as run; run(*map(pathlib.Path, sys.argv[1:]))"
)


@functools.cache
def _compiled():
    """The folder of the modules of `protos/`; it is gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="inspector-protos-")
    command = [sys.executable, "-P", "-c", _COMPILE, folder.name, f"{folder.name}/all.binpb"]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(SAMPLES)}, check=True)
    return folder


@contextlib.contextmanager
def serving(kind="plain"):
    """A server; where it listens. `failing` is the one of errors.pcapng, `changed` answers differently."""
    pipe = subprocess.PIPE
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(SAMPLES), _compiled().name))}
    command = [sys.executable, "-P", HERE / "sample_service.py", kind]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=variables) as process:
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
