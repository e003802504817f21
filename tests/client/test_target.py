"""Addresses of servers: what is read, what is refused, and that a target writes back as what it is."""

from __future__ import annotations

import pytest

from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import InputError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost:50051", Target("localhost", 50051)),
        (" localhost:50051 ", Target("localhost", 50051)),
        ("localhost", Target("localhost", 443)),
        ("grpc://h", Target("h", 80, False)),
        ("grpcs://h", Target("h", 443, True)),
        ("GRPCS://h:8443/", Target("h", 8443, True)),
        ("http://h:1", Target("h", 1, False)),
        ("https://h:65535", Target("h", 65535, True)),
        ("http://h:1/", Target("h", 1, False)),
        ("https://h/a/b%20c/", Target("h", 443, True, None, "/a/b%20c")),
        ("dns:h:1", Target("h", 1)),
        ("dns:///h:1", Target("h", 1)),
        ("ipv4:10.0.0.1:1", Target("10.0.0.1", 1)),
        ("ipv6:[::1]:1", Target("::1", 1)),
        ("[::1]:1", Target("::1", 1)),
        ("unix:a/b", Target("", 0, None, "a/b")),
        ("unix:/a/b", Target("", 0, None, "/a/b")),
        ("unix:///a/b", Target("", 0, None, "/a/b")),
        ("unix-abstract:name", Target("", 0, None, "\0name")),
    ],
)
def test_forms_of_a_target(text, target):
    assert Target.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "grpc://h:1",
        "grpcs://[::1]:1",
        "http://h:1/a",
        "https://[::1]:1/a/b",
        "h:1",
        "[2001:db8::1]:443",
        "unix:/a",
        "unix:a/b",
        "unix-abstract:name",
    ],
)
def test_a_target_writes_back_as_itself(text):
    assert str(Target.parse(text)) == text
    assert Target.parse(str(Target.parse(text))) == Target.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not host:port"),
        (":50051", "it is not host:port"),
        ("::1:50051", "it is not host:port"),
        ("[::1", "it is not host:port"),
        ("h:port", "it is not host:port"),
        ("h:-1", "it is not host:port"),
        ("h:1:2", "it is not host:port"),
        ("grpc://user:password@h:1", "it is not host:port"),
        ("grpc://h:1/path", "it is not host:port"),
        ("https://h:1/a?b=1", "the path is not one of a URL"),
        ("https://h:1/a\r\nx: y", "the path is not one of a URL"),
        ("https://h:1/\x1b[31m", "the path is not one of a URL"),
        ("h:0", "a port is a number from 1 to 65535"),
        ("h:65536", "a port is a number from 1 to 65535"),
        ("h:" + "9" * 5000, "a port is a number from 1 to 65535"),
        ("h\x1b[31m:1", "is not"),
        ("a b:1", "the host is not a name"),
        ("ftp://h:1", "the scheme ftp:// is not known"),
        ("unix:", "the path of the socket is missing"),
        ("unix://relative", "unix:// takes an absolute path"),
        ("unix:/a\0b", "the path of the socket is missing"),
    ],
)
def test_what_is_no_target_is_refused(text, said):
    with pytest.raises(InputError, match=said) as caught:
        Target.parse(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_the_authority_is_the_host_with_its_port_unless_told_otherwise():
    assert ConnectSettings().authority_of(Target.parse("[::1]:1")) == "[::1]:1"
    assert ConnectSettings().authority_of(Target.parse("unix:/a")) == "localhost"
    assert ConnectSettings(authority="other").authority_of(Target.parse("h:1")) == "other"


@pytest.mark.parametrize(
    ("target", "settings", "is_tls"),
    [
        ("h:1", ConnectSettings(), True),
        ("h:1", ConnectSettings(plaintext=True), False),
        ("grpc://h:1", ConnectSettings(), False),
        ("grpc://h:1", ConnectSettings(plaintext=False), True),
        ("grpcs://h:1", ConnectSettings(), True),
        ("unix:/a", ConnectSettings(), False),
        ("unix:/a", ConnectSettings(insecure=True), True),
    ],
)
def test_when_it_is_tls(target, settings, is_tls):
    assert settings.uses_tls(Target.parse(target)) is is_tls


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("grpcs://h:1", ConnectSettings(plaintext=True)),
        ("grpc://h:1", ConnectSettings(cacert="ca.pem")),
        ("h:1", ConnectSettings(cert="client.pem")),
        ("h:1", ConnectSettings(key="client.key")),
    ],
)
def test_settings_that_contradict_each_other(target, settings):
    with pytest.raises(InputError):
        settings.uses_tls(Target.parse(target))


def test_a_path_is_for_protocols_that_have_one():
    target = Target.parse("https://h:1/base")
    with pytest.raises(InputError, match="gRPC has no paths"):
        ConnectSettings().check(target)
    ConnectSettings(protocol="connect").check(target)
    ConnectSettings().check(target.root)


def test_the_user_agent_names_the_program_after_what_was_given():
    assert ConnectSettings().agent.startswith("grpc-python-inspector/")
    assert ConnectSettings(user_agent="mine/1").agent == f"mine/1 {ConnectSettings().agent}"
