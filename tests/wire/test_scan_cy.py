"""Walks over many fields say what the scanner says of each, and stop in front of what is not theirs."""

from __future__ import annotations

from bisect import bisect_right

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import DecodeError
from inspector.wire.encode import tag, varint
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT, read_varint, scan_prefix

kernel = kernels.fixture("inspector.wire.scan_cy")

_NUMBERS = st.one_of(st.integers(1, 20), st.integers(1, (1 << 29) - 1))
_FIELDS = st.one_of(
    st.builds(lambda number, value: tag(number, VARINT) + varint(value), _NUMBERS, st.integers(0, (1 << 64) - 1)),
    st.builds(lambda number, text: tag(number, LEN) + varint(len(text)) + text, _NUMBERS, st.binary(max_size=40)),
    st.builds(lambda number, raw: tag(number, I64) + raw, _NUMBERS, st.binary(min_size=8, max_size=8)),
    st.builds(lambda number, raw: tag(number, I32) + raw, _NUMBERS, st.binary(min_size=4, max_size=4)),
)
_RUNS = st.builds(lambda field, times: field * times, _FIELDS, st.sampled_from([1, 1, 2, 3, 70, 1500]))
_MESSAGES = st.lists(_RUNS, max_size=6).map(b"".join)
_BYTES = st.one_of(_MESSAGES, st.binary(max_size=60), st.builds(bytes.__add__, _MESSAGES, st.binary(max_size=20)))


def of_two_bytes(count: int) -> bytes:
    return b"\x08\x01" * count


