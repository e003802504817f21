"""The kinds of input that there are.

To add one: write its module, name it here and add it to `SOURCES`. A module is imported when it is asked what an input
is, or to read one. Other distributions add theirs by an entry point in the group
`inspector.sources` that names a `Source`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.deferred import deferred
from inspector.errors import InputError
from inspector.sources.base import Source


def _in(module: str, name: str) -> Callable[..., Any]:
    return deferred(f"inspector.sources.{module}", name)


def _capture_file(name: str, *suffixes: str) -> Source:
    parser, calls_parser = _in(name, "parser"), _in(name, "calls_parser")
    return Source(name, _in("magic", f"is_{name}"), parser, suffixes, True, calls_parser, has_magic=True)


PCAPNG = _capture_file("pcapng", ".pcapng", ".ntar")
PCAP = _capture_file("pcap", ".pcap", ".cap", ".dmp")
HTTP2 = Source("http2", _in("magic", "is_http2"), _in("http2", "Http2Parser"), (".http2", ".h2"), is_capture=True)
BINLOG = Source(
    "binlog",
    _in("binlog_frames", "detect"),
    _in("binlog", "BinlogParser"),
    (".binlog", ".grpcbinlog"),
    is_capture=True,
    calls_parser=_in("binlog", "calls_parser"),
)
GRPC = Source("grpc", _in("grpc_frames", "detect"), _in("grpc_frames", "GrpcParser"), (".grpc",))
GRPC_WEB = Source("grpc-web", _in("grpc_frames", "detect_web"), _in("grpc_frames", "GrpcParser"), (".grpc-web",))
MESSAGE = Source(
    "message",
    _in("message", "detect"),
    _in("message", "MessageParser"),
    (".binpb", ".pb", ".bin", ".protobin", ".message"),
)
DELIMITED = Source(
    "delimited", _in("delimited", "detect"), _in("delimited", "DelimitedParser"), (".delimited", ".ldpb", ".pbstream")
)

SOURCES: tuple[Source, ...] = (PCAPNG, PCAP, HTTP2, BINLOG, GRPC, GRPC_WEB, MESSAGE, DELIMITED)
"""In the order in which they are tried: the unmistakable ones first."""

ENTRY_POINTS = "inspector.sources"


def kinds() -> list[str]:
    """Names of all kinds that are built in."""
    return [source.name for source in SOURCES]


def find(kind: str) -> Source:
    """The source of that name. Raises InputError where there is none."""
    for source in SOURCES:
        if source.name == kind:
            return source
    for source in _installed():
        if source.name == kind:
            return source
    raise InputError(f"there is no kind of input named {kind!r}", hint=f"known are {', '.join(kinds())}")


def by_suffix(name: str) -> list[Source]:
    """The sources that the name of a file tells."""
    return [source for source in SOURCES if name.lower().endswith(source.suffixes)]


def detect(head: bytes, *, whole: bool, name: str = "") -> Source | None:
    """The kind of an input that begins with `head` (and ends with it, if `whole`).

    A file name decides only where the bytes allow it.
    """
    for source in by_suffix(name):
        if source.detect(head, whole):
            return source
    for source in (*SOURCES, *_installed()):
        if source.detect(head, whole):
            return source
    return None


def _installed() -> list[Source]:
    from importlib import metadata  # noqa: PLC0415  # takes as long to load as all the rest here, and is rarely needed

    return [entry.load() for entry in metadata.entry_points(group=ENTRY_POINTS)]
