"""Asking servers of grpcio, and others, for their schemas."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from command import run
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection as grpcio_reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from grpc_server import VISION
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from reflection_servers import NOT_FOUND, Server, StreamEnd, WithImports, error

from inspector import cache, limits
from inspector.client import reflection
from inspector.client.channel import Channel
from inspector.client.reflection import open_reflection, reflect
from inspector.errors import ConnectError, SchemaError
from inspector.schema import Schema

V1, V1ALPHA = reflection.VERSIONS
FILES = descriptor_pb2.FileDescriptorSet.FromString(VISION.read_bytes()).file
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Handler(grpc.GenericRpcHandler):
    """Some versions of reflection, answered by a Server; headers are noted, or asked for."""

    def __init__(self, server, *versions, secret=None):
        self._paths = [f"/{version}.ServerReflection/ServerReflectionInfo" for version in versions]
        self._server, self._secret = server, secret
        self.calls: list[tuple[str, dict[str, str]]] = []

    def service(self, details):
        self.calls.append((details.method, dict(details.invocation_metadata)))
        if details.method not in self._paths:
            return None
        return grpc.stream_stream_rpc_method_handler(
            self._answers, ServerReflectionRequest.FromString, ServerReflectionResponse.SerializeToString
        )

    def _answers(self, requests, context):
        if self._secret not in (None, dict(context.invocation_metadata()).get("authorization")):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        for request in requests:
            try:
                yield self._server.answer(request)
            except StreamEnd as end:
                if end.code:
                    context.abort(CODES[end.code], end.message)
                return


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    """Nothing is kept from one test to another."""
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def serve():
    """Starts a server of grpcio with a handler; its address."""
    with contextlib.ExitStack() as stack:

        def start(handler):
            server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.so_reuseport", 0),))
            if isinstance(handler, grpc.GenericRpcHandler):
                server.add_generic_rpc_handlers((handler,))
            else:
                handler(server)
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            stack.callback(lambda: server.stop(0).wait())
            return f"grpc://127.0.0.1:{port}"

        yield start


@pytest.fixture
def serve_http2():
    """Starts an HTTP/2 server that does something with each request: `act(connection, stream number)`; its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers = []

    def start(act):
        async def talk(reader, writer):
            connection = H2Connection(H2Configuration(client_side=False))
            connection.initiate_connection()
            writer.write(connection.data_to_send())
            try:
                while data := await reader.read(65_536):
                    for event in connection.receive_data(data):
                        if isinstance(event, RequestReceived):
                            act(connection, event.stream_id)
                    writer.write(connection.data_to_send())
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()

        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(talk, "127.0.0.1", 0), loop).result()
        servers.append(server)
        return f"grpc://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start

    async def stop():
        for server in servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # connections that were ended are closed in the next turn

    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def services_of(found):
    return Schema([found]).services()


EXPECTED = ["models.v1.ModelService", "vision.v1.FeedbackService", "vision.v1.PredictionService"]


def test_grpcio_s_own_reflection_gives_the_whole_schema(serve):
    pool = DescriptorPool()
    for file in FILES:
        pool.Add(file)
    names = (*EXPECTED, grpcio_reflection.SERVICE_NAME)
    address = serve(lambda server: grpcio_reflection.enable_server_reflection(names, server, pool))
    schema = Schema.from_source(address)
    assert schema.notes == ()
    assert set(EXPECTED) <= set(schema.services())
    expected = Schema.from_files(VISION)
    for method in expected.methods():
        found = schema.method(method)
        assert found.input_type.full_name == expected.method(method).input_type.full_name
        ours, theirs = descriptor_pb2.DescriptorProto(), descriptor_pb2.DescriptorProto()
        found.output_type.CopyToProto(ours)
        expected.method(method).output_type.CopyToProto(theirs)
        assert ours == theirs


