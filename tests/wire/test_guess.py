"""Decoding without a schema: the victims of other decoders, hostile input, and what the numbers become."""

from __future__ import annotations

import base64
import json
import struct

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.limits import MAX_DEPTH
from inspector.wire.guess import guess

MIB = 1 << 20


def varint(value: int) -> bytes:
    low = []
    while value >= 0x80:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])


def field(number: int, payload: bytes | str) -> bytes:
    raw = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def raw(data: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(data).decode()}


def value(data: bytes):
    guessed = guess(data)
    assert guessed.error is None
    return guessed.value


UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    "text",
    [
        *("image.png", "xs", "PLAYERGROUP", "123-456-789", "IMMUTABLE", "MONTH", "subject", "8080", "50051"),
        *("10.0.0.1", "192.168.1.1", "日本語", "2026-11-23", "2026-11-23T09:03:11Z", UUID, "a", "0", "two words"),
        *("naïve café", "Ünïcödé", "tab\tand\nnewline\r\n", '{\n  "a": 1\n}', "\x1b[31mred text\x1b[0m in a terminal"),
        *("closed by a NUL\0", "👩‍👩‍👧", "non\u00a0breaking", "8\n", "x" * 1000, "\tabcdefgh"),
    ],
)
def test_text_is_text(text):
    assert value(field(1, text)) == {"1": text}


@pytest.mark.parametrize(
    ("payload", "meaning"),
    [
        (b"\x08\x01", {"1": 1}),
        (field(1, UUID), {"1": UUID}),
        (field(4, UUID), {"4": UUID}),
        (field(1, "ten chars."), {"1": "ten chars."}),
        (field(1, "nine char"), {"1": "nine char"}),
        (field(1, "hello") + b"\x10\x05", {"1": "hello", "2": 5}),
        (field(1, field(1, field(1, "deep"))), {"1": {"1": {"1": "deep"}}}),
        (field(2, "abc"), {"2": "abc"}),
        (b"\x0b\x08\x01\x0c\x10\x01", {"1": {"1": 1}, "2": 1}),
        (varint(20_000 << 3) + b"\x01" + varint(20_000 << 3) + b"\x02", {"20000": [1, 2]}),
    ],
)
def test_messages_are_messages(payload, meaning):
    assert value(field(1, payload)) == {"1": meaning}


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01",
        b"\xff\xfe\xfd",
        bytes(range(200, 250)),
        b"\x00\x00\x00\x00",
        b"\x0b\x0c",
        varint(20_000 << 3) + b"\x01",
        varint(19_500 << 3) + b"\x01" + varint(19_500 << 3) + b"\x02",
    ],
)
def test_the_rest_is_bytes(payload):
    assert value(field(1, payload)) == {"1": raw(payload)}


def test_occurrences_are_judged_together():
    assert value(field(1, field(2, "abc")) * 2) == {"1": [{"2": "abc"}, {"2": "abc"}]}
    assert value(field(1, "plain") + field(1, b"\xff\xff")) == {"1": [raw(b"plain"), raw(b"\xff\xff")]}
    assert value(field(1, "plain") + field(1, b"\x08\x01")) == {"1": [raw(b"plain"), raw(b"\x08\x01")]}


def test_an_empty_field_follows_the_others():
    assert value(field(1, b"")) == {"1": ""}
    assert value(field(1, b"") + field(1, "text")) == {"1": ["", "text"]}
    assert value(field(1, b"") + field(1, b"\x08\x01")) == {"1": [{}, {"1": 1}]}


