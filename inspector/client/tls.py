"""TLS to a server: contexts by the settings, and one clear line for each way in which it fails.

The invariant: a context verifies chain and name unless `insecure` was said, and offers nothing but what it was
told to (ALPN).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Sequence
from typing import NamedTuple

from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import ConnectError, InputError

_PLAINTEXT = "use --plaintext, or grpc:// in the address"


class Session(NamedTuple):
    """What a handshake led to: `TLSv1.3`, the cipher, the protocol of ALPN (None for none), the certificate (DER)."""

    version: str
    cipher: str
    protocol: str | None
    certificate: bytes | None


def context(settings: ConnectSettings, offered: Sequence[str] = ("h2",)) -> ssl.SSLContext:
    """The context that the settings ask for, which offers these protocols.

    Raises InputError for a file that cannot be used.
    """
    made = ssl.create_default_context(cafile=_file(settings.cacert, "cacert")) if not settings.insecure else _trusting()
    made.set_alpn_protocols(list(offered))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert is not None and settings.key is not None:
        _load_certificate(made, settings.cert, settings.key)
    return made


def server_name(target: Target, settings: ConnectSettings) -> str:
    """The name for SNI, and that the certificate must have."""
    if settings.servername:
        return settings.servername
    if settings.authority:
        return Target.parse(settings.authority).host
    return target.host or "localhost"


def session(transport: asyncio.Transport) -> Session:
    """What the handshake of this transport led to."""
    made = transport.get_extra_info("ssl_object")
    cipher = made.cipher()
    version = made.version() or "TLS"
    return Session(version, cipher[0] if cipher else "", made.selected_alpn_protocol(), made.getpeercert(True))


def no_h2(found: Session) -> ConnectError:
    """The error for a server that did not agree to HTTP/2."""
    chosen = f"it chose {found.protocol}" if found.protocol else "it chose no protocol"
    hint = "gRPC needs HTTP/2: is the port that of a gRPC server?"
    return ConnectError(f"the server does not offer HTTP/2 over TLS (ALPN h2; {chosen})", hint=hint)


def closed() -> ConnectError:
    """The error for a server that hung up in the handshake."""
    hint = f"does it speak TLS? If it does not, {_PLAINTEXT}"
    return ConnectError("the server closed the connection during the TLS handshake", hint=hint)


def failure(error: ssl.SSLError, where: str, name: str = "") -> ConnectError:
    """The error for a handshake that failed, or a connection that TLS ended."""
    message, hint = _told(error, name)
    return ConnectError(message, where=where, hint=hint)


def _told(error: ssl.SSLError, name: str) -> tuple[str, str | None]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(error, name)
    reason = error.reason or ""
    for part, message, hint in _REASONS:
        if part in reason:
            return message, hint
    if isinstance(error, ssl.SSLEOFError):
        return closed().message, closed().hint
    return f"TLS failed: {reason.lower().replace('_', ' ') or error}", None


_NOT_TLS = "the server does not speak TLS"
_CERTIFICATE = "name one that it trusts: --cert, --key"
_REASONS = (
    ("WRONG_VERSION_NUMBER", _NOT_TLS, _PLAINTEXT),
    ("HTTP_REQUEST", _NOT_TLS, _PLAINTEXT),
    ("RECORD_LAYER_FAILURE", _NOT_TLS, _PLAINTEXT),
    ("PACKET_LENGTH_TOO_LONG", _NOT_TLS, _PLAINTEXT),
    ("CERTIFICATE_REQUIRED", "the server requires a client certificate", "give one: --cert, --key"),
    ("ALERT_UNKNOWN_CA", "the server refused the client certificate: it does not know its CA", _CERTIFICATE),
    ("ALERT_CERTIFICATE_UNKNOWN", "the server refused the client certificate", _CERTIFICATE),
    ("ALERT_BAD_CERTIFICATE", "the server refused the client certificate, or had none", _CERTIFICATE),
    ("ALERT_CERTIFICATE_EXPIRED", "the server refused the client certificate: it has expired", _CERTIFICATE),
    ("ALERT_ACCESS_DENIED", "the server refused the client certificate: access denied", _CERTIFICATE),
    ("ALERT_NO_APPLICATION_PROTOCOL", "the server does not offer HTTP/2 over TLS (ALPN h2)", "is it a gRPC server?"),
    ("NO_APPLICATION_PROTOCOL", "the server does not offer HTTP/2 over TLS (ALPN h2)", "is it a gRPC server?"),
    ("UNRECOGNIZED_NAME", "the server does not serve that name", "--servername says another one"),
    ("PROTOCOL_VERSION", "the server offers no TLS version from 1.2 on", None),
    ("HANDSHAKE_FAILURE", "the server refused the handshake", "it may require a client certificate: --cert, --key"),
)  # fmt: skip
"""Part of OpenSSL's reason -> what it means, and what to do."""

_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_CHAIN, _NO_ISSUER, _HOST, _IP = 10, 9, 18, 19, 20, 62, 64
_CA = "name its CA with --cacert, or skip verification with --insecure"
_DATED = "renew it, or skip verification with --insecure"
_UNVERIFIED = {
    _EXPIRED: ("the server's certificate has expired", _DATED),
    _NOT_YET: ("the server's certificate is not valid yet", "check the clock, or skip verification with --insecure"),
    _SELF_SIGNED: ("the server's certificate is self-signed", _CA),
    _SELF_SIGNED_CHAIN: ("the server's certificate is signed by a CA that is not trusted", _CA),
    _NO_ISSUER: ("the server's certificate is signed by a CA that is not trusted", _CA),
    21: ("the server's certificate is signed by a CA that is not trusted", _CA),
}


def _unverified(error: ssl.SSLCertVerificationError, name: str) -> tuple[str, str | None]:
    if error.verify_code in (_HOST, _IP):
        text = f"the server's certificate is not for {name or 'that name'}"
        return text, "--servername says which name it must have; --insecure skips verification"
    found = _UNVERIFIED.get(error.verify_code)
    return found or (f"the server's certificate cannot be verified: {error.verify_message}", _CA)


def _trusting() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _file(path: str | None, option: str) -> str | None:
    """The path of a PEM file that can be read and holds a certificate."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise InputError(f"cannot read the file of {option}: {error.strerror}", where=path) from None
    if b"-----BEGIN CERTIFICATE" not in text and b"-----BEGIN TRUSTED CERTIFICATE" not in text:
        raise InputError(f"the file of {option} holds no certificate in PEM", where=path, hint=_PEM)
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise InputError(f"the file of {option} is damaged", where=path, hint=_PEM) from None
    return path


_PEM = "openssl x509 -inform der -in FILE makes PEM of DER"


def _load_certificate(made: ssl.SSLContext, cert: str, key: str) -> None:
    _file(cert, "cert")
    if not os.access(key, os.R_OK):
        raise InputError("cannot read the file of key", where=key)
    try:
        made.load_cert_chain(cert, key, password=_refuse_password)
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in (error.reason or ""):
            raise InputError("the key does not belong to the certificate", where=key) from None
        raise InputError("the file of key holds no private key in PEM", where=key) from None


def _refuse_password() -> str:
    raise InputError("the key is encrypted", hint="openssl pkey -in KEY -out PLAIN writes it without a passphrase")
