"""`inspector call` to servers that are none of gRPC, or a bad one: one line says what they are."""

from __future__ import annotations

import odd_servers
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
