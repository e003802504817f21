"""A capture file of one unary call whose headers and messages may be anything: for what no well-behaved peer sends."""

from __future__ import annotations

import http2_traffic as http2
import packets
from packets import ACK, FIN, SYN, Pcap

THERE, BACK = {"sport": 40000, "dport": 50051}, {"sport": 50051, "dport": 40000}


def capture(request=http2.REQUEST, response=http2.RESPONSE, trailers=http2.TRAILERS, sent=b"", answered=b""):
    """A capture file (pcap): one connection with one call, whole."""
    client = http2.PREFACE + http2.settings() + headers(request) + message(sent, end=True)
    server = http2.settings() + headers(response) + message(answered) + headers(trailers, end=True)
    return _file(
        client,
        server,
        _packet(flags=FIN | ACK, seq=100 + len(client), ack=500 + len(server), **THERE),
        _packet(flags=FIN | ACK, seq=500 + len(server), ack=101 + len(client), **BACK),
    )


def given_up(request, answered, code):
    """A capture file of a call that its client resets after an answer, before the server has ended it."""
    client = http2.PREFACE + http2.settings() + headers(request) + message(b"")
    server = http2.settings() + headers(http2.RESPONSE) + message(answered)
    reset = _packet(http2.reset(1, code), seq=100 + len(client), ack=500 + len(server), **THERE)
    return _file(client, server, reset)


def _file(client, server, *end):
    """A capture file of a connection from its beginning, what each side said, and how it ends."""
    begin = [
        _packet(flags=SYN, seq=99, **THERE),
        _packet(flags=SYN | ACK, seq=499, ack=100, **BACK),
        _packet(client, seq=100, ack=500, **THERE),
        _packet(server, seq=500, ack=100 + len(client), **BACK),
    ]
    return Pcap(link_type=packets.RAW).file([*begin, *end])


def _packet(payload=b"", **fields):
    if fields["sport"] == 40000:
        return packets.ipv4(packets.tcp(payload, **fields), packets.CLIENT, packets.SERVER)
    return packets.ipv4(packets.tcp(payload, **fields), packets.SERVER, packets.CLIENT)


def headers(fields, end=False):
    """Literal fields that no table takes in (RFC 7541, 6.2.2), with lengths below 127."""
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
    return http2.frame(http2.HEADERS, http2.END_HEADERS | (http2.END_STREAM if end else 0), 1, block)


def _text(value):
    data = value.encode() if isinstance(value, str) else value
    assert len(data) < 127
    return bytes((len(data),)) + data


def message(payload, end=False):
    return http2.data(1, http2.grpc_message(payload), end)
