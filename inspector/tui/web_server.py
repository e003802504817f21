"""The server of the page. It is for who started it: on loopback, at an address that nobody can guess.

Other users of the machine reach loopback, and so do pages from elsewhere in the user's browser: by its number, or by a
name of their own that leads to it (DNS rebinding). So each request has to bring the token of the address, and be made
to this host; one that opens a websocket, which browsers let pages from everywhere do, has to come from our own page.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from inspector.errors import InputError
from inspector.limits import MAX_WEB_SESSIONS
from inspector.views.safe_text import safe

HOST = "127.0.0.1"

_PAGE = Path(__file__).parent / "web_page"

_PATIENCE = 5.0
"""Seconds that a session may take to end."""

_LARGEST = 1_000
"""Columns and rows of a terminal in a page."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(command: str, port: int) -> int:
    """Serves a shell command that runs a Textual app, until SIGINT or SIGTERM; the exit code. The address is what
    standard output gets.

    Raises InputError where the port is not to be had."""
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise InputError(f"port {port} cannot be listened on: {error.strerror}", hint="--port 0 takes one") from error
    with listening, contextlib.redirect_stdout(sys.stderr):  # where textual-serve says what sessions complained of
        logging.basicConfig(handlers=[_Complaints(logging.WARNING)], force=True)
        server = PageServer(command, listening.getsockname()[1])
        click.echo(server.address, file=sys.__stdout__)
        click.echo("inspector: the page is for browsers of this machine; Ctrl-C ends it", err=True)
        web.run_app(server.application(), sock=listening, print=None, access_log=None, shutdown_timeout=_PATIENCE)
    return 0


class _Complaints(logging.Handler):
    """One line each, and none of requests that are no HTTP: anybody can make them."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            text = record.getMessage() + (f": {error!r}" if error else "")
            click.echo(f"inspector: {safe(text)}", err=True)


class PageServer(Server):
    """Serves the page, its files, and a process for each page that is open."""

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, HOST, port, title="inspector", templates_path=_PAGE)
        self.token = secrets.token_urlsafe(32)
        self._host = HOST if port == 80 else f"{HOST}:{port}"
        self._sessions: set[Session] = set()

    @property
    def address(self) -> str:
        """Where the page is; who knows it can do what the user can."""
        return f"{self.public_url}/{self.token}/"

    async def application(self) -> web.Application:
        """What aiohttp runs."""
        inner = await self._make_app()
        inner.router.add_get("/page.js", self._script)
        outer = web.Application(middlewares=[self._only_for_the_user])
        outer.on_response_prepare.append(self._protect)
        outer.add_subapp(f"/{self.token}", inner)
        return outer

    async def _script(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE / "page.js")

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the address was told already."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Ends all sessions."""
        await asyncio.gather(*(each.stop() for each in [*self._sessions]), return_exceptions=True)

    @web.middleware
    async def _only_for_the_user(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._is_allowed(request):
            raise web.HTTPForbidden()
        return await handler(request)

    def _is_allowed(self, request: web.Request) -> bool:
        token = "".join(request.path.split("/")[1:2])
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            return False
        if request.headers.getall("Host", []) != [self._host]:
            return False
        is_websocket = "Upgrade" in request.headers or request.path.endswith("/ws")
        origins = request.headers.getall("Origin", [])
        return origins == [f"http://{self._host}"] or not (origins or is_websocket)

    async def _protect(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:;"
            f" connect-src ws://{self._host}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"  # the address is the key
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Runs a process for as long as the page is open."""
        if len(self._sessions) >= MAX_WEB_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_WEB_SESSIONS} pages are open")
        websocket = web.WebSocketResponse(heartbeat=15)

        async def close() -> None:
            await websocket.close()

        session = Session(
            self.command, write_bytes=websocket.send_bytes, write_str=websocket.send_str,
            close=close, download_manager=self.download_manager,
        )  # fmt: skip
        self._sessions.add(session)
        try:
            await websocket.prepare(request)
            await session.start(
                *(max(1, min(to_int(request.query.get(each, ""), 80), _LARGEST)) for each in ("width", "height"))
            )
            with contextlib.suppress(AssertionError, LookupError, TypeError, ValueError):  # no message of our page
                await self._process_messages(websocket, session)
        finally:
            try:
                await session.stop()
            finally:
                self._sessions.discard(session)
        return websocket


class Session(AppService):
    """The process behind a page that is open. The page ends with it, and it with the page."""

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await self.remote_close()

    async def stop(self) -> None:
        """Ends the process: as the user would, or by force if that takes long."""
        process = self._process
        try:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError, ConnectionError):
                async with asyncio.timeout(_PATIENCE):
                    await super().stop()
                    if process is not None:
                        await process.wait()
        finally:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
