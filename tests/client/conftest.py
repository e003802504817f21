"""A server with every kind of door, and certificates."""

from __future__ import annotations

import pytest
from certificates import Certificates
from grpc_server import VISION, GrpcServer

import inspector


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A CA with the certificates that the server shows, and one of a client."""
    made = Certificates(tmp_path_factory.mktemp("tls") / "trusted")
    for name in ("server", "client"):
        made.sign(name)
    made.sign("elsewhere", names="DNS:elsewhere.example")
    made.sign("expired", is_expired=True)
    return made


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """Another CA, that nobody trusts."""
    made = Certificates(tmp_path_factory.mktemp("tls") / "stranger")
    made.sign("client")
    return made


@pytest.fixture(scope="session")
def server(authority, tmp_path_factory):
    """The addresses of a server: plain, unix, server (TLS), mutual (mTLS), elsewhere, expired."""
    doors = {name: [authority.cert(name), authority.key(name)] for name in ("server", "elsewhere", "expired")}
    doors["mutual"] = [*doors["server"], authority.cert("ca")]
    running = GrpcServer(str(tmp_path_factory.mktemp("socket") / "grpc"), doors)
    yield running
    running.close()


@pytest.fixture(scope="session")
def schema():
    return inspector.Schema.from_files(VISION)
