"""The methods that can be called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inspector.schema import Schema
from inspector.schema.wording import text
from inspector.views.safe_text import safe

UNTYPED = "google.protobuf.Empty"
"""Stands for the type of requests that no schema tells: all their fields are unknown ones."""


class Method(NamedTuple):
    """`name` is `pkg.Svc/Method`; types are None where no schema tells them."""

    name: str
    request: str | None = None
    response: str | None = None
    takes_stream: bool = False
    gives_stream: bool = False

    @property
    def kind(self) -> str:
        """In words."""
        if self.request is None:
            return "no schema"
        names = {(False, False): "unary", (False, True): "server stream", (True, False): "client stream"}
        return names.get((self.takes_stream, self.gives_stream), "both stream")

    @property
    def label(self) -> str:
        return safe(self.name)

    @property
    def detail(self) -> str:
        """What it takes and gives."""
        if self.request is None or self.response is None:
            return ""
        takes, gives = ("stream " if each else "" for each in (self.takes_stream, self.gives_stream))
        return safe(f"{takes}{_last(self.request)} → {gives}{_last(self.response)}")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def methods_of(schema: Schema) -> list[Method]:
    """All methods of the sources of a schema, by name, those of gRPC itself (reflection, health) behind the others.
    Files are not built for it."""
    return sorted(_declared(schema), key=lambda each: (each.name.startswith("grpc."), each))


def _declared(schema: Schema) -> Iterator[Method]:
    for each in schema.symbols.all("method"):
        service, _, name = each.name.rpartition(".")
        request, response = (text(part).removeprefix(".") for part in (each.node.input_type, each.node.output_type))
        yield Method(f"{service}/{name}", request, response, each.node.client_streaming, each.node.server_streaming)


def method_of(schema: Schema | None, name: str) -> Method:
    """The method of a name; one without types where the schema lacks it."""
    found = schema.find_method(name) if schema is not None else None
    if found is None:
        return Method(name.removeprefix("/"))
    path = f"{found.containing_service.full_name}/{found.name}"
    request, response = found.input_type.full_name, found.output_type.full_name
    return Method(path, request, response, bool(found.client_streaming), bool(found.server_streaming))
