"""A channel: one connection to a server, on which calls are made.

The invariant: a channel that stands has seen the server speak HTTP/2; once `failure` is set it takes no new calls, and
those that are open end by themselves.
"""

from __future__ import annotations

import asyncio

from hpack import NeverIndexedHeaderTuple

from inspector.client import dial as dialing
from inspector.client import metadata as metadata_module
from inspector.client.call import ClientCall
from inspector.client.dial import Dialed, Step
from inspector.client.events import now
from inspector.client.http2 import Connection, RawHeader
from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings, Metadata, check_seconds
from inspector.client.target import Target
from inspector.errors import ConnectError, InputError
from inspector.net.compression import ENCODINGS

DEFAULTS = ConnectSettings()

ACCEPTED = b"identity,gzip,deflate"
"""grpc-accept-encoding."""


class Channel:
    """Use `await Channel.open(...)`, and `await channel.close()` or `async with`."""

    def __init__(self, target: Target, settings: ConnectSettings, dialed: Dialed[Connection], steps: tuple[Step, ...]):
        self.target = target
        self.settings = settings
        self.local = dialed.local
        self.peer = dialed.peer
        self.tls = dialed.tls
        self.steps = steps
        """What opening took: `resolve`, `connect`, `proxy`, `TLS`, `HTTP/2`, as far as there were such steps."""
        self._connection = dialed.protocol
        self._scheme = b"http" if dialed.tls is None else b"https"
        self._authority = settings.authority_of(target).encode()

    @classmethod
    async def open(cls, target: Target | str, settings: ConnectSettings = DEFAULTS) -> Channel:
        """Connects. Raises ConnectError, InputError."""
        target = Target.parse(target) if isinstance(target, str) else target
        settings.check(target)
        began = asyncio.get_running_loop().time()

        def make() -> Connection:
            return Connection(keepalive_time=settings.keepalive_time, keepalive_timeout=settings.keepalive_timeout)

        dialed = await dialing.dial(target, settings, make)
        started = now()
        left = settings.connect_timeout - (asyncio.get_running_loop().time() - began)
        try:
            async with asyncio.timeout(left):
                await dialed.protocol.ready
        except BaseException as error:
            dialed.transport.abort()
            raise _unready(error, target, settings, is_tls=dialed.tls is not None) from None
        step = Step("HTTP/2", started, now())
        return cls(target, settings, dialed, (*dialed.steps, step))

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
    ) -> ClientCall:
        """Begins a call of a method (`/pkg.Svc/Method`). Its headers go out as soon as the server has room for it.

        `timeout` is in seconds. Raises InputError for metadata that cannot be sent, an encoding that is not known, and
        what is no time.
        """
        check_seconds("timeout", timeout)
        if compress not in ENCODINGS:
            raise InputError(f"message encoding {compress!r} is not known", hint=f"known are {', '.join(ENCODINGS)}")
        headers = self._headers(path, timeout, compress)
        headers += metadata_module.to_send(metadata)
        return ClientCall(self._connection, headers, encoding=compress, timeout=timeout, max_message=max_message)

    async def close(self) -> None:
        """Ends the connection; open calls end as UNAVAILABLE."""
        self._connection.close()
        await self._connection.over

    def _headers(self, path: str, timeout: float | None, compress: str) -> list[RawHeader]:
        headers = [
            (b":method", b"POST"),
            (b":scheme", self._scheme),
            (b":path", path.encode()),
            (b":authority", self._authority),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", self.settings.agent.encode()),
            (b"grpc-accept-encoding", ACCEPTED),
        ]
        if timeout is not None:
            headers.append(NeverIndexedHeaderTuple(b"grpc-timeout", timeout_text(timeout)))
        if compress != "identity":
            headers.append((b"grpc-encoding", compress.encode()))
        return headers


_UNITS = ((10**9, b"n"), (10**6, b"u"), (10**3, b"m"), (1, b"S"))


def timeout_text(seconds: float) -> bytes:
    """grpc-timeout: at most eight digits and a unit, as exact as that allows."""
    for scale, unit in _UNITS:
        if seconds * scale < 99_999_999:
            return b"%d%c" % (max(0, round(seconds * scale)), unit[0])
    return b"%dH" % min(99_999_999, round(seconds / 3600))


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
    return dialing.at(target, error) if isinstance(error, (ConnectError, OSError)) else error
