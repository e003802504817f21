"""What a schema says of a symbol: as .proto source, and as a record.

The form of the records is a contract (docs/commands.md). Invariant: nothing of the schema stands in them as a control
character once they are written by `rows.to_line`, and source is escaped where it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import Edition, FieldDescriptorProto
from google.protobuf.message import Message

from inspector.schema.conflicts import camel_case
from inspector.schema.proto_source import to_source
from inspector.schema.proto_source_comments import Comments
from inspector.schema.proto_source_parts import PartPrinter
from inspector.schema.proto_source_types import Types
from inspector.schema.symbols import Symbol
from inspector.schema.wording import text
from inspector.transcode.decode import MessageDecoder
from inspector.views.rows import Row
from inspector.views.safe_text import safe

if TYPE_CHECKING:
    from inspector.schema import Schema

F = FieldDescriptorProto

_LABELS = {F.LABEL_OPTIONAL: "optional", F.LABEL_REQUIRED: "required", F.LABEL_REPEATED: "repeated"}

_LISTED = ("service", "message", "enum", "extension")
"""Kinds of what stands in a package or a file."""


def streaming(symbol: Symbol) -> str:
    """The streaming kind of a method."""
    kinds = {
        (False, False): "unary",
        (True, False): "client streaming",
        (False, True): "server streaming",
        (True, True): "bidirectional streaming",
    }
    return kinds[symbol.node.client_streaming, symbol.node.server_streaming]


def heading(symbol: Symbol) -> str:
    """What a symbol is, and where, in one line."""
    what = {"value": "enum value"}.get(symbol.kind, symbol.kind)
    if symbol.kind == "method":
        what = f"{streaming(symbol)} method"
    article = "an" if what.startswith("e") else "a"
    where = f" in {symbol.file}" if symbol.kind not in ("file", "package") else ""
    return safe(f"{symbol.name} is {article} {what}{where}")


def summary_row(symbol: Symbol) -> Row:
    """The record of a symbol in a list."""
    row: Row = {"kind": symbol.kind, "name": symbol.name}
    if symbol.kind == "method":
        row |= _method(symbol)
    elif symbol.kind == "service":
        row["methods"] = len(symbol.node.method)
    return row if symbol.kind in ("package", "file") else row | {"file": symbol.file}


class Describer:
    """Describes symbols of a schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._symbols = schema.symbols
        self._types: dict[int, Types] = {}
        self._parts: dict[int, PartPrinter] = {}
        self._comments: dict[int, Comments] = {}

    def source(self, symbol: Symbol) -> str:
        """A symbol as .proto source; a package as a list in comments. Raises SchemaError where no source can say it."""
        if symbol.kind == "package":
            return "".join(f"// {kind} {safe(name)}\n" for kind, name in self._contents(symbol))
        types = self._types_of(symbol)
        if symbol.kind == "file":
            return to_source(symbol.proto, types)
        parts = self._parts.get(id(symbol.proto))
        if parts is None:
            parts = self._parts[id(symbol.proto)] = PartPrinter(symbol.proto, types)
        return parts.part(symbol.path)

    def row(self, symbol: Symbol) -> Row:
        """The record of a symbol."""
        row: Row = {"kind": symbol.kind, "name": symbol.name}
        if symbol.kind == "package":
            return row | self._package(symbol)
        if symbol.kind != "file":
            row["file"] = symbol.file
        return row | self._within(symbol)

    def _within(self, symbol: Symbol) -> Row:
        """What there is to say of a declaration itself."""
        row: Row = self._bodies[symbol.kind](symbol)
        comment = self._comment(symbol)
        if comment:
            row["comment"] = comment
        options = self._options(symbol)
        if options:
            row["options"] = options
        return row

    @cached_property
    def _bodies(self) -> dict[str, Any]:
        return {
            "file": self._file,
            "service": lambda each: {"methods": self._inner(each, "method")},
            "method": _method,
            "message": self._message,
            "field": self._field,
            "extension": self._field,
            "oneof": _oneof,
            "enum": lambda each: {"values": self._inner(each, "value")},
            "value": lambda each: {"number": each.node.number},
        }

    def _inner(self, symbol: Symbol, kind: str) -> list[Row]:
        """Records of what is declared within, which have no file: it is the same."""
        return [{"name": text(each.node.name)} | self._within(each) for each in symbol.parts(kind)]

    def _package(self, symbol: Symbol) -> Row:
        found: dict[str, list[str]] = {"packages": self._symbols.packages_beneath(symbol.name)}
        for kind, name in self._contents(symbol):
            if kind != "package":
                found.setdefault(f"{kind}s", []).append(name)
        return {key: found.get(key, []) for key in ("packages", *(f"{kind}s" for kind in _LISTED))}

    def _contents(self, symbol: Symbol) -> Iterator[tuple[str, str]]:
        yield from (("package", name) for name in self._symbols.packages_beneath(symbol.name))
        found = list(self._symbols.in_package(symbol.name))
        for kind in _LISTED:
            yield from ((kind, name) for name in sorted({each.name for each in found if each.kind == kind}))

    def _file(self, symbol: Symbol) -> Row:
        proto = symbol.proto
        parts = list(symbol.parts())
        row: Row = {"package": text(proto.package), "syntax": _syntax(proto)}
        row["imports"] = [text(each) for each in proto.dependency]
        return row | {f"{kind}s": [each.name for each in parts if each.kind == kind] for kind in _LISTED}

    def _message(self, symbol: Symbol) -> Row:
        nested = [each for each in symbol.parts() if not each.is_map_entry]
        row: Row = {"fields": self._inner(symbol, "field")}
        row["oneofs"] = [
            {"name": text(each.node.name)} | self._within(each) for each in symbol.parts("oneof") if _is_real(each)
        ]
        for kind in ("message", "enum", "extension"):
            row[f"{kind}s"] = [each.name for each in nested if each.kind == kind]
        ranges = [[each.start, each.end - 1] for each in symbol.node.reserved_range]
        if ranges or symbol.node.reserved_name:
            row["reserved"] = [*ranges, *(text(each) for each in symbol.node.reserved_name)]
        if symbol.node.extension_range:
            row["extension_ranges"] = [[each.start, each.end - 1] for each in symbol.node.extension_range]
        return row

    def _field(self, symbol: Symbol) -> Row:
        field = symbol.node
        entry = self._entry(field)
        row: Row = {"number": field.number, "type": _type(field), "label": _LABELS[field.label]}
        if entry is not None:
            row["type"], row["label"] = f"map<{_type(entry[0])}, {_type(entry[1])}>", "map"
        row["json_name"] = text(field.json_name) or camel_case(text(field.name))
        if symbol.kind == "extension":
            row["extendee"] = text(field.extendee).removeprefix(".")
        oneof = None if symbol.kind == "extension" else self._oneof_of(symbol)
        if oneof is not None:
            row["oneof"] = oneof
        if field.proto3_optional:
            row["proto3_optional"] = True
        if field.HasField("default_value"):
            row["default"] = text(field.default_value)
        return row

    def _entry(self, field: FieldDescriptorProto) -> tuple[FieldDescriptorProto, FieldDescriptorProto] | None:
        """Key and value of a map."""
        if field.type != F.TYPE_MESSAGE or field.label != F.LABEL_REPEATED:
            return None
        found = self._symbols.find(f".{text(field.type_name).removeprefix('.')}")
        if found is None or not found.is_map_entry or [each.number for each in found.node.field] != [1, 2]:
            return None
        return found.node.field[0], found.node.field[1]

    def _oneof_of(self, symbol: Symbol) -> str | None:
        field = symbol.node
        if not field.HasField("oneof_index") or field.proto3_optional:
            return None
        message = self._symbols.find(f".{symbol.name.rpartition('.')[0]}")
        oneofs = message.node.oneof_decl if message is not None and message.kind == "message" else ()
        return text(oneofs[field.oneof_index].name) if 0 <= field.oneof_index < len(oneofs) else None

    def _comment(self, symbol: Symbol) -> str:
        comments = self._comments.get(id(symbol.proto))
        if comments is None:
            comments = self._comments[id(symbol.proto)] = Comments(symbol.proto.source_code_info)
        found = comments.at(symbol.path or (12,))
        return "\n".join(_flush(each) for each in (found.leading, found.trailing) if each)

    def _options(self, symbol: Symbol) -> object:
        """The options that are set, custom ones too, as ProtoJSON; what no source explains is under `$unknown`."""
        options: Message = symbol.node.options
        if not symbol.node.HasField("options") or not options.ByteSize():
            return None
        self._symbols.load(symbol)
        name = options.DESCRIPTOR.full_name
        return self._decoder.decode(name, options.SerializePartialToString()).value

    @cached_property
    def _decoder(self) -> MessageDecoder:
        return MessageDecoder(self._schema, proto_names=True, keep_unknown=True)

    def _types_of(self, symbol: Symbol) -> Types:
        types = self._types.get(id(symbol.proto))
        if types is None:
            types = self._types[id(symbol.proto)] = Types([symbol.proto, *self._symbols.imports([symbol])])
        return types


