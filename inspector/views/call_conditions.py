"""Conditions on calls that an index answers from its columns, without making a call: generated Python.

A condition of CEL is true, false or an error, and `&&`, `||` and `!` are of that logic: an error beside something that
decides is no error. So each condition becomes two texts, of when it is true and of when it is false. What asks for
nothing but the method, protocol and authority, or for the code and name of the status, is evaluated by CEL itself, once
for each value that there is; comparisons of numbers are translated. All else is `NotTranslatedError`.

Invariant: what a translated condition says is what CEL says of the call's record. Where a column does not tell (a value
that only the record of the call has), the answer is not given here: `Conditions.doubtful` are those rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from inspector.index import layout
from inspector.index.capture_index import CaptureIndex
from inspector.model.call import Call
from inspector.net.grpc_cy import status_name
from inspector.views.cel_syntax import Node, paths
from inspector.views.times import SECOND, timestamp

Evaluate = Callable[[str, Mapping[str, object]], object]
"""A part of the expression and the values of its names -> what CEL makes of it; None for an error."""

KIND_FIELDS = ("method", "protocol", "authority")
_STATUS_PATHS = frozenset(("status", "status.code", "status.name"))
_FAR = 1 << 62
"""Times from here on (in nanoseconds) are in no column."""

_EXACT = 1 << 53
"""Whole numbers up to here are the same as floats."""
_LARGEST = (1 << 63) - 1
_MOST_TEXT = 20_000
MOST_KINDS = 4_096
"""Methods whose conditions are remembered."""


class NotTranslatedError(Exception):
    """A condition has to be left to CEL."""


class _Number(NamedTuple):
    """A number as Python text: its type, its range, the columns that may have no value in it, and whether it is such a
    column by itself."""

    text: str
    is_float: bool
    least: float
    most: float
    columns: frozenset[str] = frozenset()
    is_column: bool = False


_HALF = (1 << 32) - 1
_SIZE = 1 << 57
"""More bytes than the messages of a call can have."""

_COLUMNS = {
    "call": ("number", 0, _HALF),
    "connection": ("connection", 0, _HALF),
    "stream": ("stream", 0, _HALF),
    "requests": ("requests", 0, _HALF),
    "responses": ("responses", 0, _HALF),
    "request_bytes": ("request_bytes", 0, _SIZE),
    "response_bytes": ("response_bytes", 0, _SIZE),
}
_OPTIONAL = frozenset(("duration", "started"))
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


class _Condition(NamedTuple):
    """When it is true, when it is false; otherwise it is an error."""

    true: str
    false: str


class _Table(dict[Any, bool | None]):
    """What CEL says of a condition, by the value that it depends on."""

    def __init__(self, ask: Callable[[Any], object]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, key: Any) -> bool | None:
        if len(self) >= MOST_KINDS:
            self.clear()
        answer = self._ask(key)
        self[key] = found = answer if isinstance(answer, bool) else None
        return found


class Conditions:
    """Conditions of which a call must fulfil all."""

    def __init__(self, text: str, nodes: Iterable[Node], evaluate: Evaluate) -> None:
        """Takes what can be translated; `rest` are the others."""
        self._text = text
        self._evaluate = evaluate
        self._tables: dict[str, _Table] = {}
        self._kinds: Sequence[tuple[str | None, str, str | None] | None] = ()
        self._used: set[str] = set()
        self.rest: list[Node] = []
        found: list[str] = []
        for node in nodes:
            used = set(self._used)
            try:
                found.append(self._boolean(node).true)
            except NotTranslatedError:
                self._used = used
                self.rest.append(node)
        if sum(map(len, found)) > _MOST_TEXT:
            raise NotTranslatedError
        self.count = len(found)
        self._columns = sorted(self._used)
        self._all = " and ".join(found) or "True"
        self._fits = self._compiled(self._all)
        if self._columns:
            self._select = self._compiled(f"[row for row, {self._names} in zip(rows, {self._names}) if {self._all}]")

    def rows(self, index: CaptureIndex, first: int, last: int) -> tuple[array[int], array[int]]:
        """Of the rows from `first` to (not with) `last`: those that fulfil all, and those that may, of which only the
        call tells."""
        if not self._columns:
            return array("I", range(first, last) if self._fits(()) else ()), array("I")
        if self._kinds is not index.kinds:
            self._kinds = index.kinds
            for table in self._tables.values():
                table.clear()
        columns = [index.column(name, first, last) for name in self._columns]
        last = first + min(map(len, columns))
        doubtful = self._doubtful(columns, first)
        taken = self._select(range(first, last), *columns)
        if doubtful:
            taken = [row for row in taken if row not in doubtful]
        return array("I", taken), array("I", sorted(doubtful))

    def take(self, call: Call) -> bool | None:
        """Whether a call fulfils all; None where that is not told here."""
        values = [_OF_CALL[name](call) for name in self._columns]
        return None if layout.ELSEWHERE in values else bool(self._fits((), *values))

    def _doubtful(self, columns: list[array[int]], first: int) -> set[int]:
        found: set[int] = set()
        for name, values in zip(self._columns, columns, strict=True):
            unknown = 0 if name == "kind" else layout.ELSEWHERE
            if unknown in values and name in _DOUBTFUL:
                found.update(first + at for at, value in enumerate(values) if value == unknown)
        return found

    @property
    def _names(self) -> str:
        return ", ".join(self._columns) + ","

    def _compiled(self, text: str) -> Callable[..., Any]:
        source = f"lambda rows, {self._names} : {text}" if self._columns else f"lambda rows: {text}"
        try:
            return eval(source, {"__builtins__": {}, "zip": zip, "float": float, **self._tables})  # type: ignore[no-any-return]  # of nothing but what is written here
        except (SyntaxError, MemoryError, RecursionError):
            raise NotTranslatedError from None

    # --- conditions ----------------------------------------------------------------------------------------------

    def _boolean(self, node: Node) -> _Condition:
        used = {*paths(node)}
        if used and all(path.partition(".")[0] in KIND_FIELDS for path in used):
            return self._table(node, "kind", self._ask_kind(node))
        if used and used <= _STATUS_PATHS and _is_status_whole_in_comparisons(node):
            return self._table(node, "status", self._ask_status(node))
        if node.kind in ("and", "or"):
            parts = [self._boolean(part) for part in node.parts]
            every, some = [part.true for part in parts], [part.false for part in parts]
            if node.kind == "or":
                return _Condition(_joined(" or ", every), _joined(" and ", some))
            return _Condition(_joined(" and ", every), _joined(" or ", some))
        if node.kind == "not":
            inner = self._boolean(node.parts[0])
            return _Condition(inner.false, inner.true)
        if node.kind == "word" and node.value in ("true", "false"):
            return _Condition(str(node.value == "true"), str(node.value == "false"))
        if node.kind == "name" and node.value == "complete":
            self._used.add("complete")
            return _Condition("complete", "not complete")
        return self._comparison(node)

    def _table(self, node: Node, column: str, ask: Callable[[Any], object]) -> _Condition:
        name = f"table{len(self._tables)}"
        self._tables[name] = _Table(ask)
        self._used.add(column)
        return _Condition(f"{name}[{column}] is True", f"{name}[{column}] is False")

    def _ask_kind(self, node: Node) -> Callable[[Any], object]:
        text = self._text[node.start : node.end]

        def ask(key: Any) -> object:
            kind = self._kinds[key] if isinstance(key, int) else key
            return None if kind is None else self._evaluate(text, dict(zip(KIND_FIELDS, kind, strict=True)))

        return ask

    def _ask_status(self, node: Node) -> Callable[[Any], object]:
        text = self._text[node.start : node.end]

        def ask(code: Any) -> object:
            status = None if code == layout.NONE else {"code": code, "name": status_name(code)}
            return self._evaluate(text, {"status": status})

        return ask

    # --- comparisons ---------------------------------------------------------------------------------------------

    def _comparison(self, node: Node) -> _Condition:
        if node.kind == "in":
            return self._membership(*node.parts)
        if node.kind not in _SWAPPED:
            raise NotTranslatedError
        left, right = node.parts
        for one, other, sign in ((left, right, node.kind), (right, left, _SWAPPED[node.kind])):
            for special in (self._problems, self._is_null, self._time):
                condition = special(one, other, sign)
                if condition is not None:
                    return condition
        return self._compared(self._number(left), node.kind, self._number(right))

    def _compared(self, left: _Number, sign: str, right: _Number) -> _Condition:
        if left.is_float != right.is_float:
            left, right = _as_float(left), _as_float(right)
        missing = left.columns | right.columns
        true, false = f"{left.text} {sign} {right.text}", f"{left.text} {_OPPOSITE[sign]} {right.text}"
        if not missing:
            return _Condition(f"({true})", f"({false})")
        there = " and ".join(f"{name} != {layout.NONE}" for name in sorted(missing))
        if sign not in ("==", "!="):
            return _Condition(f"({there} and {true})", f"({there} and {false})")
        if not all(each.is_column or not each.columns for each in (left, right)) or (left.columns and right.columns):
            raise NotTranslatedError
        # Null is equal to no number. (But to itself, and computing with it is an error: that is left to CEL.)
        absent = f"({' or '.join(f'{name} == {layout.NONE}' for name in sorted(missing))} or {{}})"
        same, other = f"({there} and {left.text} == {right.text})", absent.format(f"{left.text} != {right.text}")
        return _Condition(same, other) if sign == "==" else _Condition(other, same)

    def _membership(self, item: Node, items: Node) -> _Condition:
        if items.kind != "list" or not items.parts:
            raise NotTranslatedError
        each = [self._compared(self._number(item), "==", self._number(part)) for part in items.parts]
        return _Condition(_joined(" or ", [one.true for one in each]), _joined(" and ", [one.false for one in each]))

    def _is_null(self, one: Node, other: Node, sign: str) -> _Condition | None:
        """`duration == null`."""
        if other.kind != "word" or other.value != "null" or one.kind != "name" or one.value != "duration":
            return None
        if sign not in ("==", "!="):
            raise NotTranslatedError
        self._used.add("duration")
        found = f"(duration == {layout.NONE})", f"(duration != {layout.NONE})"
        return _Condition(*found) if sign == "==" else _Condition(*reversed(found))

    def _problems(self, one: Node, other: Node, sign: str) -> _Condition | None:
        """`size(problems) > 0`, `problems != []`, and what says the same."""
        is_list = other.kind == "list" and not other.parts
        if one.kind == "call" and one.value == "size":
            inner = one.parts
            is_zero = other.kind == "number" and other.value == 0
            is_one = other.kind == "number" and other.value == 1
            has_some = True if (sign in (">", "!=") and is_zero) or (sign == ">=" and is_one) else None
            has_none = (sign in ("==", "<=") and is_zero) or (sign == "<" and is_one)
        elif one.kind == "name" and is_list:
            inner = (one,)
            has_some, has_none = sign == "!=", sign == "=="
        else:
            return None
        if len(inner) != 1 or inner[0].kind != "name" or inner[0].value != "problems" or not (has_some or has_none):
            return None
        self._used.add("has_problems")
        found = "has_problems", "not has_problems"
        return _Condition(*found) if has_some else _Condition(*reversed(found))

    def _time(self, one: Node, other: Node, sign: str) -> _Condition | None:
        """`started >= "2026-11-23T09"`: a text, whose order is that of the times."""
        if one.kind != "name" or one.value != "started":
            return None
        if other.kind != "text" or not isinstance(other.value, str):
            raise NotTranslatedError
        self._used.add("started")
        text = other.value
        at = bisect_left(range(_FAR), text, key=lambda time: timestamp(time) or "")
        behind = at + (at < _FAR and timestamp(at) == text)
        inside = f"{at} <= started < {behind}" if behind > at else "False"
        there = "0 <= started"
        outside = f"not ({there} and {inside})"
        if sign in ("==", "!="):
            same = f"({there} and {inside})"
            return _Condition(same, f"({outside})") if sign == "==" else _Condition(f"({outside})", same)
        limit = at if sign in (">=", "<") else behind
        after, before = f"({there} and started >= {limit})", f"({there} and started < {limit})"
        return _Condition(after, before) if sign in (">", ">=") else _Condition(before, after)

    # --- numbers -------------------------------------------------------------------------------------------------

    def _number(self, node: Node) -> _Number:
        if node.kind == "number":
            return _literal(node.value)
        if node.kind == "name":
            return self._column(str(node.value))
        if node.kind == "negative":
            inner = self._number(node.parts[0])
            text = f"(-{inner.text})"
            return _bounded(_Number(text, inner.is_float, -inner.most, -inner.least, inner.columns))
        if node.kind in ("+", "-", "*", "/", "%"):
            return _computed(node.kind, *map(self._number, node.parts))
        if node.kind == "call" and node.value == "double" and len(node.parts) == 1:
            inner = self._number(node.parts[0])
            return _as_float(inner)._replace(is_column=False)
        raise NotTranslatedError

    def _column(self, name: str) -> _Number:
        if name == "duration":
            self._used.add(name)
            longest = _LARGEST / SECOND
            return _Number(f"(duration / {SECOND})", True, -longest, longest, frozenset((name,)), True)
        if name not in _COLUMNS:
            raise NotTranslatedError
        column, least, most = _COLUMNS[name]
        self._used.add(column)
        return _Number(column, False, least, most, frozenset(), True)


def _joined(sign: str, parts: list[str]) -> str:
    return f"({sign.join(parts)})"


def _literal(value: object) -> _Number:
    if isinstance(value, float) and value - value == 0:
        return _Number(repr(value), True, value, value)
    if isinstance(value, int) and value <= _LARGEST:
        return _Number(repr(value), False, value, value)
    raise NotTranslatedError


def _as_float(number: _Number) -> _Number:
    if number.is_float:
        return number
    return number._replace(text=f"float({number.text})", is_float=True)


def _bounded(number: _Number) -> _Number:
    """Where it may be too large, it is left to CEL."""
    if max(abs(number.least), abs(number.most)) > (1e300 if number.is_float else _LARGEST):
        raise NotTranslatedError
    return number


def _computed(sign: str, left: _Number, right: _Number) -> _Number:
    """Of two numbers of the same type. Division is by what is over zero, of what is not below, as then the remainder
    is the same everywhere."""
    if left.is_float != right.is_float:
        raise NotTranslatedError
    if sign in ("/", "%"):
        if right.least <= 0 or (left.is_float and (sign == "%" or right.least < 1e-6)):
            raise NotTranslatedError
        if not left.is_float and left.least < 0:
            raise NotTranslatedError
        ends = (left.least / right.least, left.most / right.least, left.least, left.most)
        sign = sign if left.is_float or sign == "%" else "//"
    elif sign == "*":
        ends = tuple(one * other for one in (left.least, left.most) for other in (right.least, right.most))  # type: ignore[assignment]
    elif sign == "+":
        ends = (left.least + right.least, left.most + right.most, 0, 0)
    else:
        ends = (left.least - right.most, left.most - right.least, 0, 0)
    columns = left.columns | right.columns
    return _bounded(_Number(f"({left.text} {sign} {right.text})", left.is_float, min(ends), max(ends), columns))


def _is_status_whole_in_comparisons(node: Node) -> bool:
    """Whether the status as a whole is only compared with null: of it only code and name are known."""
    if node.kind in ("==", "!="):
        one, other = node.parts
        if _is_name(one, "status") or _is_name(other, "status"):
            return any(each.kind == "word" and each.value == "null" for each in node.parts)
    if node.kind == "member" and _is_name(node.parts[0], "status"):
        return True
    return not _is_name(node, "status") and all(map(_is_status_whole_in_comparisons, node.parts))


def _is_name(node: Node, name: str) -> bool:
    return node.kind == "name" and node.value == name


def _word(value: int | None) -> int:
    if value is None:
        return layout.NONE
    return value if -_FAR < value < _FAR else layout.ELSEWHERE


_DOUBTFUL = frozenset(("kind", "status", "duration", "started"))

_OF_CALL: dict[str, Callable[[Call], Any]] = {
    "kind": lambda call: (call.method, call.protocol, call.authority),
    "number": lambda call: call.number,
    "started": lambda call: _word(call.started),
    "duration": lambda call: _word(call.duration),
    "status": lambda call: layout.NONE if call.status is None else call.status.code,
    "complete": lambda call: call.complete,
    "has_problems": lambda call: bool(call.problems),
    "connection": lambda call: call.connection,
    "stream": lambda call: call.stream,
    "requests": lambda call: call.requests,
    "responses": lambda call: call.responses,
    "request_bytes": lambda call: call.request_bytes,
    "response_bytes": lambda call: call.response_bytes,
}
"""What a column has of a call."""
