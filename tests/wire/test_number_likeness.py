"""What numbers cost: the quick ways give what the general ones do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.wire.number_likeness import change_bits, short_change_bits, short_varint_bits, varint_bits


@given(st.binary(max_size=60).map(lambda raw: bytes(byte & 0x7F for byte in raw)))
def test_numbers_of_one_byte_cost_what_they_cost_one_by_one(raw):
    assert short_varint_bits(raw) == sum(map(varint_bits, raw))
    assert short_change_bits(raw) == change_bits(raw)
