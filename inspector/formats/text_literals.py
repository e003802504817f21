"""Strings and numbers of the text format, both ways.

(https://protobuf.dev/reference/protobuf/textformat-spec/, "Numeric Literals", "String Literals", "Value Types")

Invariant: what `quoted`, `quoted_bytes`, `double` and `single` write holds no control characters, and is read back as
the same value, to the bit save for the payload of a NaN.
"""

from __future__ import annotations

import re
from math import copysign, isfinite

from inspector.formats.text_tokens import NAME, NUMBER, STRING, TextProblem, Tokens
from inspector.schema.wording import one_line
from inspector.wire.floats import shortest_float

# --- reading -----------------------------------------------------------------------------------------------------

_INTEGER = re.compile(r"0[xX][0-9A-Fa-f]++|0[0-7]*+|[1-9][0-9]*+")
_FLOAT = re.compile(r"(?:\.[0-9]++|(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?)(?:[eE][+-]?[0-9]++)?[fF]?")

_MAX_DIGITS = 20
"""Decimal digits of 2^64: a longer integer is out of any range, and not worth its conversion."""

_NOT_FINITE = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}

_BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}

_ESCAPE = re.compile(
    rb"\\(?:([abfnrtv?\\'\"])|([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([^\x80-\xff]?))"
)

_SIMPLE = dict(zip(b"abfnrtv?\\'\"", b"\a\b\f\n\r\t\v?\\'\"", strict=True))

_SURROGATES = range(0xD800, 0xE000)

_LAST_CHARACTER = 0x10FFFF


def read_integer(tokens: Tokens, low: int, high: int) -> int:
    """An integer within the bounds: decimal, hexadecimal (0x) or octal (0)."""
    start = tokens.start
    negative = low < 0 and tokens.take("-")
    if tokens.kind != NUMBER:
        raise tokens.unexpected("an integer" if low < 0 else "an integer without a sign")
    value = _integer(tokens)
    if value is None or not low <= (value := -value if negative else value) <= high:
        sign = "-" if negative else ""
        raise TextProblem(f"{sign}{tokens.found()} is out of range: {low} to {high}", start)
    tokens.advance()
    return value


def _integer(tokens: Tokens) -> int | None:
    """The number that is the token, None where it is far too large."""
    text = tokens.text
    if not _INTEGER.fullmatch(text):
        raise tokens.unexpected("an integer") if _FLOAT.fullmatch(text) else _malformed(tokens)
    if text[0] != "0":
        return int(text) if len(text) <= _MAX_DIGITS else None
    return int(text, 16 if text[1:2] in ("x", "X") else 8)


def _malformed(tokens: Tokens) -> TextProblem:
    return tokens.problem(
        f"{tokens.found()} is not a number",
        "a leading 0 makes it octal" if re.match("0[0-9]", tokens.text) else "white space has to follow a number",
    )


def read_float(tokens: Tokens) -> float:
    """A number with or without a fraction, inf or nan. Beyond the range of a double it is infinite."""
    negative = tokens.take("-")
    number = _NOT_FINITE.get(tokens.text.lower()) if tokens.kind == NAME else _float(tokens)
    if number is None:
        raise tokens.unexpected("a number, inf or nan")
    tokens.advance()
    return -number if negative else number


def _float(tokens: Tokens) -> float | None:
    if tokens.kind != NUMBER:
        return None
    if _FLOAT.fullmatch(tokens.text):
        return float(tokens.text.rstrip("fF"))
    if _INTEGER.fullmatch(tokens.text):
        raise tokens.problem(f"expected a decimal number, found {tokens.found()}")
    raise _malformed(tokens)


def read_bool(tokens: Tokens) -> bool:
    """true, True, t, 1 and their opposites."""
    if tokens.kind == NUMBER:
        return bool(read_integer(tokens, 0, 1))
    value = _BOOLS.get(tokens.text)
    if value is None:
        raise tokens.unexpected("true or false")
    tokens.advance()
    return value


def read_string(tokens: Tokens) -> bytes:
    """One string, or several in a row that make one."""
    if tokens.kind != STRING:
        raise tokens.unexpected("a string")
    parts = []
    while tokens.kind == STRING:
        parts.append(_unquoted(tokens))
        tokens.advance()
    return b"".join(parts)


def _unquoted(tokens: Tokens) -> bytes:
    content = tokens.text[1:-1]
    if "\\" not in content:
        return content.encode()

    def unescape(found: re.Match[bytes]) -> bytes:
        value = _unescape(found)
        if value is None:
            raise _wrong_escape(tokens, found)
        return value

    return _ESCAPE.sub(unescape, content.encode())


def _unescape(found: re.Match[bytes]) -> bytes | None:
    """The bytes that an escape stands for; None where it stands for none."""
    simple, octal, hexadecimal, short, long, _ = found.groups()
    if simple:
        return bytes((_SIMPLE[simple[0]],))
    if octal or hexadecimal:
        byte = int(octal, 8) if octal else int(hexadecimal, 16)
        return bytes((byte,)) if byte < 256 else None
    code = int(short or long or b"-1", 16)
    return chr(code).encode() if 0 <= code <= _LAST_CHARACTER and code not in _SURROGATES else None


def _wrong_escape(tokens: Tokens, found: re.Match[bytes]) -> TextProblem:
    before = found.string[: found.start()].decode()
    escape = one_line(found[0].decode("utf-8", "replace"))
    if found[2]:
        message, hint = f"{escape} is not a byte", "octal escapes end at \\377"
    elif found[4] or found[5]:
        message, hint = f"{escape} is not a character", "characters beyond U+FFFF are written \\U0001F600"
    else:
        message, hint = f"{escape} is not an escape", "a backslash itself is written \\\\"
    return TextProblem(message, tokens.start + 1 + len(before), hint)


def skip_value(tokens: Tokens) -> None:
    """Goes past a value that is not a message, of whatever type."""
    if tokens.kind == STRING:
        read_string(tokens)
        return
    negative = tokens.take("-")
    if tokens.kind == NUMBER:
        if not (_INTEGER.fullmatch(tokens.text) or _FLOAT.fullmatch(tokens.text)):
            raise _malformed(tokens)
    elif tokens.kind != NAME or (negative and tokens.text.lower() not in _NOT_FINITE):
        raise tokens.unexpected("a value")
    tokens.advance()


# --- writing -----------------------------------------------------------------------------------------------------

# Controls, what ends a line, what makes text read in another order than it has (Unicode TR 9), and bytes that are not
# UTF-8 (as surrogates, which is how Python decodes them). Octal is the one escape that every reader takes for bytes.
_ESCAPED = re.compile("[\"'\\\\\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\udc80-\udcff]")

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\"}


def _octal(raw: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in raw)


_BYTES = [_SHORT.get(chr(byte)) or (chr(byte) if 32 <= byte < 127 else _octal(bytes((byte,)))) for byte in range(256)]


def quoted(text: str) -> str:
    """Text in quotes. It may hold undecodable bytes as surrogates (`surrogateescape`)."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or _octal(found[0].encode("utf-8", "surrogateescape"))


def quoted_bytes(raw: bytes) -> str:
    """Bytes in quotes, all in ASCII."""
    return f'"{"".join(map(_BYTES.__getitem__, raw))}"'


def double(number: float) -> str:
    """A number in the fewest digits that tell it."""
    if isfinite(number):
        return repr(number).removesuffix(".0")
    return "nan" if number != number else "inf" if copysign(1, number) > 0 else "-inf"


def single(number: float) -> str:
    """A number of single precision, likewise."""
    return double(shortest_float(number) if isfinite(number) else number)
