"""Servers that answer a call of gRPC-Web or Connect with what is none, or an attack: a status says so, and soon."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import socket
import ssl

import odd_servers
import pytest

import inspector
from inspector.errors import ConnectError

SERVICE = "vision.v1.PredictionService"
PREDICT, WATCH = f"{SERVICE}/Predict", f"{SERVICE}/WatchVideo"
MIB = 1 << 20
BOMB = gzip.compress(bytes(64 * MIB))


def head(content_type, *fields, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-type: {content_type}", *fields, "", ""]).encode()


def sized(content_type, body, *fields, status="200 OK"):
    return head(content_type, f"content-length: {len(body)}", *fields, status=status) + body


def framed(data, flag=0, size=None):
    return bytes((flag,)) + (len(data) if size is None else size).to_bytes(4, "big") + data


def request(peer):
    """Reads one request, by its Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (got := peer.recv(65536))
        if not got:
            return None
    fields, _, body = data.partition(b"\r\n\r\n")
    size = int(fields.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < size:
        body += peer.recv(65536)
    return body


def saying(*parts, closes=True):
    """Answers a request with these bytes, as far as the client takes them."""

    def behave(peer):
        request(peer)
        with contextlib.suppress(OSError):
            for part in parts:
                peer.sendall(part)
            if closes:
                peer.shutdown(socket.SHUT_WR)
            peer.recv(1)

    return behave


def endless(first, again):
    def behave(peer):
        request(peer)
        with contextlib.suppress(OSError):
            peer.sendall(first)
            for _ in range(5000):
                peer.sendall(again)

    return behave


WEB, CONNECT, STREAM = "application/grpc-web+proto", "application/proto", "application/connect+proto"
CHUNKED = "transfer-encoding: chunked"
HOSTILE = {
    "web-page": ("grpc-web", PREDICT, saying(sized("text/html", b"<h1>\x1b[31mno")), 2, "content-type text/html"),
    "web-401": ("grpc-web", PREDICT, saying(sized("text/html", b"log in", status="401 No")), 16, "HTTP status 401"),
    "web-mute": ("grpc-web", PREDICT, saying(sized(WEB, framed(b""))), 2, "ended the response without a status"),
    "web-cut": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"ab", size=9))), 13, "within a message"),
    "web-cut-body": ("grpc-web", PREDICT, saying(sized(WEB, b"\0\0")[:-1]), 14, "before the end of its response"),
    "web-flag": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"", 4))), 13, "flag 0x04"),
    "web-trailers": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"x: y\r\n", 128))), 13, "have no grpc-status"),
    "web-status": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"grpc-status:x", 128))), 13, "'x' is not"),
    "web-long": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"", size=1 << 31))), 8, "2147483648 bytes"),
    "web-long-end": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"", 128, 2 * MIB))), 8, "the end of the call"),
    "web-bomb": ("grpc-web", PREDICT, saying(sized(WEB, framed(BOMB, 1), "grpc-encoding: gzip")), 8, "decompress"),
    "web-no-encoding": ("grpc-web", PREDICT, saying(sized(WEB, framed(b"a", 1))), 13, "names no encoding"),
    "web-text": (
        "grpc-web", PREDICT, saying(sized("application/grpc-web-text", b"!!!!")), 13, "grpc-web-text is not base64",
    ),
    "connect-page": ("connect", PREDICT, saying(sized("text/html", b"<h1>no")), 2, "not Connect: <h1>no"),
    "connect-404": ("connect", PREDICT, saying(sized("text/html", b"gone", status="404 No")), 12, "HTTP status 404"),
    "connect-moved": (
        "connect", PREDICT, saying(sized("text/html", b"", "location: https://a.example/", status="308 Moved")), 2,
        "HTTP status 308, it points to https://a.example/, content-type text/html",
    ),
    "connect-bomb": ("connect", PREDICT, saying(sized(CONNECT, BOMB, "content-encoding: gzip")), 8, "decompress"),
    "connect-error-bomb": (
        "connect", PREDICT,
        saying(sized("application/json", BOMB, "content-encoding: gzip", status="500 Oops")), 2, "HTTP status 500",
    ),
    "connect-gzip": ("connect", PREDICT, saying(sized(CONNECT, b"abc", "content-encoding: gzip")), 13, "damaged"),
    "connect-br": ("connect", PREDICT, saying(sized(CONNECT, b"abc", "content-encoding: br")), 13, "not known"),
    "connect-long": (
        "connect", PREDICT, endless(head(CONNECT, CHUNKED), b"10000\r\n" + bytes(65536) + b"\r\n"), 8, "the limit is",
    ),
    "connect-long-error": (
        "connect", PREDICT,
        endless(head("application/json", CHUNKED, status="500 Oops"), b"400\r\n" + b"[" * 1024 + b"\r\n"), 2,
        "HTTP status 500",
    ),
    "connect-deep-error": (
        "connect", PREDICT, saying(sized("application/json", b"[" * 100_000, status="500 Oops")), 2, "HTTP status 500",
    ),
    "connect-cut": (
        "connect", PREDICT, saying(head(CONNECT, "content-length: 9") + b"ab"), 14, "before the end of its response",
    ),
    "stream-mute": ("connect", WATCH, saying(sized(STREAM, framed(b""))), 2, "ended the response without a status"),
    "stream-cut": ("connect", WATCH, saying(sized(STREAM, framed(b"ab", size=9))), 13, "within a message"),
    "stream-flag": ("connect", WATCH, saying(sized(STREAM, framed(b"", 128))), 13, "flag 0x80"),
    "stream-end": ("connect", WATCH, saying(sized(STREAM, framed(b"{", 2))), 13, "is not JSON"),
    "stream-list": ("connect", WATCH, saying(sized(STREAM, framed(b"[]", 2))), 13, "not a JSON object"),
    "stream-null": ("connect", WATCH, saying(sized(STREAM, framed(b'{"error": {}}', 2))), 2, "has no code"),
    "stream-415": ("connect", WATCH, saying(sized("text/plain", b"", status="415 No")), 2, "HTTP status 415"),
    "garbage": ("connect", PREDICT, saying(b"\x16\x03\x01 what"), 14, "does not speak HTTP"),
    "chunk": ("connect", PREDICT, saying(head(CONNECT, CHUNKED) + b"zz\r\n"), 14, "broke HTTP/1.1"),
    "header": (
        "connect", PREDICT, endless(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n" * 500), 14, "sent headers of more than",
    ),
    "line": ("connect", PREDICT, endless(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 5000), 14, "sent headers of more than"),
    "early": ("connect", PREDICT, endless(b"", b"HTTP/1.1 103 Early\r\n\r\n"), 14, "announces an answer without end"),
    "silent": ("connect", PREDICT, saying(), 14, "the server closed the connection"),
    "h2": ("connect", PREDICT, saying(odd_servers.SETTINGS), 14, "the server speaks HTTP/2, not HTTP/1.1 (--http 2)"),
    "tls": ("connect", PREDICT, saying(b"\x15\x03\x01\0\x02\x02\x46"), 14, "the server speaks TLS"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_status_says_what_is_wrong_with_the_server(schema, name):
    protocol, method, behave, code, said = HOSTILE[name]
    with (
        odd_servers.serving(behave) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol=protocol) as client,
        pytest.raises(inspector.CallError) as caught,
    ):
        client.call(method, {}, timeout=30)
    assert (caught.value.status.code, said in str(caught.value)) == (code, True), str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_came_before_the_damage_is_kept(schema):
    body = framed(b"") + framed(b"") + framed(b"", 9)
    with (
        odd_servers.serving(saying(sized(STREAM, body))) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
    ):
        answer = client.call(WATCH, {}, check=False)
    assert (answer.messages, answer.status.name) == ([{}, {}], "INTERNAL")


def test_an_end_within_the_body_is_the_end(schema):
    """The body stays open: nobody waits for its end."""
    end = framed(json.dumps({"metadata": {"x-cost": ["7"]}}).encode(), 2)
    with (
        odd_servers.serving(saying(head(STREAM, "content-length: 999"), framed(b"") + end, closes=False)) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
    ):
        answer = client.call(WATCH, {}, timeout=30)
    assert (answer.messages, answer.status.name, answer.trailers) == ([{}], "OK", (("x-cost", "7"),))


def test_an_answer_in_base64_is_read(schema):
    parts = framed(b""), framed(b"grpc-status: 5\r\ngrpc-message: n%C3%B6\r\n", 128)
    text = b"".join(map(base64.b64encode, parts))
    with (
        odd_servers.serving(saying(sized("application/grpc-web-text+proto", text))) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="grpc-web") as client,
    ):
        answer = client.call(PREDICT, {}, check=False)
    assert (answer.messages, answer.status.name, answer.status.message) == ([{}], "NOT_FOUND", "nö")


