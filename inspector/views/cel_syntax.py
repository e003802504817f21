"""The text of a CEL expression as a tree that knows where each part of it stands.

It is there to find the parts that can be had faster than by evaluating them (`call_conditions`): what CEL means is the
business of its library, which has taken the expression before. What this reader does not know is `NotReadError`, and is
then left to that library as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_DEEP = 40
"""Levels of brackets and operators in one another."""

MACROS = frozenset(("all", "exists", "exists_one", "map", "filter"))
"""Their first argument is the name that the others use for an element."""

_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|//[^\n]*)+)
      | (?P<string>[rRbB]{0,2}
          (?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<int>0[xX][0-9a-fA-F]+|\d+)(?P<unsigned>[uU]?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_LEVELS = (("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
"""Operators from those that bind least, below `&&`."""


class NotReadError(Exception):
    """The text has something that this reader does not know."""


class Node(NamedTuple):
    """A part of an expression, from `start` to (not with) `end`.

    `kind` is `name`, `member`, `index`, `call` (a method's target is its first part), `list`, `or`, `and`, `not`,
    `negative`, `choice`, `number`, `text`, `word` (true, false, null), or an operator with two parts.
    """

    kind: str
    start: int
    end: int
    parts: tuple[Node, ...] = ()
    value: object = None


def read(text: str) -> Node:
    """Raises NotReadError."""
    return _Reader(text).whole()


def conjuncts(node: Node) -> list[Node]:
    """The parts of which each must be true for the whole to be: `a && (b && c)` has three."""
    if node.kind != "and":
        return [node]
    return [each for part in node.parts for each in conjuncts(part)]


def paths(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that are used, with the members that are taken of them, as far as those are written: `status.code`."""
    path = _path(node)
    if path is not None:
        if path.partition(".")[0] not in bound:
            yield path
        return
    parts = node.parts
    if node.kind == "call" and node.value in MACROS and len(parts) > 2 and parts[1].kind == "name":
        yield from paths(parts[0], bound)
        bound |= {str(parts[1].value)}
        parts = parts[2:]
    for part in parts:
        yield from paths(part, bound)


def _path(node: Node) -> str | None:
    if node.kind == "name":
        return str(node.value)
    if node.kind == "member":
        inner = _path(node.parts[0])
        return None if inner is None else f"{inner}.{node.value}"
    return None


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Reader:
    """A parser that goes down from the operators that bind least."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text)]
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._token.kind != "end":
            raise NotReadError
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        """Whether that comes next; then it is passed."""
        token = self._token
        if token.text != text or token.kind not in ("sign", "name"):
            return False
        self._at += 1
        return True

    def _need(self, text: str) -> int:
        """Passes what has to come next; where it ends."""
        if not self._take(text):
            raise NotReadError
        return self._tokens[self._at - 1].end

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > MOST_DEEP:
            raise NotReadError
        node = self._either()
        if self._take("?"):
            yes = self._either()
            self._need(":")
            no = self._choice()
            node = Node("choice", node.start, no.end, (node, yes, no))
        self._depth -= 1
        return node

    def _either(self) -> Node:
        return self._chain("or", "||", lambda: self._chain("and", "&&", lambda: self._binary(0)))

    def _chain(self, kind: str, sign: str, operand: Callable[[], Node]) -> Node:
        parts = [operand()]
        while self._take(sign):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else Node(kind, parts[0].start, parts[-1].end, tuple(parts))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        for _ in range(MOST_DEEP):
            sign = self._token.text
            if sign not in _LEVELS[level] or not self._take(sign):
                return node
            right = self._binary(level + 1)
            node = Node(sign, node.start, right.end, (node, right))
        raise NotReadError

    def _unary(self) -> Node:
        token = self._token
        for sign, kind in (("!", "not"), ("-", "negative")):
            if self._take(sign):
                self._depth += 1
                if self._depth > MOST_DEEP:
                    raise NotReadError
                inner = self._unary()
                self._depth -= 1
                return Node(kind, token.start, inner.end, (inner,))
        return self._member(self._primary())

    def _member(self, node: Node) -> Node:
        for _ in range(MOST_DEEP):
            if self._take("."):
                name = self._name()
                if self._take("("):
                    arguments, end = self._items(")")
                    node = Node("call", node.start, end, (node, *arguments), name.text)
                else:
                    node = Node("member", node.start, name.end, (node,), name.text)
            elif self._take("["):
                index = self._choice()
                node = Node("index", node.start, self._need("]"), (node, index))
            else:
                return node
        raise NotReadError

    def _name(self) -> _Token:
        token = self._token
        if token.kind != "name":
            raise NotReadError
        self._at += 1
        return token

    def _items(self, close: str) -> tuple[tuple[Node, ...], int]:
        """What stands between brackets, with commas, and where that ends."""
        found: list[Node] = []
        while not self._take(close):
            found.append(self._choice())
            if not self._take(","):
                return tuple(found), self._need(close)
        return tuple(found), self._tokens[self._at - 1].end

    def _primary(self) -> Node:
        token = self._token
        if self._take("("):
            inner = self._choice()
            return inner._replace(start=token.start, end=self._need(")"))
        if self._take("["):
            items, end = self._items("]")
            return Node("list", token.start, end, items)
        self._at += 1
        if token.kind == "name":
            return self._named(token)
        if token.kind not in ("number", "text"):
            raise NotReadError
        return Node(token.kind, token.start, token.end, (), _value(token))

    def _named(self, token: _Token) -> Node:
        if token.text in ("true", "false", "null"):
            return Node("word", token.start, token.end, (), token.text)
        if token.text == "in":
            raise NotReadError
        if self._take("("):
            arguments, end = self._items(")")
            return Node("call", token.start, end, arguments, token.text)
        return Node("name", token.start, token.end, (), token.text)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match["unsigned"]:
            raise NotReadError
        at = match.end()
        if match["space"] is None:
            kind = "number" if match["int"] or match["float"] else "text" if match["string"] else ""
            yield _Token(kind or ("name" if match["name"] else "sign"), match[0], match.start(), at)
    yield _Token("end", "", at, at)


def _value(token: _Token) -> object:
    """What a literal says; None for a string with more to it than its characters."""
    text = token.text
    if token.kind == "number":
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        return int(text) if text.isdigit() else float(text)
    is_plain = text[0] in "\"'" and "\\" not in text and text[:3] not in ('"""', "'''")
    return text[1:-1] if is_plain else None
