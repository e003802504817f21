"""Servers on Node (`peers/*.js`), each as a process of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from pathlib import Path

import google.api

HERE = Path(__file__).parent / "peers"
INSTALLED = HERE.parent.parent / "build" / "peers"
FILES = ("package.json", "package-lock.json")


@functools.cache
def installed() -> Path:
    """The folder with the packages of the lock file, which are installed where they are not there, or others are."""
    mark = INSTALLED / "installed"
    wanted = b"".join((HERE / name).read_bytes() for name in FILES)
    if not mark.exists() or mark.read_bytes() != wanted:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(HERE / name, INSTALLED)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=INSTALLED, check=True, capture_output=True, timeout=300)
        mark.write_bytes(wanted)
    return INSTALLED / "node_modules"


@contextlib.contextmanager
def serving(schema, *tls, address="127.0.0.1:0"):
    """A server; where it listens. `schema` is a descriptor set or a folder of .proto files, `tls` the files of the CA,
    the certificate and the key, and perhaps `mutual`."""
    with _running("server.js", schema, address, *tls) as ports:
        yield address if address.startswith("unix:") else f"127.0.0.1:{ports[0]}"


@contextlib.contextmanager
def serving_web(schema, *tls, prefix=""):
    """A server of Connect, gRPC and gRPC-Web; the addresses of HTTP/1.1 and of h2c, or the one with TLS. `tls` are the
    files of certificate and key, methods are below `prefix`."""
    with _running("connect.js", schema, "127.0.0.1", prefix, *tls) as ports:
        yield tuple(f"127.0.0.1:{port}" for port in ports)


@contextlib.contextmanager
def _running(script, *arguments):
    """The ports that the server tells."""
    pipe = subprocess.PIPE
    command = ["node", HERE / script, *arguments]
    protos = Path(next(iter(google.api.__path__))).parent.parent
    variables = os.environ | {"NODE_PATH": str(installed()), "PROTO_PATH": str(protos)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=variables) as process:
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.stdin.close()
