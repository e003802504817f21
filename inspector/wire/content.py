"""The evidence in one LEN content or group: how many bits it saves under each reading.

A reading under which bytes cost fewer bits than they have is one that explains them: the principle of the shortest
description (J. Rissanen, "Modeling by shortest data description", 1978). One bit saved is a factor of two in
likelihood, so savings add up over the parts of a message and over the occurrences of a field. Readings:

- text costs what `text_likeness` says;
- a message costs its tags (a small number, a wire type; little where they were met before), its lengths, its numbers
  (`number_likeness`), and for what lies in it the best reading of that;
- packed numbers cost what `packed` says;
- bytes cost what they have, for they may be anything: zeros, of which binary data is full, a little less; and they
  may be text or numbers all the same, at a price.

Of a content over limits.MAX_JUDGED_BYTES that many are looked at: it may be what they can be, whatever comes then.

Invariant: all bytes of a source are read at most once at each level of nesting, down to limits.MAX_DEPTH.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, log2
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.limits import MAX_GUESS_FIELDS, MAX_JUDGED_BYTES
from inspector.wire.number_likeness import fixed_bits, floating_bits, varint_bits
from inspector.wire.packed import are_written
from inspector.wire.packed import savings as packed_savings
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT, Field, GroupEnds, scan_prefix
from inspector.wire.scan_cy import skip_fields
from inspector.wire.tag_likeness import Tag, Tags, tag_size
from inspector.wire.text_likeness import SAMPLE, likeness

PRIOR_STRING, PRIOR_MESSAGE, PRIOR_BYTES = 0.8, 1.6, 3.3
PRIOR_PACKED = {"int64": 8.0, "sint64": 17.0, "double": 9.0, "float": 9.0, "fixed32": 10.0, "fixed64": 9.0}
"""Bits by the shares of the kinds among the LEN fields of real messages."""

BYTES_HOLD = 6.0
"""What it costs a bytes field to hold text, or a message or the first part of one."""

_OFTEN, _SELDOM = 4.0, 10.0
"""What it costs it to hold numbers one after the other. Fixed ones and those of one byte (flags, shades) it often does;
varints of several bytes, and doubles in few digits as somebody wrote them, are rather packed."""

_ZERO, _NOT_ZERO = 5.0, -0.4
"""What a byte saves as part of a record in some binary format, of which many bytes are zero."""
_ALPHANUMERIC, _NOT_ALPHANUMERIC = 1.8, -1.4
"""The same where the format holds names."""
_NAME_BYTES = bytes(byte for byte in range(0x80) if chr(byte).isalnum())

_FEW_BYTES = 0.7
"""Bytes fields hold ids, digests, files: few of them are shorter than eight bytes, but for those of four."""

_ENOUGH = 1.5
"""Bits a byte that neither numbers nor bytes come to, where a message or text does."""

_SHORT = 64
"""Contents up to this size are looked up among those seen before: most come again and again."""

_FEW_FIELDS = 2 * MAX_GUESS_FIELDS
"""Bytes that hold no more fields than are weighed."""

_SHORT_ROOM = _SHORT // 2
"""Levels that fit into a short content."""


class Scanned(NamedTuple):
    """The fields of a message, and what cut it short."""

    fields: list[Field]
    error: DecodeError | None


class Source:
    """Bytes that hold messages, and what is known of contents in them."""

    __slots__ = ("_evidence", "_group_ends", "_scanned", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._group_ends: GroupEnds = {}
        self._evidence: dict[tuple[int, int], Evidence] = {}
        self._scanned: dict[tuple[int, int], Scanned] = {}

    def scan(self, start: int, end: int, *, keep: bool = False) -> Scanned:
        """The fields of the message in `data[start:end]`. What is kept serves one more scan."""
        scanned = self._scanned.pop((start, end), None)
        if scanned is None:
            scanned = Scanned(*scan_prefix(self.data, start, end, self._group_ends))
        if keep:
            self._scanned[start, end] = scanned
        return scanned

    def scan_first(self, start: int, end: int, most: int, stop: int | None = None) -> Scanned:
        """The first `most` fields of the message in `data[start:end]`, of those that begin before `stop`."""
        stop = end if stop is None else stop
        fields: list[Field] = []
        while start < stop and len(fields) < most:
            after, _ = skip_fields(self.data, start, stop, most - len(fields), self._group_ends)
            more, error = self._scan_until(start, end, max(after, start + 1))  # what it does not skip, by itself
            fields += more
            if error is not None:
                return Scanned(fields, error)
            start = fields[-1].end
        return Scanned(fields, None)

    def find_damage(self, start: int, end: int, stop: int) -> DecodeError | None:
        """What is wrong with the fields of the message in `data[start:end]` that begin before `stop`."""
        while start < stop:
            start, _ = skip_fields(self.data, start, stop, stop - start, self._group_ends)
            if start < stop:
                fields, error = self._scan_until(start, end, start + 1)
                if error is not None:
                    return error
                start = fields[-1].end
        return None

    def judged(self, start: int, end: int) -> Scanned:
        """The fields by which the message in `data[start:end]` is judged, and what is wrong with it up to where it is
        looked at."""
        if end - start <= _FEW_FIELDS:
            return self.scan(start, end, keep=end - start > _SHORT)
        stop = min(end, start + MAX_JUDGED_BYTES)
        fields, error = self.scan_first(start, end, MAX_GUESS_FIELDS, stop)
        if error is None:
            error = self.find_damage(fields[-1].end, end, stop)
        return Scanned(fields, error)

    def _scan_until(self, start: int, end: int, stop: int) -> Scanned:
        """The fields of the message in `data[start:end]` that begin before `stop`."""
        return Scanned(*scan_prefix(self.data, start, end, self._group_ends, stop))

    def evidence(self, start: int, end: int, room: int) -> Evidence:
        """The evidence in `data[start:end]`, in which messages may nest `room` deep."""
        if end - start <= _SHORT:
            return _short_evidence(self.data[start:end], min(room, _SHORT_ROOM))
        known = self._evidence.get((start, end))
        if known is None:
            known = self._evidence[start, end] = Evidence(self, start, end, room)
        return known


@lru_cache(maxsize=8192)
def _short_evidence(raw: bytes, room: int) -> Evidence:
    return Evidence(Source(raw), 0, len(raw), room)


class Evidence:
    """What a content saves, in bits, as `text`, and as a message by its `values`, to which its tags come.

    `text` is None where it is not UTF-8, `tags` is None where it does not parse as a message (`cut` is what it saves
    as the first part of one); `is_plain` tells text that is printable throughout; `zeros` and `names` count zero bytes
    and alphanumeric ones. `kind` is the verdict on it by itself, once there is one.
    """

    __slots__ = (
        "_best",
        "_judged",
        "_packed",
        "cut",
        "is_plain",
        "kind",
        "names",
        "size",
        "tags",
        "text",
        "values",
        "zeros",
    )

    def __init__(self, source: Source, start: int, end: int, room: int) -> None:
        is_whole = end - start <= MAX_JUDGED_BYTES
        raw = source.data[start : end if is_whole else start + MAX_JUDGED_BYTES]
        self._judged = raw
        self.size = end - start
        sample = raw[:SAMPLE]
        self.zeros = sample.count(0)
        self.names = len(sample) - len(sample.translate(None, _NAME_BYTES))
        self.text, self.is_plain = likeness(raw, is_whole=is_whole)
        self.tags: list[Tag] | None = None
        self.values = self.cut = 0.0
        self.kind: str | None = None
        self._best: float | None = None
        self._packed: dict[str, float] | None = None
        if room > 0 and not (self.is_plain and is_surely_no_message(raw)):
            self._read_message(source, start, end, room)

    def _read_message(self, source: Source, start: int, end: int, room: int) -> None:
        fields, error = source.judged(start, end)
        if error is None or error.code == "truncated":
            weighed = [field for field in fields if field.tag_start < start + SAMPLE]
            tags = [(field.number, field.wire_type) for field in weighed]
            for field in weighed:  # a loop, not a generator: nesting costs a frame less
                self.values += _value_saving(source, field, end, room)
            if error is None:
                self.tags = tags
            else:
                self.cut = self.values + Tags().saving(tags)

    @property
    def message(self) -> float | None:
        """What it saves as a message by itself."""
        return None if self.tags is None else self.values + Tags().saving(self.tags)

    @property
    def packed(self) -> dict[str, float]:
        """What it saves as packed numbers, by the kind of an element."""
        if self._packed is None:
            self._packed = packed_savings(self._judged, self.size)
        return self._packed

    @property
    def opaque(self) -> float:
        """What it saves as bytes."""
        weighed = min(self.size, SAMPLE)
        savings = [
            max(0.0, self.cut - BYTES_HOLD),
            _ZERO * self.zeros + _NOT_ZERO * (weighed - self.zeros) - 1,
            _ALPHANUMERIC * self.names + _NOT_ALPHANUMERIC * (weighed - self.names) - 1,
        ]
        savings += [saving - self._price(kind) for kind, saving in self.packed.items()]
        if self.text is not None:
            savings.append(self.text - BYTES_HOLD)
        return max(savings) - (_FEW_BYTES if self.size < 8 and self.size != 4 else 0.0)

    def _price(self, kind: str) -> float:
        """What it costs a bytes field to hold such numbers: little where tensors and the like do."""
        if kind in ("int64", "sint64"):
            return _SELDOM if not self._judged.isascii() else _OFTEN
        return _SELDOM if kind == "double" and are_written(self._judged) else _OFTEN

    @property
    def enough(self) -> float:
        """A reading that saves more than this needs no other beside it to be tried."""
        return _ENOUGH * min(self.size, SAMPLE)

    @property
    def best(self) -> float:
        """What it saves under its best reading, the choice of which costs too."""
        if self._best is None:
            self._best = self._find_best()
        return self._best

    def _find_best(self) -> float:
        message = self.message
        best = -inf if message is None else message - PRIOR_MESSAGE
        if self.text is not None:
            best = max(best, self.text - PRIOR_STRING)
        if best > self.enough:
            return best
        numbers = (saving - PRIOR_PACKED[kind] for kind, saving in self.packed.items())
        return max(best, self.opaque - PRIOR_BYTES, *numbers)


def is_surely_no_message(text: bytes) -> bool:
    """Whether printable text cannot be a message: a quick look, which sees most of them.

    In ASCII, tags, lengths and varints have one byte each.
    """
    offset, end = 0, len(text)
    if not text.isascii():
        return False
    while offset < end:
        tag = text[offset]
        wire_type = tag & 7
        if wire_type == SGROUP:
            return text.find(tag + 1, offset) < 0
        if wire_type not in _STEPS:
            return True
        offset += _STEPS[wire_type]
        if wire_type == LEN and offset <= end:
            offset += text[offset - 1]
    return offset != end


_STEPS = {VARINT: 2, I64: 9, LEN: 2, I32: 5}


# --- values ------------------------------------------------------------------------------------------------------

_NOT_MINIMAL = 14.0
"""No common writer makes varints longer than needed, but for room kept for a length."""

_FIXED_INTEGER = 1.5
_EMPTY_GROUP = 6.0


def _value_saving(source: Source, field: Field, end: int, room: int) -> float:
    """What the value of a field saves, its length prefix or end tag included, without its tag. `end` is that of the
    message."""
    if field.wire_type == VARINT:
        size = field.end - field.value_start
        return 8.0 * size - varint_bits(field.value) - _excess(field.value, size)
    if field.wire_type == LEN:
        prefix = field.value_start - field.tag_start - tag_size(field.number)
        inner = source.evidence(field.value_start, field.end, room - 1).best
        length = _TO_THE_END if field.end == end else _length_bits(field.value)
        return 8.0 * prefix - length - _excess(field.value, prefix) + inner
    if field.wire_type == SGROUP:
        return 8.0 * (field.end - field.value_end) + _group_saving(source, field, room)
    size = 8 if field.wire_type == I64 else 4
    return 8.0 * size - min(floating_bits(field.value, size), fixed_bits(field.value, size) + _FIXED_INTEGER)


def _group_saving(source: Source, field: Field, room: int) -> float:
    if not field.value:
        return -_EMPTY_GROUP
    return source.evidence(field.value_start, field.value_end, room - 1).message or 0.0


def _excess(value: int, size: int) -> float:
    return _NOT_MINIMAL if size > 1 and value >> (7 * (size - 1)) == 0 else 0.0


_TO_THE_END = 1.3
"""A length that takes all that is left: in a message the last one does, in other bytes it is a rare chance."""


@lru_cache(maxsize=1024)
def _length_bits(length: int) -> float:
    return 2.7 + log2(length + 1)
