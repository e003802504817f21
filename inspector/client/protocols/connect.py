"""Connect (https://connectrpc.com/docs/protocol): unary calls as plain HTTP, streams in envelopes.

The status is told by HTTP and a JSON error, or by the JSON in the last envelope. Names of codes are those of gRPC.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from inspector import limits
from inspector.client.protocols.base import (
    Kind,
    Part,
    RawHeader,
    Rules,
    content_type,
    foreign,
    value_of,
    with_text,
)
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.net import metadata_cy, status
from inspector.net.compression import compress, decompress
from inspector.net.grpc_cy import STATUS_NAMES
from inspector.wire.encode import length_delimited

ACCEPTED = b"gzip"
_END = 2

_CODES = {name.lower(): code for code, name in enumerate(STATUS_NAMES) if code} | {"canceled": status.CANCELLED}
_MOST_MILLISECONDS = 9_999_999_999
_TYPES = "type.googleapis.com/"


def connect(kind: Kind, encoding: str) -> Rules:
    """The rules of a call of this kind."""
    return ConnectStream(kind, encoding) if any(kind) else ConnectUnary(kind, encoding)


class _Connect(Rules):
    name = "Connect"
    _head: tuple[Header, ...] = ()
    _is_refused = False

    def fields(self, timeout: float | None) -> list[RawHeader]:
        """See Rules."""
        found = [(b"content-type", self._content_type.encode()), (b"connect-protocol-version", b"1")]
        found.append((self._encoding_field("accept"), ACCEPTED))
        if timeout is not None:
            milliseconds = min(max(1, round(timeout * 1000)), _MOST_MILLISECONDS)
            found.append((b"connect-timeout-ms", b"%d" % milliseconds))
        if self.encoding != "identity":
            found.append((self._encoding_field("content"), self.encoding.encode()))
        return found

    def begin(self, fields: tuple[Header, ...]) -> int | None:
        """See Rules."""
        self._head = fields
        self.response_encoding = value_of(fields, self._encoding_field("content").decode(), "identity")
        self._is_refused = metadata_cy.http_status(fields) != 200 or content_type(fields) != self._content_type
        if not self._is_refused:
            return None
        return limits.MAX_STATUS_DOCUMENT if self._has_json else limits.MAX_HTTP_BODY

    _content_type: str

    def _encoding_field(self, which: str) -> bytes:
        raise NotImplementedError

    @property
    def _has_json(self) -> bool:
        return content_type(self._head) == "application/json" and metadata_cy.http_status(self._head) != 200

    def _refusal(self, body: bytes) -> Status:
        """What a response means whose body is no message: a JSON error, or the page of a proxy."""
        inferred = foreign(self._head, self.name)
        if not self._has_json:
            return with_text(inferred, body)
        try:
            encoding = value_of(self._head, "content-encoding", "identity")
            if body and encoding != "identity":
                body = decompress(encoding, body, limits.MAX_STATUS_DOCUMENT)
            return _status(_loads(body), inferred)
        except DecodeError:
            return with_text(inferred, body)

    @property
    def _prefixed_trailers(self) -> tuple[Header, ...]:
        return tuple(
            (name.removeprefix("trailer-"), value) for name, value in self._head if name and name.startswith("trailer-")
        )


class ConnectUnary(_Connect):
    """A call with one message each way: the bodies are the messages."""

    _content_type = "application/proto"
    _is_taken = False

    def _encoding_field(self, which: str) -> bytes:
        return f"{which}-encoding".encode()

    def message(self, data: bytes) -> bytes:
        """See Rules."""
        return data if self.encoding == "identity" else compress(self.encoding, data)

    def part(self, buffer: bytearray, at: int, *, is_whole: bool) -> Part | None:
        """See Rules: the whole body is one, however long it gets."""
        if self._is_taken:
            return None
        if not is_whole:
            return Part(0, len(buffer) + 1)
        self._is_taken = True
        return Part(0, len(buffer), self.response_encoding != "identity" and len(buffer) > 0)

    def conclude(
        self, trailers: tuple[Header, ...], refused: bytearray | None
    ) -> tuple[tuple[Header, ...], Status | None]:
        """See Rules."""
        found = metadata_cy.OK if refused is None else self._refusal(bytes(refused))
        return self._prefixed_trailers, found if self._head else None

    def is_cut_off(self, buffer: bytearray) -> bool:
        """HTTP tells."""
        return False


class ConnectStream(_Connect):
    """A call with a stream, one way or both: messages in envelopes, the last of which has the status."""

    has_status_in_body = True
    end_flag = _END
    _content_type = "application/connect+proto"

    def refuses(self, http: str) -> tuple[str, str] | None:
        """See Rules."""
        if all(self.kind) and http == "1.1":
            return "Connect has streams of both directions over HTTP/2 only", "--http 2 asks for it, also without TLS"
        return None

    def _encoding_field(self, which: str) -> bytes:
        return f"connect-{which}-encoding".encode()

    def end(self, data: bytes) -> tuple[tuple[Header, ...], Status]:
        """See Rules."""
        document = _loads(data)
        if not isinstance(document, dict):
            raise DecodeError("the end of the stream is not a JSON object")
        error = document.get("error")
        unknown = Status(status.UNKNOWN, "UNKNOWN", "the server ended the stream with an error that has no code")
        return _metadata(document.get("metadata")), metadata_cy.OK if error is None else _status(error, unknown)

    def conclude(
        self, trailers: tuple[Header, ...], refused: bytearray | None
    ) -> tuple[tuple[Header, ...], Status | None]:
        """See Rules."""
        return (), None if refused is None else self._refusal(bytes(refused))


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        raise DecodeError("the server's error is not JSON") from None


def _metadata(found: Any) -> tuple[Header, ...]:
    """Trailing metadata: an object of lists of texts."""
    if not isinstance(found, dict):
        return ()
    return tuple(
        (name.lower(), value)
        for name, values in found.items()
        if isinstance(values, list)
        for value in values
        if isinstance(value, str)
    )


def _status(error: Any, inferred: Status) -> Status:
    """A Connect error; where its code is none, the code is inferred."""
    if not isinstance(error, dict):
        raise DecodeError("the server's error is not a JSON object")
    code, message, details = (error.get(name) for name in ("code", "message", "details"))
    number = _CODES.get(code) if isinstance(code, str) else None
    text = message if isinstance(message, str) else ""
    if number is None:
        return inferred._replace(message=f"{inferred.message}: {text}" if text else inferred.message)
    packed = [each for each in map(_any, details if isinstance(details, list) else []) if each is not None]
    serialized = _serialized(number, text, packed) if packed else None
    return Status(number, STATUS_NAMES[number], text, serialized)


def _any(detail: Any) -> bytes | None:
    """A detail as a google.protobuf.Any; None for what is none."""
    if not isinstance(detail, dict):
        return None
    name, value = detail.get("type"), detail.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        return None
    try:
        data = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return length_delimited(1, f"{_TYPES}{name}".encode("utf-8", "replace")) + length_delimited(2, data)


def _serialized(code: int, message: str, details: list[bytes]) -> bytes:
    """A google.rpc.Status, the form in which gRPC carries the same."""
    head = bytes((8, code)) + length_delimited(2, message.encode("utf-8", "replace"))
    return head + b"".join(length_delimited(3, each) for each in details)
