"""Records of calls to lines of JSON: with any text in them, and any number."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from fuzz.target import Script, Target, text

from inspector.model.call import Call, Status
from inspector.model.problem import Problem
from inspector.views.call_lines_cy import call_lines

NAMES = ("content-type", "authorization", "x-key", "grpc-status-details-bin", ":path", "x")
NUMBERS = (0, 1, 999_999_999, 10**9, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1, 253_402_300_799 * 10**9)


def run(data: bytes) -> object:
    script = Script(data)
    show_secrets = bool(script.byte() & 1)
    calls = []
    while not script.done:
        calls.append(call(script, len(calls) + 1))
    lines = call_lines(calls, lambda details: [{"size": len(details)}], show_secrets)
    assert lines.isascii() or lines.decode()
    assert [orjson.loads(line)["call"] for line in lines.splitlines()] == [made.number for made in calls]
    return lines, [call_lines([made], lambda details: [], not show_secrets) for made in calls]


def call(script, number):
    flags = script.byte()
    method, peer, authority = characters(script), characters(script) or "", characters(script)
    return Call(
        *(number, method, "grpc", peer, peer, number, flags),
        *(moment(script), moment(script), authority, moment(script)),
        *(headers(script), headers(script), headers(script)),
        status(script) if flags & 1 else None,
        *(flags, flags, count(script) & 2**62 - 1, count(script) & 2**62 - 1, bool(flags & 2)),
        (Problem("code", method or "", flags, flags),) if flags & 4 else (),
    )


def characters(script):
    """Text with a character for each octet, or of UTF-8; None for no text."""
    octets = script.text()
    if octets[:1] == b"\xff":
        return None
    return octets[1:].decode("utf-8", "replace") if octets[:1] == b"\xfe" else octets.decode("latin-1")


def moment(script):
    """Nanoseconds, of a capture file with any clock; none that is told."""
    kind = script.byte()
    return None if kind == 0xFF else -1 if kind == 0xFE else count(script, kind)


def count(script, kind=None):
    kind = script.byte() if kind is None else kind
    return NUMBERS[kind % len(NUMBERS)] if kind < 0x80 else int.from_bytes(script.take(7), "big") >> kind % 56


def headers(script):
    names = (
        characters(script) if kind >= 0x80 else NAMES[kind % len(NAMES)] for kind in script.take(script.byte() & 7)
    )
    return tuple((name, characters(script)) for name in names)


def status(script):
    return Status(script.byte(), characters(script) or "", characters(script) or "", script.text() or None)


def seeds() -> Iterator[bytes]:
    head = b"\x07" + text(b"/pkg.Svc/Do") + text(b"127.0.0.1:50051") + text(b"example.com") + b"\x04\x05\x01"
    fields = b"\x03\0\1\2" + text(b"application/grpc") + text(b"Bearer secret") + text(b"k")
    end = (
        text(b"")
        + b"\x05"
        + text(b"NOT_FOUND")
        + text(b"not \xc3\xa9 here")
        + text(b"\x08\x05")
        + b"\x80\0\0\0\0\0\0\7\x01"
    )
    one = head + fields + b"\x00" + fields + end
    yield b"\0" + one
    yield b"\1" + one * 9
    yield (
        b"\0"
        + head.replace(b"example", b"\x1b[31m\0\xff")
        + b"\x02\x80\x81"
        + text(b"\xff")
        + text(b'"\\\n')
        + b"\0\0\0"
        + one
    )


TARGET = Target(
    "call_lines", run, seeds, (b"\x1b[", b"\x7f", b'"', b"\\", b"\xfe\xe2\x80\xae", b"\xfe\xf0\x9f\x98\x80")
)
