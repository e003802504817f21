"""The fields of a message that its type does not have, as values."""

from __future__ import annotations

from inspector.transcode.tree import FieldTree
from inspector.wire.guess import JsonValue, guess


def unknown_fields(tree: FieldTree) -> dict[str, JsonValue]:
    """Paths of the unknown fields (`inputs[2].999`) with the guesses of their values, a list where one repeats.

    Fields within an unknown one are in its value.
    """
    found: dict[str, list[JsonValue]] = {}
    for node in tree.walk():
        if node.is_guess and node.number and not (node.parent and node.parent.is_guess):
            value = guess(tree.data[node.span.start : node.span.end]).value
            found.setdefault(_path(node.parent.path if node.parent else "", node.number), []).extend(value.values())
    return {path: values[0] if len(values) == 1 else values for path, values in found.items()}


def _path(parent: str, number: int) -> str:
    return f"{parent}.{number}" if parent else str(number)
