"""Opening an input and reading what it holds: what the command line, the TUI and users of the library talk to."""

from __future__ import annotations

import copy
import os
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import orjson

from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.sources.base import Source, SourceEvent
from inspector.sources.input import Input

if TYPE_CHECKING:
    from inspector.index.capture_index import CaptureIndex
    from inspector.schema import Schema
    from inspector.sources.sample import Samples
    from inspector.transcode.decode import MessageDecoder
    from inspector.wire.guess import Shape
    from inspector.wire.hints import Hints

MOST_REMEMBERED = 4_096
"""Methods whose types are remembered."""

NO_HINTS: Mapping[str, str] = {}

HintsOfMethods = Mapping[tuple[str | None, str | None], Mapping[str, str]]
"""By method and direction, as messages have them."""


class JsonOptions(NamedTuple):
    """How messages are printed: fields at their default, names as in the .proto file, enums as numbers, and what the
    schema does not know (under `$unknown`)."""

    emit_defaults: bool = False
    proto_names: bool = False
    enum_numbers: bool = False
    keep_unknown: bool = False


class DecodedMessage(NamedTuple):
    """A message with its JSON. `type_name` is None where it was guessed, `json` is `null` where `problem` is set.

    `is_seen` as in `DecodedJson`.
    """

    message: Message
    type_name: str | None
    json: bytes
    decoded_by: str
    unknown_bytes: int
    problem: Problem | None
    is_seen: bool = False

    @property
    def value(self) -> object:
        """The message as Python values; None where it could not be decoded."""
        return orjson.loads(self.json)


def open(
    path: str | os.PathLike[str],
    *,
    schema: Schema | None = None,
    kind: str | None = None,
    type_name: str | None = None,
    options: JsonOptions = JsonOptions(),
    hints: Mapping[str, str] = NO_HINTS,
) -> Session:
    """Opens a capture or a payload (`-` is standard input).

    `kind` names what it is where its bytes do not tell (`pcap`, `message`, ..., `message+hex`), `type_name` the
    message type where no method does; `hints` say what fields are where neither does (`{"3.1": "string"}`). Raises
    InputError where it cannot be opened or told, or for hints that are none, SchemaError for a type that the schema
    lacks.
    """
    if type_name is not None and schema is not None:
        schema.message(type_name)
    return Session(str(path), schema=schema, kind=kind, type_name=type_name, options=options, hints=hints)


