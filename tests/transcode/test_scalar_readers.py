"""Numbers and base64 as texts have them."""

from __future__ import annotations

import base64
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.refusal import Refusal
from inspector.transcode.scalar_readers import ExactInteger, TooLarge, from_base64, parse_number, real, whole


@given(st.integers(-(2**64), 2**64), st.integers(0, 25), st.sampled_from(["e", "E", "e+"]))
def test_integers_are_exact_with_a_point_or_an_exponent(value, zeros, mark):
    shifted = f"{value}{'0' * zeros}e-{zeros}" if zeros else f"{value}.0"
    for text in (shifted, f"{value}.000", f"{value}{mark}0"):
        number = real(text)
        assert (number.exact if isinstance(number, ExactInteger) else int(number)) == value


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_numbers_are_the_nearest_doubles(text):
    number = parse_number(text)
    assert number is not None
    if not isinstance(number, TooLarge):
        assert float(number) == float(text)
    if isinstance(number, ExactInteger):
        assert number.exact == Fraction(text)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "01", "1.", ".5", "1_0", "0x1", "nan", "Infinity", "1e", "１", "1\n"]
)
def test_what_json_has_not_as_a_number_is_none(text):
    assert parse_number(text) is None


@pytest.mark.parametrize("text", ["1e999999999", "9" * 400 + ".0", "1e" + "9" * 5000])
def test_numbers_beyond_doubles_are_told_from_infinity(text):
    assert isinstance(real(text), TooLarge)
    assert isinstance(whole("9" * 400), TooLarge)


@given(st.binary(max_size=12), st.booleans(), st.booleans())
def test_base64_is_read_in_either_alphabet_padded_or_not(data, url_safe, padded):
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    assert from_base64(text if padded else text.rstrip("=")) == data


@pytest.mark.parametrize("text", ["A", "AQ=", "AQ===", "====", "A Q=", "AQ==\n", "A?==", "AAAA=", "A=Q=", "é"])
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(Refusal):
        from_base64(text)
