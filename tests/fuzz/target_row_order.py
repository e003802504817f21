"""Rows in the order of their keys: the kernel against the interpreter's `sorted`, whole and merged from two runs."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from fuzz.target import Script, Target

try:
    from inspector.views.row_order_cy import merge_rows, sort_rows
except ImportError:  # not compiled: the results are the same without it
    merge_rows = sort_rows = None

LARGEST = (1 << 63) - 1
EDGES = (0, 1, -1, 255, 256, -256, 1 << 31, 1 << 32, 1 << 56, -(1 << 56), LARGEST, -LARGEST - 1)


def run(data: bytes) -> object:
    script = Script(data)
    flags = script.byte()
    descending, is_wide = bool(flags & 1), bool(flags & 2)
    keys = array("q", [_key(script, is_wide=is_wide) for _ in range(script.byte())])
    rest = script.rest()
    rows = array("I", rest[: len(rest) // 4 * 4])
    known = [row for row in rows if row < len(keys)]
    expected = _in_order(keys, known, descending)
    if sort_rows is not None:
        _compare(keys, rows, known, expected, descending)
    return expected


def _compare(keys: array[int], rows: array[int], known: Sequence[int], expected: list[int], descending: bool) -> None:
    found = array("I", known)
    sort_rows(keys, found, descending)
    assert found.tolist() == expected
    middle = len(known) // 3
    first, second = (array("I", _in_order(keys, part, descending)) for part in (known[:middle], known[middle:]))
    out = array("I", bytes(4 * len(known)))
    merge_rows(keys, first, second, out, descending)
    assert out.tolist() == expected
    if len(known) < len(rows):
        _refused(lambda: sort_rows(keys, array("I", rows), descending))
        room = array("I", bytes(4 * (len(rows) + middle)))
        _refused(lambda: merge_rows(keys, first, rows, room, descending))
    _refused(lambda: merge_rows(keys, first, second, array("I", bytes(4 * len(known) + 4)), descending))


def _in_order(keys: Sequence[int], rows: Sequence[int], descending: bool) -> list[int]:
    return sorted(rows, key=keys.__getitem__, reverse=descending)


def _refused(work) -> None:
    try:
        work()
    except IndexError:
        return
    raise AssertionError("a row without a key, or too little room, was taken")


def _key(script: Script, *, is_wide: bool) -> int:
    if is_wide:
        return int.from_bytes(script.take(8).ljust(8, b"\0"), "little", signed=True)
    kind = script.byte()
    return EDGES[kind % len(EDGES)] + (kind // len(EDGES) % 2 if kind % len(EDGES) != 10 else 0)


def _rows(*rows: int) -> bytes:
    return array("I", rows).tobytes()


def seeds() -> Iterator[bytes]:
    yield bytes((0, 12, *range(12))) + _rows(*range(12))
    yield bytes((1, 12, *range(12))) + _rows(*range(11, -1, -1), 3, 3, 5)
    yield bytes((2, 2)) + b"\xff" * 8 + b"\1" + bytes(7) + _rows(1, 0, 1)
    yield bytes((1, 3, 7, 7, 7)) + _rows(2, 0, 1, 3)
    yield bytes((0, 0)) + _rows(0)


TARGET = Target("row_order", run, seeds, (_rows(0), _rows(1), _rows(0xFFFFFFFF)))
