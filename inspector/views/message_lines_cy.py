"""The NDJSON record of a message (docs/records.md), as text: what `rows.message_row` has, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from inspector.session import DecodedMessage
from inspector.views.line_buffer_cy import json_bytes
from inspector.views.rows import bare_row, message_row, to_line

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if TYPE_CHECKING or not cython.compiled:
    from inspector.views.line_buffer_cy import LineBuffer
else:
    from cython.cimports.inspector.views.line_buffer_cy import LineBuffer

MOST_REMEMBERED = 4096

_TEXTS: dict[str, bytes] = cython.declare(dict, {})
"""Methods, types and encodings as JSON."""


def message_lines(found: Iterable[DecodedMessage], *, bare: bool = False, raw: bool = False) -> bytes:
    """The records as lines of JSON; `bare` just the messages, `raw` with their bytes."""
    out: LineBuffer = LineBuffer()
    for decoded in found:
        if raw or decoded.problem is not None:
            out.put(to_line(bare_row(decoded, raw=raw) if bare else message_row(decoded, raw=raw)))
            out.put(b"\n")
        elif bare:
            out.put_safe(decoded.json)
            out.put(b"\n")
        else:
            _put_message(out, decoded)
    return out.since(0)


@cython.cfunc
def _put_message(out: LineBuffer, decoded: DecodedMessage) -> None:
    message, type_name, json, decoded_by, unknown_bytes, _ = cython.cast(tuple, decoded)
    call, index, direction, method, time, encoding, data, wire, _, _ = cython.cast(tuple, message)
    out.put(b'{"call":')
    if call:
        out.put_number(call)
    else:
        out.put(b"null")
    out.put(b',"index":')
    out.put_number(index)
    out.put(b',"direction":')
    out.put(_text(direction))
    out.put(b',"method":')
    out.put(_text(method))
    out.put(b',"type":')
    out.put(_text(type_name))
    out.put(b',"time":')
    out.put_time(time)
    out.put(b',"size":')
    out.put_number(len(wire if data is None else data))
    out.put(b',"encoding":')
    out.put(_text(encoding))
    out.put(b',"decoded_by":')
    out.put(_text(decoded_by))
    out.put(b',"message":')
    out.put_safe(json)
    if unknown_bytes:
        out.put(b',"unknown_bytes":')
        out.put_number(unknown_bytes)
    out.put(b"}\n")


@cython.cfunc
def _text(value: str | None) -> bytes:
    if value is None:
        return b"null"
    text: bytes | None = _TEXTS.get(value)
    if text is None:
        if len(_TEXTS) >= MOST_REMEMBERED:
            _TEXTS.clear()
        text = _TEXTS[value] = json_bytes(value)
    return text
