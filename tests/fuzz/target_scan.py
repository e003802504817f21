"""Fields of a message without a schema: the walks over many fields say what the scanner says of each."""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.target import Script, Target

from inspector.wire import scan_cy
from inspector.wire.scan import SGROUP, scan_prefix


def run(data: bytes) -> object:
    script = Script(data)
    start, most = script.byte() & 7, script.byte()
    body = script.rest()
    start = min(start, len(body))
    fields, error = scan_prefix(body, start)
    plain = next((number for number, field in enumerate(fields) if field.wire_type == SGROUP), len(fields))
    index = scan_cy.FieldIndex(body, start, len(body))
    finished = index.run()
    known = fields[: index.count]
    assert index.count <= plain
    assert index.at == (known[-1].end if known else start)
    assert finished == (index.at == len(body))
    skipped = scan_cy.skip_fields(body, start, len(body), most, {})
    assert skipped[1] == min(most, index.count)
    places = [scan_cy.read_field(body, field.tag_start, len(body)) for field in fields]
    for field, parts in zip(fields, places, strict=True):
        assert parts is None or parts[:3] == field[:3]
    for tag in {field.number << 3 | field.wire_type for field in known}:
        assert index.total(tag) == sum(field.number << 3 | field.wire_type == tag for field in known)
    varints = scan_cy.index_varints(body, start, len(body))
    ends = scan_cy.count_varints(body, start, len(body))
    assert ends == sum(byte < 0x80 for byte in body[start:])
    behind = scan_cy.skip_varints(body, start, len(body), most)
    return fields, repr(error), skipped, places, varints, behind


def seeds() -> Iterator[bytes]:
    yield b"\0\1" + b"\x08\x01" * 100 + b"\x12\x03abc\x1d\0\0\0\0\x21" + bytes(8)
    yield b"\0\2" + b"\x0a\x02\x08\x01\x13\x08\x01\x1b\x1c\x14\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    yield b"\1\3" + b"\0\x80" * 80 + b"\xff" * 12
    yield b"\0\4" + b"\x88\x80\x80\x80\x80\x01\x01" + b"\x0a\x80\x80\x80\x00" + b"\x0a\xff\xff\xff\xff\x07"
    yield b"\0\5" + b"\x0b" * 120


TARGET = Target(
    "scan", run, seeds, (b"\x0a\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b", b"\x0c")
)
