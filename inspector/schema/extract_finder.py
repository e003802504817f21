"""Serialized file descriptors in the midst of other bytes.

A FileDescriptorProto (google/protobuf/descriptor.proto) begins with its name: `0a`, a length, text. Nothing in front
tells its length, save within a FileDescriptorSet, so the fields that a file descriptor has are followed for as long as
they hold what they should: names are names, messages parse as descriptors of messages, the syntax is one of three.
What compiled programs have behind a descriptor (zeros, other strings, the next descriptor) hardly ever does.

Some programs hold the bytes as characters, in UTF-8 or the modified UTF-8 of Java: Python modules of old, Android.
Where there are such characters, the fields are followed once more with each of them as one byte.

Invariant: all that is returned parses as a file descriptor with at least one definition or import. The work is linear:
the bytes that are parsed in vain are bounded by a multiple of the bytes searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from mmap import mmap
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileOptions,
    ServiceDescriptorProto,
    SourceCodeInfo,
)
from google.protobuf.message import DecodeError as ParseError

from inspector.errors import DecodeError
from inspector.limits import MAX_SCHEMA
from inspector.wire.scan import LEN, MAX_FIELD_NUMBER, VARINT, read_length, read_tag, read_uint64

Buffer = bytes | mmap

WASTE_FACTOR, WASTE_ALLOWED = 8, 1 << 20
"""Bytes parsed in vain, to bytes searched: beyond it no more is found. A program has next to none of them."""

_START = re.compile(rb"\n(?:[\x01-\x7f]|[\x80-\xff][\x01-\x1f])[!-~\x80-\xff]")
"""The tag of the name, a length below 4,096, and a first character."""

_WIDE = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xc0\x80")
"""A byte of 128 and more as a character, and the NUL of Java."""

_WINDOW = 1 << 20
"""Bytes of a descriptor that is written in characters."""

_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_SYNTAXES = (b"proto2", b"proto3", b"editions")

_NAME, _PACKAGE, _DEPENDENCY, _MESSAGE, _ENUM, _SERVICE, _EXTENSION, _OPTIONS, _SOURCE_INFO = range(1, 10)
_PUBLIC, _WEAK, _SYNTAX, _EDITION, _OPTION_DEPENDENCY = 10, 11, 12, 14, 15
_ONCE = (_NAME, _PACKAGE, _OPTIONS, _SOURCE_INFO, _SYNTAX, _EDITION)
_NUMBERS = (_PUBLIC, _WEAK, _EDITION)
_CONTENT = (_DEPENDENCY, _MESSAGE, _ENUM, _SERVICE, _EXTENSION)


class Found(NamedTuple):
    """A file descriptor at `data[start:end]`. `cut_off` where the bytes end within it."""

    file: FileDescriptorProto
    start: int
    end: int
    cut_off: bool = False


def find_descriptors(data: Buffer) -> Iterator[Found]:
    """The file descriptors in `data`, in their order; nothing is found within another one."""
    waste = WASTE_FACTOR * len(data) + WASTE_ALLOWED
    position = 0
    while waste > 0:
        match = _START.search(data, position)
        if match is None:
            return
        walk = _walk(data, match.start())
        found = walk.found()
        if walk.has_wide_characters():
            waste -= _WINDOW
            found = _find_widened(data, match.start(), found)
        if found is None:
            position = match.start() + 1
            waste -= walk.parsed
        else:
            position = found.end
            yield found


def _find_widened(data: Buffer, start: int, narrow: Found | None) -> Found | None:
    """The descriptor at `start` with its bytes as characters, or `narrow`, as it is without, if that is longer."""
    content = narrowed(data[start : start + _WINDOW])
    found = _Walk(content, 0, len(content)).found()
    if found is None or (narrow is not None and _extent(found) <= _extent(narrow)):
        return narrow
    wide = content[: found.end].decode("latin-1").encode()
    # A NUL may take two bytes; then the end is a few bytes early, within the descriptor, where nothing else begins.
    return Found(found.file, start, start + len(wide), found.cut_off)


def _extent(found: Found) -> tuple[bool, int]:
    """How much of a descriptor it is: the syntax comes last."""
    return bool(found.file.syntax), found.end - found.start


def narrowed(content: bytes) -> bytes:
    """Characters in UTF-8, or the modified UTF-8 of Java, as one byte each; those above 255 stay what they are."""
    return _WIDE.sub(lambda match: bytes(((match[0][0] & 3) << 6 | match[0][1] & 0x3F,)), content)


def _walk(data: Buffer, start: int) -> _Walk:
    """A walk to where the length in front of a descriptor tells (there is one within a FileDescriptorSet), if that is
    an end, or else as far as it goes."""
    for size in range(1, 5):
        length = data[start - size : start] if start > size and data[start - size - 1] == 0x0A else b""
        try:
            announced, after = read_uint64(length, 0, len(length))
        except DecodeError:
            continue
        if after == size and start + announced <= len(data):
            walk = _Walk(data, start, start + announced, any_order=True)
            if walk.position == start + announced:
                return walk
    return _Walk(data, start, min(len(data), start + MAX_SCHEMA))


class _Walk:
    """The fields of a file descriptor which may begin at `start`, followed for as long as there are any."""

    def __init__(self, data: Buffer, start: int, limit: int, *, any_order: bool = False) -> None:
        self._data = cast(bytes, data)  # a mapped file serves where bytes do
        self._start = start
        self._seen: dict[int, int] = {}
        self._any_order = any_order
        self._is_edition = self._named_proto = self._cut_off = False
        self.parsed = 0
        """Bytes that were looked into."""
        self.position = start
        """Where the fields end."""
        self._follow(limit)

    def found(self) -> Found | None:
        """The descriptor, or None where there is none."""
        if not self._is_plausible():
            return None
        try:
            file = FileDescriptorProto.FromString(self._data[self._start : self.position])
        except (ParseError, ValueError):
            return None
        return Found(file, self._start, self.position, self._cut_off)

    def has_wide_characters(self) -> bool:
        """Whether bytes of the fields, or of that which could not be followed, may be written as characters. (Where
        its length is none of those bytes, it is below 128.)"""
        if not self._seen:
            return False
        return _WIDE.search(self._data[self._start : self.position + 128 + 4]) is not None

    def _is_plausible(self) -> bool:
        """Whether what was seen makes a descriptor. Where the name does not say so, more is asked for."""
        if not any(number in self._seen for number in _CONTENT):
            return False
        return self._named_proto or _SYNTAX in self._seen or (_PACKAGE in self._seen and _MESSAGE in self._seen)

    def _follow(self, limit: int) -> None:
        while self.position < limit:
            try:
                self.position = self._field(self.position, limit)
            except DecodeError as error:
                self._cut_off = error.code == "truncated" and self._is_next(self._data[self.position])
                return
            except (ParseError, ValueError):
                return

    def _is_next(self, tag: int) -> bool:
        """Whether that may well be the next field: serializers write them by number, and the syntax ends most."""
        return self._named_proto and _SYNTAX not in self._seen and tag & 7 == LEN and tag >> 3 >= max(self._seen)

    def _field(self, start: int, limit: int) -> int:
        """The offset behind the field at `start`. Raises ValueError, DecodeError or ParseError if it is none."""
        tag, position = read_tag(self._data, start, limit)
        number, wire_type = tag >> 3, tag & 7
        if (number in self._seen and number in _ONCE) or (not self._seen and number != _NAME):
            raise ValueError
        if not self._any_order and self._seen and number < max(self._seen):
            raise ValueError  # compilers write fields by number, and this is likelier what stands behind the descriptor
        if wire_type == VARINT and number in _NUMBERS:
            value, after = read_uint64(self._data, position, limit)
            self._check_number(number, value)
        elif wire_type == LEN and number in _CHECKS:
            length, position = read_length(self._data, position, limit)
            after = position + length
            self.parsed += length
            self._check(number, self._data[position:after])
            self._is_edition |= number == _SYNTAX and self._data[position:after] == b"editions"
            self._named_proto |= number == _NAME and self._data[position:after].endswith(b".proto")
        else:
            raise ValueError
        self._seen[number] = self._seen.get(number, 0) + 1
        return after

    def _check(self, number: int, content: bytes) -> None:
        if number == _OPTION_DEPENDENCY and not self._is_edition:
            raise ValueError
        _CHECKS[number](content)
        if number in _NUMBERS:
            for element in content:
                self._check_number(number, element)

    def _check_number(self, number: int, value: int) -> None:
        if number == _EDITION:
            if not self._is_edition or value not in Edition.values():
                raise ValueError
        elif value >= self._seen.get(_DEPENDENCY, 0):
            raise ValueError


def _check_text(content: bytes) -> None:
    if not _PRINTABLE.fullmatch(content.decode()):
        raise ValueError


def _check_package(content: bytes) -> None:
    if not _DOTTED.fullmatch(content.decode()):
        raise ValueError


def _check_syntax(content: bytes) -> None:
    if content not in _SYNTAXES:
        raise ValueError


def _check_indexes(content: bytes) -> None:
    if not content or max(content) > 127:
        raise ValueError


def _check_message(content: bytes) -> None:
    message = DescriptorProto.FromString(content)
    _check_names((message, *message.field, *message.nested_type, *message.enum_type))
    _check_fields(message.field)


def _check_enum(content: bytes) -> None:
    enum = EnumDescriptorProto.FromString(content)
    _check_names((enum, *enum.value))


def _check_service(content: bytes) -> None:
    service = ServiceDescriptorProto.FromString(content)
    _check_names((service, *service.method))


def _check_extension(content: bytes) -> None:
    field = FieldDescriptorProto.FromString(content)
    if not field.extendee:
        raise ValueError
    _check_names((field,))
    _check_fields((field,))


def _check_options(content: bytes) -> None:
    if not content or not FileOptions.FromString(content).ByteSize():
        raise ValueError


def _check_source_info(content: bytes) -> None:
    if not SourceCodeInfo.FromString(content).location:
        raise ValueError


def _check_fields(fields: Iterable[FieldDescriptorProto]) -> None:
    if not all(0 < field.number <= MAX_FIELD_NUMBER + 1 for field in fields):
        raise ValueError


def _check_names(nodes: Iterable[Any]) -> None:
    if not all(isinstance(node.name, str) and _IDENTIFIER.fullmatch(node.name) for node in nodes):
        raise ValueError


_CHECKS = {
    _NAME: _check_text,
    _PACKAGE: _check_package,
    _DEPENDENCY: _check_text,
    _MESSAGE: _check_message,
    _ENUM: _check_enum,
    _SERVICE: _check_service,
    _EXTENSION: _check_extension,
    _OPTIONS: _check_options,
    _SOURCE_INFO: _check_source_info,
    _PUBLIC: _check_indexes,
    _WEAK: _check_indexes,
    _SYNTAX: _check_syntax,
    _OPTION_DEPENDENCY: _check_text,
}
"""What raises ValueError or ParseError where the content of a LEN field is not what it should be."""
