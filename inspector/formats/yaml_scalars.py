"""What a plain scalar of YAML stands for, by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, chapter 10.3).

So `yes`, `1:30` and dates are strings; so is `012`, which YAML 1.1 and 1.2 take for different numbers.
"""

from __future__ import annotations

import re

from inspector.transcode.scalar_readers import TooLarge, real, whole
from inspector.wire.json_value import JsonValue

_CONSTANTS: dict[str, JsonValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + name: float(f"{sign}inf") for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_MOST_BASED_DIGITS = 64
"""Digits of an octal or hexadecimal number: those of 2^64 are fewer."""


def plain_value(text: str) -> JsonValue:
    """What a plain scalar stands for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return whole(text)
    if _REAL.fullmatch(text):
        return real(text)
    if _BASED.fullmatch(text):
        return TooLarge("inf") if len(text) > _MOST_BASED_DIGITS else int(text, 0)
    return text
