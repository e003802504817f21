"""How like text some bytes are: how many bits they save as text, by a model of what people and programs write.

The model knows classes of characters, not languages: letters and digits are common, punctuation less, control
characters rare except where lines end; beyond ASCII, a character of the script at hand is common, one of another
less, and a code point without a character next to impossible. UTF-8 is that of RFC 3629.

Invariant: all of the bytes have to be UTF-8, the first `SAMPLE` of them are weighed.
"""

from __future__ import annotations

from codecs import utf_8_decode
from functools import lru_cache
from math import log2
from typing import NamedTuple
from unicodedata import category

SAMPLE = 256
"""Bytes weighed: long before them text is told from anything else."""

_STEP = 8
"""Costs of bytes are kept in eighths of a bit, so that they fit into a byte themselves."""


def _cost_of_byte(byte: int) -> float:
    """Bits by frequency in names, words, numbers and sentences. Bytes over 127 are charged by the character."""
    character = chr(byte)
    if byte >= 0x80:
        return 0
    if character.isalnum():
        return 5
    if character in " -_./:,":
        return 5.5
    if character.isprintable():
        return 7.5
    return 8.5 if character in "\n\t\r" else 12 if character == "\x1b" else 17


_COSTS = bytes(round(_cost_of_byte(byte) * _STEP) for byte in range(256))

_FIRST = dict.fromkeys(b"\"'#$%&*+,.:;=?@\\^_`|~!)]}>-", 2.0) | dict.fromkeys(b"\n\r\t ", 6.0)
"""What a first character costs more: text seldom begins with a blank or a sign."""

_GRAPHIC = bytes(range(0x20, 0x7F)) + b"\n\r\t"

_DENSE = 6.5
"""Bits a character of what is mostly signs: a ruler drawn in them, perhaps."""

_CLOSING = 8.0
"""What a NUL or a line end costs less at the very end, where it is a habit and no sign of binary."""

_SAME_BLOCK = 7.0
_NEW_BLOCK = 13.0
_BLOCK_BITS = 7
"""Scripts lie in blocks of 128 code points; those of East Asia, which fill many of them, count as one."""

_NOT_A_CHARACTER = 22.0
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
"""Controls, code points without a character, private ones. (Joiners of emoji are Cf.)"""


class Likeness(NamedTuple):
    """`saving` is in bits, None for what is not UTF-8; `is_plain` tells that all is printable."""

    saving: float | None
    is_plain: bool


def likeness(raw: bytes, *, is_whole: bool = True) -> Likeness:
    """How like text some bytes are; the beginning of more may end within a character."""
    try:
        text, size = utf_8_decode(raw, "strict", is_whole)
    except UnicodeDecodeError:
        return Likeness(None, False)
    sample = raw[:SAMPLE]
    cost = _cost(sample)
    if len(text) != size:
        cost += _beyond_ascii(sample.decode(errors="ignore"))
    if _is_monotonous(sample, cost):
        cost = min(cost, _few_kinds_bits(sample))
    return Likeness(8.0 * len(sample) - cost, text.isprintable())


def _cost(sample: bytes) -> float:
    if not sample:
        return 0.0
    bits = sum(sample.translate(_COSTS)) / _STEP + _FIRST.get(sample[0], 0.0)
    return bits - _CLOSING if sample[-1] in b"\0\n" and len(sample) > 1 else bits


def _is_monotonous(sample: bytes, cost: float) -> bool:
    """Whether it is worth a look if these are the same few characters all over."""
    if cost <= _DENSE * len(sample) and 4 * sample.count(sample[:1]) <= len(sample):
        return False
    return len(sample) > 1 and not sample.translate(None, _GRAPHIC)


def _few_kinds_bits(sample: bytes) -> float:
    kinds = len(set(sample))
    return 8.0 * kinds + (1.0 + log2(kinds)) * len(sample)


def _beyond_ascii(text: str) -> float:
    bits = 0.0
    known: int | None = None
    for character in text:
        if character > "\x7f":
            block = _block(character)
            bits += _NOT_A_CHARACTER if block is None else _SAME_BLOCK if block == known else _NEW_BLOCK
            known = block
    return bits


@lru_cache(maxsize=4096)
def _block(character: str) -> int | None:
    """The block of a character; None where there is no character of that code point."""
    if category(character) in _NO_TEXT:
        return None
    point = ord(character)
    return _EAST_ASIA if 0x2E80 <= point < 0xD7B0 or 0x20000 <= point < 0x32000 else point >> _BLOCK_BITS


_EAST_ASIA = 1 << 20
