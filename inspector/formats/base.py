"""What a format is: a form in which people (or files) have a message, other than its place in a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from inspector.errors import InputError

if TYPE_CHECKING:
    from inspector.transcode.resolver import Resolver


class Conversion(NamedTuple):
    """What reading and writing may depend on.

    `resolver` is the schema, `type_name` the type of the message in it; without a type the message is told by field
    numbers, and guessed. `hints` say how fields are to be read where the schema does not: path of field numbers
    (`3.1`) -> kind (`string`).
    """

    resolver: Resolver | None = None
    type_name: str | None = None
    emit_defaults: bool = False
    proto_names: bool = False
    enum_numbers: bool = False
    indent: int | None = None
    ignore_unknown: bool = False
    keep_unknown: bool = False
    hints: Mapping[str, str] = {}


Read = Callable[[bytes, Conversion], Iterator[bytes]]
"""The messages, as they are on the wire, that a text in the format holds: mostly one. Raises EncodeError with the
place, InputError where the input is not of the format at all."""

Write = Callable[[bytes, Conversion], bytes]
"""A message of the wire in the format; text is UTF-8 and ends in a newline. Raises DecodeError where the message does
not follow its type."""


class Format(NamedTuple):
    """A format. `suffixes` are those of files in it, with their dots; `is_text` where it is for people's eyes;
    `separator` stands between messages, None where a file holds one."""

    name: str
    read: Read
    write: Write
    suffixes: tuple[str, ...] = ()
    is_text: bool = True
    separator: bytes | None = None

    def write_all(self, messages: Sequence[bytes], conversion: Conversion) -> bytes:
        """All messages in one text. Raises InputError where the format holds one only."""
        if len(messages) != 1 and self.separator is None:
            text = f"{self.name} holds one message, there are {len(messages)}"
            raise InputError(text, hint="JSON and YAML hold many")
        return (self.separator or b"").join(self.write(message, conversion) for message in messages)
