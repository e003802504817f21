"""A value that a type does not take: what is wrong with it, and the way to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from inspector.errors import EncodeError
from inspector.schema.wording import one_line
from inspector.wire.json_value import JsonValue

_SHOWN = 60
"""Characters of a value that a message shows."""

_MOST_STEPS = 40
"""Steps of a path that are shown, from its two ends."""

_MOST_BITS = 1_100
"""Integers longer than any double are not written out: Python refuses to, at some length."""


class Key(str):
    """The key of a map or a Struct as a step: it is data, and may hold anything."""

    __slots__ = ()


Step = str | int
"""From a value to one within it: the name of a field, as it is spelled there, a Key, or the index of an element."""


class Place(NamedTuple):
    """Both count from 1; columns count characters."""

    line: int
    column: int


class Refusal(Exception):
    """Raised where the value is; on its way up everything around adds its step, so that `steps` begins innermost.

    `at_key` says that the name is at fault, not the value.
    """

    def __init__(self, message: str, *, hint: str | None = None, at_key: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at_key = at_key
        self.steps: list[Step] = []

    def error(self, locate: Locate | None = None) -> EncodeError:
        """The error for the user. `locate` finds the line and column."""
        steps = self.steps[::-1]
        place = locate(steps, self.at_key) if locate else None
        line, column = place or (None, None)
        return EncodeError(self.message, path=path_text(steps), line=line, column=column, hint=self.hint)


Locate = Callable[[Sequence[Step], bool], Place | None]
"""Finds in a text the value at the end of some steps from its root, or, for True, its name."""


def refuse(expected: str, found: JsonValue, hint: str | None = None) -> NoReturn:
    """Raises Refusal for a value of the wrong type."""
    raise Refusal(f"expected {expected}, found {shown(found)}", hint=hint)


def path_text(steps: Sequence[Step]) -> str:
    """Steps from the root as people write them: `inputs[2].labels["a b"].[pkg.extension]`."""
    parts = [_step_text(step) for step in steps]
    if len(parts) > _MOST_STEPS:
        parts[_MOST_STEPS // 2 : -_MOST_STEPS // 2] = ["..."]
    return "".join(parts).removeprefix(".")


def _step_text(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f'["{one_line(step, _SHOWN)}"]' if isinstance(step, Key) else f".{one_line(step, _SHOWN)}"


_STEP = re.compile(r'\[(\d+)\]|\.?([^.\[]+|\[[^"\]]*\])')


def steps_of(path: str) -> list[Step]:
    """The steps of a path of field names or numbers and indexes: what `path_text` writes, save for keys."""
    return [int(index) if index else name for index, name in _STEP.findall(path)]


def shown(value: JsonValue) -> str:
    """A value as an error message names it, on one line and cut off."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, str):
        return f'the string "{one_line(value, _SHOWN)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "an integer longer than any type holds"
    if not isinstance(value, int | float):
        return f"a Python {type(value).__name__}"
    return f"the number {one_line(str(value), _SHOWN)}"
