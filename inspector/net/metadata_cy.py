"""Metadata of a call: header and trailer fields as text, and the status that they carry."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from inspector.model.call import Header, Status
from inspector.model.problem import Problem
from inspector.net import grpc_cy as grpc

OK = Status(0, "OK", "")


def http_status(fields: tuple[Header, ...]) -> int:
    """The HTTP status; 0 where there is none that is one."""
    for name, value in fields:
        if name == ":status":
            if value == "200":
                return 200
            return int(value) if value is not None and value.isdecimal() and len(value) == 3 else 0
    return 0


def is_ok(fields: tuple[Header, ...]) -> bool:
    """Whether trailers say just that all is well: the common case, put first for speed."""
    size = len(fields)
    if not size or fields[0] != _STATUS_OK:
        return False
    return size == 1 or (size == 2 and fields[1] == _NO_MESSAGE)


_STATUS_OK: Header = ("grpc-status", "0")
_NO_MESSAGE: Header = ("grpc-message", "")


def status_of(fields: tuple[Header, ...], report: Callable[[Problem], None]) -> Status | None:
    """The status that trailers carry; None where they carry none that can be read."""
    code, message, details = None, "", None
    for name, value in fields:
        if value is None:
            continue
        if name == "grpc-status":
            if not (value.isdecimal() and value.isascii() and len(value) < 10):
                report(Problem("grpc_status", f"grpc-status {value[:40]!r} is not a number"))
                continue
            code = int(value)
        elif name == "grpc-message":
            message = grpc.decode_message(value)
        elif name == "grpc-status-details-bin":
            details = binary_value(value)
            if details is None:
                report(Problem("grpc_details", "grpc-status-details-bin is not base64"))
    if code == 0 and not message and details is None:
        return OK
    return None if code is None else Status(code, grpc.status_name(code), message, details)


MOST_REMEMBERED = 256
"""Fields whose text is remembered: as many as the header tables of a connection may hold and be of use."""


def readable(fields: tuple[Header, ...], known: dict[Header, Header]) -> tuple[Header, ...]:
    """Header fields as text. HPACK gives octets (as Latin-1); values of `-bin` fields become base64, others UTF-8.

    `known` keeps what was made of a field, so that one that is sent by reference again and again is made once.
    """
    found = []
    for field in fields:
        text = known.get(field)
        if text is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            text = known[field] = _readable(field)
        found.append(text)
    return tuple(found)


def _readable(field: Header) -> Header:
    name, value = field
    return field if value is None or (value.isascii() and "\0" not in value) else (name, _text(name, value))


def _text(name: str | None, value: str) -> str:
    octets = value.encode("latin-1")
    if name is not None and name.endswith("-bin") and octets.startswith(b"\0"):
        # gRPC core leaves out base64 between peers that agree to (grpc proposal G1): a zero byte, then the octets.
        return base64.b64encode(octets[1:]).decode("ascii")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return value


def binary_value(text: str) -> bytes | None:
    """The bytes of a `-bin` header: base64, padded or not, of either alphabet."""
    text = text.split(",", 1)[0].strip()
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def trailer_block(payload: bytes) -> tuple[Header, ...]:
    """The trailers in a gRPC-Web frame: lines of `name: value`."""
    lines = payload.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
