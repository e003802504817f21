"""What goes through the proxy is what goes without it, and is in the log."""

import asyncio
import base64
import contextlib
import gc
import os
import socket
import threading
from pathlib import Path

import grpc
import grpc_peers as peers
import odd_servers
import pytest
from command import SCHEMA, run
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from http2_traffic import PREFACE, settings
from recording import calls_of, recording

from inspector.client.record import Listen, listening_tls
from inspector.client.settings import ConnectSettings
from inspector.errors import InputError

GZIP = grpc.Compression.Gzip
METADATA = (("x-plain", "a, b"), ("x-bytes-bin", b"\0\xff,\x01"), ("x-empty", ""))

CASES = {
    "unary": ("Unary", [b"\x08\x05"], {}),
    "an empty message": ("Unary", [b""], {}),
    "server streaming": ("ServerStream", [b"ab"], {}),
    "client streaming": ("ClientStream", [b"a", b"", b"bc"], {}),
    "both ways": ("Bidi", [b"12", b"34", b"5"], {}),
    "no requests": ("ClientStream", [], {}),
    "metadata": ("Unary", [b"m"], {"metadata": METADATA}),
    "gzip": ("Bidi", [b"z" * 5000, b"y" * 3000], {"compression": GZIP, "metadata": (("x-gzip", "1"),)}),
    "an error with details": ("Fail", [b""], {}),
    "a deadline that is kept": ("Unary", [b"d"], {"timeout": 20}),
    "a deadline that is exceeded": ("Wait", [b"w"], {"timeout": 0.5}),
    "no such method": ("Nope", [b"n"], {}),
    "a large message": ("Unary", [os.urandom(3_000_000)], {}),
    "many messages": ("Many", [b"300 1000"], {}),
}


@pytest.fixture(scope="module")
def server():
    with peers.serving() as (address, echo):
        yield address, echo


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.binlog"


@pytest.fixture
def credentials(authority):
    """Those of a server of grpcio."""
    key, cert = (Path(path).read_bytes() for path in (authority.key("server"), authority.cert("server")))
    return grpc.ssl_server_credentials([(key, cert)])


@pytest.mark.parametrize("case", CASES)
def test_a_call_is_the_same_through_the_proxy_and_is_in_the_log(server, path, case):
    method, requests, options = CASES[case]
    with recording(f"grpc://{server[0]}", path) as proxy:
        with peers.channel(server[0]) as channel:
            direct = seen_of(channel, case)
        with peers.channel(proxy.address) as channel:
            seen = seen_of(channel, case)
    assert seen == direct
    ((call, asked, answers),) = calls_of(path)
    assert call.method == f"/{peers.SERVICE}/{method}"
    assert call.status.name == seen.code
    if method != "Nope":  # the server answers before it has the request
        assert asked == requests
    assert answers == list(seen.messages)
    assert call.trailers == _text(seen.trailers, without="grpc-status-details-bin")
    assert call.response_headers == _text(seen.headers)
    assert call.request_headers == _text(options.get("metadata", ()))
    assert (call.deadline is not None) == ("timeout" in options)
    assert call.authority == proxy.address
    assert call.server == server[0]
    assert call.client.startswith("127.0.0.1:")
    if seen.code == "NOT_FOUND":
        assert (call.status.message, call.status.details) == (seen.details, peers.DETAILS)


def seen_of(channel, case):
    """What a client sees of a call. That a deadline was exceeded grpcio words in one way or another."""
    method, requests, options = CASES[case]
    seen = peers.call(channel, method, requests, **options)
    return seen._replace(details="") if seen.code == "DEADLINE_EXCEEDED" else seen


def _text(metadata, without=""):
    return tuple(
        (name, base64.b64encode(value).decode() if isinstance(value, bytes) else value)
        for name, value in metadata
        if name != without
    )


def test_a_cancelled_call_reaches_the_server_and_the_log(server, path):
    server[1].cancelled.clear()
    with recording(f"grpc://{server[0]}", path) as proxy, peers.channel(proxy.address) as channel:
        made = channel.unary_stream("/pkg.Echo/Wait")(b"w")
        assert next(made) == b"w"
        made.cancel()
        assert server[1].cancelled.wait(20)
        proxy.wait_until(lambda: not proxy.log.counts.open_calls)
    ((call, _, answers),) = calls_of(path)
    assert (call.status.name, answers, call.complete) == ("CANCELLED", [b"w"], True)


