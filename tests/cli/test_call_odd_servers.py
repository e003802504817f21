"""`inspector call` to servers that are none of gRPC, or a bad one: one line says what they are."""

from __future__ import annotations

import odd_servers
import orjson
import pytest
from command import SCHEMA, run

METHOD = "vision.v1.PredictionService/Predict"


@pytest.mark.parametrize(
    ("behave", "options", "code", "said"),
    [
        (odd_servers.of_http1, ["--plaintext"], 1, "the server speaks HTTP/1.1, not HTTP/2 ("),
        (odd_servers.of_http1, [], 1, "the server does not speak TLS (use --plaintext"),
        (odd_servers.silent, ["--plaintext"], 1, "the server accepts connections, but said nothing within 0.5 s"),
        (odd_servers.silent, [], 1, "no connection within 0.5 s (while: TLS)"),
        (odd_servers.closing, ["--plaintext"], 1, "the server closed the connection without a word (does it speak TLS"),
        (odd_servers.closing, [], 1, "the server closed the connection during the TLS handshake"),
        (odd_servers.junk, ["--plaintext"], 64 + 14, "UNAVAILABLE (14)"),
        (
            odd_servers.refusing,
            ["--plaintext"],
            64 + 16,
            "HTTP status 401, content-type text/html, not gRPC: <h1>",
        ),
        (odd_servers.boasting, ["--plaintext"], 64 + 8, "the server sent a message of 4294967295 bytes"),
        (odd_servers.dying, ["--plaintext"], 64 + 14, "UNAVAILABLE (14)"),
        (odd_servers.mute, ["--plaintext"], 64 + 2, "the server ended the response without a status"),
    ],
)
def test_a_line_says_what_is_wrong_with_the_server(behave, options, code, said):
    with odd_servers.serving(behave) as address:
        result = run("call", address, METHOD, "-s", SCHEMA, "--connect-timeout", "0.5", *options)
    assert said in result.err
    assert result.code == code
    assert "\x1b" not in result.err
    assert len(result.err.splitlines()) == 1


# --- responses that are not as a method gives them -----------------------------------------------------------------


def call(behave, *options, method=METHOD):
    with odd_servers.serving(behave) as address:
        return run("call", address, method, "-s", SCHEMA, "--plaintext", *options)


@pytest.mark.parametrize(("bodies", "came"), [((), "no answer"), ((b"", b""), "2 answers")])
def test_an_ok_without_exactly_one_answer_is_no_success(bodies, came):
    said = f"OK, but {came} came; the method gives one (a cardinality violation)"
    result = call(odd_servers.answering(*bodies))
    assert len(result.out.splitlines()) == len(bodies)
    assert said in result.err
    assert result.code == 3
    record = orjson.loads(call(odd_servers.answering(*bodies), "--envelope").out.splitlines()[-1])
    assert [problem["message"] for problem in record["problems"]] == [said]
    assert record["status"]["name"] == "OK"
    assert not record["complete"]


def test_a_stream_of_answers_may_be_empty_and_what_failed_is_told_once():
    stream = "vision.v1.PredictionService/WatchVideo"
    for bodies in ((), (b"", b"")):
        result = call(odd_servers.answering(*bodies), method=stream)
        assert (result.code, result.err) == (0, "")
    failed = call(odd_servers.answering(trailers=(("grpc-status", "5"),)))
    assert failed.code == 64 + 5
    assert "cardinality" not in failed.err
    enough = call(odd_servers.answering(b"", b""), "--stop-after", "1")
    assert (enough.code, enough.err) == (0, "")


@pytest.mark.parametrize(
    ("trailers", "said"),
    [
        ((("grpc-status", "abc"),), "grpc-status 'abc' is not a number"),
        ((("grpc-status", "-1"),), "grpc-status '-1' is not a number"),
        ((("x-cost", "7"),), "the server's trailers have no grpc-status"),
    ],
)
def test_trailers_without_a_status_that_can_be_read_are_not_said_to_be_missing(trailers, said):
    result = call(odd_servers.answering(b"", trailers=trailers))
    assert f"UNKNOWN (2)  {said}  (said by the client, not the server)" in result.err
    assert result.code == 64 + 2