@pytest.mark.parametrize("versions", [(V1,), (V1ALPHA,), (V1, V1ALPHA)])
def test_either_version_will_do(serve, versions):
    handler = Handler(Server(*FILES), *versions)
    assert services_of(open_reflection(serve(handler))) == EXPECTED
    assert [path.split("/")[1].removesuffix(".ServerReflection") for path, _ in handler.calls] == (
        [V1] if V1 in versions else [V1, V1ALPHA]
    )


def test_a_server_without_reflection_is_told_with_all_that_was_tried(serve):
    with pytest.raises(SchemaError) as caught:
        open_reflection(serve(Handler(Server())))
    text = str(caught.value)
    assert "the server does not offer reflection (tried grpc.reflection.v1: UNIMPLEMENTED: " in text
    assert "; grpc.reflection.v1alpha: UNIMPLEMENTED: " in text
    assert "-s FILE" in text


def test_a_server_that_wants_credentials_says_so_and_takes_them(serve):
    handler = Handler(Server(*FILES), V1, V1ALPHA, secret="Bearer me")
    address = serve(handler)
    with pytest.raises(SchemaError, match=r"refuses reflection .*UNAUTHENTICATED: who are you\?.*--reflect-header"):
        open_reflection(address)
    assert services_of(open_reflection(address, metadata=(("authorization", "Bearer me"),))) == EXPECTED


def test_one_symbol_is_one_round(serve):
    server = WithImports(*FILES)
    schema = Schema.from_reflection(serve(Handler(server, V1)), symbols=["models.v1.ModelService/GetModel"])
    assert schema.method("models.v1.ModelService/GetModel")
    assert schema.services() == ["models.v1.ModelService"]
    assert server.requests[0].file_containing_symbol == "models.v1.ModelService"
    assert not any(request.list_services for request in server.requests)


def test_a_server_that_ends_the_stream_for_what_it_lacks_is_asked_on(serve):
    class Abrupt(Server):
        def found(self, files):
            answer = super().found(files)
            if answer.HasField("error_response"):
                raise StreamEnd(NOT_FOUND, "no")
            return answer

    server = Abrupt(*FILES, services=["gone.First", *EXPECTED])
    found = open_reflection(serve(Handler(server, V1)))
    assert services_of(found) == EXPECTED
    assert found.notes == ("the server lists gone.First, but gives no file with that: NOT_FOUND: no",)


def test_a_server_that_answers_one_request_a_stream_is_asked_on(serve):
    class Once(Server):
        count = 0

        def answer(self, request):
            self.count += 1
            if self.count % 2 == 0:
                raise StreamEnd(0)
            return super().answer(request)

    assert services_of(open_reflection(serve(Handler(Once(*FILES), V1)))) == EXPECTED


def test_a_server_whose_list_fails_is_told(serve):
    class Secretive(Server):
        def list_services(self, _):
            return error(7, "not for \x1b[31myou")

    with pytest.raises(SchemaError, match=r"does not list its services: PERMISSION_DENIED: not for \\x1b\[31myou"):
        open_reflection(serve(Handler(Secretive(*FILES), V1)))


def test_a_version_that_answers_without_files_is_no_reason_not_to_try_the_other(serve):
    class Half(Handler):
        """Refuses v1 in its answers."""

        def service(self, details):
            self._server = Secretive(*FILES) if V1ALPHA not in details.method else Server(*FILES)
            return super().service(details)

    class Secretive(Server):
        def list_services(self, _):
            return error(12, "not in this version")

    assert services_of(open_reflection(serve(Half(Server(), V1, V1ALPHA)))) == EXPECTED
    with pytest.raises(SchemaError) as caught:
        open_reflection(serve(Handler(Secretive(*FILES), V1)))
    assert "UNIMPLEMENTED: not in this version (also tried grpc.reflection.v1alpha: UNIMPLEMENTED" in str(caught.value)


