"""Proxies that the environment names, and the way through one: HTTP CONNECT (RFC 9110, 9.3.6).

Which variables count, and what they mean, is as in gRPC (grpc/doc/environment_variables.md): `grpc_proxy`,
`https_proxy`, `http_proxy`, the first that is set; `no_grpc_proxy`, `no_proxy` list what needs none. The invariant: the
target's bytes begin exactly where the proxy's answer ends.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from inspector.client.target import Target
from inspector.errors import ConnectError, InputError
from inspector.limits import KIB

_NAMES = ("grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy", "NO_PROXY")
_DEFAULT_PORT = 80
_MAX_ANSWER = 16 * KIB
"""Bytes of a proxy's answer to CONNECT."""


class Proxy(NamedTuple):
    """A proxy, and the variable that named it; `credentials` are those of Proxy-Authorization, or empty."""

    host: str
    port: int
    credentials: str
    variable: str

    @property
    def address(self) -> str:
        """host:port"""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def of_environment(target: Target, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for the target; None where there is none. Raises InputError for one that cannot be used."""
    name = next((name for name in _NAMES if environment.get(name)), None)
    if name is None or _is_local(target.host) or _is_exempt(target, environment):
        return None
    return _parse(environment[name], name)


def _parse(url: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORT
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "http":
        raise InputError(
            f"{variable} does not name a proxy that can be used", hint="it is of the form http://host:port"
        )
    credentials = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        credentials = base64.b64encode(pair.encode()).decode("ascii")
    return Proxy(host, port, credentials, variable)


def _is_local(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _is_exempt(target: Target, environment: Mapping[str, str]) -> bool:
    listed = next((environment[name] for name in _EXCEPTIONS if environment.get(name)), "")
    return any(_covers(entry.strip().lower(), target) for entry in listed.split(",") if entry.strip())


def _covers(entry: str, target: Target) -> bool:
    """Whether an entry of NO_PROXY means the target: `*`, a domain and those below it, an address, a network."""
    host = target.host.lower()
    if entry in ("*", host, f"{host}:{target.port}"):
        return True
    address = _address(host)
    if address is None:
        return host.endswith(f".{entry.removeprefix('*').removeprefix('.')}")
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


async def connect(sock: socket.socket, proxy: Proxy, target: Target) -> None:
    """Asks the proxy for a way to the target. Raises ConnectError, and closes the socket, where it gives none."""
    lines = [f"CONNECT {target.authority} HTTP/1.1", f"Host: {target.authority}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: Basic {proxy.credentials}")
    try:
        await asyncio.get_running_loop().sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
        answer = await _read_answer(sock)
        status = answer.split(b"\r\n", 1)[0].decode("latin-1")
        if not status.startswith("HTTP/1.") or status.split(" ")[1:2] != ["200"]:
            hint = "it may need a user name: http://user:password@host:port" if " 407" in status else None
            text = f"the proxy {proxy.address} does not connect to {target.authority}: {status[:100]!r}"
            raise ConnectError(text, hint=hint)
    except BaseException:
        sock.close()
        raise


async def _read_answer(sock: socket.socket) -> bytes:
    """The head of the proxy's answer, and no byte behind it."""
    loop, head = asyncio.get_running_loop(), b""
    while not head.endswith(b"\r\n\r\n"):
        byte = await loop.sock_recv(sock, 1)
        if not byte or len(head) > _MAX_ANSWER:
            raise ConnectError("the proxy gave no answer that can be read")
        head += byte
    return head
