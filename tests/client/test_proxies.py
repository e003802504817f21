"""Proxies: which one the environment names, and calls through one that is real."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import odd_servers
import pytest

import inspector
from inspector.client import proxies
from inspector.client.channel import Channel
from inspector.client.proxies import Proxy
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import ConnectError, InputError

FAR = Target.parse("grpc.example:50051")
URL = {"https_proxy": "http://proxy.example:3128"}


class Connecting:
    """A proxy that leads each CONNECT to one server, whatever name was asked for; `heads` are the requests."""

    def __init__(self, server):
        host, port = server.rsplit(":", 1)
        self.heads, self._server = [], (host, int(port))

    def __call__(self, peer):
        self.heads.append(_head(peer))
        with socket.create_connection(self._server) as other:
            peer.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
            back = threading.Thread(target=_pump, args=(other, peer), daemon=True)
            back.start()
            _pump(peer, other)
            back.join()


def _head(peer):
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += peer.recv(1)
    return data.decode()


def _pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def through(doors, schema, monkeypatch):
    """Calls `grpc.example` through a proxy of the environment that leads to a door; gives what the proxy was asked."""

    def call(door, credentials="", **options):
        proxy = Connecting(doors[door])
        with odd_servers.serving(proxy) as address:
            monkeypatch.setenv("https_proxy", f"http://{credentials}{address}")
            with inspector.Client("grpc.example:50051", schema=schema, **options) as client:
                answer = client.call("vision.v1.PredictionService/Predict", {"text": {"content": "fox"}})
                assert answer.message["name"] == "fox"
        return proxy.heads

    return call


def test_a_call_in_plaintext_goes_through_the_proxy(through):
    assert through("plain", plaintext=True) == [
        "CONNECT grpc.example:50051 HTTP/1.1\r\nHost: grpc.example:50051\r\n\r\n"
    ]


def test_tls_is_with_the_server_and_not_with_the_proxy(through, authority):
    heads = through("elsewhere", cacert=authority.cert("ca"), servername="elsewhere.example")
    assert len(heads) == 1


def test_credentials_in_the_url_are_shown_to_the_proxy(through):
    (head,) = through("plain", "me%40home:a%3Ab@", plaintext=True)
    assert "\r\nProxy-Authorization: Basic bWVAaG9tZTphOmI=\r\n" in head


def connect(answer, monkeypatch, credentials=""):
    """The error for a proxy that answers so."""

    def behave(peer):
        _head(peer)
        peer.sendall(answer)

    with odd_servers.serving(behave) as address:
        monkeypatch.setenv("https_proxy", f"http://{credentials}{address}")
        with pytest.raises(ConnectError) as caught:
            asyncio.run(Channel.open(FAR, ConnectSettings(plaintext=True, connect_timeout=20)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "does not connect to grpc.example:50051: 'HTTP/1.1 403 Forbidden'"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it may need a user name: http://user:password@host"),
        (b"HTTP/1.0 502 Bad\x1b[31m Gateway\r\n\r\n", r"'HTTP/1.0 502 Bad\x1b[31m Gateway'"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not connect to grpc.example:50051: 'SSH-2.0-OpenSSH'"),
        (b"HTTP/1.1 200 OK\r\n", "the proxy gave no answer that can be read"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Long: y\r\n" * 2000, "the proxy gave no answer that can be read"),
    ],
)
def test_a_proxy_that_refuses_is_told_with_what_it_said(monkeypatch, answer, said):
    error = connect(answer, monkeypatch)
    assert said in error
    assert error.startswith("grpc.example:50051: ")


def test_the_password_of_a_proxy_is_not_told(monkeypatch):
    assert "hush" not in connect(b"HTTP/1.1 407 No\r\n\r\n", monkeypatch, "me:hush@")


def test_a_proxy_that_is_not_there(monkeypatch):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(ConnectError, match=r"cannot reach the proxy .*connection refused .*https_proxy is set"):
            asyncio.run(Channel.open(FAR, ConnectSettings(plaintext=True)))


def test_a_proxy_that_says_nothing_is_not_waited_for_for_ever(monkeypatch):
    with odd_servers.serving(odd_servers.silent) as address:
        monkeypatch.setenv("https_proxy", f"http://{address}")
        with pytest.raises(ConnectError, match=r"no connection within 0.1 s \(while: proxy\)"):
            asyncio.run(Channel.open(FAR, ConnectSettings(plaintext=True, connect_timeout=0.1)))


def test_the_first_variable_that_is_set_counts():
    names = ["grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy"]
    for at, name in enumerate(names):
        environment = {other: f"http://{other.replace('_', '-')}.example" for other in names[at:]}
        found = proxies.of_environment(FAR, environment | dict.fromkeys(names[:at], ""))
        assert found == Proxy(f"{name.lower().replace('_', '-')}.example", 80, "", name)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://proxy:3128", "proxy:3128"),
        ("http://proxy:3128/", "proxy:3128"),
        ("proxy:3128", "proxy:3128"),
        ("http://proxy", "proxy:80"),
        ("http://[2001:db8::1]:3128", "[2001:db8::1]:3128"),
    ],
)
def test_forms_of_a_proxy(url, address):
    assert proxies.of_environment(FAR, {"https_proxy": url}).address == address


@pytest.mark.parametrize(
    "url", ["https://proxy:1", "socks5://me:hush@proxy:1", "http://me:hush@proxy:x", "http://", "http://:hush@:1"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(url):
    with pytest.raises(InputError, match="https_proxy does not name a proxy") as caught:
        proxies.of_environment(FAR, {"https_proxy": url})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "listed", "is_exempt"),
    [
        ("grpc.example:1", "*", True),
        ("grpc.example:1", "other, grpc.example", True),
        ("GRPC.example:1", "grpc.EXAMPLE", True),
        ("grpc.example:1", "grpc.example:1", True),
        ("grpc.example:1", "grpc.example:2", False),
        ("a.grpc.example:1", "grpc.example", True),
        ("a.grpc.example:1", ".grpc.example", True),
        ("a.grpc.example:1", "*.grpc.example", True),
        ("agrpc.example:1", "grpc.example", False),
        ("10.1.2.3:1", "10.0.0.0/8", True),
        ("11.1.2.3:1", "10.0.0.0/8", False),
        ("10.1.2.3:1", "2.3", False),
        ("[2001:db8::1]:1", "2001:db8::/32", True),
        ("grpc.example:1", " , ", False),
        ("localhost:1", "", True),
        ("127.0.0.9:1", "", True),
        ("[::1]:1", "", True),
    ],
)
def test_what_needs_no_proxy(target, listed, is_exempt):
    found = proxies.of_environment(Target.parse(target), URL | {"no_proxy": listed})
    assert (found is None) == is_exempt


def test_no_grpc_proxy_counts_before_no_proxy():
    assert proxies.of_environment(FAR, URL | {"no_grpc_proxy": "other", "no_proxy": "*"}) is not None
    assert proxies.of_environment(FAR, URL | {"NO_PROXY": "grpc.example"}) is None
