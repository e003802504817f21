"""Base64 in the forms in which it is met."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError, InputError
from inspector.formats.base import Conversion
from inspector.formats.registry import BASE64


def decode(text: str | bytes) -> bytes:
    (data,) = BASE64.read(text.encode() if isinstance(text, str) else text, Conversion())
    return data


@given(st.binary(max_size=40))
def test_what_is_written_is_one_padded_line_and_is_read_back(data):
    text = BASE64.write(data, Conversion())
    assert text == base64.b64encode(data) + b"\n"
    assert decode(text) == data


@given(st.binary(max_size=40), st.booleans(), st.booleans(), st.integers(1, 80), st.sampled_from(["\n", "\r\n", " \t"]))
def test_either_alphabet_with_or_without_padding_in_lines_of_any_length(data, url_safe, padded, width, space):
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    assert decode(space.join(lines) + space) == data


@pytest.mark.parametrize(
    "text",
    [
        "CAX-_w",
        '"CAX+/w=="',
        " 'CAX-_w==' \n",
        "data:application/x-protobuf;base64,CAX+/w==",
        "data:;base64,CAX+/w",
        "DATA:application/x-protobuf;proto=a.B;BASE64,CAX-_w\n",
        '"data:text/plain;base64,CAX+/w=="',
        "\ufeffCAX+/w==",
        "CAX+/w=\n=",
    ],
)
def test_what_stands_around_it_is_no_part_of_it(text):
    assert decode(text) == b"\x08\x05\xfe\xff"


def test_no_text_is_no_bytes():
    assert decode("") == decode(" \n") == decode("data:;base64,") == b""


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("CAU=!", (1, 5), "'!' is not base64"),
        ("CAUB\nCA\u202eB", (2, 3), r"'\\u202e' is not base64"),
        ("日本CAU", (1, 1), "'日' is not base64"),
        ("CAU=CAU=", (1, 5), "behind its padding"),
        ("CAU\n=\n CAU=", (3, 2), "behind its padding"),
        ("A", (1, 2), "1 digits of base64 are no whole bytes"),
        ("CAUBC\n", (1, 6), "5 digits of base64"),
        ('"CAU', (1, 1), "'\"' is not base64"),
        ('"', (1, 1), "'\"' is not base64"),
        ("data:text/plain,CAU", (1, 5), "':' is not base64"),
        ("\ufeffCA.U", (1, 3), "'.' is not base64"),
    ],
)
def test_what_is_no_base64_has_a_place(text, place, words):
    with pytest.raises(EncodeError, match=words) as caught:
        decode(text)
    assert (caught.value.line, caught.value.column) == place


def test_bytes_themselves_are_not_base64():
    with pytest.raises(InputError, match="the input is not base64"):
        decode(b"\x08\x05")


@given(st.text(max_size=30) | st.text("CAU+/-_= \n\"'", max_size=12))
def test_any_text_gives_bytes_or_an_error_with_its_place(text):
    try:
        decode(text.replace("\0", "").encode())
    except InputError:
        assert set(text.encode()) & set(range(32))
    except EncodeError as error:
        assert None not in (error.line, error.column)  # noqa: PT017  # no error is as good


@pytest.mark.parametrize(
    "text", [b"=" * 1_000_000, b"data:" + b";" * 1_000_000, b'"' * 1_000_000, b"= " * 500_000 + b"A"]
)
def test_large_text_that_is_hardly_base64_ends(text):
    try:
        assert decode(text) == b""
    except EncodeError as error:
        assert len(str(error)) < 200  # noqa: PT017  # either is right
