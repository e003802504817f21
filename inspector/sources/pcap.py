"""Classic capture files (`net/pcap_cy.py`)."""

from __future__ import annotations

from inspector.net.pcap_cy import PcapParser
from inspector.sources.captures import CaptureParser


def parser() -> CaptureParser:
    return CaptureParser(PcapParser())


def calls_parser() -> CaptureParser:
    return CaptureParser(PcapParser(), with_messages=False)
