"""gRPC-Web (grpc/doc/PROTOCOL-WEB.md): messages as in gRPC, and the trailers as the last of them.

Answers may also be in base64 (`application/grpc-web-text`), in pieces that are padded each.
"""

from __future__ import annotations

from inspector import limits
from inspector.client.protocols.base import RawHeader, Rules, foreign, misread, told, value_of, with_text
from inspector.client.protocols.grpc import ACCEPTED, call_fields
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.net import metadata_cy
from inspector.net.grpc_cy import TRAILERS
from inspector.net.grpc_web_text import Base64Stream, is_text

_TYPE = b"application/grpc-web+proto"


class GrpcWeb(Rules):
    """See Rules."""

    name = "gRPC-Web"
    has_status_in_body = True
    end_flag = TRAILERS
    _foreign: Status | None = None
    _text: Base64Stream | None = None
    _head: tuple[Header, ...] = ()

    def refuses(self, http: str) -> tuple[str, str] | None:
        """See Rules."""
        if self.kind.takes_stream:
            return "gRPC-Web has no calls that stream requests", "--protocol grpc, or connect over HTTP/2, has them"
        return None

    def fields(self, timeout: float | None) -> list[RawHeader]:
        """See Rules."""
        found = [(b"content-type", _TYPE), (b"accept", _TYPE), (b"x-grpc-web", b"1")]
        return [*found, (b"grpc-accept-encoding", ACCEPTED), *call_fields(timeout, self.encoding)]

    def begin(self, fields: tuple[Header, ...]) -> int | None:
        """See Rules."""
        self._head = fields
        self.response_encoding = value_of(fields, "grpc-encoding", "identity")
        kind = value_of(fields, "content-type")
        if metadata_cy.http_status(fields) != 200 or not kind.startswith("application/grpc-web"):
            self._foreign = foreign(fields, self.name)
            return limits.MAX_HTTP_BODY
        if is_text(kind):
            self._text = Base64Stream()
        return None

    def plain(self, data: bytes) -> bytes:
        """See Rules."""
        if self._text is None:
            return data
        plain = self._text.feed(data)
        if self._text.damaged_at is not None:
            raise DecodeError("the server's grpc-web-text is not base64")
        return plain

    def end(self, data: bytes) -> tuple[tuple[Header, ...], Status]:
        """See Rules."""
        trailers = metadata_cy.trailer_block(data)
        found = told(trailers)
        if found is None:
            unread = misread(trailers)
            raise DecodeError("the server's trailers are empty" if unread is None else unread.message)
        return trailers, found

    def conclude(
        self, trailers: tuple[Header, ...], refused: bytearray | None
    ) -> tuple[tuple[Header, ...], Status | None]:
        """See Rules. A response without messages may have its trailers among the headers."""
        found = told(trailers)
        if found is None and (found := told(self._head)) is not None:
            trailers = tuple(field for field in self._head if (field[0] or "").startswith("grpc-"))
        if found is None and self._foreign is not None:
            found = with_text(self._foreign, refused or b"")
        return trailers, found or misread(trailers)
