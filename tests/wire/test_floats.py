"""Shortest floats, against the protobuf package's own search."""

from __future__ import annotations

import struct

import pytest
from google.protobuf.internal.type_checkers import ToShortestFloat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inspector.wire.floats import shortest_float

singles = st.floats(width=32, allow_nan=False, allow_infinity=False)


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


@settings(max_examples=2000, deadline=None)
@given(singles)
@example(single(0.01))
@example(single(9.77e-4))
@example(2.0**-149)
@example(single(3.4028235e38))
@example(-0.0)
def test_finds_what_the_protobuf_package_finds(number):
    assert repr(shortest_float(number)) == repr(ToShortestFloat(number))


@settings(max_examples=2000, deadline=None)
@given(st.integers(-126, 127), st.integers(-500, 500))
def test_is_right_where_six_and_seven_digits_compete(exponent, step):
    # Just above a power of two floats lie as sparsely as they ever do.
    number = single(float(f"{2.0**exponent:.5e}") * (1 + step * 1e-7))
    assert repr(shortest_float(number)) == repr(ToShortestFloat(number))


@pytest.mark.parametrize("number", [0.9, 0.1, 1.0, 16777216.0, 1e10, 1e-20, 123456.79])
def test_gives_back_what_people_wrote(number):
    assert shortest_float(single(number)) == number
