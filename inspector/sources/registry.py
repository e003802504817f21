"""The kinds of input that there are.

To add one: write its module, add it to `SOURCES`. Other distributions add theirs by an entry point in the group
`inspector.sources` that names a `Source`.
"""

from __future__ import annotations

from inspector.errors import InputError
from inspector.sources.base import Source
from inspector.sources.delimited import DELIMITED
from inspector.sources.grpc_frames import GRPC, GRPC_WEB
from inspector.sources.http2 import HTTP2
from inspector.sources.message import MESSAGE
from inspector.sources.pcap import PCAP
from inspector.sources.pcapng import PCAPNG

SOURCES: tuple[Source, ...] = (PCAPNG, PCAP, HTTP2, GRPC, GRPC_WEB, MESSAGE, DELIMITED)
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