@given(_BYTES, st.integers(0, 3))
def test_the_index_has_the_fields_that_the_scanner_has(kernel, data, start):
    start = min(start, len(data))
    fields, _ = scan_prefix(data, start)
    plain = next((number for number, field in enumerate(fields) if field.wire_type == SGROUP), len(fields))
    index = kernel.FieldIndex(data, start, len(data))
    finished = index.run()
    assert index.count <= plain or fields[plain:] == []
    known = fields[: index.count]
    assert index.at == (known[-1].end if known else start)
    assert finished == (index.at == len(data))
    assert list(index.marks)[: -(-index.count // kernel.MARK_EVERY)] == [
        field.tag_start for field in known[:: kernel.MARK_EVERY]
    ]
    for field in known[:3] + known[-3:]:
        same = [each for each in known if each[:2] == field[:2]]
        assert index.total(field.number << 3 | field.wire_type) == len(same)


@given(_BYTES)
def test_places_are_those_of_the_scanner(kernel, data):
    for field in scan_prefix(data)[0]:
        parts = kernel.read_field(data, field.tag_start, len(data))
        if parts is None:
            assert field.wire_type == SGROUP or field.value_start - field.tag_start > 6
        else:
            assert parts[:3] == field[:3]
            assert parts[4:] == (field.value_start, field.end, field.end)
            assert parts.tag_end == read_varint(data, field.tag_start, len(data))[1]


@given(_MESSAGES, st.integers(0, 2000))
def test_so_many_fields_are_skipped_and_counted(kernel, data, most):
    fields = scan_prefix(data)[0]
    at, count = kernel.skip_fields(data, 0, len(data), most, {})
    assert count == min(most, len(fields))
    assert at == (fields[count].tag_start if count < len(fields) else len(data))
    wanted = fields[-1].number << 3 | fields[-1].wire_type if fields else 8
    tagged = sum(field.number << 3 | field.wire_type == wanted for field in fields[:count])
    assert kernel.count_tagged(data, 0, len(data), most, {}, wanted) == (at, count, tagged)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 127, 128, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("rest", [b"", b"\x08", b"\x08\x80\x01", b"\x10\x01\x08\x05", b"\x00"])
def test_runs_of_two_bytes_end_where_they_end(kernel, count, rest):
    data = of_two_bytes(count) + rest
    index = kernel.FieldIndex(data, 0, len(data))
    index.run()
    fields, _ = scan_prefix(data)
    assert index.count == len(fields)
    assert index.total(8) == sum(field.number == 1 for field in fields)


@pytest.mark.parametrize(
    "left",
    [
        "0b 0c",
        "00",
        "07",
        "0c",
        "08",
        "0a05 01",
        "0d 000000",
        "08 80808080808080808002",
        "0a 808080808000",
        "8080808080 01",
    ],
)
def test_a_field_that_is_not_plain_is_left_to_the_caller(kernel, left):
    data = of_two_bytes(2) + bytes.fromhex(left)
    index = kernel.FieldIndex(data, 0, len(data))
    assert not index.run()
    assert (index.at, index.count) == (4, 2)
    assert kernel.read_field(data, 4, len(data)) is None
    assert kernel.skip_fields(data, 0, len(data), 9, {}) == (4, 2)
    fields = []
    assert kernel.scan_into(fields, data, 0, len(data), len(data)) == 4
    assert len(fields) == 2


def test_what_the_caller_finds_is_counted_and_marked(kernel):
    group = b"\x0b\x0c"
    data = group * 2000
    index = kernel.FieldIndex(data, 0, len(data))
    while not index.run():
        index.add(1 << 3 | SGROUP, index.at + 2)
    assert index.count == index.total(1 << 3 | SGROUP) == 2000
    assert list(index.marks) == [0, 2 * kernel.MARK_EVERY]
    with pytest.raises(ValueError, match="does not end"):
        index.add(8, len(data) + 1)


def test_groups_are_stepped_over_where_it_is_known_where_they_end(kernel):
    data = b"\x08\x01\x0b\x08\x01\x0c\x9b\x06\x9c\x06\x0b\x0c"
    assert kernel.skip_fields(data, 0, len(data), 9, {3: 5, 8: 8}) == (10, 3)
    assert kernel.count_tagged(data, 0, len(data), 9, {3: 5, 8: 8, 11: 11}, 0x0B) == (12, 4, 2)
    assert kernel.skip_fields(data, 0, len(data), 9, {3: 99}) == (2, 1)
    assert kernel.skip_fields(data, 0, len(data), 9, {3: 1}) == (2, 1)


@pytest.mark.parametrize("span", [(-1, 2), (3, 2), (0, 5)])
def test_a_span_that_is_not_within_the_bytes_is_refused(kernel, span):
    data, calls = of_two_bytes(2), [kernel.FieldIndex, kernel.index_varints, kernel.count_varints]
    calls += [lambda *args: kernel.skip_fields(*args, 1, {}), lambda *args: kernel.skip_varints(*args, 1)]
    calls += [lambda *args: kernel.count_tagged(*args, 1, {}, 8), lambda *args: kernel.scan_into([], *args, span[1])]
    for call in calls:
        with pytest.raises(ValueError, match="is not within"):
            call(data, *span)
    assert kernel.read_field(data, *span) is None


# --- varints -----------------------------------------------------------------------------------------------------

_VARINTS = st.lists(
    st.one_of(st.integers(0, 127), st.integers(0, (1 << 70) - 1), st.just((1 << 64) - 1)).map(varint), max_size=40
)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda some, times, rest: b"".join(some) * times + rest,
            _VARINTS,
            st.integers(1, 60),
            st.binary(max_size=20),
        ),
        st.builds(
            lambda some, size, rest: some + b"\x80" * size + rest,
            st.binary(max_size=200),
            st.integers(8, 12),
            st.binary(max_size=150),
        ),
    ),
    st.integers(0, 12),
)
def test_varints_are_those_that_are_read_one_by_one(kernel, data, start):
    start = min(start, len(data))
    starts, at = [], start
    try:
        while at < len(data):
            after = read_varint(data, at, len(data))[1]
            starts.append(at)
            at = after
    except DecodeError:
        pass
    count, stop, marks = kernel.index_varints(data, start, len(data))
    assert (count, stop) == (len(starts), at)
    assert list(marks) == starts[:: kernel.MARK_EVERY]
    assert kernel.count_varints(data, start, len(data)) == sum(byte < 0x80 for byte in data[start:])
    for most in (0, 1, bisect_right(starts, len(data) // 2)):
        assert kernel.skip_varints(data, start, stop, most) == (starts[most] if most < len(starts) else stop)
