"""What can be open while text format is read: messages by type, by number, or passed over; and what stands in them.

A frame is a message that is open, a slot a field of it whose name was read and whose value comes next.

Invariant: a frame of a type refuses what the type does not have, a field set twice, and two fields of one oneof.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError

from inspector.formats.text_fields import FieldPlan, MessagePlan, MessagePlans
from inspector.formats.text_literals import read_integer, read_string, skip_value
from inspector.formats.text_names import field_name
from inspector.formats.text_tokens import NAME, NUMBER, STRING, TextProblem, Tokens
from inspector.schema.wording import one_line
from inspector.transcode.field_writers import message_set_item
from inspector.transcode.fields import find_field, is_message_set
from inspector.transcode.resolver import Resolver
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import EGROUP, I32, I64, MAX_FIELD_NUMBER, SGROUP, VARINT

_FIXED = {10: (I32, 4), 18: (I64, 8)}
"""Wire type and size of fixed fields told by number, by the length of their text."""

_TYPE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)*+")


class Types(MessagePlans):
    """The message types of a schema by their descriptors, and by name. `ignore_unknown` says to skip what it lacks."""

    def __init__(self, resolver: Resolver | None, ignore_unknown: bool) -> None:
        super().__init__(ignore_unknown)
        self._resolver = resolver

    def named(self, name: str) -> MessagePlan | None:
        """The type of that name, or None."""
        descriptor = self._resolver.find_message(name) if self._resolver else None
        return None if descriptor is None else self[descriptor]


class Slot(ABC):
    """A field whose name was read, and whose value comes next. `is_message` where it takes no other value."""

    __slots__ = ()
    repeated = True
    is_message = False

    @abstractmethod
    def place(self) -> str:
        """What it is called in a path."""

    @abstractmethod
    def scalar(self, tokens: Tokens) -> None:
        """Reads a value that is not a message."""

    @abstractmethod
    def message(self, tokens: Tokens, closing: str) -> Frame:
        """What the bracket opens that is the token; `closing` ends it."""


class Frame(ABC):
    """A message that is open. `slot` is the field within it that is being read; `in_list` tells that it is in [ ]."""

    def __init__(self, closing: str) -> None:
        self.closing = closing
        self.slot: Slot | None = None
        self.in_list = False
        self.has_colon = False

    def place(self) -> str:
        """The field within it, for a path."""
        return "" if self.slot is None else self.slot.place()

    @abstractmethod
    def begin(self, tokens: Tokens) -> Slot:
        """Reads the name of a field."""

    def finish(self, tokens: Tokens) -> None:  # noqa: B027  # most have nothing to do
        """At its end, which is the token."""


class Content(Frame):
    """A message that bytes are made of."""

    @abstractmethod
    def add_raw(self, number: int, raw: bytes, start: int) -> None:
        """Adds a field told by its number, which stands at the offset."""

    @abstractmethod
    def wire(self) -> bytes:
        """The bytes of the message."""

    def length_delimited(self, number: int, content: bytes) -> bytes:
        """A LEN field told by its number."""
        return length_delimited(number, content)


class Typed(Content):
    """A message whose type is known. `seen` counts values by field number."""

    def __init__(self, closing: str, plan: MessagePlan, types: Types, message: Any = None) -> None:
        super().__init__(closing)
        self.plan = plan
        self.types = types
        self.message: Any = plan.new() if message is None else message
        self.seen: dict[int, int] = {}
        self._oneofs: dict[str, FieldPlan] = {}

    def begin(self, tokens: Tokens) -> Slot:
        if tokens.kind == NAME:
            return self._named(tokens)
        if tokens.kind == NUMBER:
            return _numbered_slot(self, tokens)
        if tokens.text == "[":
            return self._bracketed(tokens)
        raise tokens.unexpected("the name of a field")

    def finish(self, tokens: Tokens) -> None:
        for number, name in self.plan.required.items():
            if number not in self.seen:
                raise tokens.problem(f"the required field {name} is missing")

    def add_raw(self, number: int, raw: bytes, start: int) -> None:
        # The runtime knows best what it keeps as unknown: what it lists it took for a field.
        probe: Any = self.plan.new()
        try:
            probe.MergeFromString(raw)
            taken = bool(probe.ListFields())
        except ProtobufDecodeError:
            taken = True
        if taken:
            field = find_field(self.plan.descriptor, number)
            name = field_name(field) if field else "known"
            raise TextProblem(f"field {number} is {name}", start, "numbers stand for fields that the schema lacks")
        self.message.MergeFromString(raw)

    def length_delimited(self, number: int, content: bytes) -> bytes:
        make = message_set_item if is_message_set(self.plan.descriptor) else length_delimited
        return make(number, content)

    def wire(self) -> bytes:
        made: bytes = self.message.SerializePartialToString(deterministic=True)
        return made

    def _named(self, tokens: Tokens) -> Slot:
        name = tokens.text
        plan = self.plan.field(name)
        if plan is not None:
            self._claim(plan, tokens.start)
        elif not (self.types.ignore_unknown or name in self.plan.reserved):
            message = f"{self.plan.descriptor.full_name} has no field {one_line(name)}"
            raise self._at(name, tokens.problem(message, self.plan.near(name)))
        tokens.advance()
        return _SkippedSlot(name) if plan is None else _FieldSlot(self, plan)

    def _bracketed(self, tokens: Tokens) -> Slot:
        start = tokens.start
        name = tokens.bracketed()
        if self.plan.is_any:
            return _AnySlot(self, name, start)
        plan = self.plan.extension(name)
        if plan is not None:
            self._claim(plan, start)
            return _FieldSlot(self, plan)
        if self.types.ignore_unknown:
            return _SkippedSlot(f"[{name}]")
        message = f"{self.plan.descriptor.full_name} has no extension {one_line(name)}"
        hint = "only google.protobuf.Any takes URLs" if "/" in name else "its .proto file has to be in the schema"
        raise self._at(f"[{name}]", TextProblem(message, start, hint))

    def _claim(self, plan: FieldPlan, start: int) -> None:
        """Notes that a field is set. Neither it nor its oneof may be set twice."""
        if plan.repeated:
            return
        if plan.number in self.seen:
            raise self._at(plan.name, TextProblem(f"{plan.name} is set a second time", start, "it is not repeated"))
        other = self._oneofs.setdefault(plan.oneof, plan) if plan.oneof else plan
        if other is not plan:
            message = f"{plan.name} and {other.name} exclude each other"
            raise self._at(plan.name, TextProblem(message, start, f"both are of the oneof {plan.oneof}"))
        self.seen[plan.number] = 0

    def _at(self, name: str, problem: TextProblem) -> TextProblem:
        """Puts a problem with a field that cannot be begun into its path."""
        self.slot = _SkippedSlot(name)
        return problem


class _FieldSlot(Slot):
    """A field of the schema."""

    __slots__ = ("_frame", "_index", "_plan", "is_message", "repeated")

    def __init__(self, frame: Typed, plan: FieldPlan) -> None:
        self._frame = frame
        self._plan = plan
        self._index: int | None = None
        self.repeated = plan.repeated
        self.is_message = plan.child is not None

    def place(self) -> str:
        return self._plan.name if self._index is None else f"{self._plan.name}[{self._index}]"

    def scalar(self, tokens: Tokens) -> None:
        plan = self._plan
        if plan.read is None:
            raise tokens.unexpected("{ or <", f"{plan.name} is a message")
        if plan.repeated:
            self._count()
        value = plan.read(tokens)
        if value is not None:
            plan.put(self._frame.message, value)

    def message(self, tokens: Tokens, closing: str) -> Frame:
        plan = self._plan
        if plan.child is None:
            raise tokens.unexpected("a value", f"{plan.name} is not a message")
        if plan.repeated:
            self._count()
        if plan.is_map:
            return _MapEntry(closing, plan.child, self._frame, plan.number)
        return Typed(closing, plan.child, self._frame.types, plan.new_child(self._frame.message))

    def _count(self) -> None:
        seen = self._frame.seen
        self._index = seen.get(self._plan.number, 0)
        seen[self._plan.number] = self._index + 1


class _MapEntry(Typed):
    """An entry of a map. It goes into the map by the wire, where a later one with the same key replaces it."""

    def __init__(self, closing: str, plan: MessagePlan, holder: Typed, number: int) -> None:
        super().__init__(closing, plan, holder.types)
        self._holder = holder
        self._number = number

    def finish(self, tokens: Tokens) -> None:
        super().finish(tokens)
        self._holder.message.MergeFromString(length_delimited(self._number, self.wire()))


class _AnySlot(Slot):
    """The payload of an Any, told by the URL of its type."""

    __slots__ = ("_frame", "_start", "_url")
    repeated = False
    is_message = True

    def __init__(self, frame: Typed, url: str, start: int) -> None:
        self._frame = frame
        self._url = url
        self._start = start

    def place(self) -> str:
        return f"[{one_line(self._url)}]"

    def scalar(self, tokens: Tokens) -> None:
        raise tokens.unexpected("{ or <")

    def message(self, tokens: Tokens, closing: str) -> Frame:
        prefix, _, name = self._url.rpartition("/")
        if not prefix or prefix[0] == "/" or not _TYPE_NAME.fullmatch(name):
            hint = f"type.googleapis.com/{name}" if _TYPE_NAME.fullmatch(name) else "domain/pkg.Type"
            raise TextProblem(f"{one_line(self._url)} is not the URL of a type", self._start, hint)
        plan = self._frame.types.named(name)
        if plan is None:
            hint = "write type_url and value instead"
            raise TextProblem(f"the schema has no message type {one_line(name)}", self._start, hint)
        for field in self._frame.plan.descriptor.fields:
            if field.number in self._frame.seen:
                raise TextProblem("the Any has a type already", self._start)
            self._frame.seen[field.number] = 0
        return _AnyPayload(closing, plan, self._frame, self._url)


class _AnyPayload(Typed):
    """The message within an Any."""

    def __init__(self, closing: str, plan: MessagePlan, holder: Typed, url: str) -> None:
        super().__init__(closing, plan, holder.types)
        self._holder: Any = holder.message
        self._url = url

    def finish(self, tokens: Tokens) -> None:
        super().finish(tokens)
        self._holder.type_url = self._url
        self._holder.value = self.wire()


class Numbered(Content):
    """A message without a type: all its fields are told by number."""

    def __init__(self, closing: str) -> None:
        super().__init__(closing)
        self._content = bytearray()

    def begin(self, tokens: Tokens) -> Slot:
        if tokens.kind != NUMBER:
            raise tokens.unexpected("the number of a field", "names need a type: of this message none is known")
        return _numbered_slot(self, tokens)

    def add_raw(self, number: int, raw: bytes, start: int) -> None:
        self._content += raw

    def wire(self) -> bytes:
        return bytes(self._content)


class _NumberedSlot(Slot):
    """A field told by number; the form of its value says how it is on the wire."""

    __slots__ = ("_frame", "_number", "_start")

    def __init__(self, frame: Content, number: int, start: int) -> None:
        self._frame = frame
        self._number = number
        self._start = start

    def place(self) -> str:
        return str(self._number)

    def scalar(self, tokens: Tokens) -> None:
        self._frame.add_raw(self._number, self._value(tokens), self._start)

    def message(self, tokens: Tokens, closing: str) -> Frame:
        return _NumberedContent(closing, self)

    def add_message(self, content: bytes, is_group: bool) -> None:
        """Adds a value that is a message."""
        if is_group:
            raw = tag(self._number, SGROUP) + content + tag(self._number, EGROUP)
        else:
            raw = self._frame.length_delimited(self._number, content)
        self._frame.add_raw(self._number, raw, self._start)

    def _value(self, tokens: Tokens) -> bytes:
        if tokens.kind == STRING:
            return self._frame.length_delimited(self._number, read_string(tokens))
        if tokens.text[:2] not in ("0x", "0X"):
            return tag(self._number, VARINT) + varint(read_integer(tokens, -(1 << 63), (1 << 64) - 1))
        if len(tokens.text) not in _FIXED:
            raise tokens.problem("0x takes 8 or 16 digits", "a fixed field has 4 or 8 bytes; varints are decimal")
        wire_type, size = _FIXED[len(tokens.text)]
        value = read_integer(tokens, 0, (1 << 8 * size) - 1)
        return tag(self._number, wire_type) + value.to_bytes(size, "little")


class _NumberedContent(Numbered):
    """The content of a field told by number."""

    def __init__(self, closing: str, slot: _NumberedSlot) -> None:
        super().__init__(closing)
        self._slot = slot

    def finish(self, tokens: Tokens) -> None:
        self._slot.add_message(self.wire(), self.closing == ">")


def _numbered_slot(frame: Content, tokens: Tokens) -> _NumberedSlot:
    start = tokens.start
    if not tokens.text.isdigit() or tokens.text[0] == "0":
        raise tokens.unexpected("the number of a field")
    return _NumberedSlot(frame, read_integer(tokens, 1, MAX_FIELD_NUMBER), start)


class _Skipped(Frame):
    """A message that is passed over."""

    def begin(self, tokens: Tokens) -> Slot:
        name = tokens.text
        if name == "[":
            name = tokens.bracketed()
        elif tokens.kind in (NAME, NUMBER):
            tokens.advance()
        else:
            raise tokens.unexpected("the name of a field")
        return _SkippedSlot(name)


class _SkippedSlot(Slot):
    """A field that is passed over, with whatever value."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def place(self) -> str:
        return one_line(self._name)

    def scalar(self, tokens: Tokens) -> None:
        skip_value(tokens)

    def message(self, tokens: Tokens, closing: str) -> Frame:
        return _Skipped(closing)
