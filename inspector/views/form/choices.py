"""What can be chosen at a row of a form: as label, detail, and what choosing it stands for."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from inspector.schema import Schema
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.views.form.items import enum_of, item_of
from inspector.views.form.model import Form
from inspector.views.form.rows import FormRow
from inspector.views.safe_text import safe

Choice = tuple[str, str, Any]


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
