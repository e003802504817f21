"""`exists` as CEL means it: an element for which the condition is an error does not hide another for which it is true.

The library ends at the first error, and fields that are not set are missing from the JSON of a message. So within
`exists` each comparison that asks for fields of an element is told to ask first whether they are there:
`l.score > 0.9` becomes `(has(l.score) && (l.score > 0.9))`, within a `!` the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator

from inspector.views.cel_syntax import Node, NotReadError, read

Edit = tuple[int, str]
"""Text to be put in at an offset."""


def guarded(text: str) -> str:
    """The same expression, with `exists` that passes over elements without the fields that it asks for."""
    try:
        edits = [*_within(read(text), text)]
    except NotReadError:
        return text
    for at, more in sorted(edits, key=_place, reverse=True):
        text = text[:at] + more + text[at:]
    return text


def _place(edit: Edit) -> int:
    return edit[0]


def _within(node: Node, text: str) -> Iterator[Edit]:
    if node.kind == "call" and node.value == "exists" and len(node.parts) == 3 and node.parts[1].kind == "name":
        target, name, body = node.parts
        yield from _within(target, text)
        yield from _condition(body, text, str(name.value), is_wanted=True)
        return
    for part in node.parts:
        yield from _within(part, text)


def _condition(node: Node, text: str, name: str, *, is_wanted: bool) -> Iterator[Edit]:
    """Of a condition on the element `name`; `is_wanted` where it being true makes all of it true."""
    if node.kind in ("and", "or"):
        for part in node.parts:
            yield from _condition(part, text, name, is_wanted=is_wanted)
        return
    if node.kind == "not":
        yield from _condition(node.parts[0], text, name, is_wanted=not is_wanted)
        return
    there = [*dict.fromkeys(_fields_of(node, text, name))]
    if there:
        guard = " && ".join(there)
        yield node.start, f"({guard} && (" if is_wanted else f"(!({guard}) || ("
    yield from _within(node, text)
    if there:
        yield node.end, "))"


def _fields_of(node: Node, text: str, name: str) -> Iterator[str]:
    """That each field of the element is there which a condition asks for, outer ones first."""
    if node.kind == "call" and node.value == "has":
        return
    for part in node.parts:
        yield from _fields_of(part, text, name)
    if node.kind == "member" and _is_of(node, name):
        yield f"has({text[node.start : node.end]})"
    elif node.kind == "index" and _is_of(node, name) and node.parts[1].kind == "text":
        inner, key = node.parts
        yield f"{text[key.start : key.end]} in {text[inner.start : inner.end]}"


def _is_of(node: Node, name: str) -> bool:
    """Whether it is a field of an element, or a field of a field."""
    while node.kind in ("member", "index"):
        node = node.parts[0]
    return node.kind == "name" and node.value == name