def test_order_is_kept_between_wire_types_of_one_number():
    assert value(b"\x08\x01" + field(1, "x") + b"\x08\x02" + b"\x10\x03") == {"1": [1, "x", 2], "2": 3}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, 0),
        (300, 300),
        (2**53 - 1, 2**53 - 1),
        (2**53, str(2**53)),
        (2**63 - 1, str(2**63 - 1)),
        (2**64 - 1, -1),
        (2**63, str(-(2**63))),
    ],
)
def test_varints(number, shown):
    assert value(b"\x08" + varint(number)) == {"1": shown}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (struct.pack("<f", 0.9), 0.9),
        (struct.pack("<f", -1.5), -1.5),
        (struct.pack("<I", 0), 0.0),
        (struct.pack("<I", 5), 5),
        (struct.pack("<I", 0xFFFFFFFF), 0xFFFFFFFF),
        (struct.pack("<d", 0.1), 0.1),
        (struct.pack("<Q", 1_700_000_000), 1_700_000_000),
        (struct.pack("<Q", 1_700_000_000_000_000_000), "1700000000000000000"),
        (struct.pack("<d", float("inf")), str(0x7FF0 << 48)),
    ],
)
def test_fixed_fields_are_the_likelier_number(number, shown):
    tag = b"\x0d" if len(number) == 4 else b"\x09"
    assert value(tag + number) == {"1": shown}


def test_damage_at_the_end_keeps_what_came_before():
    guessed = guess(b"\x08\x01" + field(2, "whole") + b"\x1a\x05cu")
    assert guessed.value == {"1": 1, "2": "whole"}
    assert guessed.error is not None
    assert (guessed.error.code, guessed.error.offset) == ("truncated", 10)


def nested(depth: int, inner: bytes = b"\x08\x01") -> bytes:
    for _ in range(depth):
        inner = field(1, inner)
    return inner


def test_nesting_beyond_the_limit_is_shown_as_bytes():
    found = value(nested(2000))
    for _ in range(MAX_DEPTH):
        found = found["1"]
    assert found == {"1": raw(nested(2000 - MAX_DEPTH - 1))}


def tree(depth: int) -> bytes:
    node = b"\x08\x01"
    for _ in range(depth):
        node = field(1, node) + field(2, node)
    return node


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tree(16), id="binary tree with 2^16 leaves"),
        pytest.param(nested(2000), id="2000 levels"),
        pytest.param(nested(99, b"a" * MIB), id="99 levels around 1 MB of text"),
        pytest.param(nested(99, "\n\u00e9".encode() * (MIB // 3)), id="99 levels around 1 MB of lines"),
        pytest.param(b"\x0a\x00" * (MIB // 2), id="1 MB of 0a00"),
        pytest.param(field(1, b"\x0a\x00" * (MIB // 2)), id="1 MB of 0a00, nested"),
        pytest.param(bytes(MIB), id="1 MB of zeros"),
        pytest.param(field(1, bytes(MIB)), id="1 MB of zeros, nested"),
        pytest.param(b"\x0b" * MIB, id="1 MB of open groups"),
        pytest.param(b"\x0b" * 90 + b"\x08\x01" * (MIB // 2) + b"\x0c" * 90, id="1 MB in 90 groups"),
        pytest.param(b"\x0b\x0c" * (MIB // 4), id="empty groups"),
        pytest.param(b"\x08\x01\x10\x02" * 250_000, id="two fields alternating 500,000 times"),
        pytest.param(field(1, b"\x80" * MIB), id="1 MB of 80"),
        pytest.param(field(1, "\x01é".encode() * (MIB // 3)), id="1 MB of control characters"),
    ],
)
def test_hostile_input_is_taken(data):
    assert orjson.dumps(guess(data).value)


wire_like = st.lists(
    st.sampled_from([b"\x0a", b"\x0b", b"\x0c", b"\x12\x02", b"\x08", b"\x0d", b"\x09", b"\xff" * 9 + b"\x02", b"ab"])
    | st.binary(max_size=6)
).map(b"".join)


@given(wire_like)
@example(b"\x0b\x08" + b"\xff" * 9 + b"\x7f\x0c")
def test_any_bytes_give_json(data):
    guessed = guess(data)
    assert json.loads(orjson.dumps(guessed.value)) == guessed.value
    assert guess(field(1, data)).error is None