class Session:
    """An input and the schema to read it with. Iterating reads the input; a file can be iterated again."""

    def __init__(
        self,
        path: str,
        *,
        schema: Schema | None = None,
        kind: str | None = None,
        type_name: str | None = None,
        options: JsonOptions = JsonOptions(),
        hints: Mapping[str, str] = NO_HINTS,
    ) -> None:
        self.path = path
        self.schema = schema
        self.type_name = type_name.removeprefix(".") if type_name else None
        self.damaged = False
        """Whether damage was met so far: in the input, or in a message that was decoded."""
        self._kind = kind
        self.options = options
        self._hints = hints
        self._own_hints: HintsOfMethods = {}
        self._decoder: MessageDecoder | None = None
        self._types: dict[tuple[str, str | None], str | None] = {}  # by method and direction, of those seen lately
        self._samples: Samples | None = None
        self._input: Input | None = Input(path, kind)
        self.source: Source = self._input.source
        self._passed_over: str | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the input of a session that is not read. (Reading to the end closes it.)"""
        if self._input is not None:
            self._input.close()
            self._input = None

    def for_thread(self) -> Session:
        """Another one of the same input and schema, to decode in another thread while this one is used."""
        other = copy.copy(self)
        other._input = other._decoder = other._samples = None
        other._types = {}
        return other

    def using(self, schema: Schema | None, type_name: str | None = None) -> Session:
        """The same with another schema, and the message type where no method tells it. Raises SchemaError where the
        schema lacks that."""
        if type_name is not None and schema is not None:
            schema.message(type_name)
        other = self.for_thread()
        other.schema = schema
        other.type_name = type_name.removeprefix(".") if type_name else None
        return other

    def hints_of(self, message: Message) -> Mapping[str, str]:
        """The hints by which it is read where no schema tells a field: those of all messages where none tells its type,
        then those of its method and direction."""
        own = self.own_hints_of(message)
        return own if self.type_of(message) else {**self._hints, **own}

    def own_hints_of(self, message: Message) -> Mapping[str, str]:
        """Those that were given for its method and direction alone."""
        return self._own_hints.get((message.method, message.direction), NO_HINTS)

    def give_hints(self, message: Message, hints: Mapping[str, str]) -> None:
        """From now on these are the hints of all messages of its method and direction. Raises InputError for hints that
        are none."""
        self.own_hints = {**self._own_hints, (message.method, message.direction): dict(hints)}

    @property
    def own_hints(self) -> HintsOfMethods:
        """All that were given so."""
        return self._own_hints

    @own_hints.setter
    def own_hints(self, hints: HintsOfMethods) -> None:
        from inspector.wire.hints import Hints  # noqa: PLC0415  # not needed where a schema tells

        for each in hints.values():
            Hints(each)
        self._own_hints = hints
        self._samples = None

    def sample_of(self, message: Message) -> list[bytes]:
        """Messages of its method and direction, of those that are judged together where no schema tells their type."""
        return self._known_samples().messages_of(message)

    def batches(self, *, with_messages: bool = True) -> Iterator[list[SourceEvent]]:
        """Messages, calls, and problems that belong to no call, in the order of the capture; a list for each read.

        Who wants no messages gets the rest sooner.
        """
        source_input = self._input or Input(self.path, self._kind)
        self._input = None
        parser = self.source.open(with_messages=with_messages)
        with source_input:
            for data in source_input.pieces():
                yield self._noting_damage(parser.feed(data))
        events = parser.close()
        self._passed_over = parser.describe()
        if source_input.problem is not None:
            events.append(source_input.problem)
        yield self._noting_damage(events)

    def events(self) -> Iterator[SourceEvent]:
        """The same one by one."""
        for batch in self.batches():
            yield from batch

    def messages(self) -> Iterator[Message]:
        """All messages, as they become whole."""
        return (event for event in self.events() if isinstance(event, Message))

    def calls(self) -> Iterator[Call]:
        """All calls, as they end."""
        batches = self.batches(with_messages=False)
        return (event for batch in batches for event in batch if isinstance(event, Call))

    def problems(self) -> Iterator[Problem]:
        """Problems that belong to no call."""
        return (event for event in self.events() if isinstance(event, Problem))

    def index(self, *, keep: bool = True) -> CaptureIndex:
        """The calls and messages by number, of an input of any size. It is read as `CaptureIndex.advance` or `build`
        is called, or was before, and then is found in the user's cache folder (unless `keep` is False)."""
        from inspector.index.capture_index import CaptureIndex  # noqa: PLC0415  # not needed to read from end to end

        opened, self._input = self._input, None
        return CaptureIndex(self.path, self._kind, opened=opened, keep=keep)

    @property
    def passed_over(self) -> str | None:
        """One line on what the input held, known when it was read to its end."""
        return self._passed_over

    def decode(self, message: Message) -> DecodedMessage:
        """A message as JSON: by the schema where that knows the method, by guessing otherwise."""
        type_name = self.type_of(message)
        if message.data is None:
            by = "guess" if type_name is None else "schema"
            return DecodedMessage(message, type_name, b"null", by, 0, message.problem)
        shape = self._shape_of(message, message.data) if type_name is None else None
        decoded = self._message_decoder().decode_json(type_name, message.data, shape)
        if decoded.error is None:
            if shape is not None and not self.source.is_capture:
                decoded = decoded._replace(json=_editable(message.data, shape), is_seen=False)
            json, unknown_bytes, decoded_by, _, is_seen = decoded
            return DecodedMessage(message, type_name, json, decoded_by, unknown_bytes, None, is_seen)
        self.damaged = True
        problem = Problem(decoded.error.code, decoded.error.message, None, decoded.error.offset)
        return DecodedMessage(message, type_name, b"null", decoded.decoded_by, 0, problem)

    def decode_details(self, details: bytes) -> list[object] | None:
        """The details of a serialized google.rpc.Status as JSON values; None where it is damaged."""
        return self._message_decoder().status_details(details)

    def type_of(self, message: Message) -> str | None:
        """The full name of its type, by the schema or as it was told; None where it is to be guessed."""
        if message.method is None or self.schema is None:
            return self.type_name
        key = message.method, message.direction
        if key not in self._types:
            if len(self._types) >= MOST_REMEMBERED:
                self._types.clear()
            self._types[key] = self._look_up_type(self.schema, *key)
        return self._types[key]

    def _look_up_type(self, schema: Schema, path: str, direction: str | None) -> str | None:
        method = schema.find_method(path)
        if method is None:
            return self.type_name
        return str((method.input_type if direction == "request" else method.output_type).full_name)

    def _shape_of(self, message: Message, data: bytes) -> Shape:
        """What the messages of its method and direction have in common."""
        return self._known_samples().shape_of(message, data)

    def _known_samples(self) -> Samples:
        if self._samples is None:
            from inspector.sources.sample import Samples  # noqa: PLC0415  # not needed where a schema tells

            self._samples = Samples(self._group_of, self._hints_of_group)
            self._samples.look_ahead(self.path, self._kind)
        return self._samples

    def _hints_of_group(self, group: Hashable | None) -> Hints:
        from inspector.wire.hints import Hints  # noqa: PLC0415  # as above

        own = self._own_hints.get(group, NO_HINTS) if isinstance(group, tuple) else NO_HINTS
        return Hints({**self._hints, **own}, are_of_one_type=bool(own) or not self.source.is_capture)

    def _group_of(self, message: Message) -> Hashable | None:
        return None if self.type_of(message) else (message.method, message.direction)

    def _message_decoder(self) -> MessageDecoder:
        if self._decoder is None:
            # Not needed to list calls, and protobuf takes longer to load than a small capture to read.
            from inspector.schema import Schema  # noqa: PLC0415
            from inspector.transcode.decode import MessageDecoder  # noqa: PLC0415

            self._decoder = MessageDecoder(self.schema or Schema.empty(), **self.options._asdict())
        return self._decoder

    def _noting_damage(self, events: list[SourceEvent]) -> list[SourceEvent]:
        if not self.damaged:
            # Nearly all events are calls without a problem: those are told without a function call each.
            doubtful = [event for event in events if type(event) is not Call or event.problems]
            self.damaged = any(map(_is_damaged, doubtful))
        return events


def _editable(data: bytes, shape: Shape) -> bytes:
    """A guess in the form that can be written back: a payload by itself is there to be edited."""
    from inspector.wire import untyped  # noqa: PLC0415  # not needed where a schema tells

    return orjson.dumps(untyped.to_value(data, shape.kinds()))


def _is_damaged(event: SourceEvent) -> bool:
    if type(event) is Call:
        return bool(event.problems) and any(problem.is_damage for problem in event.problems)
    if type(event) is Message:
        return event.problem is not None
    return isinstance(event, Problem) and event.is_damage
