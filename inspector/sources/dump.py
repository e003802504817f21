"""Textual dumps of binary input: `KIND+hex` and `KIND+base64`."""

from __future__ import annotations

import base64
import binascii
import re

from inspector.errors import InputError

_HEX_NOISE = re.compile(rb"0[xX]|\\x|[\s:,;]+")


def from_hex(text: bytes) -> bytes:
    """Hex digits with white space, `0x`, `\\x`, colons or commas between them. Raises InputError."""
    try:
        return bytes.fromhex(_HEX_NOISE.sub(b"", text).decode("ascii"))
    except ValueError:
        raise InputError("the input is not hex", hint="expected are pairs of hex digits") from None


def from_base64(text: bytes) -> bytes:
    """Base64 of either alphabet, padded or not, with white space anywhere. Raises InputError."""
    compact = b"".join(text.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error:
        raise InputError("the input is not base64") from None


DUMPS = {"hex": from_hex, "base64": from_base64}


def undump(form: str, text: bytes) -> bytes:
    """The bytes that `text` shows. Raises InputError for an unknown form or wrong text."""
    if form not in DUMPS:
        raise InputError(f"there is no textual form named {form!r}", hint=f"known are {', '.join(DUMPS)}")
    return DUMPS[form](text)
