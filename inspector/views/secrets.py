"""Credentials in headers, masked unless asked for."""

from __future__ import annotations

import re

from inspector.model.call import Header

MASK = "<masked>"

_SECRET_NAMES = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"))
_SECRET_ENDINGS = (
    "-key", "-token", "-secret", "-password", "-passwd", "-credential", "-credentials", "-signature", "-cookie",
    "-authorization", "-auth", "apikey", "api_key", "_token", "_secret", "_password",
)  # fmt: skip
_SCHEME = re.compile(r"(?i)(bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256) +")


def is_secret(name: str) -> bool:
    """Whether a header of this name carries credentials."""
    name = name.lower().removesuffix("-bin")
    return name in _SECRET_NAMES or name in ("token", "secret", "password", "key") or name.endswith(_SECRET_ENDINGS)


def masked(headers: tuple[Header, ...], *, show_secrets: bool = False) -> list[Header]:
    """The headers with the values of credentials replaced; the scheme of an authorization stays."""
    if show_secrets:
        return list(headers)
    return [
        (name, _mask(value)) if name is not None and value is not None and is_secret(name) else (name, value)
        for name, value in headers
    ]


def _mask(value: str) -> str:
    scheme = _SCHEME.match(value)
    return f"{scheme[1]} {MASK}" if scheme else MASK
