"""HTTP/1.1, as far as an upgrade to HTTP/2 needs it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.net import http1

UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"UPGRADE:  h2c \r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n\r\n"
)


def head(raw):
    parsed = http1.parse_head(raw)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\n", b"POST /a/b?c HTTP/1.0\r\nHost: x\r\n", b"G", b"PATCH", b"GET ", b"GET /never/end"]
)
def test_what_begins_a_request_looks_like_one(begin):
    assert http1.looks_like_request(begin)


@pytest.mark.parametrize(
    "begin",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"get / HTTP/1.1\r\n",
        b"GET  HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\0" * 9,
        b"",
    ],
)
def test_other_bytes_do_not_look_like_a_request(begin):
    assert not http1.looks_like_request(begin)


@given(st.integers(1, len(UPGRADE)))
def test_every_beginning_of_a_request_looks_like_one(size):
    assert http1.looks_like_request(UPGRADE[:size])


def test_a_head_has_words_and_fields_in_lower_case_and_tells_where_the_body_begins():
    parsed = head(UPGRADE + b"body")
    assert parsed.words == ("GET", "/chat", "HTTP/1.1")
    assert parsed.fields[0] == ("host", "example.com")
    assert parsed.field("upgrade") == "h2c"
    assert parsed.end == len(UPGRADE)


def test_a_response_head_keeps_its_reason_phrase_whole():
    assert head(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").words == ("HTTP/1.1", "101", "Switching Protocols")


@pytest.mark.parametrize(
    ("first", "words"), [(b"GET", ("GET", "", "")), (b"", ("", "", "")), (b"GET /", ("GET", "/", ""))]
)
def test_a_short_first_line_leaves_words_empty(first, words):
    assert head(first + b"\r\nHost: a\r\n\r\n").words == words


def test_a_field_that_occurs_twice_is_joined():
    assert head(b"GET / HTTP/1.1\r\nUpgrade: a\r\nUpgrade: h2c\r\n\r\n").field("upgrade") == "a, h2c"


def test_a_field_that_is_not_there_is_empty():
    assert head(UPGRADE).field("cookie") == ""


@given(st.integers(0, len(UPGRADE) - 1))
def test_a_head_that_is_not_whole_is_none(size):
    assert http1.parse_head(UPGRADE[:size]) is None


def test_a_head_over_the_limit_is_none():
    short = b"GET / HTTP/1.1\r\nX: "
    room = http1.MAX_HEAD - len(short) - 4
    assert http1.parse_head(short + b"a" * room + b"\r\n\r\n") is not None
    assert http1.parse_head(short + b"a" * (room + 1) + b"\r\n\r\n") is None


@given(st.binary(max_size=80))
def test_a_head_of_any_bytes_is_parsed(raw):
    parsed = head(raw.replace(b"\r\n\r\n", b"") + b"\r\n\r\n")
    assert len(parsed.words) == 3
    assert all(name == name.strip().lower() for name, _ in parsed.fields)
    assert http1.content_length(parsed) >= 0
    assert isinstance(http1.upgrade_settings(parsed), bytes)


@pytest.mark.parametrize(
    ("value", "asks"),
    [(b"h2c", True), (b"H2C", True), (b"websocket, h2c", True), (b"websocket", False), (b"h2c2", False), (b"", False)],
)
def test_an_upgrade_is_asked_for_by_its_token(value, asks):
    assert http1.asks_for_http2(head(b"GET / HTTP/1.1\r\nUpgrade: " + value + b"\r\n\r\n")) is asks


@given(st.binary(max_size=60))
def test_settings_are_read_from_base64url_without_padding(payload):
    text = base64.urlsafe_b64encode(payload).rstrip(b"=")
    assert http1.upgrade_settings(head(b"GET / HTTP/1.1\r\nHTTP2-Settings: " + text + b"\r\n\r\n")) == payload


@pytest.mark.parametrize("text", [b"A", b"AAAAA", b"\xff\xfe", b""])
def test_damaged_settings_are_empty(text):
    assert http1.upgrade_settings(head(b"GET / HTTP/1.1\r\nHTTP2-Settings: " + text + b"\r\n\r\n")) == b""


@pytest.mark.parametrize(
    ("value", "length"),
    [(b"0", 0), (b"17", 17), (b"-1", 0), (b"1e3", 0), (b"9999999999", 0), (b"5, 5", 0), (b"\xb2", 0), (b"", 0)],
)
def test_a_content_length_that_cannot_be_used_counts_as_none(value, length):
    assert http1.content_length(head(b"POST / HTTP/1.1\r\nContent-Length: " + value + b"\r\n\r\n")) == length
