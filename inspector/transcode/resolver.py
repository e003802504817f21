"""What transcoding asks of a schema."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message


class Resolver(Protocol):
    """Message types by their full names, `pkg.Message`. `inspector.Schema` is one."""

    def find_message(self, name: str) -> Descriptor | None:
        """The type, or None where the schema lacks it."""

    def message_class(self, name: str) -> type[Message]:
        """The class of a type that the schema has."""
