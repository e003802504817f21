"""What a format is: a form in which people (or files) have a message, other than its place in a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

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
    hints: Mapping[str, str] = {}


Read = Callable[[bytes, Conversion], Iterator[bytes]]
"""The messages, as they are on the wire, that a text in the format holds: mostly one. Raises EncodeError with the
place, InputError where the input is not of the format at all."""

Write = Callable[[bytes, Conversion], bytes]
"""A message of the wire in the format; text is UTF-8 and ends in a newline. Raises DecodeError where the message does
not follow its type."""


class Format(NamedTuple):
    """A format. `suffixes` are those of files in it, with their dots; `is_text` where it is for people's eyes."""

    name: str
    read: Read
    write: Write
    suffixes: tuple[str, ...] = ()
    is_text: bool = True
