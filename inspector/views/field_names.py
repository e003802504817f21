"""What names an expression of the filter language may go on with: fields of records, and of the types of messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from inspector.views.where import CALL_FIELDS, DIRECTIONS, MESSAGE_FIELDS

if TYPE_CHECKING:
    from inspector.schema import Schema

MOST_METHODS = 500
"""Methods whose types are looked at."""

MOST_NAMES = 40
"""Names that are offered at once."""

_INNER = {
    "status": ("code", "name", "message", "details", "source"),
    "problems": ("code", "message", "packet", "offset"),
    "error": ("code", "message", "offset"),
}
_PATH = re.compile(r"[A-Za-z_][\w.]*$|(?<![\w.\"')\]])$")
_MACRO = r"([A-Za-z_][\w.]*)\.(?:exists|all|exists_one|filter|map)\(\s*{}\s*,"


class FieldNames:
    """The names that there are. `methods` are those of the calls, as far as a schema has them."""

    def __init__(self, schema: Schema | None, methods: Iterable[str | None]) -> None:
        self._types: dict[str, list[Any]] = {"request": [], "response": [], "message": []}
        if schema is None:
            return
        for path in [*dict.fromkeys(path for path in methods if path)][:MOST_METHODS]:
            method = schema.find_method(path)
            if method is not None:
                self._add("request", method.input_type)
                self._add("response", method.output_type)

    def _add(self, name: str, descriptor: Any) -> None:
        for known in (self._types[name], self._types["message"]):
            if descriptor not in known:
                known.append(descriptor)

    def after(self, path: list[str]) -> list[str]:
        """The names that may follow a path."""
        if not path:
            return [*dict.fromkeys((*DIRECTIONS, *CALL_FIELDS, *MESSAGE_FIELDS))]
        if len(path) == 1 and path[0] in _INNER:
            return [*_INNER[path[0]]]
        types = self._types.get(path[0], [])
        for name in path[1:]:
            types = [inner for each in types for inner in _inner_types(each, name)]
        return sorted({field.json_name for each in types for field in each.fields})


def complete(text: str, names: FieldNames) -> tuple[int, list[str]]:
    """Where the name begins that the text ends with, and what it may become."""
    match = _PATH.search(text)
    if match is None or _is_in_text(text[: match.start()]):
        return len(text), []
    outer, dot, last = match[0].rpartition(".")
    if not match[0] and not text.endswith((" ", "(", "!")) and text:
        return len(text), []
    path = _resolved(outer.split(".") if dot else [], text)
    found = [name for name in names.after(path) if name.startswith(last) and name != last]
    return len(text) - len(last), found[:MOST_NAMES]


def _resolved(path: list[str], text: str, depth: int = 0) -> list[str]:
    """A path whose first name may be what `exists` and the like call an element."""
    if not path or depth > 5:
        return path
    found = re.findall(_MACRO.format(re.escape(path[0])), text)
    return [*_resolved(found[-1].split("."), text, depth + 1), *path[1:]] if found else path


def _is_in_text(text: str) -> bool:
    return text.count('"') % 2 == 1 or text.count("'") % 2 == 1


def _inner_types(descriptor: Any, name: str) -> list[Any]:
    field = next((field for field in descriptor.fields if field.json_name == name), None)
    inner = field.message_type if field is not None else None
    return [] if inner is None or inner.GetOptions().map_entry else [inner]
