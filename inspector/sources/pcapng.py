"""Next-generation capture files (`net/pcapng_cy.py`)."""

from __future__ import annotations

from inspector.net.pcapng_cy import PcapngParser
from inspector.sources.captures import CaptureParser


def parser() -> CaptureParser:
    return CaptureParser(PcapngParser())


def calls_parser() -> CaptureParser:
    return CaptureParser(PcapngParser(), with_messages=False)
