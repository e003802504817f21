"""Which bytes fields take."""

from __future__ import annotations

import pytest

from inspector.transcode.fields import find_field, fits, is_closed_enum, is_message_set
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT

PROTO = """
syntax = "proto2";
package p;
enum E { A = 0; }
message M {
  optional int32 one = 1;
  repeated sint64 many = 2;
  repeated fixed32 fixed = 3 [packed = true];
  repeated string texts = 4;
  optional group G = 5 {}
  optional E e = 6;
  extensions 100 to 200;
}
message S { option message_set_wire_format = true; extensions 4 to max; }
extend M { optional double ext = 100; }
"""


@pytest.fixture(scope="module")
def message(compile_proto):
    return compile_proto(PROTO).find_message("p.M")


@pytest.mark.parametrize(
    ("number", "taken"),
    [(1, {VARINT}), (2, {VARINT, LEN}), (3, {I32, LEN}), (4, {LEN}), (5, {SGROUP}), (6, {VARINT}), (100, {I64})],
)
def test_repeated_numbers_are_taken_packed_or_not(message, number, taken):
    field = find_field(message, number)
    assert {wire_type for wire_type in (VARINT, I64, LEN, SGROUP, I32) if fits(field, wire_type)} == taken


def test_extensions_are_found_and_other_numbers_not(message):
    assert find_field(message, 100).full_name == "p.ext"
    assert find_field(message, 101) is None
    assert find_field(message, 7) is None


def test_closed_enums_and_message_sets_are_told(message, compile_proto):
    assert is_closed_enum(find_field(message, 6))
    assert not is_closed_enum(find_field(message, 1))
    assert not is_message_set(message)
    assert is_message_set(compile_proto(PROTO).find_message("p.S"))
