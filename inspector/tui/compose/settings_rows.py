"""The settings of a draft as rows of text. No toolkit in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from inspector.client import profiles
from inspector.client.protocols.base import PROTOCOLS
from inspector.client.settings import HTTP_VERSIONS, ConnectSettings
from inspector.client.target import Target
from inspector.errors import InputError
from inspector.net.compression import ENCODINGS
from inspector.tui.compose.draft import Draft

_SECURITY = ("auto", "plaintext", "tls", "tls, certificate not verified")
_HTTP = ("auto", *HTTP_VERSIONS)
_NO_SETTINGS = ConnectSettings()


class Setting(NamedTuple):
    """`put` gives the draft with what was typed; it raises InputError. `choices` are all values that there are."""

    name: str
    hint: str
    text: Callable[[Draft], str]
    put: Callable[[Draft, str], Draft]
    choices: Callable[[], Sequence[str]] = tuple


def _put_target(draft: Draft, text: str) -> Draft:
    text = text.strip()
    if text.startswith("@"):
        profiles.find(text[1:])
    elif text:
        Target.parse(text)
    return draft._replace(target=text)


def _targets() -> Sequence[str]:
    return [f"@{name}" for name in profiles.names()]


def _security(draft: Draft) -> str:
    settings = draft.connect
    if settings.insecure:
        return _SECURITY[3]
    return _SECURITY[0] if settings.plaintext is None else _SECURITY[1 if settings.plaintext else 2]


def _put_security(draft: Draft, text: str) -> Draft:
    if text not in _SECURITY:
        raise InputError(f"{text[:40]!r} is none of {', '.join(_SECURITY)}")
    plaintext = {_SECURITY[0]: None, _SECURITY[1]: True, _SECURITY[2]: False, _SECURITY[3]: None}[text]
    return draft._replace(connect=draft.connect._replace(plaintext=plaintext, insecure=text == _SECURITY[3]))


def _put_protocol(draft: Draft, text: str) -> Draft:
    if text not in PROTOCOLS:
        raise InputError(f"{text[:40]!r} is no protocol", hint=f"known are {', '.join(PROTOCOLS)}")
    return draft._replace(connect=draft.connect._replace(protocol=text))


def _put_http(draft: Draft, text: str) -> Draft:
    if text not in _HTTP:
        raise InputError(f"{text[:40]!r} is none of {', '.join(_HTTP)}")
    return draft._replace(connect=draft.connect._replace(http=None if text == _HTTP[0] else text))


def _connect(name: str, label: str, hint: str) -> Setting:
    """A text of ConnectSettings; empty stands for none."""

    def put(draft: Draft, text: str) -> Draft:
        value: Any = text.strip() or None
        return draft._replace(connect=draft.connect._replace(**{name: value}))

    return Setting(label, hint, lambda draft: getattr(draft.connect, name) or "", put)


def _seconds(text: str, what: str) -> float:
    try:
        found = float(text.strip().removesuffix("s"))
    except ValueError:
        found = -1.0
    if not 0 < found < 1e9:
        raise InputError(f"{text[:40]!r} is no {what}", hint="a number of seconds: 2.5")
    return found


def _put_deadline(draft: Draft, text: str) -> Draft:
    return draft._replace(deadline=_seconds(text, "deadline") if text.strip() else None)


def _put_connect_timeout(draft: Draft, text: str) -> Draft:
    seconds = _seconds(text, "time") if text.strip() else _NO_SETTINGS.connect_timeout
    return draft._replace(connect=draft.connect._replace(connect_timeout=seconds))


def _put_compress(draft: Draft, text: str) -> Draft:
    if text not in ENCODINGS:
        raise InputError(f"{text[:40]!r} is no encoding", hint=f"known are {', '.join(ENCODINGS)}")
    return draft._replace(compress=text)


def _put_max(draft: Draft, text: str) -> Draft:
    bare = text.strip().replace(",", "").replace("_", "")
    if not bare.isdecimal() or not 0 < int(bare) <= 1 << 31:
        raise InputError(f"{text[:40]!r} is no size", hint="a number of bytes")
    return draft._replace(max_message=int(bare))


SETTINGS = (
    Setting("target", "host:port, grpc://, grpcs://, unix:PATH, @NAME of inspector.toml", lambda d: d.target,
            _put_target, _targets),
    Setting("security", "auto goes by the target: grpc:// is plaintext, all else TLS", _security, _put_security,
            lambda: _SECURITY),
    _connect("cacert", "CA file", "certificates (PEM) of whom to trust"),
    _connect("cert", "client certificate", "our own certificate (PEM)"),
    _connect("key", "client key", "its private key (PEM)"),
    _connect("authority", "authority", "the value of :authority, and the name in the certificate"),
    _connect("servername", "server name", "the name in SNI and in the certificate"),
    Setting("connect within", "seconds", lambda d: f"{d.connect.connect_timeout:g}", _put_connect_timeout),
    Setting("deadline", "seconds; empty: none", lambda d: "" if d.deadline is None else f"{d.deadline:g}",
            _put_deadline),
    Setting("compression", "of requests", lambda d: d.compress, _put_compress, lambda: tuple(ENCODINGS)),
    Setting("protocol", "gRPC-Web and Connect take URLs too", lambda d: d.connect.protocol, _put_protocol,
            lambda: PROTOCOLS),
    Setting("HTTP", "of gRPC-Web and Connect; auto: 1.1 without TLS, else what the server prefers",
            lambda d: d.connect.http or _HTTP[0], _put_http, lambda: _HTTP),
    Setting("longest answer", "bytes of one message", lambda d: f"{d.max_message:,}", _put_max),
)  # fmt: skip
"""What can be set, in the order of its rows."""
