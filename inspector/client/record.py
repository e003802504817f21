"""A proxy that records: bytes go through unchanged, both ways, and beside it the calls in them are logged.

For each connection of a client there is one to the target. What one side sends is handed on as it arrives, and only
then read; where the receiver is slow, no more is taken from the sender. So calls of any kind, metadata, deadlines,
cancellation, compression, trailers and flow control pass as they are.

Invariant: what is handed on does not depend on the log. Where that fails, forwarding goes on, and one line tells it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import stat
from collections.abc import Callable
from typing import NamedTuple, cast

from inspector.client.binlog_writer import address
from inspector.client.call_log import CLIENT, SERVER, CallLog, ConnectionLog
from inspector.client.dial import dial
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.client.tls import context
from inspector.errors import ConnectError, InputError, InspectorError

HIGH_WATER = 256 * 1024
"""Bytes that wait for a slow receiver before no more is taken from the sender."""

_LAST_WORDS = 0.5
"""Seconds in which what waits to be sent may go out when recording ends."""

_BACKLOG = 100
"""Clients that the system may hold until they are taken, as in asyncio."""

_RETRY = 0.5
"""Seconds until clients are taken again, when the system has no room for one."""

_HANDSHAKE_TIME = 20.0
"""Seconds that a client may take for the TLS handshake."""

_MOST_TOLD = 10
"""How often the same is told of connections: a client that tries again and again would else fill the screen."""

_MOST_REMEMBERED = 100
"""What was told, of which is counted how often."""


class Listen(NamedTuple):
    """Where clients are awaited: an address with a port (0: any that is free), or the path of a unix socket."""

    host: str
    port: int
    unix_path: str | None = None

    @classmethod
    def parse(cls, text: str) -> Listen:
        """`host:port`, `:port` and `port` (both on loopback), `[::1]:port`, `unix:path`. Raises InputError."""
        if text.startswith("unix:"):
            return cls("", 0, Target.parse(text).unix_path)
        host, _, port = text.removeprefix("grpc://").rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536):
            raise InputError(
                f"{text[:200]!r} is no address to listen on", hint="host:port, with port 0 for any, or unix:/path"
            )
        return cls(host or "127.0.0.1", int(port))

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        if self.unix_path is not None or self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def leads_to(self, target: Target) -> bool:
        """Whether who connects to the target comes here."""
        if self.unix_path is not None or target.unix_path is not None:
            return self.unix_path == target.unix_path
        hosts = {"0.0.0.0": ("0.0.0.0", "127.0.0.1", "localhost"), "::": ("::", "::1", "127.0.0.1", "localhost")}
        return self.port == target.port and target.host in hosts.get(self.host, (self.host,))

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"unix:{self.unix_path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Traffic(NamedTuple):
    """What passed so far, in bytes, and connections."""

    connections: int
    open_connections: int
    from_clients: int
    from_target: int


class Recorder:
    """The proxy. `tell` takes lines for people: what cannot be reached, what cannot be logged; each a few times."""

    def __init__(
        self,
        listen: Listen,
        target: Target,
        settings: ConnectSettings,
        *,
        listen_tls: ssl.SSLContext | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Raises InputError for settings that cannot be used."""
        self.listen = listen
        self.target = target
        self.tell = tell
        self.log: CallLog | None = None
        """None before `start`, and where it failed."""
        self.bytes = [0, 0]
        self.connections = 0
        self.links: set[_Link] = set()
        self._settings = settings
        self._listen_tls = listen_tls
        self._listening: socket.socket | None = None
        self._welcoming: set[asyncio.Task[None]] = set()
        self._all_closed = asyncio.Event()
        self._told: dict[str, int] = {}
        if settings.uses_tls(target):
            context(settings)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.connections, len(self.links), *self.bytes)

    def bind(self) -> Listen:
        """Takes the place to listen at, until `close`; where that is. Raises InputError."""
        self._listening = _bound(self.listen)
        where = self.listen
        if where.unix_path is None:
            where = Listen(*self._listening.getsockname()[:2])
        if where.leads_to(self.target):
            self._leave()
            raise InputError(
                "the target is where it listens itself", where=str(where), hint="name the server's address"
            )
        return where

    async def start(self, log: CallLog) -> None:
        """Begins to take connections, after `bind`."""
        assert self._listening is not None
        self.log = log
        self._listening.setblocking(False)
        self._listening.listen(_BACKLOG)
        self._watch()

    def _watch(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().add_reader(self._listening, self._take_client, self._listening)

    def _take_client(self, listening: socket.socket) -> None:
        """Takes a connection. (A server of asyncio loses what it takes just before it is closed.)"""
        loop = asyncio.get_running_loop()
        try:
            client, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            hint = " (ulimit -n sets how many)" if error.errno in (errno.EMFILE, errno.ENFILE) else ""
            self.complain(f"clients must wait: {error.strerror or error}{hint}")
            loop.remove_reader(listening)
            loop.call_later(_RETRY, self._watch)
            return
        client.setblocking(False)
        task = loop.create_task(self._welcome(client))
        self._welcoming.add(task)
        task.add_done_callback(self._welcoming.discard)

    async def _welcome(self, client: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._accept, client)

    async def close(self) -> None:
        """Ends all connections; what was open in them is logged as ended."""
        self._leave()
        await asyncio.gather(*self._welcoming, return_exceptions=True)
        self._all_closed.clear()
        links = [*self.links]
        for link in links:
            link.end_log()
            link.close()
        if self.links:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await self._all_closed.wait()
        for link in [*self.links]:
            link.abort()
        while self.links:
            await asyncio.sleep(0)
        connecting = [link.connecting for link in links if link.connecting is not None]
        await asyncio.gather(*connecting, return_exceptions=True)

    def _leave(self) -> None:
        """Does not listen any more."""
        listening, self._listening = self._listening, None
        if listening is not None:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()
            if self.listen.unix_path is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self.listen.unix_path)

    def complain(self, text: str, of: str = "") -> None:
        """Tells what went wrong, but the same not for ever."""
        if len(self._told) >= _MOST_REMEMBERED and text not in self._told:
            self._told.clear()
        count = self._told[text] = self._told.get(text, 0) + 1
        if count <= _MOST_TOLD:
            self.tell(f"{of}{text}" + (" (this is told no more)" if count == _MOST_TOLD else ""))

    def _accept(self) -> asyncio.Protocol:
        self.connections += 1
        link = _Link(self, self.connections)
        self.links.add(link)
        return link.sides[CLIENT]

    async def secure(self, side: _Side) -> None:
        """Starts TLS with a client, where that is asked for. Raises ConnectError."""
        if self._listen_tls is None:
            return
        start = asyncio.get_running_loop().start_tls
        try:
            secured = await start(
                side.transport, side, self._listen_tls, server_side=True, ssl_handshake_timeout=_HANDSHAKE_TIME
            )
        except OSError as error:  # as those of ssl are
            raise _no_handshake(str(getattr(error, "reason", None) or error.strerror or error)) from None
        if secured is None:
            raise _no_handshake("it has gone")
        side.use(secured)

    async def connect(self, side: _Side) -> None:
        """Connects a side to the target. Raises InspectorError."""
        await dial(self.target, self._settings, lambda: side)

    def forget(self, link: _Link) -> None:
        """A link is gone."""
        self.links.discard(link)
        if not self.links:
            self._all_closed.set()

    def give_up_log(self, why: str) -> None:
        """Nothing more is logged."""
        if self.log is not None:
            self.log = None
            self.tell(f"{why}; recording has ended, forwarding goes on")


