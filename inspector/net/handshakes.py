"""What may come before the first byte of HTTP/2: the line of a load balancer about its client (the PROXY protocol,
haproxy's proxy-protocol.txt), and a client's way through a proxy: CONNECT (RFC 9110, 9.3.6), SOCKS 4, 4a and 5
(RFC 1928, RFC 1929).

The invariant: nothing is searched for. Each byte is one that the handshake has in that place, so no other traffic is
taken for a handshake and the client's preface behind it.
"""

from __future__ import annotations

import re

from inspector.net import http1

Skips = tuple[int, int]
"""How many bytes of the client, and of the server, come before HTTP/2."""

NONE: Skips = (0, 0)

_PROXY_LINE = re.compile(
    rb"PROXY (?:TCP[46] [0-9A-Fa-f.:]{2,39} [0-9A-Fa-f.:]{2,39} [0-9]{1,5} [0-9]{1,5}|UNKNOWN[^\r\n]*)\r\n"
)
_MAX_PROXY_LINE = 107
_PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n"
_MAX_PROXY_2 = 4096
"""Bytes of addresses and their properties. Some hundreds are usual: certificates' names, ids of the cloud's network."""
_MAX_CONNECTS = 4
"""Requests on one connection: the first ones may be refused until the client says who it is."""
_MAX_NAME = 256
_PASSWORD, _FREE = 2, 0
_ADDRESS_SIZES = {1: 4, 4: 16}


class _Unfinished(Exception):
    """The next byte is not there yet."""


class _Other(Exception):
    """It is not this handshake."""


def skips(client: bytes | bytearray, server: bytes | bytearray) -> Skips | None:
    """How long the handshake is that a connection begins with; NONE where it begins with none, None where more bytes
    tell."""
    there, back = _Bytes(client), _Bytes(server)
    try:
        _skip_proxy_header(there)
        if there.begins(b"CONNECT "):
            _skip_connect(there, back)
        elif there.begins(b"\5"):
            _skip_socks5(there, back)
        elif there.begins(b"\4"):
            _skip_socks4(there, back)
    except _Unfinished:
        return None
    except _Other:
        return NONE
    return there.at, back.at


class _Bytes:
    """Bytes of one side, taken one after the other."""

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = data
        self.at = 0

    def begins(self, expected: bytes) -> bool:
        """Whether these bytes are next. Raises _Unfinished where only a part of them is there, but for none."""
        found = self.data[self.at : self.at + len(expected)]
        if found and found != expected and expected.startswith(found):
            raise _Unfinished
        return found == expected

    def take(self, count: int) -> bytes:
        """So many bytes. Raises _Unfinished."""
        found = bytes(self.data[self.at : self.at + count])
        if len(found) < count:
            raise _Unfinished
        self.at += count
        return found

    def expect(self, expected: bytes) -> None:
        """These bytes. Raises _Other, also where only the beginning of others is there."""
        if not expected.startswith(bytes(self.data[self.at : self.at + len(expected)])):
            raise _Other
        self.take(len(expected))

    def text(self) -> bytes:
        """A text that ends with a zero byte."""
        end = self.data.find(b"\0", self.at, self.at + _MAX_NAME)
        if end < 0 and len(self.data) - self.at < _MAX_NAME:
            raise _Unfinished
        if end < 0:
            raise _Other
        return self.take(end + 1 - self.at)[:-1]


def _skip_proxy_header(there: _Bytes) -> None:
    if there.begins(_PROXY_2):
        _, version, _, high, low = there.take(12), *there.take(4)
        size = high << 8 | low
        if version >> 4 != 2 or size > _MAX_PROXY_2:
            raise _Other
        there.take(size)
    elif there.begins(b"PROXY "):
        match = _PROXY_LINE.match(there.data, 0, _MAX_PROXY_LINE)
        if match is not None:
            there.at = match.end()
        elif b"\n" in there.data or len(there.data) >= _MAX_PROXY_LINE:
            raise _Other
        else:
            raise _Unfinished


def _skip_connect(there: _Bytes, back: _Bytes) -> None:
    """One that is refused, such as for want of a password, may be followed by another."""
    for _ in range(_MAX_CONNECTS):
        request = _head(there)
        if request.words[0] != "CONNECT" or not request.words[2].startswith("HTTP/1."):
            raise _Other
        response = _head(back)
        protocol, code, _ = response.words
        if not protocol.startswith("HTTP/1."):
            raise _Other
        if code.startswith("2"):  # its Content-Length, if any, says nothing (RFC 9110, 9.3.6)
            return
        back.take(http1.content_length(response))
    raise _Other


def _head(side: _Bytes) -> http1.Head:
    head = http1.parse_head(side.data[side.at : side.at + http1.MAX_HEAD])
    if head is not None:
        side.at += head.end
        return head
    if len(side.data) - side.at >= http1.MAX_HEAD:
        raise _Other
    raise _Unfinished


def _skip_socks5(there: _Bytes, back: _Bytes) -> None:
    _, count = there.take(2)
    methods = there.take(count)
    back.expect(b"\5")
    (method,) = back.take(1)
    if method not in methods or method not in (_FREE, _PASSWORD):
        raise _Other  # with GSSAPI, all that follows may be wrapped
    if method == _PASSWORD:
        there.expect(b"\1")
        there.take(*there.take(1))
        there.take(*there.take(1))
        back.expect(b"\1\0")
    there.expect(b"\5\1\0")
    _skip_address(there)
    back.expect(b"\5\0\0")
    _skip_address(back)


def _skip_address(side: _Bytes) -> None:
    """The address of SOCKS 5, and a port."""
    (kind,) = side.take(1)
    size = side.take(1)[0] if kind == 3 else _ADDRESS_SIZES.get(kind)
    if size is None:
        raise _Other
    side.take(size + 2)


def _skip_socks4(there: _Bytes, back: _Bytes) -> None:
    there.expect(b"\4\1")
    there.take(2)
    address = there.take(4)
    there.text()
    if address[:3] == bytes(3) and address[3]:  # 4a: the name follows
        there.text()
    back.expect(b"\0\x5a")
    back.take(6)