def test_a_proxy_that_answers_401_is_told(serve_http2):
    def refuse(connection, stream):
        connection.send_headers(stream, [(":status", "401"), ("content-type", "text/plain")], end_stream=True)

    with pytest.raises(SchemaError) as caught:
        open_reflection(serve_http2(refuse))
    assert "the server refuses reflection" in str(caught.value)
    assert "grpc.reflection.v1: UNAUTHENTICATED: " in str(caught.value)
    assert "401" in str(caught.value)


def test_a_reset_is_no_reason_not_to_try_the_other_version(serve_http2):
    with pytest.raises(SchemaError) as caught:
        open_reflection(serve_http2(lambda connection, stream: connection.reset_stream(stream, 2)))
    assert "reflection failed (tried grpc.reflection.v1: INTERNAL" in str(caught.value)
    assert "grpc.reflection.v1alpha: INTERNAL" in str(caught.value)


def test_a_server_that_goes_away_at_v1_is_connected_to_again(serve_http2):
    tried = []

    def go_away(connection, stream):
        tried.append(stream)
        connection.close_connection(error_code=11, last_stream_id=0)

    with pytest.raises(SchemaError, match=r"v1: UNAVAILABLE.*v1alpha: UNAVAILABLE"):
        open_reflection(serve_http2(go_away))
    assert tried == [1, 1]


def test_silence_ends(serve_http2, monkeypatch):
    monkeypatch.setattr(limits, "REFLECTION_PATIENCE", 0.1)
    with pytest.raises(SchemaError, match=r"does not answer .*v1: DEADLINE_EXCEEDED: no answer within 0\.1 s"):
        open_reflection(serve_http2(lambda connection, stream: None))


def test_nobody_there_is_an_error_of_the_connection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"grpc://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectError, match="connection refused"):
            open_reflection(address)


def test_an_answer_that_is_too_long_is_refused(serve, monkeypatch):
    monkeypatch.setattr(limits, "MAX_REFLECTED_BYTES", 2_000)
    with pytest.raises(SchemaError, match="RESOURCE_EXHAUSTED"):
        open_reflection(serve(Handler(WithImports(*FILES), V1)))


def test_it_runs_where_a_loop_runs_and_over_a_channel(serve):
    address = serve(Handler(Server(*FILES), V1))

    async def main():
        ours = open_reflection(address, use_cache=False)
        async with await Channel.open(address) as channel:
            return ours, await reflect(channel)

    assert [services_of(found) for found in asyncio.run(main())] == [EXPECTED, EXPECTED]


# --- the cache ---


def test_a_schema_is_kept_for_a_while_and_that_is_said(serve, monkeypatch):
    handler = Handler(Server(*FILES, services=[*EXPECTED, "gone.X"]), V1)
    address = serve(handler)
    first, second = open_reflection(address), open_reflection(address)
    assert len(handler.calls) == 1
    assert services_of(second) == services_of(first) == EXPECTED
    assert second.notes == (f"schema of {address} from the cache, 0 s old; --no-cache asks anew", *first.notes)
    open_reflection(address, use_cache=False)
    assert len(handler.calls) == 2
    now = reflection.time.time()
    monkeypatch.setattr(reflection.time, "time", lambda: now + 200)
    assert "from the cache, 3 min old" in open_reflection(address).notes[0]
    monkeypatch.setattr(reflection.time, "time", lambda: now + limits.MAX_REFLECTION_AGE + 60)
    open_reflection(address)
    assert len(handler.calls) == 3


def test_what_is_kept_is_for_the_same_headers_only(serve):
    handler = Handler(Server(*FILES), V1)
    address = serve(handler)
    open_reflection(address, metadata=(("authorization", "hunter2"),))
    open_reflection(address, metadata=(("authorization", "hunter3"),))
    assert len(handler.calls) == 2
    assert not any(b"hunter2" in path.read_bytes() for path in cache.folder().rglob("*.cache"))