def _method(symbol: Symbol) -> Row:
    method = symbol.node
    service, _, name = symbol.name.rpartition(".")
    return {
        "path": f"/{service}/{name}",
        "request": text(method.input_type).removeprefix("."),
        "response": text(method.output_type).removeprefix("."),
        "client_streaming": method.client_streaming,
        "server_streaming": method.server_streaming,
    }


def _oneof(symbol: Symbol) -> Row:
    message: Any = symbol.proto
    for number, index in zip(symbol.path[:-2:2], symbol.path[1:-2:2], strict=True):
        message = getattr(message, message.DESCRIPTOR.fields_by_number[number].name)[index]
    members = (field for field in message.field if field.HasField("oneof_index"))
    return {"fields": [text(each.name) for each in members if each.oneof_index == symbol.path[-1]]}


def _is_real(oneof: Symbol) -> bool:
    """Whether it is not only there for the word `optional`."""
    return not text(oneof.node.name).startswith("_") or len(_oneof(oneof)["fields"]) != 1  # type: ignore[arg-type]


def _type(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return text(field.type_name).removeprefix(".")
    return F.Type.Name(field.type).removeprefix("TYPE_").lower()


def _syntax(proto: Any) -> str:
    if proto.syntax != "editions":
        return text(proto.syntax) or "proto2"
    known = proto.edition in Edition.values()
    return f"edition {Edition.Name(proto.edition).removeprefix('EDITION_') if known else proto.edition}"


def _flush(comment: str) -> str:
    """A comment without the space that stands behind its marks."""
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip("\n").split("\n"))
