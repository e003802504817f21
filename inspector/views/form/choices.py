"""What can be chosen at a row of a form: as label, detail, and what choosing it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from inspector.schema import Schema
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.views.form.items import enum_of, item_of
from inspector.views.form.model import Form
from inspector.views.form.rows import FormRow
from inspector.views.safe_text import safe

Choice = tuple[str, str, Any]

DEEPEST_MASK = 3
"""Names in a path of a mask that is completed."""

MOST_MASKED = 2_000
"""Paths of masks that are completed."""


def enum_values(row: FormRow) -> list[Choice]:
    """The values of an enum by their names."""
    assert row.item is not None
    return [(safe(each.name), str(each.number), each.name) for each in enum_of(row.item).values]


def typed_number(row: FormRow, text: str) -> Choice | None:
    """A number that an open enum takes, although it has no name there."""
    assert row.item is not None
    enum, bare = enum_of(row.item), text.strip()
    if not bare.removeprefix("-").isdecimal() or len(bare) > 11:
        return None
    number = int(bare)
    known = next((each.name for each in enum.values if each.number == number), None)
    if known is not None:
        return safe(known), str(number), known
    return (str(number), "has no name here", str(number)) if not enum.is_closed else None


def arms(row: FormRow) -> list[Choice]:
    """What a oneof can hold. The first choice, which stands for none of it, is False."""
    assert row.oneof is not None
    found = [(safe(each.name), item_of(each).type, each) for each in row.oneof.fields]
    return [("(none)", "", False), *found]


def mask_paths(field: FieldDescriptor) -> list[str]:
    """What a mask in that field may name: fields of the messages beside it, as in `UpdateRequest {item, update_mask}`,
    then those of its own message."""
    around = field.containing_type
    assert around is not None
    beside = [within for each in around.fields if each is not field and (within := _within(each)) is not None]
    found = dict.fromkeys(path for each in (*beside, around) for path in _paths(each, DEEPEST_MASK))
    return list(islice(found, MOST_MASKED))


def _paths(message: Descriptor, depth: int) -> Iterator[str]:
    for field in message.fields:
        yield field.name
        if depth > 1 and (within := _within(field)) is not None:
            yield from (f"{field.name}.{path}" for path in _paths(within, depth - 1))


def _within(field: FieldDescriptor) -> Descriptor | None:
    """The message in a field of which a mask may name fields."""
    type_ = field.message_type
    is_opaque = type_ is None or field.is_repeated or type_.full_name.startswith("google.protobuf.")
    return None if is_opaque else type_


def extensions(form: Form, row: FormRow) -> list[Choice]:
    """Extensions that are not there yet."""
    return [(safe(each.full_name), _type(each), each) for each in form.extensions(row)]


def _type(field: FieldDescriptor) -> str:
    name = item_of(field).type
    return f"list of {name}" if field.is_repeated else name


def any_types(schema: Schema | None) -> list[Choice]:
    """Every message type that an Any can hold."""
    schema = schema or Schema.empty()
    own = schema.messages()
    known = [name for name in schema.known_messages() if name not in set(own)]
    return [(safe(name), _package(name), name) for name in (*own, *known)]


def _package(name: str) -> str:
    return "always known" if any(name.startswith(f"{each}.") for each in KNOWN_PACKAGES) else ""
