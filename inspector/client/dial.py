"""The way to a server, step by step: name, socket, proxy, TLS, with the time that each took.

The invariant: what comes back is either a connection that speaks the protocol asked for, or one ConnectError that
says which step failed and why; no socket is left open.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from inspector.client import proxies, tls
from inspector.client.events import now
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import ConnectError

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)

_Address = tuple[socket.AddressFamily, str | tuple[object, ...]]


class Step(NamedTuple):
    """One step of a connection. Times are in nanoseconds since 1970; `note` says what it led to."""

    name: str
    started: int
    ended: int
    note: str = ""


class Dialed(NamedTuple, Generic[ProtocolT]):
    """A connection that stands: its transport and protocol, the addresses of both ends, how it came about."""

    transport: asyncio.Transport
    protocol: ProtocolT
    local: str
    peer: str
    steps: tuple[Step, ...]
    tls: tls.Session | None


async def dial(
    target: Target, settings: ConnectSettings, factory: Callable[[], ProtocolT], offered: Sequence[str] = ("h2",)
) -> Dialed[ProtocolT]:
    """Connects to the target, through the proxy that the environment names, with TLS where the settings have it.

    TLS offers these versions of HTTP (names of ALPN); a server that chooses none takes HTTP/1.1, if that is among them.
    Raises ConnectError (InputError where the settings do not fit), within `settings.connect_timeout` seconds.
    """
    log = _Log()
    context = tls.context(settings, offered) if settings.uses_tls(target) else None
    try:
        async with asyncio.timeout(settings.connect_timeout):
            sock = await _reach(target, settings, log)
            dialed = await _start(sock, target, settings, context, factory, log)
            if dialed.tls is not None and (dialed.tls.protocol or "http/1.1") not in offered:
                dialed.transport.abort()
                raise tls.no_h2(dialed.tls)
            return dialed
    except TimeoutError:
        text = f"no connection within {settings.connect_timeout:g} s (while: {log.current})"
        raise ConnectError(
            text, where=str(target), hint="is the address right? --connect-timeout waits longer"
        ) from None
    except (ConnectError, OSError) as error:
        raise at(target, error) from error.__cause__


def at(target: Target, error: Exception) -> ConnectError:
    """The error as one of connecting to the target."""
    if isinstance(error, ConnectError):
        return ConnectError(error.message, where=error.where or str(target), hint=error.hint)
    if isinstance(error, ssl.SSLError):
        return tls.failure(error, str(target))
    return ConnectError(f"cannot connect: {_reason(error)}", where=str(target), hint=_hint(error))


class _Log:
    """The steps so far."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.current = ""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """A step; what is put into the list becomes its note."""
        self.current = name
        started, notes = now(), list[str]()
        try:
            yield notes
        finally:
            self.steps.append(Step(name, started, now(), ", ".join(notes)))


async def _reach(target: Target, settings: ConnectSettings, log: _Log) -> socket.socket:
    proxy = proxies.of_environment(target, os.environ) if settings.use_proxy and target.unix_path is None else None
    if proxy is None:
        return await _connect(target, log)
    try:
        sock = await _connect(Target(proxy.host, proxy.port), log)
    except OSError as error:
        hint = f"{proxy.variable} is set to it; NO_PROXY lists what needs none"
        raise ConnectError(f"cannot reach the proxy {proxy.address}: {_reason(error)}", hint=hint) from None
    with log.step("proxy") as notes:
        notes.append(proxy.address)
        await proxies.connect(sock, proxy, target)
    return sock


async def _connect(target: Target, log: _Log) -> socket.socket:
    """A socket connected to the first address that accepts."""
    failure: OSError = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for family, address in await _addresses(target, log):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            with log.step("connect") as notes:
                notes.append(_text(address))
                await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise failure


async def _addresses(target: Target, log: _Log) -> list[_Address]:
    if target.unix_path is not None:
        return [(socket.AF_UNIX, target.unix_path)]
    with log.step("resolve") as notes:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise ConnectError(f"{target.host!r} is not a host name") from None
        notes.append(", ".join(dict.fromkeys(str(info[4][0]) for info in found)))
    return [(info[0], info[4]) for info in found]


async def _start(
    sock: socket.socket,
    target: Target,
    settings: ConnectSettings,
    context: ssl.SSLContext | None,
    factory: Callable[[], ProtocolT],
    log: _Log,
) -> Dialed[ProtocolT]:
    loop = asyncio.get_running_loop()
    local, peer = _text(sock.getsockname()), _text(sock.getpeername())
    if context is None:
        transport, protocol = await loop.create_connection(factory, sock=sock)
        return Dialed(transport, protocol, local, peer, tuple(log.steps), None)
    with log.step("TLS") as notes:
        name = tls.server_name(target, settings)
        try:
            transport, protocol = await loop.create_connection(
                factory,
                sock=sock,
                ssl=context,
                server_hostname=name,
                ssl_handshake_timeout=settings.connect_timeout + 1,
            )
        except ssl.SSLError as error:
            raise tls.failure(error, str(target), name) from None
        except ConnectionError:
            raise tls.closed() from None
        session = tls.session(transport)
        notes.append(session.version)
    return Dialed(transport, protocol, local, peer, tuple(log.steps), session)


def _text(address: object) -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if isinstance(address, bytes):
        return f"unix-abstract:{os.fsdecode(address[1:])}" if address else ""
    return f"unix:{address}" if address else ""


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"the host name is not known ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error) or type(error).__name__


def _hint(error: Exception) -> str | None:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: is the server running, and the port right?"
    if isinstance(error, FileNotFoundError):
        return "is the server running, and the path of the socket right?"
    return None