class _Link:
    """A connection of a client and the one to the target."""

    def __init__(self, recorder: Recorder, number: int) -> None:
        self.sides = _Side(self, CLIENT), _Side(self, SERVER)
        self._recorder = recorder
        self._number = number
        self._log: ConnectionLog | None = None
        self._early: list[bytes] = []
        self._ended = [False, False]
        self.connecting: asyncio.Task[None] | None = None

    def begin(self, direction: int) -> None:
        """A side is connected: first that of the client, which waits for the other."""
        if direction == CLIENT:
            self.connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        recorder = self._recorder
        try:
            await recorder.secure(self.sides[CLIENT])
            await recorder.connect(self.sides[SERVER])
        except InspectorError as error:
            self._tell(str(error))
            self.close()
            return
        client, server = (side.transport for side in self.sides)
        if client.is_closing() or server.is_closing():
            self.close()
            return
        if recorder.log is not None:
            self._log = ConnectionLog(recorder.log, _peer(client), _peer(server), self._tell)
        early, self._early = self._early, []
        for data in early:
            self.forward(CLIENT, data)
        self.sides[CLIENT].transport.resume_reading()

    def forward(self, direction: int, data: bytes) -> None:
        """Hands bytes on, then reads them."""
        other = self.sides[1 - direction]
        if not other.is_connected:
            self._early.append(data)
            return
        other.transport.write(data)
        self._recorder.bytes[direction] += len(data)
        if self._log is not None:
            self._logged(lambda log: log.feed(direction, data))

    def end(self, direction: int, *, was_reset: bool = False) -> None:
        """A side will send no more."""
        if self._ended[direction]:
            return
        self._end_way(direction, was_reset=was_reset)
        other = self.sides[1 - direction]
        if not other.is_connected or was_reset:
            self.close()
        elif all(self._ended) or not other.transport.can_write_eof():
            for side in self.sides:
                side.transport.close()  # when what waits for it is sent
        else:
            other.transport.write_eof()

    def lost(self, direction: int, *, was_reset: bool) -> None:
        """The connection of a side is gone."""
        self.end(direction, was_reset=was_reset)
        other = self.sides[1 - direction]
        if other.is_connected:
            other.transport.close()
        if not any(side.is_connected for side in self.sides):
            self._finish()

    def close(self) -> None:
        """Ends both sides."""
        if self.connecting is not None and self.connecting is not asyncio.current_task():
            self.connecting.cancel()
        for side in self.sides:
            if side.is_connected:
                side.transport.close()
        if not any(side.is_connected for side in self.sides):
            self._finish()

    def abort(self) -> None:
        """Ends both sides, whatever waits to be sent."""
        for side in self.sides:
            if side.is_connected:
                side.transport.abort()

    def end_log(self) -> None:
        """What is still open is logged as ended from here."""
        for direction in (SERVER, CLIENT):
            self._end_way(direction, was_reset=False)

    def _end_way(self, direction: int, *, was_reset: bool) -> None:
        if not self._ended[direction]:
            self._ended[direction] = True
            self._logged(lambda log: log.end(direction, was_reset=was_reset))

    def _finish(self) -> None:
        self.end_log()
        self._recorder.forget(self)

    def _logged(self, work: Callable[[ConnectionLog], None]) -> None:
        """Does something to the log, whatever happens to it."""
        if self._log is None:
            return
        if self._recorder.log is None:
            self._log = None
            return
        try:
            work(self._log)
        except InputError as error:
            self._log = None
            self._recorder.give_up_log(str(error))
        except Exception as error:  # what passes must pass, even where its reader has a fault
            self._log = None
            self._tell(f"{type(error).__name__} while it was read: it is handed on, but not logged any more")

    def _tell(self, line: str) -> None:
        self._recorder.complain(line, f"connection {self._number}: ")


