"""The files that a message or a call can be kept as: each form by a letter. All of them are read by our commands, or by
tests.

Invariant: credentials in headers are masked unless they are to be shown; a form says whether it has any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from inspector.client.logged_call import entries
from inspector.model.call import Call, Message
from inspector.session import DecodedMessage
from inspector.views.call_lines_cy import call_lines
from inspector.views.copies import Content
from inspector.views.message_lines_cy import message_lines
from inspector.views.rows import DecodeDetails
from inspector.views.secrets import is_secret, masked

LONGEST_NAME = 60
"""Characters of a method in the name of a file."""


class FileForm(NamedTuple):
    """A form of a file. `make` raises InspectorError where it cannot be had. It is of the call, or of the message; and
    `with_headers` where headers are in it."""

    letter: str
    title: str
    suffix: str
    make: Callable[[], bytes]
    is_of_call: bool = False
    with_headers: bool = False


def of_message(content: Content) -> list[FileForm]:
    """A message: its bytes, and the texts that are converted to them again."""
    named = (("j", "json", "JSON", ".json"), ("t", "text", "protobuf text", ".txtpb"), ("y", "yaml", "YAML", ".yaml"),
             ("x", "hex", "bytes as hex", ".hex"))  # fmt: skip
    return [
        FileForm("b", "bytes", ".binpb", lambda: content.data),
        *(FileForm(letter, title, suffix, partial(_text, content, form)) for letter, form, title, suffix in named),
    ]


def of_call(
    call: Call,
    messages: Callable[[], Sequence[DecodedMessage]],
    decode_details: DecodeDetails,
    *,
    show_secrets: bool = False,
) -> list[FileForm]:
    """A call: as a log that opens again, its messages as `inspector decode --raw` prints them, itself as `calls`."""

    def log() -> bytes:
        return logged(call, [each.message for each in messages()], show_secrets=show_secrets)

    def records() -> bytes:
        return bytes(message_lines(messages(), raw=True))

    def record() -> bytes:
        return bytes(call_lines([call], decode_details, show_secrets))

    return [
        FileForm("l", "binary log of gRPC, which opens again", ".binlog", log, is_of_call=True, with_headers=True),
        FileForm("r", "messages as records (NDJSON)", ".ndjson", records, is_of_call=True),
        FileForm("k", "the call as a record (JSON)", ".json", record, is_of_call=True, with_headers=True),
    ]


def logged(call: Call, messages: Sequence[Message], *, show_secrets: bool = False) -> bytes:
    """A call as a binary log."""
    shown = partial(masked, show_secrets=show_secrets)
    headers = call._replace(
        request_headers=shown(call.request_headers),
        response_headers=shown(call.response_headers),
        trailers=shown(call.trailers),
    )
    return b"".join(part for parts in entries(headers, messages) for part in parts)


def has_credentials(call: Call) -> bool:
    """Whether a call carries credentials in its headers."""
    fields = (*call.request_headers, *call.response_headers, *call.trailers)
    return any(is_secret(name) and value for name, value in fields)


def suggested(name: str, call: int | None, message: Message | None, suffix: str) -> str:
    """A name for a file, of a method or what there is in its place, a call, a message: `Predict-2-request-0.json`."""
    word = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition("/")[2])[:LONGEST_NAME].strip("-") or "call"
    parts = [word, str(call) if call else ""]
    if message is not None:
        parts.append(f"{message.direction or 'message'}-{message.index}")
    return "-".join(filter(None, parts)) + suffix


def _text(content: Content, form: str) -> bytes:
    return f"{content.as_text(form)}\n".encode("utf-8", "backslashreplace")
