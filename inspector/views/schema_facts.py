"""What a schema says of a message and of the field under the cursor: its declaration, then its type as .proto source.

Where no schema tells the type one is inferred of a few messages, as `inspector infer` does of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from inspector.errors import InspectorError
from inspector.limits import KIB
from inspector.schema import Schema
from inspector.schema.descriptor_set import parse_descriptor_set
from inspector.schema.infer import infer
from inspector.schema.names import split_method
from inspector.schema.proto_source_text import is_identifier
from inspector.transcode.tree import FieldNode
from inspector.views.safe_text import safe
from inspector.views.schema_lines import source_lines
from inspector.views.spans import Line

MOST_INFERRED, MOST_INFERRED_BYTES = 50, 64 * KIB
"""Messages that a type is inferred of while the user waits: a few hundredths of a second."""

HERE = "▸ "


class Inferred(NamedTuple):
    """A schema made of messages, and the name of their type in it."""

    schema: Schema
    type_name: str
    messages: int


def told(schema: Schema, type_name: str, node: FieldNode | None) -> list[Line]:
    """What the schema says of a type, and of a field of a message of it."""
    heading: Line = [("title", "Type "), ("method", safe(type_name)), ("dim", _origin(schema, type_name))]
    around = list(_around(node))
    fields = [each.reading.field for each in around if each.reading.field is not None]
    unknown = node is not None and node.reading.field is None and not node.is_element
    note = [[("guess", f"the schema does not tell the field {safe(node.path)}")]] if unknown and node else []
    return _lines([heading, *note], schema, type_name, fields)


def guessed(inferred: Inferred, node: FieldNode | None, note: str) -> list[Line]:
    """The same of a type that was inferred. `note` says how to give a schema."""
    heading: Line = [("title", "Type "), ("method", safe(inferred.type_name))]
    heading.append(("dim", f"  inferred of {inferred.messages:,} messages; {note}"))
    fields: list[FieldDescriptor] = []
    message = inferred.schema.find_message(inferred.type_name)
    for each in _around(node):
        field = None if message is None or each.is_element else message.fields_by_number.get(each.number or 0)
        if field is None:
            break
        fields.append(field)
        message = field.message_type
    return _lines([heading], inferred.schema, inferred.type_name, fields)


def inferred(
    messages: Sequence[bytes], hints: Mapping[str, str], method: str | None, direction: str | None
) -> Inferred | None:
    """The type of messages of one method and direction; None where they are too large for it, or none can be read."""
    taken: list[bytes] = []
    size = 0
    for each in messages[:MOST_INFERRED]:
        size += len(each)
        if size > MOST_INFERRED_BYTES:
            break
        taken.append(each)
    service_method = split_method(method or "")[1]
    name = f"{service_method if is_identifier(service_method) else ''}{(direction or 'message').capitalize()}"
    try:
        files = infer(taken, hints, message_name=name).files if taken else []
    except InspectorError:
        return None
    if not files:
        return None
    found = Schema([parse_descriptor_set(FileDescriptorSet(file=files[:1]).SerializeToString(), "messages")])
    names = found.messages()
    root = next((each for each in names if each.rpartition(".")[2] == name), None)
    return None if root is None else Inferred(found, root, len(taken))


def _around(node: FieldNode | None) -> Sequence[FieldNode]:
    """A field and those that it is in, outermost first."""
    found: list[FieldNode] = []
    while node is not None:
        found.append(node)
        node = node.parent
    return found[::-1]


def _lines(lines: list[Line], schema: Schema, type_name: str, fields: Sequence[FieldDescriptor]) -> list[Line]:
    # An entry of a map has no source of its own: the map is what was declared.
    field = next((each for each in reversed(fields) if not _is_of_map(each)), None)
    shown = type_name
    if field is not None:
        lines = [*lines, [("title", "Field "), ("key", safe(field.full_name))], *source_lines(schema, field.full_name)]
        if field.containing_type is not None and not field.is_extension:
            shown = field.containing_type.full_name
    source = source_lines(schema, shown)
    place = _declaration(source, field) if field is not None and not field.is_extension else None
    marked = [[("key", HERE if number == place else "  "), *line] for number, line in enumerate(source)]
    return [*lines, [], *marked]


def _is_of_map(field: FieldDescriptor) -> bool:
    return field.containing_type is not None and bool(field.containing_type.GetOptions().map_entry)


def _declaration(source: Sequence[Line], field: FieldDescriptor) -> int | None:
    """The line of a message's source in which a field is declared: not that of a message within it."""
    wanted = f" {field.name} = {field.number}"
    blocks: list[str] = []
    for number, line in zip(count(), source, strict=False):
        text = "".join(part for _, part in line).strip()
        if text.startswith("//"):
            continue
        is_own = len(blocks) == 1 or (len(blocks) == 2 and blocks[1] == "oneof")
        if is_own and f" {text}".partition(wanted)[1] and not text.partition(wanted)[2][:1].isdigit():
            return number
        if text.endswith("{"):
            blocks.append(text.split(" ", 1)[0])
        elif text.startswith("}") and blocks:
            blocks.pop()
    return None


@lru_cache(maxsize=64)
def _origin(schema: Schema, name: str) -> str:
    """The file of a type, and where that is from."""
    try:
        symbol = schema.symbols.find(name)
    except InspectorError:
        return ""
    if symbol is None or symbol.entry is None:
        return ""
    return safe(f"  in {symbol.file}, from {symbol.entry.origin}")
