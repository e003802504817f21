"""JSON values as text."""

from __future__ import annotations

from inspector.wire.json_value import JsonValue


def dumps(value: JsonValue, indent: int | None = None) -> bytes:
    """JSON in UTF-8, compact or indented by so many spaces; keys keep their order, characters beyond ASCII stand as
    they are."""
    import orjson  # noqa: PLC0415  # takes as long to load as a message to print, and kernels print without it

    if indent is None or indent == 2:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0)  # None loses a reference each time
    import json  # noqa: PLC0415  # rarely asked for

    return json.dumps(value, indent=indent, ensure_ascii=False).encode()


def quoted(text: str) -> bytes:
    """A string as `dumps` gives it; a plain name without loading what that takes."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return b'"%b"' % text.encode()
    return dumps(text)


def indented(text: bytes, indent: int | None) -> bytes:
    """JSON text indented by so many spaces, or as it is. (To read it again takes less time than printing a message.)"""
    if indent is None:
        return text
    import orjson  # noqa: PLC0415  # as above

    return dumps(orjson.loads(text), indent)
