"""Decoding without a schema: the victims of other decoders, hostile input, and what the numbers become."""

from __future__ import annotations

import base64
import json
import struct

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.errors import InputError
from inspector.limits import MAX_DEPTH
from inspector.wire.guess import Shape, guess

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
        *(
            "https://example.org/a?b=c#d",
            "archive.tar.gz",
            "foo.bar.Baz",
            "/usr/lib/x86_64",
            "user@example.org",
            "-1.5e-7",
        ),
        *(
            "שלום עולם",
            "مرحبا بالعالم",
            "Привет, мир",
            "한국어 문장",
            "नमस्ते",
            "e\u0301te\u0301",
            "🎉",
            "👍🏽 ok",
            "中文和 English",
        ),
        *("first line\nsecond line\n", "  indented", "(none)", "[]", "{}", "*/*", "#fff", "$5", "=====" * 20, "J" * 76),
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
        (field(7, "a whole sentence in a field of its own"), {"7": "a whole sentence in a field of its own"}),
        (field(11, "google.golang.org/genproto/protobuf"), {"11": "google.golang.org/genproto/protobuf"}),
        (field(1, "key") + field(2, "value"), {"1": "key", "2": "value"}),
        (field(1, "日本語"), {"1": "日本語"}),
        (b"\x08" + varint((1 << 64) - 5), {"1": -5}),
        (b"\x11" + struct.pack("<d", 2.5), {"2": 2.5}),
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


def test_one_that_does_not_parse_does_not_spoil_a_hundred_messages():
    data = b"".join(field(1, field(1, f"name {n}") + b"\x10" + varint(n)) for n in range(100)) + field(1, b"\xff\xff")
    shown = value(data)["1"]
    assert shown[:2] == [{"1": "name 0", "2": 0}, {"1": "name 1", "2": 1}]
    assert shown[100] == raw(b"\xff\xff")


def test_one_that_is_no_text_is_shown_as_bytes_among_strings():
    shown = value(b"".join(field(1, f"word number {n}") for n in range(20)) + field(1, b"\xff\xfe"))["1"]
    assert shown[0] == "word number 0"
    assert shown[20] == raw(b"\xff\xfe")


def test_wide_field_numbers_are_believed_where_they_come_again():
    inner = [tag(50_001, b"\x01"), tag(50_001, b"\x02") + field(50_002, "x")]
    assert value(b"".join(field(1, one) for one in inner)) == {"1": [{"50001": 1}, {"50001": 2, "50002": "x"}]}


def tag(number: int, number_value: bytes) -> bytes:
    return varint(number << 3) + number_value


def test_packed_numbers_are_told_by_their_siblings():
    spans = [[12, 0, 18], [13, 2, 40], [14, 2, 31], [15, 4, 22], [20, 0, 1]]
    assert value(b"".join(field(2, bytes(span)) for span in spans)) == {"2": spans}
    counts = [[0, 0, 3, 5, 1], [1, 0, 0, 9, 2]]
    data = b"".join(field(2, struct.pack("<5Q", *count)) for count in counts)
    assert value(data) == {"2": counts}


def test_numbers_somebody_wrote_are_packed_doubles_also_alone():
    bounds = [0.0, 5.0, 10.0, 25.0, 50.0, 75.5, 100.0]
    assert value(field(7, struct.pack("<7d", *bounds))) == {"7": bounds}


def test_flags_are_booleans_where_there_are_several():
    assert value(b"\x08\x01\x08\x00" * 4) == {"1": [True, False] * 4}
    assert value(b"\x08\x01\x08\x00") == {"1": [1, 0]}
    assert value(b"\x08\x01\x08\x00" * 4 + b"\x08\x02")["1"][-1] == 2


def test_hashes_are_unsigned():
    hashes = [0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7]
    data = b"".join(b"\x08" + varint(one) for one in hashes)
    assert value(data) == {"1": [str(one) for one in hashes]}


def test_zigzag_is_told_where_large_numbers_are_all_odd():
    data = b"".join(b"\x08" + varint(2 * (1_223_941_000 + n * n) - 1) for n in range(12))
    assert value(data)["1"][:2] == [-1_223_941_000, -1_223_941_001]


def test_negative_fixed_numbers_are_signed_where_there_are_several():
    assert value(b"".join(b"\x0d" + struct.pack("<i", n) for n in (-1, -2, 5))) == {"1": [-1, -2, 5]}


def test_messages_are_judged_together_by_a_shape():
    messages = [field(1, text) for text in ("xs", "MONTH", "some longer text")]
    shape = Shape.of([field(1, b"\x08\x07"), *(field(1, bytes((8, n))) for n in range(65, 90))])
    assert guess(field(1, b"\x08A"), shape=shape).value == {"1": {"1": 65}}
    assert [guess(one, shape=Shape.of(messages)).value["1"] for one in messages] == ["xs", "MONTH", "some longer text"]


def test_a_field_that_the_shape_has_not_seen_is_judged_by_itself():
    shape = Shape.of([b"\x08\x01"])
    assert guess(b"\x08\x02" + field(2, field(1, "inner text")), shape=shape).value == {
        "1": 2,
        "2": {"1": "inner text"},
    }


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("message", {"4": 49}),
        ("bytes", raw(b" 1")),
        ("packed", [32, 49]),
        ("packed-sint64", [16, -25]),
        ("int32", [32, 49]),
        ("packed-float", raw(b" 1")),
        ("float", raw(b" 1")),
        ("group", {"4": 49}),
    ],
)
def test_hints_go_before_the_judgement(hint, shown):
    assert guess(field(3, " 1"), {"3": hint}).value == {"3": shown}


def test_a_hint_makes_messages_of_what_is_above_it():
    data = field(3, field(2, b"\xe2\x41"))
    assert guess(data, {"3.2": "packed"}).value == {"3": {"2": [8418]}}


def test_what_a_hint_does_not_fit_is_shown_as_bytes():
    assert guess(field(1, "no message") + field(2, b"\xff"), {"1": "message", "2": "string"}).value == {
        "1": raw(b"no message"),
        "2": raw(b"\xff"),
    }


@pytest.mark.parametrize(
    ("path", "kind"), [("1", "text"), ("1", ""), ("0", "string"), ("1.", "string"), ("a", "int64")]
)
def test_hints_that_are_none_are_refused(path, kind):
    with pytest.raises(InputError):
        guess(b"", {path: kind})


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
        (struct.pack("<d", float("inf")), "Infinity"),
        (struct.pack("<d", float("nan")), "NaN"),
        (struct.pack("<f", float("-inf")), "-Infinity"),
        (struct.pack("<Q", 0x9E3779B97F4A7C15), str(0x9E3779B97F4A7C15)),
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
