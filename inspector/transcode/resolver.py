"""What transcoding asks of a schema."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from inspector.errors import SchemaError


class Resolver(Protocol):
    """Message types by their full names, `pkg.Message`. `inspector.Schema` is one."""

    def find_message(self, name: str) -> Descriptor | None:
        """The type, or None where the schema lacks it."""

    def message_class(self, name: str) -> type[Message]:
        """The class of a type that the schema has."""


def message_descriptor(resolver: Resolver | None, name: str) -> Descriptor:
    """The message type with this name. Raises SchemaError where there is none."""
    descriptor = resolver.find_message(name) if resolver else None
    if descriptor is None:
        raise SchemaError(f"the schema has no message type {name!r}")
    return descriptor
