"""Handshakes of proxies before HTTP/2: whole, byte by byte, and what only looks like one."""

from __future__ import annotations

import pytest
from http2_traffic import PREFACE
from hypothesis import given
from hypothesis import strategies as st

from inspector.net.handshakes import NONE, skips

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ADDRESSES = bytes((1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2))
LINE = b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\r\n"
BLOCK = SIGNATURE + b"\x21\x11\0\x0c" + ADDRESSES
CONNECT = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
DENIED = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\ndenied"
SOCKS_ANSWER = b"\5\0\0\1\0\0\0\0\0\0"

HANDSHAKES = {
    "proxy 1": (LINE, b""),
    "proxy 1, IPv6": (b"PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 1 65535\r\n", b""),
    "proxy 1, unknown": (b"PROXY UNKNOWN\r\n", b""),
    "proxy 1, unknown with more": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", b""),
    "proxy 2": (BLOCK, b""),
    "proxy 2, local": (SIGNATURE + b"\x20\0\0\0", b""),
    "proxy 2, IPv6 and properties": (SIGNATURE + b"\x21\x21\0\x2a" + bytes(36) + b"\3\0\3crc", b""),
    "connect": (CONNECT, ESTABLISHED),
    "connect, with a length that says nothing": (CONNECT, b"HTTP/1.0 204 OK\r\nContent-Length: 9\r\n\r\n"),
    "connect, refused first": (CONNECT * 2, DENIED + ESTABLISHED),
    "socks 5, name": (b"\5\1\0" + b"\5\1\0\3\1a\0\1", b"\5\0" + SOCKS_ANSWER),
    "socks 5, IPv6": (b"\5\2\0\1" + b"\5\1\0\4" + bytes(18), b"\5\0" + b"\5\0\0\4" + bytes(18)),
    "socks 5, password": (b"\5\2\0\2" + b"\1\1u\2pw" + b"\5\1\0\1" + bytes(6), b"\5\2" + b"\1\0" + SOCKS_ANSWER),
    "socks 4": (b"\4\1\0\x50\1\2\3\4me\0", b"\0\x5a" + bytes(6)),
    "socks 4a": (b"\4\1\0\x50\0\0\0\1\0a.example\0", b"\0\x5a" + bytes(6)),
    "proxy 1, connect": (LINE + CONNECT, ESTABLISHED),
    "none": (b"", b""),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_handshake_is_told_by_its_length_as_soon_as_it_is_whole(name):
    client, server = HANDSHAKES[name]
    whole = len(client), len(server)
    assert skips(client + PREFACE, server + b"\0\0\0\4\0\0\0\0\0") == whole
    assert skips(client + b"\x16\x03\x01", server) == whole
    for size in range(1, len(client)):
        assert skips(client[:size], server) in (None, (len(LINE), 0))  # behind a line, another may follow
    for size in range(len(server)):
        assert skips(client + PREFACE, server[:size]) is None


@pytest.mark.parametrize(
    ("client", "server"),
    [
        (b"PROXY TCP4 someone\r\n", b""),
        (b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n", b""),
        (b"PROXY " + b"1" * 200, b""),
        (SIGNATURE + b"\x11\x11\0\x0c" + ADDRESSES, b""),
        (SIGNATURE + b"\x21\x11\xff\xff" + ADDRESSES, b""),
        (b"CONNECT a:1 HTTP/2\r\n\r\n", ESTABLISHED),
        (CONNECT, b"SSH-2.0-x\r\n\r\n"),
        (CONNECT * 9, DENIED * 9),
        (CONNECT + b"GET / HTTP/1.1\r\n\r\n", DENIED + ESTABLISHED),
        (b"CONNECT " + b"x" * 20_000, b""),
        (b"\5\1\0", b"\5\xff"),
        (b"\5\1\1", b"\5\1"),
        (b"\5\1\0", b"\5\2"),
        (b"\5\1\0\5\2\0\1" + bytes(6), b"\5\0"),
        (b"\5\1\0\5\1\0\7", b"\5\0"),
        (b"\5\1\0\5\1\0\1" + bytes(6), b"\5\0\5\1\0\1" + bytes(6)),
        (b"\4\2\0\x50\1\2\3\4\0", b""),
        (b"\4\1\0\x50\1\2\3\4\0", b"\0\x5b" + bytes(6)),
        (b"\4\1\0\x50\1\2\3\4" + b"x" * 300, b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (b"anything" + LINE, b""),
    ],
)
def test_what_is_no_handshake_is_none(client, server):
    assert skips(client + PREFACE, server) == NONE


@given(st.sampled_from([LINE, SIGNATURE, CONNECT, b"\5", b"\4", b""]), st.binary(max_size=80), st.binary(max_size=40))
def test_any_bytes_are_taken(first, client, server):
    found = skips(first + client, server)
    assert found is None or (found[0] <= len(first + client) and found[1] <= len(server))
