"""Connections of the composer: one that stands is used again."""

from __future__ import annotations

from inspector.client.channel import Channel
from inspector.client.client import AsyncClient
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.tui.compose.connection import Reached

MOST_CLIENTS = 4
"""Connections that are kept, each to another target or with other settings."""


class Clients:
    """Connections by target and settings."""

    def __init__(self) -> None:
        self._held: dict[tuple[Target, ConnectSettings], AsyncClient] = {}

    async def channel(self, wanted: Reached) -> Channel:
        """The connection to a target: the one that stands, where the settings are the same. Raises InspectorError."""
        key = wanted.target, wanted.connect
        if key not in self._held:
            for oldest in list(self._held)[: 1 - MOST_CLIENTS]:
                await self._held.pop(oldest).close()
            settings = wanted.connect
            self._held[key] = AsyncClient(
                wanted.target, plaintext=settings.plaintext, insecure=settings.insecure, cacert=settings.cacert,
                cert=settings.cert, key=settings.key, authority=settings.authority, servername=settings.servername,
                connect_timeout=settings.connect_timeout, keepalive_time=settings.keepalive_time,
                user_agent=settings.user_agent, protocol=settings.protocol, http=settings.http,
            )  # fmt: skip
        return await self._held[key].channel()

    async def close(self) -> None:
        held = [*self._held.values()]
        self._held.clear()
        for client in held:
            await client.close()