def test_a_whole_schema_that_is_kept_serves_for_a_symbol_that_it_has(serve):
    server = Server(*FILES)
    handler = Handler(server, V1)
    address = serve(handler)
    open_reflection(address)
    assert open_reflection(address, symbols=["vision.v1.PredictionService/Predict"]).notes
    assert len(handler.calls) == 1
    late = descriptor_pb2.FileDescriptorProto(name="late.proto", package="late", syntax="proto3")
    late.service.add(name="New")
    server.files.append(late)
    assert services_of(open_reflection(address, symbols=["late.New/Get"])) == ["late.New"]


def test_a_schema_that_is_not_whole_is_not_kept(serve):
    class Dying(Server):
        def file_by_filename(self, name):
            raise StreamEnd(14, "shutting down")

    handler = Handler(Dying(*FILES), V1)
    address = serve(handler)
    assert "the schema is not whole: the server ended the stream: UNAVAILABLE: shutting down" in (
        open_reflection(address).notes
    )
    before = len(handler.calls)
    open_reflection(address)
    assert len(handler.calls) > before


@pytest.mark.parametrize("damage", [lambda entry: entry[:10], lambda entry: entry[:-1], lambda entry: b""])
def test_a_damaged_entry_is_none(serve, damage):
    handler = Handler(Server(*FILES), V1)
    address = serve(handler)
    open_reflection(address)
    (entry,) = cache.folder().rglob("*.cache")
    entry.write_bytes(damage(entry.read_bytes()))
    assert services_of(open_reflection(address)) == EXPECTED
    assert len(handler.calls) == 2


# --- as a source of -s ---


def test_files_win_over_a_server(serve, tmp_path):
    proto = tmp_path / "wider.proto"
    proto.write_text('syntax = "proto3"; package models.v1; message GetModelRequest { string mine = 1; }')
    address = serve(Handler(Server(*FILES), V1))
    for sources in ((address, str(proto)), (str(proto), address)):
        schema = Schema.from_sources(sources)
        assert schema.message("models.v1.GetModelRequest").fields[0].name == "mine"
        assert schema.method("models.v1.ModelService/GetModel").input_type.fields[0].name == "mine"


def test_a_file_gives_what_the_server_lacks(serve, tmp_path):
    item, orders = (descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="shop", syntax="proto3")
                    for name in ("item", "orders"))  # fmt: skip
    item.message_type.add(name="Item").field.add(name="name", number=1, type=9, label=1)
    orders.dependency.append("item.proto")
    orders.service.add(name="Orders").method.add(name="Get", input_type=".shop.Item", output_type=".shop.Item")
    address = serve(Handler(Server(orders), V1))
    assert "no file of the server defines shop.Item" in Schema.from_source(address).notes[0]
    path = tmp_path / "item.binpb"
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[item]).SerializeToString())
    method = Schema.from_sources((address, str(path))).method("shop.Orders/Get")
    assert [field.name for field in method.input_type.fields] == ["name"]


def test_files_serve_where_the_server_does_not(serve):
    schema = Schema.from_sources((serve(Handler(Server())), str(VISION)))
    assert schema.services() == EXPECTED
    assert "the server does not offer reflection" in schema.notes[0]
    with pytest.raises(SchemaError, match="there is no such file"):
        Schema.from_sources((serve(Handler(Server())), "/nowhere.binpb"))


def test_the_command_line_tells_what_it_took_from_the_cache(serve):
    address = serve(Handler(Server(*FILES, services=[*EXPECTED, "gone.\x1b[31mX"]), V1))
    sample = str(VISION.parent / "predict.pcapng")
    first = run("decode", sample, "-s", address)
    assert first.code == 0
    assert first.rows[0]["decoded_by"] == "schema"
    assert "the server lists gone.\\x1b[31mX, but gives no file with that" in first.err
    second = run("decode", sample, "-s", address)
    assert second.out == first.out
    assert f"schema of {address} from the cache" in second.err
    assert "from the cache" not in run("decode", "--no-cache", sample, "-s", address).err
