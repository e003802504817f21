"""File descriptors as a server gave them, made into a set that holds together.

Servers keep descriptors in many ways, and hand out what those have lost: type names without their package, imports by
other names than the files have, one file under two names, files without a name, a file for each message, imports that
are nowhere. What can be worked out is put right; a type that is nowhere becomes an empty one, whose fields are then
unknown ones. Invariant: a file that holds together is left as it is, byte for byte.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from inspector.schema import protobufjs
from inspector.schema.conflicts import Definition, definitions, difference
from inspector.schema.descriptor_set import all_messages
from inspector.schema.import_cycles import components, without_cycle
from inspector.schema.known_types import KnownTypes
from inspector.schema.type_references import Reference, candidates, is_full_name, references, types
from inspector.schema.wording import listed, text
from inspector.wire.encode import varint

MAX_PUBLIC = 1_000
"""Files that are looked through for what one file gets by `import public`."""


class Mended(NamedTuple):
    """A serialized FileDescriptorSet, and what is wrong with it, in sentences."""

    data: bytes
    problems: list[str]


@dataclass(eq=False, slots=True)
class _File:
    """`uses`: the names of the files that define what it refers to."""

    proto: FileDescriptorProto
    content: bytes = b""
    uses: dict[str, None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return text(self.proto.name)

    @property
    def package(self) -> str:
        return text(self.proto.package)

    def changed(self) -> FileDescriptorProto:
        """The descriptor, to be changed."""
        self.content = b""
        return self.proto

    def serialized(self) -> bytes:
        return self.content or self.proto.SerializeToString()


class _Missing(NamedTuple):
    """A reference to a type that is nowhere, and the full name that the type must have."""

    name: str
    file: _File
    reference: Reference


def mend(contents: Iterable[bytes], known: KnownTypes) -> Mended:
    """Puts serialized FileDescriptorProtos right. Types that they lack may be among the `known` ones."""
    return _Mending(contents, known).mended()


class _Mending:
    def __init__(self, contents: Iterable[bytes], known: KnownTypes) -> None:
        self._files = [_File(FileDescriptorProto.FromString(content), content) for content in contents]
        self._known = known
        self._problems: list[str] = []
        self._other_names: dict[str, list[str]] = {}
        """The files that are meant by a name which no file has any more."""

    def mended(self) -> Mended:
        self._drop_known()
        self._drop_repeats()
        self._name_all()
        self._mend_protobufjs()
        self._add_missing(self._resolve_all())
        self._set_imports()
        self._open_circles()
        return Mended(b"".join(_framed(file.serialized()) for file in self._files), self._problems)

    def _drop_repeats(self) -> None:
        """Each definition is kept in the first file that has it; files that have nothing else are left out."""
        first: dict[str, tuple[Definition, _File]] = {}
        unequal: dict[str, None] = {}
        kept = []
        for file in self._files:
            repeated: dict[str, _File] = {}
            for found in definitions(file.proto):
                before, holder = first.setdefault(found.name, (found, file))
                if holder is not file:
                    repeated[found.name] = holder
                    if difference(before, found) is not None:
                        unequal[found.name] = None
            if repeated and not _take_out(file, repeated):
                self._other_names[file.name] = [each.name for each in dict.fromkeys(repeated.values())]
            else:
                kept.append(file)
        self._files = kept
        if unequal:
            self._problems.append(f"defined in several ways, of which the first is taken: {listed(unequal)}")

    def _name_all(self) -> None:
        """Gives files names where they have none, or one that another file has; and says proto2 as it is said."""
        taken, seen = {file.name for file in self._files}, {""}
        for file in self._files:
            if file.name in seen:
                base = file.name or f"unnamed/{_main_name(file)}.proto"
                file.changed().name = _free_name(base, taken)
                taken.add(file.name)
            seen.add(file.name)
            if file.proto.HasField("syntax") and not file.proto.syntax:
                file.changed().ClearField("syntax")  # proto2 is said by saying nothing

    def _drop_known(self) -> None:
        """Leaves out always-known definitions in files that are others than theirs: old copies, or a package in one."""
        kept = []
        for file in self._files:
            holders = {found.name: self._known.file_of(found.name) for found in definitions(file.proto)}
            names = {name: holder for name, holder in holders.items() if holder not in (None, file.name)}
            if names and not _take_out(file, names):
                self._other_names[file.name] = [*dict.fromkeys(filter(None, names.values()))]
            else:
                kept.append(file)
        self._files = kept

    def _mend_protobufjs(self) -> None:
        for file in self._files:
            if protobufjs.put_right(file.proto):
                file.changed()
        extensions = {name for file in self._files for name in protobufjs.extension_names(file.proto)}
        for file in self._files:
            if protobufjs.drop_stand_ins(file.proto, extensions):
                file.changed()

    def _resolve_all(self) -> list[_Missing]:
        """Writes all names of types as full names; returns those that are nowhere."""
        holders = {name: file.name for file in self._files for name, _ in types(file.proto)}
        missing = []
        for file in self._files:
            file.uses.clear()
            for reference in references(file.proto):
                name, holder = self._resolve(reference, holders)
                if holder is None:
                    missing.append(_Missing(_name_of_missing(reference, file.package), file, reference))
                    continue
                if holder != file.name:
                    file.uses[holder] = None
                if reference.name != f".{name}":
                    setattr(reference.node, reference.attribute, f".{name}")
                    file.changed()
        return missing

    def _resolve(self, reference: Reference, holders: Mapping[str, str]) -> tuple[str, str | None]:
        """The full name of a type, and the file that it is in, if there is one."""
        for name in candidates(reference.name, reference.scope):
            holder = holders.get(name) or self._known.file_of(name)
            if holder is not None:
                return name, holder
        return "", None

    def _add_missing(self, missing: list[_Missing]) -> None:
        """Puts empty types in the place of those that are nowhere. What extends one of them is left out."""
        if not missing:
            return
        extensions: dict[_File, set[str]] = {}
        for each in missing:
            if each.reference.attribute == "extendee":
                extensions.setdefault(each.file, set()).add(each.reference.place)
        for file, places in extensions.items():
            _drop_extensions(file, places)
        self._files += _placeholders(self._files, [each for each in missing if is_full_name(each.name)])
        self._resolve_all()
        names = listed(sorted({each.name for each in missing}))
        places_ = listed(dict.fromkeys(each.reference.place for each in missing))
        self._problems.append(
            f"no file of the server defines {names}, used by {places_}: fields of such a type are known by number only"
        )

    def _set_imports(self) -> None:
        """Lets each file import what it uses, by the names that the files have."""
        names = {file.name for file in self._files}
        public = {file.name: self._public_imports(file, names) for file in self._files}
        for file in self._files:
            imports = {name: None for given in file.proto.dependency for name in self._meant(text(given), names)}
            imports.pop(file.name, None)
            lacking = [name for name in file.uses if name not in imports]
            visible = _visible(imports, public) if lacking else imports
            _replace_imports(file, [*imports, *(name for name in lacking if name not in visible)])

    def _public_imports(self, file: _File, names: Container[str]) -> list[str]:
        imports = file.proto.dependency
        given = [text(imports[index]) for index in file.proto.public_dependency if 0 <= index < len(imports)]
        return [name for each in given for name in self._meant(each, names)]

    def _meant(self, name: str, names: Container[str]) -> list[str]:
        """The files that an import means; none where it is nowhere."""
        if name in names:
            return [name]
        if name in self._other_names:
            return self._other_names[name]
        return [name] if self._known.has_file(name) else []

    def _open_circles(self) -> None:
        circles = self._circles()
        for circle in circles:
            names = {file.name for file in circle}
            for file in circle:
                imports = map(text, file.proto.dependency)
                _replace_imports(file, [name for name in imports if name not in names or name in file.uses])
        split = [self._split(circle) for circle in self._circles()] if circles else []
        if split:
            self._problems.extend(filter(None, split))
            self._resolve_all()
            self._set_imports()

    def _circles(self) -> list[list[_File]]:
        files = {file.name: file for file in self._files}
        graph = {name: [each for each in map(text, file.proto.dependency) if each in files]
                 for name, file in files.items()}  # fmt: skip
        return [[files[name] for name in names] for names in components(graph) if len(names) > 1]

    def _split(self, circle: list[_File]) -> str | None:
        """Puts files without a circle in the place of some; says what could not be kept."""
        names = {file.name for file in circle}
        parts = without_cycle([file.proto for file in circle], [file.name for file in self._files])
        self._other_names |= {name: [] for name in names}
        for part in parts.files:
            part.proto.dependency[:] = [name for name in part.proto.dependency if text(name) not in names]
            for name in part.origins:
                self._other_names[name].append(text(part.proto.name))
        self._files = [file for file in self._files if file.name not in names]
        self._files += [_File(part.proto) for part in parts.files]
        if not parts.given_up:
            return None
        return f"types of several packages need each other; these fields are taken as bytes: {listed(parts.given_up)}"


def _main_name(file: _File) -> str:
    """What tells a file without a name from others."""
    found = next(definitions(file.proto), None)
    return found.name if found is not None else file.package or "file"


def _free_name(name: str, taken: Container[str]) -> str:
    if name not in taken:
        return name
    stem = name.removesuffix(".proto")
    return next(free for number in count(2) if (free := f"{stem}.{number}.proto") not in taken)


def _take_out(file: _File, names: Container[str]) -> bool:
    """Takes top-level definitions out of a file; whether it has others."""
    prefix = f"{file.package}." if file.package else ""
    proto = file.changed()
    proto.ClearField("source_code_info")  # it counts definitions
    parts: tuple[Any, ...] = (proto.message_type, proto.enum_type, proto.service, proto.extension)
    for part in parts:
        _remove(part, prefix, names)
    return any(parts)


def _drop_extensions(file: _File, places: Container[str]) -> None:
    proto = file.changed()
    scopes: list[tuple[str, Any]] = [(file.package, proto), *all_messages(proto)]
    for scope, holder in scopes:
        _remove(holder.extension, f"{scope}." if scope else "", places)


def _remove(nodes: Any, prefix: str, names: Container[str]) -> None:
    kept = [node for node in nodes if prefix + text(node.name) not in names]
    if len(kept) < len(nodes):
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]
        del nodes[:]
        nodes.extend(copies)


def _name_of_missing(reference: Reference, package: str) -> str:
    """The full name that a type must have. One without a package is likeliest of the package that uses it."""
    bare = reference.name.removeprefix(".")
    is_full = reference.name.startswith(".") or "." in bare or not package
    return bare if is_full else f"{package}.{bare}"


def _placeholders(files: Iterable[_File], missing: Iterable[_Missing]) -> list[_File]:
    """Empty types of these names, in messages where the names say so, else in new files, one for each package."""
    messages: dict[str, tuple[_File, Any]] = {
        name: (file, message) for file in files for name, message in all_messages(file.proto)
    }
    added: dict[str, _File] = {}
    for name, is_enum in sorted(_kinds_of_missing(missing).items()):
        package, _, last = name.rpartition(".")
        if package not in messages:
            file = added.setdefault(package, _placeholder_file(package))
            inner, enums = file.proto.message_type, file.proto.enum_type
        else:
            file, message = messages[package]
            inner, enums = message.nested_type, message.enum_type
            file.changed()
        if is_enum:
            enums.add(name=last).value.add(name=f"{last}_UNKNOWN", number=0)
        else:
            messages[name] = file, inner.add(name=last)
    return list(added.values())


def _kinds_of_missing(missing: Iterable[_Missing]) -> dict[str, bool]:
    """For each name whether it is that of an enum. The references are made to refer to what will have that name."""
    kinds: dict[str, bool] = {}
    for name, file, reference in missing:
        if reference.attribute != "extendee":
            kinds[name] = kinds.get(name, True) and reference.is_enum
            setattr(reference.node, reference.attribute, f".{name}")
            if isinstance(reference.node, FieldDescriptorProto):
                reference.node.ClearField("default_value")  # which names a value of an enum
            file.changed()
    return kinds


def _placeholder_file(package: str) -> _File:
    path = package.replace(".", "/")
    return _File(FileDescriptorProto(name=f"missing/{path or 'file'}.proto", package=package, syntax="proto3"))


def _visible(imports: Iterable[str], public: Mapping[str, list[str]]) -> set[str]:
    """The files that a file with these imports sees: these, and what they import publicly."""
    seen, waiting = set[str](), list(imports)
    while waiting and len(seen) < MAX_PUBLIC:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += public.get(name, ())
    return seen


def _replace_imports(file: _File, imports: list[str]) -> None:
    before = [text(name) for name in file.proto.dependency]
    if before == imports:
        return
    proto = file.changed()
    places = {name: place for place, name in enumerate(imports)}
    for indexes in (proto.public_dependency, proto.weak_dependency):
        named = [before[index] for index in indexes if 0 <= index < len(before)]
        indexes[:] = [places[name] for name in named if name in places]
    proto.dependency[:] = imports


def _framed(content: bytes) -> bytes:
    """A file as it stands in a FileDescriptorSet."""
    return b"\x0a" + varint(len(content)) + content
