"""How rows of a form look: the value with its style, and a line that says more."""

from __future__ import annotations

from inspector.transcode.json_text import dumps
from inspector.views.form.model import Form
from inspector.views.form.rows import TYPE, FormRow, type_in
from inspector.views.form.texts import MOST_TEXT, hint_for
from inspector.views.form.values import Absent
from inspector.views.safe_text import safe, safe_json
from inspector.views.spans import Span

_STYLES = {"string": "string", "bytes": "string", "integer": "number", "real": "number", "bool": "word", "enum": "word",
           "timestamp": "string", "duration": "number"}  # fmt: skip


def value_span(form: Form, row: FormRow) -> Span:
    """The value of a row, or what stands for it."""
    fault = form.faults.get(row.path)
    if fault is not None:
        return "bad", safe(fault.text[:MOST_TEXT])
    value = row.value
    if isinstance(value, Absent):
        return "dim", _absent(form, row)
    if row.role == "oneof":
        return "word", str(value)
    if row.role in ("list", "map"):
        count = len(value) if isinstance(value, list | dict) else 0
        noun = ("element", "entry")[row.role == "map"]
        return "dim", f"{count:,} {noun if count == 1 else ('elements', 'entries')[row.role == 'map']}"
    if row.item is None:
        return "", ""
    if row.item.kind == "any":
        url = value.get(TYPE) if isinstance(value, dict) else None
        return ("word", safe(type_in(str(url)))) if url else ("dim", "of no type")
    if row.item.kind == "message":
        count = len(value) if isinstance(value, dict) else 0
        return "dim", f"{count} field{'' if count == 1 else 's'} set" if count else "empty"
    text = form.text(row)[:MOST_TEXT]
    if row.item.kind == "string" and not text:
        return "dim", '""'
    return _STYLES.get(row.item.kind, ""), text


def _absent(form: Form, row: FormRow) -> str:
    if row.role == "oneof":
        return "none"
    if row.role in ("list", "map"):
        return "none"
    if row.role == "extensions":
        return "add one"
    default = safe(form.default(row))
    if row.field is not None and row.field.has_presence:
        return f"not set, {default} by default" if row.field.has_default_value else "not set"
    return default or '""'


def note_of(form: Form, row: FormRow) -> str:
    """What a row is, and what may be typed."""
    parts = []
    if row.field is not None and not row.is_element and not row.is_entry:
        number = f"{row.type} = {row.field.number}"
        parts.append(f"required {number}" if row.is_required else number)
    else:
        parts.append(row.type)
    if row.item is not None and row.role in ("value", "unknown"):
        parts.append(hint_for(row.item))
    return "   ".join(filter(None, parts))


def long_text(form: Form, row: FormRow) -> str:
    """The value as it is edited in a window: text with its lines, JSON indented."""
    fault = form.faults.get(row.path)
    if fault is not None or isinstance(row.value, Absent) or row.item is None:
        return form.text(row)
    if row.item.kind == "json":
        return safe_json(dumps(row.value, 2)).decode()
    if row.item.kind == "string" and isinstance(row.value, str):
        bare = row.value.replace("\n", " ")
        return row.value if safe(bare) == bare and not bare.startswith('"') else form.text(row)
    return form.text(row)
