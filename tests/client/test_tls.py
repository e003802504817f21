"""TLS to a server of grpcio: what verifies, and what each failure says."""

from __future__ import annotations

import pytest

import inspector
from inspector.errors import ConnectError

PREDICT = "vision.v1.PredictionService/Predict"


@pytest.fixture
def name_of(server, schema):
    """The answer of the server at a door."""

    def call(door, **options):
        port = server[door].rpartition(":")[2]
        with inspector.Client(f"grpcs://localhost:{port}", schema=schema, **options) as client:
            return client.call(PREDICT, {"text": {"content": "fox"}}).message["name"]

    return call


def test_a_certificate_of_a_ca_that_is_named(name_of, authority):
    assert name_of("server", cacert=authority.cert("ca")) == "fox"


def test_a_client_certificate(name_of, authority):
    pair = {"cert": authority.cert("client"), "key": authority.key("client")}
    assert name_of("mutual", cacert=authority.cert("ca"), **pair) == "fox"


@pytest.mark.parametrize("door", ["server", "expired", "elsewhere"])
def test_insecure_takes_any_certificate(name_of, door):
    assert name_of(door, insecure=True) == "fox"


def test_a_server_name_is_what_the_certificate_must_have(name_of, authority):
    assert name_of("elsewhere", cacert=authority.cert("ca"), servername="elsewhere.example") == "fox"


@pytest.mark.parametrize(
    ("door", "ca", "line"),
    [
        ("expired", "trusted", "the server's certificate has expired"),
        ("elsewhere", "trusted", "the server's certificate is not for localhost"),
        ("server", "stranger", "signed by a CA that is not trusted"),
        ("plain", "trusted", "the server does not speak TLS|closed the connection during the TLS handshake"),
    ],
)
def test_what_is_wrong_with_a_server(name_of, authority, stranger, door, ca, line):
    cacert = {"trusted": authority, "stranger": stranger}[ca].cert("ca")
    with pytest.raises(ConnectError, match=line):
        name_of(door, cacert=cacert, connect_timeout=5)


def test_a_client_certificate_that_is_missing_or_of_another_ca(name_of, authority, stranger):
    with pytest.raises(ConnectError, match="client certificate"):
        name_of("mutual", cacert=authority.cert("ca"), connect_timeout=5)
    wrong = {"cert": stranger.cert("client"), "key": stranger.key("client")}
    with pytest.raises(ConnectError, match="client certificate"):
        name_of("mutual", cacert=authority.cert("ca"), connect_timeout=5, **wrong)
