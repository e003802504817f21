"""An inferred schema as a file descriptor, with the evidence as its comments.

Invariant: names are unique and identifiers, and what a sample shows in a comment is short and one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from inspector.limits import MAX_INFERRED_FIELDS
from inspector.schema.infer_known import entries_of_map, known_type
from inspector.schema.infer_survey import FieldSurvey, Survey, TypeSurvey
from inspector.schema.infer_types import InferredField, InferredType
from inspector.wire.kinds import NUMBERS, PACKED

F = FieldDescriptorProto

_RESERVED = range(19_000, 20_000)
"""Field numbers that no schema may use (language guide, "Assigning Field Numbers")."""

_KNOWN_FILES = {
    "google.protobuf.Any": "google/protobuf/any.proto",
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
}

_LEAST_CONFIDENCE = 0.05
"""Other readings that are less likely are not told."""

_MAX_SAMPLE = 24
"""Characters of a text that is shown as a sample. Longer ones may be anything, also credentials."""


class MethodTypes(NamedTuple):
    """A method and the types of its messages; all names empty for messages that no method tells."""

    service: str
    name: str
    request: InferredType
    response: InferredType
    streams: Sequence[bool]


def write_file(package: str, methods: Sequence[MethodTypes], survey: Survey, message_name: str) -> FileDescriptorProto:
    """The file that holds these methods and all the types that they reach."""
    return _Writer(package, methods, survey, message_name).file()


class _Writer:
    def __init__(self, package: str, methods: Sequence[MethodTypes], survey: Survey, message_name: str) -> None:
        self._methods = methods
        self._survey = survey
        self._prefix = f".{package}." if package else "."
        self._file = FileDescriptorProto(package=package)
        self._file.name = "/".join([*package.split("."), "inferred.proto"]) if package else "inferred.proto"
        self._names: dict[InferredType, str] = {}
        self._taken = {method.service for method in methods}
        self._known: dict[InferredType, str] = {}
        self._name_roots(message_name)
        self._name_nested()

    def file(self) -> FileDescriptorProto:
        has_groups = any(
            field.kind == "group" for message in self._names for field in message.fields.values() if field.type
        )
        self._file.syntax = "editions" if has_groups else "proto3"
        if has_groups:
            self._file.edition = Edition.EDITION_2023
        self._comment(
            (12,), " Inferred from messages: numbers and wire types are certain, kinds are likely, names are made up."
        )
        self._file.dependency.extend(sorted({_KNOWN_FILES[name] for name in self._known.values()}))
        for message in self._names:
            self._message(message)
        self._services()
        return self._file

    # --- names ---

    def _name_roots(self, message_name: str) -> None:
        for method in self._methods:
            if method.name:
                names = f"{method.name}Request", f"{method.name}Response"
            elif self._survey[method.response].messages:
                names = message_name or "Request", "Response"
            else:
                names = message_name or "Message", ""
            self._name(method.request, names[0], method.service)
            if names[1]:
                self._name(method.response, names[1], method.service)

    def _name(self, message: InferredType, name: str, service: str = "") -> None:
        if message not in self._names:
            self._names[message] = self._unique(name, service)

    def _unique(self, name: str, service: str) -> str:
        if name in self._taken and service:
            name = service + name
        unique, number = name, 2
        while unique in self._taken:
            unique, number = f"{name}{number}", number + 1
        self._taken.add(unique)
        return unique

    def _name_nested(self) -> None:
        """Names the types that fields are of, in the order in which a reader meets them."""
        waiting = list(self._names)
        number = 0
        for message in waiting:
            for field in self._fields(message):
                inner = field.type
                if inner is None or inner in self._names or inner in self._known:
                    continue
                known = known_type(inner, self._survey[inner]) if inner in self._survey else None
                if known is not None:
                    self._known[inner] = known
                    continue
                number += 1
                self._name(inner, f"Message{number}")
                waiting.append(inner)

    def _fields(self, message: InferredType) -> list[InferredField]:
        """The fields that were seen and may be declared, by number."""
        seen = self._survey[message].fields if message in self._survey else {}
        numbers = [number for number in sorted(seen) if number not in _RESERVED][:MAX_INFERRED_FIELDS]
        return [message.fields[number] for number in numbers]

    # --- messages ---

    def _message(self, message: InferredType) -> None:
        index = len(self._file.message_type)
        proto = self._file.message_type.add(name=self._names[message])
        survey = self._survey.get(message, TypeSurvey([], {}))
        fields = self._fields(message)
        self._comment((4, index), _message_comment(survey, len(survey.fields) - len(fields)))
        for field in fields:
            self._field(proto, index, field, survey)

    def _field(self, message: DescriptorProto, index: int, field: InferredField, survey: TypeSurvey) -> None:
        seen = survey.fields[field.number]
        proto = message.field.add(name=f"field_{field.number}", number=field.number, label=F.LABEL_OPTIONAL)
        plain = field.kind.removeprefix(PACKED)
        proto.type = _TYPES[plain]
        if field.type is not None:
            proto.type_name = (
                f".{self._known[field.type]}" if field.type in self._known else self._prefix + self._names[field.type]
            )
        if field.kind == "group":
            proto.options.features.message_encoding = FeatureSet.DELIMITED
        if plain != field.kind or seen.most_in_one > 1:
            proto.label = F.LABEL_REPEATED
        elif self._file.syntax == "proto3" and field.type is None:
            proto.proto3_optional, proto.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{proto.name}")
        comment = _field_comment(field, seen, len(survey.messages))
        if proto.label == F.LABEL_REPEATED and field.type is not None:
            comment += entries_of_map(field, survey.messages, self._survey)
        self._comment((4, index, 2, len(message.field) - 1), comment)

    # --- services ---

    def _services(self) -> None:
        by_service: dict[str, list[MethodTypes]] = {}
        for method in self._methods:
            if method.name:
                by_service.setdefault(method.service, []).append(method)
        for service, methods in by_service.items():
            proto = self._file.service.add(name=service)
            for method in methods:
                proto.method.add(
                    name=method.name,
                    input_type=self._prefix + self._names[method.request],
                    output_type=self._prefix + self._names[method.response],
                    client_streaming=method.streams[0] or None,
                    server_streaming=method.streams[1] or None,
                )

    def _comment(self, path: tuple[int, ...], comment: str) -> None:
        if comment:
            self._file.source_code_info.location.add(path=path, leading_comments=comment + "\n")


_TYPES = {
    **{name: F.Type.Value(f"TYPE_{name.upper()}") for name in NUMBERS if name != "enum"},
    "enum": F.TYPE_INT32,
    "string": F.TYPE_STRING,
    "bytes": F.TYPE_BYTES,
    "message": F.TYPE_MESSAGE,
    "group": F.TYPE_MESSAGE,
}


def _message_comment(survey: TypeSurvey, left_out: int) -> str:
    more = f" {left_out} fields more were seen, which are reserved or too many." if left_out else ""
    return f" Seen {_times(len(survey.messages))}.{more}" if survey.messages else " Not seen."


def _field_comment(field: InferredField, seen: FieldSurvey, messages: int) -> str:
    share = f"all {messages}" if seen.messages_with == messages else f"{seen.messages_with} of {messages}"
    parts = [f"In {share} messages" if messages > 1 else "In the one message"]
    if seen.most_in_one > 1:
        parts.append(f"up to {seen.most_in_one} in one")
    parts += _values(field, seen)
    others = [
        f"{each.kind} ({each.confidence:.2f})"
        for each in field.candidates
        if each.kind != field.kind and each.confidence >= _LEAST_CONFIDENCE
    ]
    if others:
        parts.append("may be " + " or ".join(others[:2]))
    if seen.strays:
        parts.append(f"{_times(seen.strays)} with another wire type, which this field does not read")
    return f" {'; '.join(parts)}."


def _values(field: InferredField, seen: FieldSurvey) -> Iterator[str]:
    plain = field.kind.removeprefix(PACKED)
    if plain in NUMBERS and seen.numbers is not None:
        shown = ", ".join(_number(plain, each) for each in seen.samples if isinstance(each, int))
        yield f"values {shown}" + (", ..." if len(seen.samples) > 2 else "")
    elif field.type is None and seen.lengths is not None:
        least, most = seen.lengths
        contents = [each for each in seen.samples if isinstance(each, bytes)] if plain == "string" else []
        texts = [each.decode("utf-8", "ignore") for each in contents]  # a long one is cut anywhere
        short = [_quoted(each) for each in texts if 0 < len(each) <= _MAX_SAMPLE]
        size = str(least) if least == most else f"{least} to {most}"
        yield ", ".join(short) if short else f"{size} bytes"


def _number(kind: str, value: int) -> str:
    number = NUMBERS[kind].read(value)
    return f"{number:.7g}" if isinstance(number, float) else str(number)


def _quoted(text: str) -> str:
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return f'"{escaped}"'


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
