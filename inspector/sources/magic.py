"""How captures begin. (What is in them takes the whole protocol stack, which is loaded when one is read.)"""

from __future__ import annotations

from inspector.net.http2_frames_cy import PREFACE
from inspector.net.pcap_cy import MAGICS
from inspector.net.pcapng_cy import SECTION_HEADER

_PCAPNG = SECTION_HEADER.to_bytes(4, "big")


def is_pcapng(head: bytes, whole: bool) -> bool:
    return head.startswith(_PCAPNG)


def is_pcap(head: bytes, whole: bool) -> bool:
    return head[:4] in MAGICS


def is_http2(head: bytes, whole: bool) -> bool:
    return head.startswith(PREFACE)
