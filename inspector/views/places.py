"""Places in a capture as people type them: `12` is a call, `0x2a` a byte of the message, anything else the path of a
field in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from inspector.errors import InputError
from inspector.transcode.tree import FieldNode

MOST_SEARCHED = 20_000
"""Fields of one message among which one is looked for by its path: more would keep a key waiting."""

_OFFSET = re.compile(r"(?:0[xX]|@)([0-9a-fA-F]{1,12})", re.ASCII)
_INDEX = re.compile(r"\[([0-9]{1,12})\]", re.ASCII)
_NUMBER = re.compile(r"#?([0-9]{1,12})", re.ASCII)


class Place(NamedTuple):
    """One of them is set."""

    call: int | None = None
    offset: int | None = None
    path: str = ""


def parse(text: str) -> Place:
    """What was typed. Raises InputError where nothing was."""
    text = text.strip()
    if not text:
        raise InputError("a call (12), an offset (0x2a) or the path of a field (inputs[0].id)")
    if number := _NUMBER.fullmatch(text):
        return Place(call=int(number[1]))
    if offset := _OFFSET.fullmatch(text):
        return Place(offset=int(offset[1], 16))
    return Place(path=text)


def find_field(fields: Sequence[FieldNode], path: str) -> FieldNode:
    """The field of that path (`inputs[2].data.url`, `3.1[0]`). Where the field is repeated, its bare name is the first.
    Names may be spelt as in JSON (`maxLabels` for `max_labels`). Raises InputError with what there is in its place."""
    try:
        return _field(fields, path, str)
    except InputError:
        with suppress(InputError):
            return _field(fields, _alike(path), _alike)
        raise


def _alike(path: str) -> str:
    """What names in JSON and in .proto files have in common."""
    return path.replace("_", "").lower()


def _field(fields: Sequence[FieldNode], path: str, spelt: Callable[[str], str]) -> FieldNode:
    around, nodes = None, fields
    while True:
        found = _next(nodes, path, spelt)
        if found is None and len(nodes) > MOST_SEARCHED:
            raise InputError(
                f"there is no field {path} among the first {MOST_SEARCHED:,}", hint="go to its offset: 0x2a"
            )
        if found is None:
            where = f"in {around.path}" if around is not None else "in the message"
            raise InputError(f"there is no field {path} {where}", hint=_others(nodes))
        own = spelt(found.path)
        if path in (own, own.removesuffix("[0]")):
            return found
        around, nodes = found, found.children


def _next(nodes: Sequence[FieldNode], path: str, spelt: Callable[[str], str]) -> FieldNode | None:
    """The node that has the path, or is around it."""
    ordinals = {0, *map(int, _INDEX.findall(path))}  # paths take long to write, so only those that may be it are
    for node in islice(nodes, MOST_SEARCHED):
        if node.ordinal not in ordinals:
            continue
        own = spelt(node.path)
        if path in (own, own.removesuffix("[0]")) or (node.has_children and path.startswith((f"{own}.", f"{own}["))):
            return node
    return None


def _others(nodes: Sequence[FieldNode]) -> str:
    names = dict.fromkeys(node.path for node in islice(nodes, 5))
    return f"there is {', '.join(names)}" if names else "it has no fields"
