"""Next-generation capture files (`net/pcapng_cy.py`)."""

from __future__ import annotations

from inspector.net.pcapng_cy import SECTION_HEADER, PcapngParser
from inspector.sources.base import Source
from inspector.sources.captures import CaptureParser

MAGIC = SECTION_HEADER.to_bytes(4, "big")


def detect(head: bytes, whole: bool) -> bool:
    return head.startswith(MAGIC)


PCAPNG = Source(
    "pcapng",
    detect,
    lambda: CaptureParser(PcapngParser()),
    (".pcapng", ".ntar"),
    is_capture=True,
    calls_parser=lambda: CaptureParser(PcapngParser(), with_messages=False),
    has_magic=True,
)