class _Side(asyncio.Protocol):
    """One of the two connections, as asyncio sees it."""

    def __init__(self, link: _Link, direction: int) -> None:
        self._link = link
        self._direction = direction
        self.transport: asyncio.Transport
        self.is_connected = False

    @property
    def _other(self) -> _Side:
        return self._link.sides[1 - self._direction]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.use(cast(asyncio.Transport, transport))
        self.is_connected = True
        self._link.begin(self._direction)

    def use(self, transport: asyncio.Transport) -> None:
        """Takes a transport, which stays paused if it is that of a client: the other side comes first."""
        self.transport = transport
        transport.set_write_buffer_limits(HIGH_WATER)
        if self._direction == CLIENT:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._link.forward(self._direction, data)

    def eof_received(self) -> bool:
        self._link.end(self._direction)
        # What the other side still has to say is handed on; TLS ends both ways at once.
        return self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_connected = False
        self._link.lost(self._direction, was_reset=exc is not None)

    def pause_writing(self) -> None:
        if self._other.is_connected:
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other.is_connected:
            self._other.transport.resume_reading()


def _no_handshake(reason: str) -> ConnectError:
    reason = reason.replace("_", " ").lower()  # OpenSSL's are like WRONG_VERSION_NUMBER
    hint = "does it speak TLS, and trust the certificate?"
    return ConnectError(f"the client did not get through the TLS handshake: {reason}", hint=hint)


def listening_tls(cert: str, key: str) -> ssl.SSLContext:
    """TLS for the listening side, with a certificate and its key (PEM files). Raises InputError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        hint = "--listen-cert and --listen-key name a certificate and its key, in PEM, the key without a password"
        raise InputError(
            f"this is no certificate with its key: {error.reason or error}", where=cert, hint=hint
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=error.filename or f"{cert}, {key}") from None
    return context


def _no_password() -> str:
    """OpenSSL would ask on the terminal."""
    return ""


def _bound(listen: Listen) -> socket.socket:
    """A socket that listens there. Raises InputError."""
    try:
        if listen.unix_path is not None:
            return _bound_to_path(listen.unix_path)
        family, kind, protocol, _, place = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named, asyncio sends small writes at once (TCP_NODELAY) on what is accepted.
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
        except OSError:
            bound.close()
            raise
        return bound
    except OSError as error:
        hint = "port 0 takes any that is free" if error.errno == errno.EADDRINUSE else None
        raise InputError(f"cannot listen: {error.strerror or error}", where=str(listen), hint=hint) from None


def _bound_to_path(path: str) -> socket.socket:
    """A socket only for this user. One that nobody listens on any more is replaced."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        if _is_left_over(path):
            os.unlink(path)
        bound.bind(path)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(mask)
    return bound


def _is_left_over(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(path) == errno.ECONNREFUSED


def _peer(transport: asyncio.Transport) -> bytes:
    """The other end of a connection, as a log has it."""
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family == socket.AF_UNIX:
        path = transport.get_extra_info("peername") or transport.get_extra_info("sockname")
        return address(path if isinstance(path, str) else os.fsdecode(path or b""), None)
    host, port = transport.get_extra_info("peername")[:2]
    return address(host, port)
