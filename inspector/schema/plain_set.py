"""The types of one descriptor set in which nothing has to be settled, for a process that prints one message.

`Schema` reads outlines, settles what sources disagree about and builds what is used. For that it needs the Python part
of the protobuf runtime, which takes as long to load as Python itself. Here the files go as they are into a pool of the
runtime's C part.

Invariant: a type that is found is the one that `Schema` finds, and so are all that it holds.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from inspector.errors import SchemaError
from inspector.schema.file_spans import file_spans

runtime: Any
try:
    from google._upb import _message as runtime
except ImportError:
    runtime = None  # another implementation of the runtime


class NotPlain(Exception):
    """`Schema` has to see to it, and may find or refuse what is asked for."""


class PlainSet:
    """A `Resolver` over the bytes of a descriptor set. Raises NotPlain, also when a type is asked for."""

    def __init__(self, data: bytes) -> None:
        if runtime is None:
            raise NotPlain
        self._pool: Any = runtime.DescriptorPool()
        try:
            names = [self._add(data[start:end]) for start, end in file_spans(data, "")]
        except (SchemaError, DecodeError, LookupError, TypeError, ValueError):
            raise NotPlain from None
        if not all(names):
            raise NotPlain

    def _add(self, file: bytes) -> str:
        """Builds a file, after those that it imports. (Of a name that is not UTF-8 the runtime raises ValueError.)"""
        built = self._pool.AddSerializedFile(file)
        return f"{built.package}: {built.name}" if built.name else ""

    def find_message(self, name: str) -> Descriptor:
        """The type with this name. Which extensions there are is up to `Schema`, and so are types that have some."""
        try:
            found: Descriptor = self._pool.FindMessageTypeByName(name)
        except KeyError:
            raise NotPlain from None
        if _reaches_extendable(found):
            raise NotPlain
        return found

    def message_class(self, name: str) -> type[Message]:
        """Not here: it needs what is not loaded."""
        raise NotPlain


def _reaches_extendable(root: Any) -> bool:
    """Whether a type or one of those in it may have extensions."""
    waiting, seen = [root], {root.full_name}
    while waiting:
        message = waiting.pop()
        if message.is_extendable:
            return True
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
    return False
