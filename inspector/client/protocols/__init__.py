"""The protocols by which a call is made: gRPC, gRPC-Web, Connect.

Each is the rules of one call, without input and output: what the request looks like, and what the bytes of the
response mean. The call itself (`client.call`) is the same for all of them.
"""

from __future__ import annotations

from inspector.client.protocols.base import PROTOCOLS, UNARY, Kind, Part, Rules
from inspector.deferred import deferred
from inspector.errors import InputError

__all__ = ["PROTOCOLS", "UNARY", "Kind", "Part", "Rules", "rules_of"]

_MAKERS = {
    "grpc": deferred("inspector.client.protocols.grpc", "Grpc"),
    "grpc-web": deferred("inspector.client.protocols.grpc_web", "GrpcWeb"),
    "connect": deferred("inspector.client.protocols.connect", "connect"),
}


def rules_of(protocol: str, kind: Kind, encoding: str, *, http: str) -> Rules:
    """The rules of a call of this kind, whose requests have this encoding, over HTTP `1.1` or `2`.

    Raises InputError where the protocol has no such calls.
    """
    rules: Rules = _MAKERS[protocol](kind, encoding)
    reason = rules.refuses(http)
    if reason is not None:
        text, hint = reason
        raise InputError(text, hint=hint)
    return rules
