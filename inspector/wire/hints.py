"""What the user says about fields: a path of field numbers, and the kind of field there (`3.1=string`).

Kinds are those of `inspector.wire.kinds`, and `packed` for packed varints. A hint for a path says of the paths above
it that they are messages.

Invariant: `Hints` hold only paths and kinds that exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from inspector.errors import InputError
from inspector.wire.kinds import NUMBERS, PACKED, WIRE_TYPES
from inspector.wire.scan import LEN, MAX_FIELD_NUMBER, SGROUP

_ALIASES = {"packed": PACKED + "int64"}
_PATH = re.compile(r"[1-9][0-9]*(\.[1-9][0-9]*)*", re.ASCII)


def parse_hint(text: str) -> tuple[str, str]:
    """A hint of the command line, `3.1=string`, as path and kind. Raises InputError."""
    path, equals, kind = text.partition("=")
    if not equals:
        raise InputError(f"hint {text!r} is not PATH=KIND", hint="for example 3.1=string")
    path, kind = path.strip(), kind.strip()
    return path, _known_kind(path, kind)


def _known_kind(path: str, kind: str) -> str:
    if not _PATH.fullmatch(path) or any(int(number) > MAX_FIELD_NUMBER for number in path.split(".")):
        raise InputError(
            f"hint path {path!r} is not field numbers with dots between them", hint="for example 3.1=string"
        )
    kind = _ALIASES.get(kind, kind)
    if kind not in WIRE_TYPES:
        raise InputError(f"hint {path}: no kind {kind!r}", hint=f"known are {', '.join([*WIRE_TYPES, *_ALIASES])}")
    return kind


class Hints:
    """Hints by path. Raises InputError for a path or kind that does not exist.

    `are_of_one_type` where all messages are of the type that the hints speak of, so that what is above a path has to be
    a message. Where they speak of some of many types, it is one only if it looks like one.
    """

    def __init__(self, hints: Mapping[str, str], *, are_of_one_type: bool = True) -> None:
        self._kinds = {path: _known_kind(path, kind) for path, kind in hints.items()}
        self._parents = frozenset(_parents(self._kinds) if are_of_one_type else ())

    def kind(self, path: str, wire_type: int) -> str | None:
        """The kind that the hints give a field; None where they say nothing of it, or nothing that its wire type
        allows. As in schemas, a kind of number stands for packed ones too, and the other way about."""
        kind = self._kinds.get(path)
        if kind is None:
            return _container(wire_type) if path in self._parents else None
        plain = kind.removeprefix(PACKED)
        if plain in NUMBERS:
            kind = PACKED + plain if wire_type == LEN else plain
        return kind if WIRE_TYPES[kind] == wire_type else None

    def said(self, path: str) -> str | None:
        """The kind that was given for a path, whatever its wire type."""
        return self._kinds.get(path)

    def __bool__(self) -> bool:
        return bool(self._kinds)


def _container(wire_type: int) -> str | None:
    return {LEN: "message", SGROUP: "group"}.get(wire_type)


def _parents(paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        numbers = path.split(".")
        yield from (".".join(numbers[:length]) for length in range(1, len(numbers)))


NO_HINTS = Hints({})
