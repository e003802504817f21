"""Writes the table in `samples/README.md` from what is on disk."""

from __future__ import annotations

import json
from pathlib import Path

from recording.packets import count_packets

BEGIN, END = "<!-- table: written by record.py -->\n", "<!-- end of table -->\n"

FILES = {
    "predict.pcapng": "**start here**: one connection, all four kinds of calls, proto2 and edition messages",
    "predict.pcap": "the same packets as classic pcap, times in microseconds",
    "predict.pcap.gz": "the same, compressed",
    "concurrent.pcapng": "three connections, three workers on each, streams interleaved",
    "gzip.pcapng": "gzip (first connection) and deflate (second); some messages in between not compressed",
    "errors.pcapng": "google.rpc details, trailers-only, unimplemented, deadline exceeded, cancelled, non-ASCII text",
    "large.pcapng": "a request of 1.1 MB in many DATA frames, small calls before and after it",
    "ipv6.pcapng": "a server on [::1]",
    "hpack.pcapng": "header tables: never-indexed, indexed, evicted and resized; CONTINUATION; `-bin`; secrets",
    "midstream.pcapng": "begins when the connection has been in use: header tables unknown, one call half done",
    "midmessage.pcapng": "large.pcapng without its beginning: the first packet is in the middle of a message",
    "truncated.pcapng": "predict.pcapng cut off in the middle of a packet",
}


def write_readme(folder: Path) -> None:
    """Replaces the table."""
    path = folder / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    rows = ["| file | calls | packets | bytes | shows |\n", "| --- | --: | --: | --: | --- |\n"]
    rows += [_row(folder / name, text, _calls(folder)) for name, text in FILES.items()]
    path.write_text(before + BEGIN + "".join(rows) + END + after, encoding="utf-8")


def _calls(folder: Path) -> dict[str, int]:
    logs = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.log.json")]
    return {name: len(log["calls"]) for log in logs for name in log["captures"]}


def _row(path: Path, text: str, calls: dict[str, int]) -> str:
    return f"| `{path.name}` | {calls[path.name]} | {count_packets(path)} | {path.stat().st_size:,} | {text} |\n"
