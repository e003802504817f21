"""Which HTTP a connection speaks: the one that the protocol of its calls has, was asked for, or the server prefers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from inspector.client.http2 import Connection
from inspector.client.settings import ConnectSettings
from inspector.deferred import deferred

if TYPE_CHECKING:
    from inspector.client.http1 import Wire

wire = deferred("inspector.client.http1", "Wire")
pool = deferred("inspector.client.http1", "Pool")
"""With h11, which gRPC does without."""

_ALPN = {"1.1": "http/1.1", "2": "h2"}

HTTP1_ONLY = ("http/1.1",)


def offered(settings: ConnectSettings, *, is_tls: bool) -> tuple[str, ...]:
    """The versions that may be spoken, by their names in ALPN, most wanted first. Without TLS it is one."""
    if settings.protocol == "grpc":
        return ("h2",)
    if settings.http is not None:
        return (_ALPN[settings.http],)
    return ("h2", *HTTP1_ONLY) if is_tls else HTTP1_ONLY


class Speaker(asyncio.Protocol):
    """Becomes `spoken`, a connection of HTTP/2 or HTTP/1.1, when the server has chosen."""

    def __init__(self, offered: tuple[str, ...], make_h2: Callable[[], Connection]) -> None:
        self._offered = offered
        self._make_h2 = make_h2
        self.spoken: Connection | Wire | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        made = transport.get_extra_info("ssl_object")
        chosen = self._offered[0] if made is None else made.selected_alpn_protocol()
        spoken: Connection | Wire = self._make_h2() if chosen == "h2" or self._offered == ("h2",) else wire()
        self.spoken = spoken
        cast(asyncio.Transport, transport).set_protocol(spoken)
        spoken.connection_made(transport)