def test_a_connection_serves_one_call_after_the_other(schema):
    peers = []

    def behave(peer):
        peers.append(peer.getpeername())
        while request(peer) is not None:
            peer.sendall(sized(CONNECT, b""))

    with (
        odd_servers.serving(behave) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
    ):
        assert [client.call(PREDICT, {}).message for _ in range(3)] == [{}, {}, {}]
    assert len(set(peers)) == 1


def test_where_the_server_closes_each_call_has_a_connection(schema):
    def behave(peer):
        request(peer)
        peer.sendall(sized(CONNECT, b"", "connection: close"))

    with (
        odd_servers.serving(behave) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
    ):
        assert [client.call(PREDICT, {}).message for _ in range(3)] == [{}, {}, {}]


def test_a_body_without_a_length_ends_with_the_connection(schema):
    with (
        odd_servers.serving(saying(head(CONNECT))) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
    ):
        assert client.call(PREDICT, {}).message == {}


def test_a_server_that_chooses_no_protocol_is_spoken_to_by_http1(schema, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert("server"), authority.key("server"))

    def behave(peer):
        with context.wrap_socket(peer, server_side=True) as secure:
            saying(sized(CONNECT, b""), closes=False)(secure)

    with odd_servers.serving(behave) as address:
        options = {"schema": schema, "cacert": authority.cert("ca")}
        with inspector.Client(f"https://{address}", protocol="connect", **options) as client:
            assert client.call(PREDICT, {}).message == {}
        with (
            inspector.Client(f"https://{address}", protocol="connect", http="2", **options) as client,
            pytest.raises(ConnectError, match="does not offer HTTP/2 over TLS"),
        ):
            client.call(PREDICT, {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"protocol": "soap"}, "the protocol 'soap' is not known"),
        ({"protocol": "connect", "http": "3"}, "the version of HTTP '3' is not known"),
        ({"http": "1.1"}, "gRPC needs HTTP/2"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(options, said):
    with pytest.raises(inspector.InspectorError, match=said):
        inspector.Client("http://localhost:1", **options)


@pytest.mark.parametrize("name", ["connect-timeout-ms", "accept-encoding", "content-type"])
def test_header_fields_of_the_protocol_cannot_be_set(schema, name):
    with (
        odd_servers.serving(saying(sized(CONNECT, b""))) as address,
        inspector.Client(f"http://{address}", schema=schema, protocol="connect") as client,
        pytest.raises(inspector.InspectorError, match="belongs to the protocol"),
    ):
        client.call(PREDICT, {}, metadata={name: "1"}, timeout=20)
