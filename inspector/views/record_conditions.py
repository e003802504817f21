"""Conditions on records, such as what a message says, as Python functions: several times as fast as CEL's library,
which makes values of its own of a whole record first.

Invariant: what such a function says is what CEL says of the guarded expression (`cel_guards`). It knows only what is
plain: fields compared with a literal of their own type, `in` a list of texts, `startsWith` and its like, `has`, `size`
of a list, `exists`, joined by `&&`, `||` and `!`. What is not written so is not translated, and where a value is of
another type, or a number that a float does not hold, `UnsureError` leaves that record to CEL.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from inspector.views.cel_syntax import Node, NotReadError, read

Record = Mapping[str, Any]
Condition = Callable[[Record], bool | None]
"""Whether it is true of a record; None where CEL has an error, as a field is not there. Raises UnsureError."""

_Reader = Callable[[Record], Any]

_EXACT = 1 << 53
"""Whole numbers below are the same as floats."""

_ABSENT = object()
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OF_TEXT: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith, "endsWith": str.endswith, "contains": str.__contains__,
}  # fmt: skip


class UnsureError(Exception):
    """CEL has to be asked."""


class _NotTranslatedError(Exception):
    """The expression has what is not known here."""


def translated(text: str) -> Condition | None:
    """The condition that an expression is; None where it has to be left to CEL."""
    try:
        return _Scope().condition(read(text))
    except (NotReadError, _NotTranslatedError):
        return None


class _Scope:
    """Where a condition stands: `element` is the name that the `exists` around it gives to an element, `absent` what a
    condition on a field that is not there says."""

    def __init__(self, element: str | None = None, absent: bool | None = None) -> None:
        self._element = element
        self._absent = absent

    def condition(self, node: Node) -> Condition:
        if node.kind in ("and", "or"):
            return _joined([self.condition(part) for part in node.parts], decides=node.kind == "or")
        if node.kind == "not":
            absent = None if self._absent is None else not self._absent
            return _negated(_Scope(self._element, absent).condition(node.parts[0]))
        if node.kind in _ORDERS:
            return self._comparison(node)
        if node.kind == "in":
            return self._membership(*node.parts)
        if node.kind == "call":
            return self._call(node)
        return self._tested(self._reader(node), (bool,), bool)

    # --- what is compared ----------------------------------------------------------------------------------------

    def _reader(self, node: Node) -> _Reader:
        """Reads a field."""
        keys: list[str] = []
        while node.kind == "member":
            keys.append(str(node.value))
            node = node.parts[0]
        is_known = node.value == self._element if self._element is not None else True
        if node.kind != "name" or not is_known:
            raise _NotTranslatedError
        return _reader(str(node.value), tuple(reversed(keys)))

    def _tested(self, reader: _Reader, types: tuple[type, ...], test: Callable[[Any], bool]) -> Condition:
        absent = self._absent

        def condition(record: Record) -> bool | None:
            value = reader(record)
            if type(value) in types:
                return test(value)
            if value is _ABSENT:
                return absent
            raise UnsureError

        return condition

    def _comparison(self, node: Node) -> Condition:
        left, right = node.parts
        if _literal(left) is not None:
            return self._compared(right, _ORDERS[_SWAPPED[node.kind]], _literal(left))
        return self._compared(left, _ORDERS[node.kind], _literal(right))

    def _compared(self, node: Node, order: Callable[[Any, Any], bool], literal: object) -> Condition:
        if node.kind == "call" and node.value == "size" and len(node.parts) == 1:
            if type(literal) is not int:
                raise _NotTranslatedError
            return self._tested(self._reader(node.parts[0]), (list,), lambda items: order(len(items), literal))
        reader = self._reader(node)
        if isinstance(literal, str | bool):
            return self._tested(reader, (type(literal),), lambda value: order(value, literal))
        if literal is None:
            raise _NotTranslatedError
        return self._tested(reader, (int, float), lambda value: order(_exact(value), literal))

    def _membership(self, item: Node, items: Node) -> Condition:
        texts = [_literal(part) for part in items.parts] if items.kind == "list" else []
        if not texts or not all(isinstance(text, str) for text in texts):
            raise _NotTranslatedError
        return self._tested(self._reader(item), (str,), frozenset(texts).__contains__)

    # --- calls ---------------------------------------------------------------------------------------------------

    def _call(self, node: Node) -> Condition:
        if node.value == "has" and len(node.parts) == 1 and node.parts[0].kind == "member":
            return _has(self._reader(node.parts[0].parts[0]), str(node.parts[0].value))
        if node.value == "exists" and len(node.parts) == 3 and self._element is None:
            return self._exists(*node.parts)
        if node.value in _OF_TEXT and len(node.parts) == 2:
            test, text = _OF_TEXT[node.value], _literal(node.parts[1])
            if isinstance(text, str):
                return self._tested(self._reader(node.parts[0]), (str,), lambda value: test(value, text))
        raise _NotTranslatedError

    def _exists(self, target: Node, element: Node, body: Node) -> Condition:
        if element.kind != "name":
            raise _NotTranslatedError
        name = str(element.value)
        fits = _Scope(name, absent=False).condition(body)
        return self._tested(self._reader(target), (list,), lambda items: any(fits({name: item}) for item in items))


def _reader(root: str, keys: tuple[str, ...]) -> _Reader:
    def read_field(record: Record) -> Any:
        value = record.get(root, _ABSENT)
        if value is _ABSENT:
            raise UnsureError
        for key in keys:
            if type(value) is not dict:
                raise UnsureError
            value = value.get(key, _ABSENT)
            if value is _ABSENT:
                return _ABSENT
        return value

    return read_field


def _has(parent: _Reader, key: str) -> Condition:
    def condition(record: Record) -> bool:
        value = parent(record)
        if type(value) is not dict:
            raise UnsureError
        return key in value

    return condition


def _joined(parts: list[Condition], *, decides: bool) -> Condition:
    """`||`, where true decides, or `&&`, where false does: whatever error stands beside it."""

    def condition(record: Record) -> bool | None:
        found: bool | None = not decides
        for part in parts:
            answer = part(record)
            if answer is decides:
                return decides
            if answer is None:
                found = None
        return found

    return condition


def _negated(inner: Condition) -> Condition:
    def condition(record: Record) -> bool | None:
        found = inner(record)
        return None if found is None else not found

    return condition


def _exact(value: float) -> float:
    if -_EXACT < value < _EXACT:
        return value
    raise UnsureError


def _literal(node: Node) -> str | bool | float | None:
    """What a literal says; None for what is none, or none that is known here."""
    if node.kind == "text" and isinstance(node.value, str):
        return node.value
    if node.kind == "word" and node.value in ("true", "false"):
        return node.value == "true"
    if node.kind == "negative":
        inner = _literal(node.parts[0])
        return None if inner is None or isinstance(inner, str | bool) else -inner
    if node.kind == "number" and isinstance(node.value, int | float) and node.value < _EXACT:
        return node.value
    return None
