"""Files that import each other in a circle, made into others that do not.

No compiler writes such files, but some servers make them: with one file for each message (so that two messages which
refer to each other are a circle), or one for each package. Their definitions are sorted into new files: those that need
each other stay together, and come behind those they need. Invariant: every definition is in one file afterwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from inspector.schema.conflicts import Definition, definitions
from inspector.schema.type_references import Reference, references_of
from inspector.schema.wording import text

Node = TypeVar("Node", bound=Hashable)


class Piece(NamedTuple):
    """A top-level definition, and the file that it is taken from."""

    definition: Definition
    file: FileDescriptorProto

    @property
    def kin(self) -> tuple[str, str]:
        """What the definitions of a file have in common."""
        return text(self.file.package), self.definition.dialect

    def references(self) -> Iterator[Reference]:
        return references_of(self.definition, text(self.file.package))


class Part(NamedTuple):
    """A new file, and the names of the files that its definitions come from."""

    proto: FileDescriptorProto
    origins: list[str]


class Parts(NamedTuple):
    """The files that came of a circle, and where in them a type had to be given up."""

    files: list[Part]
    given_up: list[str]


def components(graph: Mapping[Node, Iterable[Node]]) -> list[list[Node]]:
    """The strongly connected components, each after those that it leads to (Tarjan 1972, without recursion)."""
    order: dict[Node, int] = {}
    low: dict[Node, int] = {}
    found: list[list[Node]] = []
    waiting: dict[Node, None] = {}
    for root in graph:
        path = [] if root in order else [(root, iter(graph[root]))]
        while path:
            node, successors = path[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                waiting[node] = None
            following = _next_new(node, successors, order, low, waiting)
            if following is not None:
                path.append((following, iter(graph[following])))
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == order[node]:
                found.append(_popped(waiting, node))
    return found


def _next_new(
    node: Node, successors: Iterator[Node], order: dict[Node, int], low: dict[Node, int], waiting: dict[Node, None]
) -> Node | None:
    for successor in successors:
        if successor not in order:
            return successor
        if successor in waiting:
            low[node] = min(low[node], order[successor])
    return None


def _popped(waiting: dict[Node, None], last: Node) -> list[Node]:
    found: list[Node] = []
    while not found or found[-1] != last:
        found.append(waiting.popitem()[0])
    return found[::-1]


def without_cycle(files: Sequence[FileDescriptorProto], names: Iterable[str]) -> Parts:
    """Sorts the definitions of files, which refer to each other by full names, into files without a circle.

    The names of these are those of the files they were taken from, or new ones that are not in `names`; their imports
    are left to be found anew. Where types of several packages need each other, which no files can express, the fields
    become bytes, which their content is on the wire.
    """
    pieces = {found.name: Piece(found, file) for file in files for found in definitions(file)}
    graph = {name: list(_needed(piece, pieces)) for name, piece in pieces.items()}
    parts, part_names = Parts([], []), _PartNames(names)
    for members in components(graph):
        group = [pieces[name] for name in members]
        parts.given_up.extend(_separate(group))
        for kin in dict.fromkeys(piece.kin for piece in group):
            parts.files.append(_part([piece for piece in group if piece.kin == kin], part_names))
    return parts


def owner(name: str, pieces: Mapping[str, Piece]) -> str | None:
    """The top-level definition that a type with this full name (with its leading dot) is in."""
    name = name.removeprefix(".")
    while name and name not in pieces:
        name = name.rpartition(".")[0]
    return name or None


def _needed(piece: Piece, pieces: Mapping[str, Piece]) -> Iterator[str]:
    for reference in piece.references():
        name = owner(reference.name, pieces)
        if name is not None and name != piece.definition.name:
            yield name


def _separate(group: Sequence[Piece]) -> Iterator[str]:
    """Gives up the types by which definitions that need each other lead from one package, or syntax, to another."""
    if len({piece.kin for piece in group}) == 1:
        return
    members = {piece.definition.name: piece for piece in group}
    for piece in group:
        for reference in list(piece.references()):
            other = owner(reference.name, members)
            field = reference.node
            if other is None or members[other].kin == piece.kin or not isinstance(field, FieldDescriptorProto):
                continue
            if reference.attribute == "type_name":
                yield reference.place
                field.ClearField("type_name")
                field.type = FieldDescriptorProto.TYPE_BYTES


def _part(pieces: Sequence[Piece], names: _PartNames) -> Part:
    first = pieces[0].file
    part = FileDescriptorProto(package=first.package)
    part.syntax, part.edition = first.syntax, first.edition
    for field in ("syntax", "edition"):
        if not first.HasField(field):
            part.ClearField(field)
    if first.HasField("options"):
        part.options.CopyFrom(first.options)
    for piece in pieces:
        _place_for(piece.definition, part).append(piece.definition.node)
    part.dependency[:] = dict.fromkeys(name for piece in pieces for name in piece.file.dependency)
    part.name = names.next(text(first.name))
    return Part(part, list(dict.fromkeys(text(piece.file.name) for piece in pieces)))


def _place_for(definition: Definition, file: FileDescriptorProto) -> Any:
    places = {"message": file.message_type, "enum": file.enum_type, "service": file.service}
    return places.get(definition.kind, file.extension)


class _PartNames:
    """Names for the parts of files: the first has the name of its file."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}

    def next(self, name: str) -> str:
        number = self._numbers.get(name, 0)
        part = name
        while number and (part := f"{name.removesuffix('.proto')}.part{number + 1}.proto") in self._taken:
            number += 1
        self._numbers[name] = number + 1
        return part
