"""A channel: one connection to a server, on which calls are made; with HTTP/1.1 one for each call at a time.

The invariant: a channel that stands has seen the server speak HTTP/2, where that is what is spoken; once `failure` is
set it takes no new calls, and those that are open end by themselves.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, cast

from inspector.client import dial as dialing
from inspector.client import metadata as metadata_module
from inspector.client import transport
from inspector.client.call import ClientCall
from inspector.client.dial import Dialed, Step
from inspector.client.events import now
from inspector.client.http2 import Connection
from inspector.client.protocols import UNARY, Kind, rules_of
from inspector.client.protocols.base import RawHeader
from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings, Metadata, check_seconds
from inspector.client.target import Target
from inspector.client.transport import Speaker
from inspector.errors import ConnectError, InputError
from inspector.net.compression import ENCODINGS

if TYPE_CHECKING:
    from inspector.client.http1 import Pool, Wire

DEFAULTS = ConnectSettings()


class Channel:
    """Use `await Channel.open(...)`, and `await channel.close()` or `async with`."""

    def __init__(
        self,
        target: Target,
        settings: ConnectSettings,
        dialed: Dialed[Speaker],
        steps: tuple[Step, ...],
        connection: Connection | Pool,
    ) -> None:
        self.target = target
        self.settings = settings
        self.local = dialed.local
        self.peer = dialed.peer
        self.tls = dialed.tls
        self.steps = steps
        """What opening took: `resolve`, `connect`, `proxy`, `TLS`, `HTTP/2`, as far as there were such steps."""
        self.http = "2" if isinstance(connection, Connection) else "1.1"
        """The version of HTTP that is spoken."""
        self._connection = connection
        self._scheme = b"http" if dialed.tls is None else b"https"
        self._authority = settings.authority_of(target).encode()

    @classmethod
    async def open(cls, target: Target | str, settings: ConnectSettings = DEFAULTS) -> Channel:
        """Connects. Raises ConnectError, InputError."""
        target = Target.parse(target) if isinstance(target, str) else target
        settings.check(target)
        began = asyncio.get_running_loop().time()
        dialed = await _dial(target, settings, transport.offered(settings, is_tls=settings.uses_tls(target)))
        spoken = dialed.protocol.spoken
        if not isinstance(spoken, Connection):
            connections = transport.pool(spoken, partial(_another, target, settings))
            return cls(target, settings, dialed, dialed.steps, connections)
        started = now()
        left = settings.connect_timeout - (asyncio.get_running_loop().time() - began)
        try:
            async with asyncio.timeout(left):
                await spoken.ready
        except BaseException as error:
            dialed.transport.abort()
            raise _unready(error, target, settings, is_tls=dialed.tls is not None) from None
        step = Step("HTTP/2", started, now())
        return cls(target, settings, dialed, (*dialed.steps, step), spoken)

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def failure(self) -> str | None:
        """Why the channel takes no more calls; None while it does."""
        return self._connection.failure

    def start(
        self,
        path: str,
        *,
        metadata: Metadata = (),
        timeout: float | None = None,
        compress: str = "identity",
        max_message: int = DEFAULT_MAX_MESSAGE,
        kind: Kind = UNARY,
    ) -> ClientCall:
        """Begins a call of a method (`/pkg.Svc/Method`). Its headers go out as soon as the server has room for it.

        `timeout` is in seconds; the `kind` of the method matters to protocols other than gRPC. Raises InputError for
        metadata that cannot be sent, an encoding that is not known, what is no time, and a kind that the protocol has
        no calls of.
        """
        check_seconds("timeout", timeout)
        if compress not in ENCODINGS:
            raise InputError(f"message encoding {compress!r} is not known", hint=f"known are {', '.join(ENCODINGS)}")
        rules = rules_of(self.settings.protocol, kind, compress, http=self.http)
        own = rules.fields(timeout)
        headers = [*self._head(path), *own, *metadata_module.to_send(metadata, [name for name, _ in own])]
        return ClientCall(self._connection, headers, rules=rules, timeout=timeout, max_message=max_message)

    async def close(self) -> None:
        """Ends the connection; open calls end as UNAVAILABLE."""
        self._connection.close()
        await self._connection.over

    def _head(self, path: str) -> list[RawHeader]:
        return [
            (b":method", b"POST"),
            (b":scheme", self._scheme),
            (b":path", (self.target.path + path).encode()),
            (b":authority", self._authority),
            (b"user-agent", self.settings.agent.encode()),
        ]


async def _dial(target: Target, settings: ConnectSettings, offered: tuple[str, ...]) -> Dialed[Speaker]:
    def make() -> Connection:
        return Connection(keepalive_time=settings.keepalive_time, keepalive_timeout=settings.keepalive_timeout)

    return await dialing.dial(target, settings, lambda: Speaker(offered, make), offered)


async def _another(target: Target, settings: ConnectSettings) -> Wire:
    """One more connection of HTTP/1.1."""
    dialed = await _dial(target, settings, transport.HTTP1_ONLY)
    return cast("Wire", dialed.protocol.spoken)


def _unready(error: BaseException, target: Target, settings: ConnectSettings, *, is_tls: bool) -> BaseException:
    if isinstance(error, TimeoutError):
        text = f"the server accepts connections, but said nothing within {settings.connect_timeout:g} s"
        return ConnectError(text, where=str(target), hint="is it a gRPC server? --connect-timeout waits longer")
    if isinstance(error, ConnectionError) and not is_tls:
        hint = "does it speak TLS? Then leave --plaintext out" if target.unix_path is None else None
        return ConnectError("the server closed the connection without a word", where=str(target), hint=hint)
    if isinstance(error, ConnectionError):
        text = "the server closed the connection right after the TLS handshake"
        given = "the client certificate may not be one that it accepts"
        hint = given if settings.cert else "it may require a client certificate: --cert, --key"
        return ConnectError(text, where=str(target), hint=hint)
    if isinstance(error, ConnectError) and settings.protocol != "grpc":
        error = ConnectError(error.message, hint="leave --http 2 out, or is the port the right one?")
    return dialing.at(target, error) if isinstance(error, (ConnectError, OSError)) else error
