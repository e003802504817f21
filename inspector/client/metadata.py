"""Header fields to send, as users write them: `name: value` lines, files of such lines, `${VAR}`.

What a name and a value may be is in grpc/doc/PROTOCOL-HTTP2.md (Custom-Metadata): a name of lower-case letters, digits
and `_-.`, a value of printable ASCII; of a name that ends in `-bin`, the value is octets, carried in base64. The
invariant: what passes here can be sent, and means on the other side what was written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hpack import NeverIndexedHeaderTuple

from inspector.client.protocols.base import RawHeader
from inspector.client.settings import HeaderValue, Metadata
from inspector.errors import InputError
from inspector.net.metadata_cy import binary_value

_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[ -~]*")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_RESERVED = frozenset(("te", "content-type", "host", "connection", "keep-alive", "proxy-connection",
                       "transfer-encoding", "upgrade", "content-length", "grpc-timeout", "grpc-encoding",
                       "grpc-accept-encoding", "grpc-status", "grpc-message", "user-agent"))  # fmt: skip
"""What the protocol itself says by these names."""

_SECRET = frozenset((b"authorization", b"cookie", b"proxy-authorization", b"x-api-key"))
"""Fields that do not go into the tables of HPACK, where an attacker could guess at them (RFC 7541, 7.1)."""


def parse(options: Iterable[str], *, environment: Mapping[str, str] | None = None) -> Metadata:
    """The fields of `-H` options: `name: value`, or `@file` with such lines (empty ones and `#` comments are skipped).

    With an `environment`, `${VAR}` in them is its variable. Raises InputError with the option or the line.
    """
    found: list[tuple[str, HeaderValue]] = []
    for option in options:
        for where, line in _lines(option):
            try:
                found.append(_field(line if environment is None else _expanded(line, environment)))
            except InputError as error:
                raise InputError(error.message, where=where, hint=error.hint) from None
    return tuple(found)


def _lines(option: str) -> Iterable[tuple[str, str]]:
    if not option.startswith("@"):
        return [("header", option)]
    path = Path(option[1:])
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InputError(f"cannot read a file of headers: {reason}", where=str(path)) from None
    numbered = ((f"{path}, line {number}", line.strip()) for number, line in enumerate(lines, 1))
    return [(where, line) for where, line in numbered if line and not line.startswith("#")]


def _field(line: str) -> tuple[str, HeaderValue]:
    name, colon, value = line.partition(":")
    if not colon:
        raise InputError(f"{line[:80]!r} is not of the form 'name: value'")
    pair = name.strip().lower(), value.strip()
    _encoded(*pair)
    return pair


def _expanded(line: str, environment: Mapping[str, str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise InputError(f"the environment has no variable {match[1]}")
        return environment[match[1]]

    return _VARIABLE.sub(value_of, line)


def to_send(metadata: Metadata, taken: Iterable[bytes] = ()) -> list[RawHeader]:
    """The fields as HTTP/2 carries them. Raises InputError for one that cannot be sent, or whose name is `taken` by the
    protocol of the call."""
    fields = [_encoded(name.lower(), value) for name, value in metadata]
    for name in {name for name, _ in fields} & set(taken):
        raise _reserved(name.decode())
    return fields


def _reserved(name: str) -> InputError:
    return InputError(f"the header {name} belongs to the protocol", hint="options of the call set what it says")


def _encoded(name: str, value: HeaderValue) -> RawHeader:
    if not isinstance(value, str | bytes):
        raise InputError(f"the value of the header {name[:80]} is neither text nor bytes")
    if not _NAME.fullmatch(name):
        hint = "names are letters, digits, '-', '_' and '.'"
        raise InputError(f"{name[:80]!r} cannot be the name of a header", hint=hint)
    if name in _RESERVED:
        raise _reserved(name)
    octets = _binary(name, value) if name.endswith("-bin") else _text(name, value)
    field = name.encode("ascii"), octets
    return NeverIndexedHeaderTuple(*field) if field[0] in _SECRET else field


def _binary(name: str, value: HeaderValue) -> bytes:
    octets = binary_value(value) if isinstance(value, str) else value
    if octets is None:
        raise InputError(f"the value of {name} is not base64", hint="values of names that end in -bin are base64")
    return base64.b64encode(octets).rstrip(b"=")


def _text(name: str, value: HeaderValue) -> bytes:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not _VALUE.fullmatch(text):
        hint = f"values are printable ASCII; others go into {name}-bin, in base64"
        raise InputError(f"the value of the header {name} cannot be sent as it is", hint=hint)
    return text.strip(" ").encode("ascii")
