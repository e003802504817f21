"""The field tree: every byte of a message, and what it means.

Bytes and, where there is one, a schema make a tree of fields, to any depth within limits.MAX_DEPTH: packed fields with
their elements, maps, groups, extensions, the content of Any, items of a MessageSet, fields that the schema does not
have (guessed), and bytes that cannot be read. It is lazy: a message is read when its fields are asked for.

Invariant: for any bytes and any schema, the leaves of the tree (tags, lengths, values, end tags, damage) cover every
byte once, in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from inspector.model.problem import Problem
from inspector.model.span import Span
from inspector.transcode.resolver import Resolver
from inspector.transcode.tree_fields import Fields
from inspector.transcode.tree_nodes import FieldNode as FieldNode
from inspector.transcode.tree_nodes import Input, Nodes
from inspector.transcode.tree_types import Types


class Visit(Enum):
    """At a node of a walk: it has no children that are visited, or they come now, or they came."""

    LEAF = "leaf"
    OPEN = "open"
    CLOSE = "close"


class Step(NamedTuple):
    """One step of a walk."""

    node: FieldNode
    visit: Visit


class Piece(NamedTuple):
    """Bytes that belong to one node: its `tag`, `length`, `value` or `end_tag` (see `role`)."""

    span: Span
    node: FieldNode
    role: str


class FieldTree:
    """A message as a tree of its fields.

    `type_name` is its type in the schema `resolver`; without one, fields are known by number and guessed. `hints` say
    how they are to be read in the place of a guess: path of field numbers (`3.1`) -> kind.
    """

    def __init__(
        self,
        data: bytes,
        *,
        resolver: Resolver | None = None,
        type_name: str | None = None,
        hints: Mapping[str, str] = {},
    ) -> None:
        """Reads nothing yet. Raises SchemaError where the schema lacks the type, InputError for hints that are none."""
        self._resolver = resolver
        self._type = None if type_name is None else Types(resolver).required(type_name)
        self._input = Input(data, hints)

    def again(self) -> FieldTree:
        """The same message as another tree, to be read in another thread."""
        return FieldTree(self.data, resolver=self._resolver, type_name=self.type_name, hints=self._input.hint_kinds)

    @property
    def data(self) -> bytes:
        """The message."""
        return self._input.data

    @property
    def type_name(self) -> str | None:
        """The full name of its type."""
        return self._type.name if self._type else None

    @cached_property
    def fields(self) -> Nodes:
        """The fields of the message itself."""
        return Fields(self._input, None, self._type)

    @property
    def problem(self) -> Problem | None:
        """What cuts the message itself short. (What is wrong within its fields, they tell.)"""
        return self.fields.damage.problem if self.fields.damage else None

    def walk(self) -> Iterator[FieldNode]:
        """All nodes, each before its children."""
        return (step.node for step in self.steps() if step.visit is not Visit.CLOSE)

    def steps(self, depth: int | None = None) -> Iterator[Step]:
        """A walk over all nodes, or those that have less than `depth` others around them."""
        stack = [iter(self.fields)]
        opened: list[FieldNode] = []
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                if opened:
                    yield Step(opened.pop(), Visit.CLOSE)
            elif (depth is None or len(stack) < depth) and node.has_children:
                yield Step(node, Visit.OPEN)
                opened.append(node)
                stack.append(iter(node.children))
            else:
                yield Step(node, Visit.LEAF)

    def pieces(self) -> Iterator[Piece]:
        """All bytes, in order, with what they belong to."""
        for node, visit in self.steps():
            if visit is not Visit.CLOSE:
                yield from _pieces(node, (("tag", node.tag), ("length", node.length)))
            if visit is Visit.LEAF:
                yield from _pieces(node, (("value", node.value_span),))
            if visit is not Visit.OPEN:
                yield from _pieces(node, (("end_tag", node.end_tag),))


def _pieces(node: FieldNode, spans: tuple[tuple[str, Span | None], ...]) -> Iterator[Piece]:
    return (Piece(span, node, role) for role, span in spans if span is not None and span.size)
