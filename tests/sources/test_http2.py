from http2_traffic import PREFACE, REQUEST, RESPONSE, TRAILERS, grpc_message, settings
from made_capture import headers, message

from inspector.model.call import Call, Message
from inspector.sources.http2 import Http2Parser


def read(data, size=None):
    parser = Http2Parser()
    size = size or len(data)
    events = [event for at in range(0, len(data), size) for event in parser.feed(data[at : at + size])]
    return events + parser.close(), parser.describe()


CLIENT = PREFACE + settings() + headers(REQUEST) + message(b"\x08\x05", end=True)
SERVER = settings() + headers(RESPONSE) + message(b"\x08\x06") + headers(TRAILERS, end=True)


def test_the_requests_of_a_client_are_read():
    (request, call), passed_over = read(CLIENT)
    assert isinstance(request, Message)
    assert (request.direction, request.method, request.data) == ("request", "/pkg.Svc/Do", b"\x08\x05")
    assert isinstance(call, Call)
    assert (call.method, call.status, call.requests, call.complete) == ("/pkg.Svc/Do", None, 1, False)
    assert passed_over is None


def test_the_responses_of_a_server_are_read():
    (response, call), _ = read(SERVER)
    assert (response.direction, response.data) == ("response", b"\x08\x06")
    assert (call.status.name, call.responses) == ("OK", 1)


def test_bytes_one_by_one_give_the_same():
    for data in (CLIENT, SERVER):
        (whole, call), _ = read(data)
        (pieced, same_call), _ = read(data, 1)
        assert pieced._replace(pieces=()) == whole._replace(pieces=())
        assert same_call == call


def test_what_is_not_http2_is_told():
    events, passed_over = read(b"GET / HTTP/1.1\r\n\r\n" + grpc_message(b"") * 9)
    assert events == []
    assert passed_over == "no HTTP/2 frames were found"
