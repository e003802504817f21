"""Credentials in headers, masked unless asked for."""

from __future__ import annotations

import re
from functools import lru_cache

from inspector.model.call import Header

MASK = "<masked>"

_SECRET_NAMES = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"))
_SECRET_ENDINGS = (
    "-key", "-token", "-secret", "-password", "-passwd", "-credential", "-credentials", "-signature", "-cookie",
    "-authorization", "-auth", "apikey", "api_key", "_token", "_secret", "_password",
)  # fmt: skip
LONGEST_NAME = 256
"""Longer names are no names of credentials, and not worth remembering."""

_SCHEME = re.compile(r"(?i)(bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256) +")


def is_secret(name: str | None) -> bool:
    """Whether a header of this name carries credentials."""
    return name is not None and len(name) <= LONGEST_NAME and _is_secret(name)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    name = name.lower().removesuffix("-bin")
    return name in _SECRET_NAMES or name in ("token", "secret", "password", "key") or name.endswith(_SECRET_ENDINGS)


def masked(headers: tuple[Header, ...], *, show_secrets: bool = False) -> tuple[Header, ...]:
    """The headers with the values of credentials replaced; the scheme of an authorization stays."""
    if show_secrets:
        return headers
    for name, _ in headers:
        if is_secret(name):
            return tuple((name, _mask(value)) if is_secret(name) else (name, value) for name, value in headers)
    return headers


def _mask(value: str | None) -> str | None:
    scheme = _SCHEME.match(value or "")
    return value and (f"{scheme[1]} {MASK}" if scheme else MASK)