def test_concurrent_calls_on_several_channels_are_all_logged(server, path):
    def work(number):
        with peers.channel(proxy.address) as channel:
            for index in range(20):
                body = b"%d-%d" % (number, index)
                seen.append((body, peers.call(channel, "Bidi", [body] * 3).messages))

    seen = []
    with recording(f"grpc://{server[0]}", path) as proxy:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = calls_of(path)
    assert len(found) == len(seen) == 160
    assert {asked[0]: tuple(answers) for _, asked, answers in found} == dict(seen)
    assert all(call.complete for call, _, _ in found)
    assert len({call.client for call, _, _ in found}) == 8


def test_reflection_and_health_pass_through(path):
    def register(server):
        reflection.enable_server_reflection((reflection.SERVICE_NAME,), server)
        check = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check}),)
        )

    with (
        peers.serving(register=register) as (address, _),
        recording(f"grpc://{address}", path) as proxy,
        peers.channel(proxy.address) as channel,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        answers = list(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")])))
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"
    assert [service.name for service in answers[0].list_services_response.service] == [reflection.SERVICE_NAME]
    assert [call.method for call, _, _ in calls_of(path)] == [
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/grpc.health.v1.Health/Check",
    ]


# --- ways to listen and to connect -------------------------------------------------------------------------------


def test_unix_sockets_on_both_sides(path, tmp_path):
    with (
        peers.serving(f"unix:{tmp_path}/server") as (address, _),
        recording(address, path, f"unix:{tmp_path}/proxy") as proxy,
        peers.channel(proxy.address) as channel,
    ):
        assert peers.call(channel, "Unary", [b"u"]).messages == (b"u",)
        assert os.stat(tmp_path / "proxy").st_mode & 0o777 == 0o600
    ((call, asked, _),) = calls_of(path)
    assert (call.client, call.server, asked) == (f"unix:{tmp_path}/proxy", f"unix:{tmp_path}/server", [b"u"])
    assert not (tmp_path / "proxy").exists()


def test_a_socket_that_was_left_over_is_replaced_and_one_in_use_is_not(server, path, tmp_path):
    place = f"unix:{tmp_path}/proxy"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/proxy")
    with recording(f"grpc://{server[0]}", path, place):
        refuse_to_listen(f"grpc://{server[0]}", tmp_path / "other", place)
        assert (tmp_path / "proxy").exists()


def refuse_to_listen(*arguments):
    with (
        pytest.raises(InputError, match="cannot listen: Address already in use"),
        recording(*arguments),
    ):
        pass


def test_tls_on_both_sides(path, credentials, authority):
    trusted = grpc.ssl_channel_credentials(Path(authority.cert("ca")).read_bytes())
    with (
        peers.serving("localhost:0", credentials) as (address, _),
        recording(
            f"grpcs://{address}",
            path,
            "localhost:0",
            ConnectSettings(cacert=authority.cert("ca")),
            listen_tls=listening_tls(authority.cert("server"), authority.key("server")),
        ) as proxy,
        peers.channel(f"localhost:{proxy.address.rpartition(':')[2]}", trusted) as channel,
    ):
        assert peers.call(channel, "Bidi", [b"12"]).messages == (b"12", b"21")
        assert peers.call(channel, "Unary", [bytes(500_000)]).messages == (bytes(500_000),)
    assert [(asked, answers) for _, asked, answers in calls_of(path)] == [
        ([b"12"], [b"12", b"21"]),
        ([bytes(500_000)], [bytes(500_000)]),
    ]


@pytest.mark.parametrize("way", ["mutual TLS", "a unix socket"])
def test_all_kinds_of_calls_are_the_same(path, tmp_path, authority, way):
    cert, key, ca = authority.cert("server"), authority.key("server"), authority.cert("ca")
    where, listen, scheme = f"unix:{tmp_path}/server", f"unix:{tmp_path}/proxy", ""
    here = there = tls = None
    if way == "mutual TLS":
        where, listen, scheme = "localhost:0", "localhost:0", "grpcs://"
        known = [Path(each).read_bytes() for each in (ca, key, cert)]
        there = grpc.ssl_server_credentials([known[1:]], known[0], require_client_auth=True)
        here = grpc.ssl_channel_credentials(*known)
        tls = listening_tls(cert, key)
    settings = ConnectSettings(cacert=ca, cert=cert, key=key) if tls else ConnectSettings()
    with (
        peers.serving(where, there) as (address, _),
        recording(f"{scheme}{address}", path, listen, settings, listen_tls=tls) as proxy,
    ):
        through = f"localhost:{proxy.address.rpartition(':')[2]}" if tls else proxy.address
        with peers.channel(address, here) as channel:
            direct = {case: seen_of(channel, case) for case in CASES}
        with peers.channel(through, here) as channel:
            seen = {case: seen_of(channel, case) for case in CASES}
    assert seen == direct
    assert [call.status.name for call, *_ in calls_of(path)] == [each.code for each in seen.values()]


@pytest.mark.parametrize(
    ("behave", "options"),
    [
        (odd_servers.of_http1, ["--plaintext"]),
        (odd_servers.of_http1, []),
        (odd_servers.silent, ["--plaintext"]),
        (odd_servers.closing, ["--plaintext"]),
        (odd_servers.junk, ["--plaintext"]),
        (odd_servers.refusing, ["--plaintext"]),
        (odd_servers.boasting, ["--plaintext"]),
        (odd_servers.dying, ["--plaintext"]),
        (odd_servers.mute, ["--plaintext"]),
    ],
)
def test_of_an_odd_server_the_same_is_said(path, behave, options):
    with odd_servers.serving(behave) as address, recording(f"grpc://{address}", path) as proxy:
        direct, through = (
            run("call", each, "vision.v1.PredictionService/Predict", "-s", SCHEMA, "--connect-timeout", "0.5", *options)
            for each in (address, proxy.address)
        )
    assert (through.code, through.out) == (direct.code, direct.out)
    if behave is not odd_servers.dying:  # whose end arrives as one of two kinds
        assert through.err.replace(proxy.address, address) == direct.err


def test_a_certificate_that_is_not_trusted_ends_the_connection_with_a_line(path, credentials):
    with (
        peers.serving("localhost:0", credentials) as (address, _),
        recording(f"grpcs://{address}", path) as proxy,
        peers.channel(proxy.address) as channel,
    ):
        assert peers.call(channel, "Unary", [b"u"]).code == "UNAVAILABLE"
        assert "connection 1: " in proxy.lines[0]
        assert "certificate" in proxy.lines[0]
    assert path.read_bytes() == b""


@pytest.mark.parametrize("words", [PREFACE + settings(), b"", b"\x16\x03\x01"], ids=["plaintext", "nothing", "a part"])
def test_a_client_that_does_not_speak_tls_where_it_should_is_told_of(target, path, authority, words):
    tls = listening_tls(authority.cert("server"), authority.key("server"))
    with recording(target.address, path, listen_tls=tls) as proxy:
        with _connected(proxy) as client:
            client.sendall(words)
            client.shutdown(socket.SHUT_WR)
            _all(client)
        proxy.wait_until(lambda: not proxy.recorder.links)
        assert len(proxy.lines) == 1
        assert proxy.lines[0].startswith("connection 1: the client did not get through the TLS handshake: ")


def test_a_client_in_the_midst_of_its_tls_handshake_does_not_keep_recording_from_ending(target, path, authority):
    tls = listening_tls(authority.cert("server"), authority.key("server"))
    with recording(target.address, path, listen_tls=tls) as proxy, _connected(proxy):
        proxy.wait_until(lambda: proxy.recorder.links)
    assert not proxy.recorder.links


def test_a_certificate_without_its_key_is_refused(tmp_path, authority):
    with pytest.raises(InputError, match="this is no certificate with its key"):
        listening_tls(authority.cert("ca"), authority.key("server"))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        listening_tls(str(tmp_path / "none"), authority.key("server"))


@pytest.mark.parametrize(
    ("text", "where", "is_local"),
    [
        ("127.0.0.1:5000", "127.0.0.1:5000", True),
        (":5000", "127.0.0.1:5000", True),
        ("5000", "127.0.0.1:5000", True),
        ("localhost:0", "localhost:0", True),
        ("[::1]:1", "[::1]:1", True),
        ("unix:/run/x", "unix:/run/x", True),
        ("grpc://127.8.0.1:5", "127.8.0.1:5", True),
        ("0.0.0.0:5000", "0.0.0.0:5000", False),
        ("[::]:5000", "[::]:5000", False),
        ("example.com:5000", "example.com:5000", False),
    ],
)
def test_addresses_to_listen_on(text, where, is_local):
    assert (str(Listen.parse(text)), Listen.parse(text).is_local) == (where, is_local)


@pytest.mark.parametrize("text", ["", "localhost", "a:b", "127.0.0.1:65536", "127.0.0.1:-1", ":", "unix:"])
def test_what_is_no_address_to_listen_on_is_refused(text):
    with pytest.raises(InputError, match="is n"):
        Listen.parse(text)


def test_a_port_in_use_is_told(server, path):
    refuse_to_listen(f"grpc://{server[0]}", path, server[0])


# --- what goes wrong ---------------------------------------------------------------------------------------------


def test_a_target_that_is_not_there_closes_the_connection_with_a_line(path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
        with recording(target, path) as proxy, _connected(proxy) as client:
            client.sendall(PREFACE + settings())
            assert _all(client) == b""
    assert proxy.lines[0].startswith(f"connection 1: {target}: cannot connect: connection refused")
    assert proxy.recorder.traffic[:2] == (1, 0)


class Target:
    """A server by hand: it sends what it is told to, and keeps what it gets."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"grpc://127.0.0.1:{self.listening.getsockname()[1]}"

    def accept(self):
        self.listening.settimeout(20)
        accepted, _ = self.listening.accept()
        accepted.settimeout(20)
        return accepted


@pytest.fixture
def target():
    made = Target()
    yield made
    made.listening.close()


def _connected(proxy):
    return contextlib.closing(_connect(proxy))


def _all(connected):
    """What comes until the other side ends."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connected.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_each_direction_may_end_before_the_other(target, path):
    with recording(target.address, path) as proxy, _connected(proxy) as client:
        client.sendall(b"first ")
        with target.accept() as server:
            client.sendall(b"last")
            client.shutdown(socket.SHUT_WR)
            assert _all(server) == b"first last"
            server.sendall(b"answer")
            server.shutdown(socket.SHUT_WR)
            assert _all(client) == b"answer"
        proxy.wait_until(lambda: not proxy.recorder.links)


def test_what_is_not_http2_passes_with_a_line(target, path):
    with recording(target.address, path) as proxy, _connected(proxy) as client:
        client.sendall(b"SSH-2.0-x\r\n" * 10)
        with target.accept() as server:
            assert server.recv(5, socket.MSG_WAITALL) == b"SSH-2"
            server.sendall(b"yes")
            assert client.recv(3, socket.MSG_WAITALL) == b"yes"
        client.close()
        proxy.wait_until(lambda: not proxy.recorder.links)
    assert proxy.lines == ["connection 1: this is no HTTP/2; it is handed on, but not logged"]


def test_small_writes_are_sent_at_once(target, path):
    """Else each call would wait for an acknowledgement that the other side delays."""
    with recording(target.address, path) as proxy, _connected(proxy), target.accept():
        proxy.wait_until(lambda: all(side.is_connected for link in proxy.recorder.links for side in link.sides))
        (link,) = proxy.recorder.links
        sockets = [side.transport.get_extra_info("socket") for side in link.sides]
        assert all(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets)


def test_a_receiver_that_does_not_read_stops_the_sender(target, path):
    """So that no more is held than the buffers have room for."""
    with recording(target.address, path) as proxy, _connected(proxy) as client, target.accept() as server:
        server.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 200_000_000:
                sent += server.send(bytes(65_536))
        before = proxy.recorder.traffic.from_target
        assert before < 50_000_000
        server.shutdown(socket.SHUT_WR)
        assert len(_all(client)) == sent


def test_a_log_that_cannot_be_written_ends_recording_but_not_forwarding(server, path):
    class Full:
        def write(self, entries):
            raise InputError("the log cannot be written: No space left on device", where="x")

    with recording(f"grpc://{server[0]}", path, sink=Full()) as proxy, peers.channel(proxy.address) as channel:
        for _ in range(3):
            assert peers.call(channel, "Bidi", [b"12"]).messages == (b"12", b"21")
        assert proxy.recorder.log is None
    assert proxy.lines == [
        "x: the log cannot be written: No space left on device; recording has ended, forwarding goes on"
    ]


def test_a_fault_of_the_reader_does_not_break_what_passes(server, path, monkeypatch):
    monkeypatch.setattr("inspector.client.call_log.ConnectionLog.feed", lambda *_: 1 / 0)
    with recording(f"grpc://{server[0]}", path) as proxy, peers.channel(proxy.address) as channel:
        assert peers.call(channel, "Bidi", [b"12"]).messages == (b"12", b"21")
    assert proxy.lines == [
        "connection 1: ZeroDivisionError while it was read: it is handed on, but not logged any more"
    ]


def test_a_server_that_dies_in_mid_stream_is_in_the_log(path):
    with contextlib.ExitStack() as stack:
        address, _ = stack.enter_context(peers.serving())
        proxy = stack.enter_context(recording(f"grpc://{address}", path))
        with peers.channel(proxy.address) as channel:
            made = channel.unary_stream("/pkg.Echo/Wait")(b"w")
            assert next(made) == b"w"
            stack.pop_all().close()
            assert made.code() is not None
    ((call, _, answers),) = calls_of(path)
    assert answers == [b"w"]
    assert call.status.code != 0


def test_what_is_open_when_recording_ends_is_logged_as_ended(server, path):
    with contextlib.ExitStack() as later:
        with recording(f"grpc://{server[0]}", path) as proxy:
            channel = later.enter_context(peers.channel(proxy.address))
            made = channel.unary_stream("/pkg.Echo/Wait")(b"w")
            assert next(made) == b"w"
        assert made.code() is grpc.StatusCode.UNAVAILABLE
    ((call, _, answers),) = calls_of(path)
    assert (call.status.name, call.status.message) == ("UNAVAILABLE", "the connection was closed")
    assert answers == [b"w"]


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_that_has_only_just_come_is_closed_too(target, path, turns):
    async def come_and_close():
        client = _connect(proxy)
        for _ in range(turns):
            await asyncio.sleep(0)
        await proxy.recorder.close()
        return client

    with recording(target.address, path) as proxy:
        client = asyncio.run_coroutine_threadsafe(come_and_close(), proxy.loop).result(20)
    with contextlib.closing(client):
        assert _all(client) == b""
    gc.collect()  # a socket that nobody closed is a warning, and so an error


def _connect(proxy):
    host, _, port = proxy.address.rpartition(":")
    return socket.create_connection((host, int(port)), 20)


def test_only_so_much_of_each_message_is_logged(server, path):
    with (
        recording(f"grpc://{server[0]}", path, log={"max_message_bytes": 10}) as proxy,
        peers.channel(proxy.address) as channel,
    ):
        assert peers.call(channel, "Bidi", [b"12", b"x" * 100]).messages[2] == b"x" * 100
    ((call, asked, answers),) = calls_of(path)
    assert (asked, answers) == ([b"12", None], [b"12", b"21", None, None])
    assert (call.request_bytes, call.response_bytes) == (102, 204)


def test_a_message_over_the_limit_passes_and_is_logged_without_its_bytes(server, path, monkeypatch):
    monkeypatch.setattr("inspector.limits.MAX_BUFFERED", 100_000)
    body = os.urandom(3_000_000)
    with recording(f"grpc://{server[0]}", path) as proxy, peers.channel(proxy.address) as channel:
        assert peers.call(channel, "Unary", [body]).messages == (body,)
        assert peers.call(channel, "Unary", [b"small"]).messages == (b"small",)
        assert proxy.log.held == 0
        assert proxy.log.counts.left_out == 2
    (large, asked, answers), (small, *_) = calls_of(path)
    assert (asked, answers) == ([None], [None])
    assert (large.request_bytes, large.response_bytes) == (3_000_000, 3_000_000)
    assert small.complete
