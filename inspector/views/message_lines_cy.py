"""The NDJSON record of a message (docs/records.md), as text: what `rows.message_row` has, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inspector.session import DecodedMessage
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

USUAL_SIZE = 320
"""Bytes of a line around its message; a longer one takes the time to make room."""


def message_lines(found: Sequence[DecodedMessage], *, bare: bool = False, raw: bool = False) -> bytearray:
    """The records as lines of JSON; `bare` just the messages, `raw` with their bytes."""
    out: LineBuffer = LineBuffer(USUAL_SIZE * len(found) + sum([len(decoded.json) for decoded in found]))
    for decoded in found:
        if raw or decoded.problem is not None:
            out.put(to_line(bare_row(decoded, raw=raw) if bare else message_row(decoded, raw=raw)))
            out.put(b"\n")
        elif bare:
            _put_json(out, decoded.json, decoded.is_seen)
            out.put(b"\n")
        else:
            _put_message(out, decoded)
    return out.text()


@cython.cfunc
def _put_message(out: LineBuffer, decoded: DecodedMessage) -> None:
    message, type_name, json, decoded_by, unknown_bytes, _, is_seen = cython.cast(tuple, decoded)
    call, index, direction, method, time, encoding, data, wire, _, _ = cython.cast(tuple, message)
    out.put(b'{"call":')
    if call:
        out.put_number(call)
    else:
        out.put(b"null")
    out.put(b',"index":')
    out.put_number(index)
    out.put(b',"direction":')
    out.put_text(direction)
    out.put(b',"method":')
    out.put_text(method)
    out.put(b',"type":')
    out.put_text(type_name)
    out.put(b',"time":')
    out.put_time(time)
    out.put(b',"size":')
    out.put_number(len(wire if data is None else data))
    out.put(b',"encoding":')
    out.put_text(encoding)
    out.put(b',"decoded_by":')
    out.put_text(decoded_by)
    out.put(b',"message":')
    _put_json(out, json, is_seen)
    if unknown_bytes:
        out.put(b',"unknown_bytes":')
        out.put_number(unknown_bytes)
    out.put(b"}\n")


@cython.cfunc
def _put_json(out: LineBuffer, json: bytes, is_seen: cython.bint) -> None:
    """The text of a message, looked through for what would move a terminal, unless it is known to have none of that."""
    if is_seen:
        out.put(json)
    else:
        out.put_safe(json)
