"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

import pytest
from certificates import Certificates
from hypothesis import HealthCheck, settings

# A change is judged by the same examples each time, however busy the machine is; new ones are looked for by
# `pytest --hypothesis-profile search`.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile("same")

_CACHES = tempfile.mkdtemp(prefix="inspector-tests-")


def pytest_configure():
    """The cache folder of the tests, and of the processes that they start, is not that of the user; nothing
    of theirs is remembered."""
    os.environ["INSPECTOR_CACHE"] = _CACHES
    os.environ["INSPECTOR_STATE"] = "off"
    # A shell without job control has what it starts in the background ignore Ctrl-C, nohup a closed terminal; processes
    # inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_unconfigure():
    shutil.rmtree(_CACHES, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_cache():
    """Each test begins with an empty cache: its servers may have the port of one whose schema another test has kept.
    Compiled .proto files stay, which are found by their content."""
    for kind in os.listdir(_CACHES):
        if kind != "schema":
            shutil.rmtree(os.path.join(_CACHES, kind), ignore_errors=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A CA with the certificates that a server shows, and one of a client."""
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
def doors(authority, tmp_path_factory):
    """The addresses of a server: plain, unix, server (TLS), mutual (mTLS), elsewhere, expired."""
    from grpc_server import GrpcServer  # noqa: PLC0415  # grpc is only for the tests that ask for it

    made = {name: [authority.cert(name), authority.key(name)] for name in ("server", "elsewhere", "expired")}
    made["mutual"] = [*made["server"], authority.cert("ca")]
    running = GrpcServer(str(tmp_path_factory.mktemp("socket") / "grpc"), made)
    yield running
    running.close()
