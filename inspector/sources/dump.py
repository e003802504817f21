"""Textual dumps of binary input: `KIND+hex` and `KIND+base64`."""

from __future__ import annotations

from inspector.errors import EncodeError, InputError

DUMPS = ("hex", "base64")
"""The forms that there are, by the names of their formats."""


def undump(form: str, text: bytes) -> bytes:
    """The bytes that `text` shows. Raises InputError for an unknown form or wrong text."""
    if form not in DUMPS:
        raise InputError(f"there is no textual form named {form!r}", hint=f"known are {', '.join(DUMPS)}")
    from inspector.formats import base64, hex  # noqa: PLC0415  # load protobuf, which most inputs can do without
    from inspector.formats.base import Conversion  # noqa: PLC0415

    read = {"hex": hex.read, "base64": base64.read}[form]
    try:
        return b"".join(read(text, Conversion()))
    except EncodeError as error:
        raise InputError(f"the input is not {form}: {error.where}: {error.message}", hint=error.hint) from None
