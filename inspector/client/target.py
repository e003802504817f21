"""Where a server is: the address that a user writes, taken apart.

The forms are those of grpc/doc/naming.md (`host:port`, `dns:///host:port`, `unix:path`, `unix:///path`,
`ipv4:address:port`, `ipv6:[address]:port`), and URLs whose scheme says whether it is TLS (`grpc://`, `grpcs://`,
`http://`, `https://`); the last two may have a path, below which the methods are (gRPC-Web, Connect). The invariant: a
Target is either a host with a port or the path of a unix socket, and writes back as an address that parses to itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from inspector.errors import InputError

DEFAULT_PORT = 443
PLAINTEXT_PORT = 80

_SCHEMES: dict[str, bool | None] = {"grpc": False, "grpcs": True, "http": False, "https": True, "dns": None}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_PATH = re.compile(r"[!$&-;=@A-Z_a-z~%]*")
"""What the path of a URL is written with (RFC 3986, 3.3), and the slash."""

_HOST_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]/@]+))(?::([0-9]+))?")


class Target(NamedTuple):
    """A server. `is_tls` is None where the address does not say; `unix_path` is None for a host. `path` stands before
    the paths of methods: empty, or `/base`."""

    host: str
    port: int
    is_tls: bool | None = None
    unix_path: str | None = None
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that `text` names. Raises InputError."""
        text = text.strip()
        if text.startswith(("unix:", "unix-abstract:")):
            return _unix(text)
        scheme, rest, path = "", text, ""
        if match := _URL.fullmatch(text):
            scheme, rest = match[1].lower(), match[2]
            if scheme not in _SCHEMES:
                raise _bad(text, f"the scheme {scheme}:// is not known")
            rest = rest.lstrip("/") if scheme == "dns" else rest.removesuffix("/")
            if scheme.startswith("http"):
                rest, path = _without_path(text, rest)
        elif text.startswith(("dns:", "ipv4:", "ipv6:")):
            rest = text.partition(":")[2]
        return _host(text, rest, _SCHEMES.get(scheme))._replace(path=path)

    @property
    def root(self) -> Target:
        """The server itself, without a path."""
        return self._replace(path="")

    @property
    def address(self) -> str:
        """`host:port`, `unix:path` or `unix-abstract:name`, without a scheme."""
        if self.unix_path is None:
            return self.authority
        is_abstract = self.unix_path.startswith("\0")
        return f"unix-abstract:{self.unix_path[1:]}" if is_abstract else f"unix:{self.unix_path}"

    @property
    def authority(self) -> str:
        """What `:authority` says unless told otherwise."""
        if self.unix_path is not None:
            return "localhost"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        if self.is_tls is None or self.unix_path is not None:
            return self.address
        if self.path:
            return f"{'https' if self.is_tls else 'http'}://{self.authority}{self.path}"
        return f"{'grpcs' if self.is_tls else 'grpc'}://{self.address}"


def _unix(text: str) -> Target:
    kind, _, path = text.partition(":")
    if path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            raise _bad(text, "unix:// takes an absolute path")
    if not path or "\0" in path:
        raise _bad(text, "the path of the socket is missing")
    return Target("", 0, None, f"\0{path}" if kind == "unix-abstract" else path)


def _without_path(text: str, rest: str) -> tuple[str, str]:
    host, slash, path = rest.partition("/")
    if not slash:
        return host, ""
    if not _PATH.fullmatch(path):
        raise _bad(text, "the path is not one of a URL")
    return host, f"/{path.rstrip('/')}" if path.strip("/") else ""


def _host(text: str, rest: str, is_tls: bool | None) -> Target:
    match = _HOST_PORT.fullmatch(rest)
    if match is None:
        raise _bad(text, "it is not host:port")
    host = match[1] or match[2]
    if not host.isprintable() or " " in host:
        raise _bad(text, "the host is not a name")
    default = PLAINTEXT_PORT if is_tls is False else DEFAULT_PORT
    port = int(match[3]) if match[3] and len(match[3]) < 6 else (0 if match[3] else default)
    if not 0 < port < 65_536:
        raise _bad(text, "a port is a number from 1 to 65535")
    return Target(host, port, is_tls)


def _bad(text: str, why: str) -> InputError:
    hint = "targets are host:port, grpc://host:port, grpcs://host:port, unix:/path, [::1]:50051"
    return InputError(f"{text[:200]!r} is not a target: {why}", hint=hint)
