"""What a field, its message and its call can be taken away as: each form by a letter.

Forms are made when they are asked for. Credentials in headers become variables of the environment, as in
`copy_as.request_of`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from inspector.errors import InspectorError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.transcode.resolver import Resolver
from inspector.transcode.tree import FieldNode
from inspector.views import copy_as
from inspector.views.copy_as import Request

Make = Callable[[], str]


class Form(NamedTuple):
    """A form of something. `make` raises InspectorError where it cannot be had."""

    letter: str
    title: str
    make: Make


class Content(NamedTuple):
    """A message and how it is read."""

    data: bytes
    type_name: str | None
    resolver: Resolver | None
    hints: Mapping[str, str] = {}

    def as_text(self, form: str) -> str:
        """The message in a format (`json`, `yaml`, `text`, `protoscope`, `hex`, `base64`)."""
        conversion = Conversion(self.resolver, self.type_name, indent=2, hints=self.hints)
        return formats.find(form).write(self.data, conversion).decode("utf-8", "backslashreplace").rstrip("\n")


def of_field(node: FieldNode, resolver: Resolver | None) -> list[Form]:
    """Its value, path and bytes."""
    return [
        Form("v", "value", partial(_value, node, resolver)),
        Form("p", "path", lambda: node.path),
        Form("x", "bytes as hex", lambda: node.content.hex()),
        Form("b", "bytes as base64", lambda: base64.b64encode(node.content).decode()),
    ]


def of_message(content: Content) -> list[Form]:
    """The message in the formats of text."""
    named = (("j", "json", "JSON"), ("t", "text", "protobuf text"), ("y", "yaml", "YAML"),
             ("s", "protoscope", "protoscope"))  # fmt: skip
    return [
        *(Form(letter, title, partial(content.as_text, form)) for letter, form, title in named),
        Form("X", "bytes as hex", lambda: content.data.hex()),
        Form("B", "bytes as base64", lambda: base64.b64encode(content.data).decode()),
    ]


def of_call(request: Callable[[], Request]) -> list[Form]:
    """What makes the call again."""
    named = (("i", "inspector", "inspector call"), ("g", "grpcurl", "grpcurl"), ("u", "curl", "curl"),
             ("P", "python", "Python"), ("r", "json", "record (JSON)"))  # fmt: skip
    return [Form(letter, title, partial(_command, request, form)) for letter, form, title in named]


def _command(request: Callable[[], Request], form: str) -> str:
    return copy_as.FORMS[form](request())


def _value(node: FieldNode, resolver: Resolver | None) -> str:
    """A text as it is, bytes in base64 as in JSON, a message as JSON, a packed field as a list."""
    value = node.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is not None:
        return node.enum_name or (value if isinstance(value, str) else repr(value))
    if node.kind.startswith("packed"):
        return f"[{', '.join(_value(each, resolver) for each in node.children)}]"
    type_name = node.type_name
    try:
        return Content(node.content, type_name, resolver if type_name else None).as_text("json")
    except InspectorError:
        return Content(node.content, None, None).as_text("json")
