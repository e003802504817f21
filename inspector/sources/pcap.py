"""Classic capture files (`net/pcap_cy.py`)."""

from __future__ import annotations

from inspector.net.pcap_cy import MAGICS, PcapParser
from inspector.sources.base import Source
from inspector.sources.captures import CaptureParser


def detect(head: bytes, whole: bool) -> bool:
    return head[:4] in MAGICS


PCAP = Source(
    "pcap",
    detect,
    lambda: CaptureParser(PcapParser()),
    (".pcap", ".cap", ".dmp"),
    is_capture=True,
    calls_parser=lambda: CaptureParser(PcapParser(), with_messages=False),
    has_magic=True,
)
