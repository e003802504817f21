"""`inspector call` over TLS, through each door of a real server: what verifies, and one line for each failure."""

from __future__ import annotations

import pytest
from command import SCHEMA, run

PREDICT = "vision.v1.PredictionService/Predict"
ASK = ("-d", '{"text": {"content": "fox"}}')


@pytest.fixture
def call(doors):
    """Calls the server through a door, by the name localhost."""

    def made(door, *options):
        port = doors[door].rpartition(":")[2]
        return run("call", f"localhost:{port}", PREDICT, "-s", SCHEMA, "--connect-timeout", "10", *ASK, *options)

    return made


def pair(authority, name="client"):
    return ["--cert", authority.cert(name), "--key", authority.key(name)]


def is_answered(result):
    return (result.code, result.err, result.rows[0]["name"]) == (0, "", "fox")


def fails(result, said):
    """Whether it said one line, and nothing else."""
    assert said in result.err
    return (result.code, result.out, len(result.err.splitlines())) == (1, b"", 1)


def test_a_ca_that_is_named_is_trusted(call, authority):
    assert is_answered(call("server", "--cacert", authority.cert("ca")))


@pytest.mark.parametrize("door", ["server", "expired", "elsewhere"])
def test_insecure_takes_any_certificate(call, door):
    assert is_answered(call(door, "--insecure"))


@pytest.mark.parametrize("options", [["--servername", "elsewhere.example"], ["--authority", "elsewhere.example:443"]])
def test_a_certificate_for_another_name_is_taken_where_that_name_is_said(call, authority, options):
    assert is_answered(call("elsewhere", "--cacert", authority.cert("ca"), *options))


def test_a_client_shows_its_certificate(call, authority):
    assert is_answered(call("mutual", "--cacert", authority.cert("ca"), *pair(authority)))
    assert is_answered(call("mutual", "--insecure", *pair(authority)))


def test_a_url_says_whether_it_is_tls(doors, authority):
    port = doors["server"].rpartition(":")[2]
    trusted = "--cacert", authority.cert("ca")
    assert is_answered(run("call", f"grpcs://localhost:{port}", PREDICT, "-s", SCHEMA, *ASK, *trusted))
    assert fails(run("call", f"grpc://localhost:{port}", PREDICT, "-s", SCHEMA, *ASK, *trusted), "cacert is for TLS")


def test_a_unix_socket_needs_no_option(doors):
    assert is_answered(run("call", doors["unix"], PREDICT, "-s", SCHEMA, *ASK))
    absolute = doors["unix"].replace("unix:", "unix://")
    assert is_answered(run("call", absolute, PREDICT, "-s", SCHEMA, *ASK))


@pytest.mark.parametrize(
    ("door", "said"),
    [
        ("expired", "the server's certificate has expired (renew it, or skip verification with --insecure)"),
        ("elsewhere", "the server's certificate is not for localhost (--servername says which name"),
        ("mutual", "client certificate"),
        ("plain", "--plaintext"),
    ],
)
def test_a_line_says_what_is_wrong_with_the_other_side(call, authority, door, said):
    assert fails(call(door, "--cacert", authority.cert("ca")), said)


def test_a_ca_that_is_not_trusted(call, stranger):
    said = "is signed by a CA that is not trusted (name its CA with --cacert"
    assert fails(call("server", "--cacert", stranger.cert("ca")), said)
    assert fails(call("server"), said)


def test_a_client_certificate_of_a_ca_that_the_server_does_not_know(call, authority, stranger):
    assert fails(call("mutual", "--cacert", authority.cert("ca"), *pair(stranger)), "client certificate")


def test_plaintext_to_a_server_of_tls(call):
    assert fails(call("server", "--plaintext"), "leave --plaintext out")


def test_a_name_that_is_not_the_certificates(call, authority):
    result = call("server", "--cacert", authority.cert("ca"), "--servername", "other.example")
    assert fails(result, "the server's certificate is not for other.example")


def test_reflection_fails_over_tls_as_the_call_does(doors, stranger):
    port = doors["server"].rpartition(":")[2]
    result = run("call", f"localhost:{port}", PREDICT, "--cacert", stranger.cert("ca"))
    assert fails(result, "is signed by a CA that is not trusted")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cert", "{cert}"], "a client certificate takes both: cert and key"),
        (["--cert", "{cert}", "--key", "{none}"], "cannot read the file of key"),
        (["--cert", "{cert}", "--key", "{cert}"], "the file of key holds no private key in PEM"),
        (["--cert", "{cert}", "--key", "{other}"], "the key does not belong to the certificate"),
        (["--cert", "{key}", "--key", "{key}"], "the file of cert holds no certificate in PEM"),
        (["--cert", "{cert}", "--key", "{locked}"], "the key is encrypted"),
        (["--cacert", "{none}"], "cannot read the file of cacert: No such file"),
        (["--cacert", "{key}"], "the file of cacert holds no certificate in PEM"),
        (["--cacert", "{damaged}"], "the file of cacert is damaged"),
        (["--plaintext", "--insecure"], "is for TLS, and the connection is plaintext"),
    ],
)
def test_files_that_cannot_be_used(call, authority, tmp_path, options, said):
    damaged = tmp_path / "damaged"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    files = {"cert": authority.cert("client"), "key": authority.key("client"), "other": authority.key("server"),
             "none": tmp_path / "missing", "damaged": damaged, "locked": authority.locked("client")}  # fmt: skip
    assert fails(call("server", *(option.format(**files) for option in options)), said)
