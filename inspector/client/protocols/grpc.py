"""gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): the status is in the trailers of HTTP."""

from __future__ import annotations

from hpack import NeverIndexedHeaderTuple

from inspector import limits
from inspector.client.protocols.base import RawHeader, Rules, foreign, misread, timeout_text, told, value_of, with_text
from inspector.model.call import Header, Status
from inspector.net import metadata_cy

ACCEPTED = b"identity,gzip,deflate"
"""grpc-accept-encoding."""


class Grpc(Rules):
    """See Rules."""

    name = "gRPC"
    _foreign: Status | None = None
    _has_headers = False

    @property
    def ends_with_first(self) -> bool:
        """Not by itself: the caller says when the requests end."""
        return False

    def fields(self, timeout: float | None) -> list[RawHeader]:
        """See Rules."""
        found = [(b"te", b"trailers"), (b"content-type", b"application/grpc"), (b"grpc-accept-encoding", ACCEPTED)]
        return found + call_fields(timeout, self.encoding)

    def is_trailers(self, fields: tuple[Header, ...], ended: bool) -> bool:
        """See Rules."""
        return ended and (any(name == "grpc-status" for name, _ in fields) or metadata_cy.http_status(fields) == 200)

    def begin(self, fields: tuple[Header, ...]) -> int | None:
        """See Rules."""
        self._has_headers = True
        self.response_encoding = value_of(fields, "grpc-encoding", "identity")
        if self._is_ours(fields):
            return None
        self._foreign = foreign(fields, self.name)
        return limits.MAX_HTTP_BODY

    def conclude(
        self, trailers: tuple[Header, ...], refused: bytearray | None
    ) -> tuple[tuple[Header, ...], Status | None]:
        """See Rules."""
        found = told(trailers)
        if found is None and self._foreign is not None:
            found = with_text(self._foreign, refused or b"")
        if found is None and trailers and not self._has_headers and not self._is_ours(trailers):
            found = foreign(trailers, self.name)
        return trailers, found or misread(trailers)

    def _is_ours(self, fields: tuple[Header, ...]) -> bool:
        kind = value_of(fields, "content-type")
        return metadata_cy.http_status(fields) == 200 and kind.startswith("application/grpc")


def call_fields(timeout: float | None, encoding: str) -> list[RawHeader]:
    """Deadline and encoding, as gRPC and gRPC-Web write them."""
    found: list[RawHeader] = []
    if timeout is not None:
        found.append(NeverIndexedHeaderTuple(b"grpc-timeout", timeout_text(timeout)))
    if encoding != "identity":
        found.append((b"grpc-encoding", encoding.encode()))
    return found
