"""How a connection is made and how a call is: what the options of the command line and of the library come down to.

The invariant: settings hold no state and no open file; the same settings make the same connection again.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import inspector
from inspector.client.protocols.base import PROTOCOLS
from inspector.client.target import Target
from inspector.errors import InputError
from inspector.limits import MAX_SECONDS, MIB

DEFAULT_MAX_MESSAGE = 4 * MIB
"""Longest message received unless told otherwise: what gRPC libraries take by default."""

HTTP_VERSIONS = ("1.1", "2")

_TEXT = re.compile(r"[ -~]*")
"""What a header field may have as its value."""

HeaderValue = str | bytes
Metadata = tuple[tuple[str, HeaderValue], ...]
"""Header fields to send. Of a `-bin` field a str is base64, bytes are the value itself."""


class ConnectSettings(NamedTuple):
    """How a channel reaches its target. Times are in seconds, files are PEM.

    `plaintext` None goes by the target: no TLS for `grpc://` and `unix:`, else TLS. `insecure` is TLS whose certificate
    nobody looks at. `servername` is the name in SNI and the one that the certificate must have; else it is `authority`,
    else the host. `protocol` is `grpc`, `grpc-web` or `connect`; `http` the version to speak with the latter two, `1.1`
    or `2`: None is HTTP/1.1 without TLS, and with TLS what the server prefers.
    """

    plaintext: bool | None = None
    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    authority: str | None = None
    servername: str | None = None
    connect_timeout: float = 10.0
    keepalive_time: float | None = None
    keepalive_timeout: float = 20.0
    user_agent: str | None = None
    use_proxy: bool = True
    protocol: str = "grpc"
    http: str | None = None

    def check(self, target: Target) -> None:
        """Raises InputError where the settings contradict each other or the target, or cannot be meant."""
        self.uses_tls(target)
        self._check_protocol(target)
        for name in ("connect_timeout", "keepalive_time", "keepalive_timeout"):
            check_seconds(name, getattr(self, name))
        for name in ("authority", "user_agent"):
            if not _TEXT.fullmatch(getattr(self, name) or ""):
                raise InputError(f"{name} cannot be sent as it is", hint="it may have printable ASCII")

    def _check_protocol(self, target: Target) -> None:
        if self.protocol not in PROTOCOLS:
            raise InputError(f"the protocol {self.protocol!r} is not known", hint=f"known are {', '.join(PROTOCOLS)}")
        if self.http not in (None, *HTTP_VERSIONS):
            raise InputError(f"the version of HTTP {self.http!r} is not known", hint="it is 1.1 or 2")
        if self.protocol == "grpc" and self.http == "1.1":
            raise InputError("gRPC needs HTTP/2", hint="--protocol grpc-web and connect have calls over HTTP/1.1")
        if self.protocol == "grpc" and target.path:
            text = f"gRPC has no paths before the names of methods, and the address has {target.path}"
            raise InputError(text, where=str(target), hint="leave the path out, or say --protocol grpc-web or connect")

    def for_grpc(self) -> ConnectSettings:
        """The same way to the server, to speak gRPC."""
        return self._replace(protocol="grpc", http=None)

    def uses_tls(self, target: Target) -> bool:
        """Whether the connection is TLS. Raises InputError where the settings contradict each other."""
        options = [name for name in ("insecure", "cacert", "cert", "key") if getattr(self, name)]
        plain = self.plaintext
        if plain is None:
            plain = target.is_tls is False or (target.unix_path is not None and not options)
        elif plain and target.is_tls:
            raise InputError(
                f"{target} says TLS, and plaintext is asked for", hint="use grpc:// or leave plaintext out"
            )
        if plain and options:
            raise InputError(f"{options[0]} is for TLS, and the connection is plaintext")
        if (self.cert is None) != (self.key is None):
            raise InputError("a client certificate takes both: cert and key")
        return not plain

    def authority_of(self, target: Target) -> str:
        """The value of `:authority`."""
        return self.authority or target.authority

    @property
    def agent(self) -> str:
        """The value of `user-agent`."""
        own = f"grpc-python-inspector/{inspector.__version__}"
        return f"{self.user_agent} {own}" if self.user_agent else own


class CallSettings(NamedTuple):
    """How a call is made. `max_time` is its deadline in seconds, `max_message` the most bytes of an answer's message
    (after decompression), `compress` the grpc-encoding of requests."""

    metadata: Metadata = ()
    max_time: float | None = None
    max_message: int = DEFAULT_MAX_MESSAGE
    compress: str = "identity"


def check_seconds(name: str, value: float | None) -> None:
    """Raises InputError for what is no time."""
    if value is not None and not (isinstance(value, int | float) and _is_time(value)):
        raise InputError(f"{name} is not a number of seconds: {str(value)[:80]!r}")


def _is_time(value: float) -> bool:
    return math.isfinite(value) and value <= MAX_SECONDS
