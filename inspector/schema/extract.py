"""Descriptors embedded in any file: programs and shared libraries, Python packages, jars, generated sources, memory.

Programs carry serialized FileDescriptorProtos: C++ and newer Go raw, older Go compressed with gzip, Python, Java and
others as text of some form. Each file is searched as it is, then as the archive or the text that it may be.

Invariant: what is found is whole descriptors, each file name once in the result; time is linear in what is searched,
which limits bound (MAX_UNPACKED, MAX_SEARCHED_FILES), and nothing that is found is executed or written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import InputError
from inspector.limits import MAX_EXTRACTED, MAX_NESTED_ARCHIVES, MAX_PROBLEMS, MAX_SCHEMA
from inspector.model.problem import Problem
from inspector.schema.conflicts import definitions, difference
from inspector.schema.extract_archives import Budget, embedded_gzip, has_archive, is_archive, members
from inspector.schema.extract_finder import Buffer, Found, find_descriptors
from inspector.schema.extract_literals import Literal, class_constants, is_class, literals, utf16_literals
from inspector.schema.wording import one_line, text

_TEXT_PROBE = 8192
"""Bytes in which a text has no NUL."""

_MAX_VERSIONS = 16
"""Versions of one file that are told apart."""


class Place(NamedTuple):
    """Where a descriptor was found: the file, the member of an archive in it, and the offset in that of its bytes, or
    of the literal or the gzip stream (`form`) that holds them."""

    path: str
    member: str = ""
    offset: int = 0
    form: str = "bytes"

    def __str__(self) -> str:
        return one_line(f"{self.path}!{self.member}" if self.member else self.path)

    def within(self, name: str) -> Place:
        """The place of a member."""
        return Place(self.path, f"{self.member}!{name}" if self.member else name)


class Descriptor(NamedTuple):
    """A file descriptor and where it was found. `chosen` is False for a version of a file that gives way to another."""

    file: FileDescriptorProto
    place: Place
    chosen: bool = True


class Extraction(NamedTuple):
    """What was found. `searched` is the number of files and members that were looked into, `searched_bytes` their
    size."""

    descriptors: tuple[Descriptor, ...]
    problems: tuple[Problem, ...]
    searched: int
    searched_bytes: int

    @property
    def files(self) -> list[FileDescriptorProto]:
        """One descriptor for each file name."""
        return [each.file for each in self.descriptors if each.chosen]


def extract(inputs: Iterable[str | os.PathLike[str] | bytes]) -> Extraction:
    """Searches files, folders with all that is in them, and bytes. Raises InputError where one cannot be read."""
    search = _Search()
    for each in inputs:
        if isinstance(each, bytes):
            search.data(each, Place("-"))
        else:
            search.path(os.fspath(each))
    return search.result()


class _Search:
    """Goes through inputs, and collects what is found."""

    def __init__(self) -> None:
        self._collection = _Collection()
        self._budget = Budget()
        self._searched = 0
        self._searched_bytes = 0

    def result(self) -> Extraction:
        found = self._collection
        return Extraction(tuple(found.descriptors()), tuple(found.problems), self._searched, self._searched_bytes)

    def path(self, path: str) -> None:
        if not os.path.isdir(path):
            self._file(path)
            return
        for place, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if self._budget.files <= 0:
                    self._collection.problem("limit", "more files are beneath this folder than are searched", path)
                    return
                inner = os.path.join(place, name)
                if os.path.isfile(inner) and not os.path.islink(inner):
                    self._budget.files -= 1
                    self._file_of_folder(inner)

    def _file_of_folder(self, path: str) -> None:
        try:
            self._file(path)
        except InputError as error:
            self._collection.problem("unreadable", error.message, path)

    def _file(self, path: str) -> None:
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                # A pipe or a device has no size, and cannot be mapped.
                data = mmap(file.fileno(), 0, access=ACCESS_READ) if size else file.read(MAX_SCHEMA)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise InputError(f"it cannot be read: {reason}", where=one_line(path)) from error
        self.data(data, Place(path))

    def data(self, data: Buffer, place: Place, depth: int = 0) -> None:
        """Searches bytes in all the ways there are."""
        self._searched += 1
        self._searched_bytes += len(data)
        if has_archive(data):
            self._archive(data, place, depth)
            if is_archive(data):
                return
        if not is_class(data):
            self._found(find_descriptors(data), place)
        for offset, content in embedded_gzip(data, self._budget):
            self._found(find_descriptors(content), place._replace(offset=offset, form="gzip"))
        for literal in _literals(data):
            here = place._replace(offset=literal.offset, form=literal.form)
            self._found(find_descriptors(literal.content), here)
            for _, content in embedded_gzip(literal.content, self._budget):
                self._found(find_descriptors(content), here)

    def _archive(self, data: Buffer, place: Place, depth: int) -> None:
        if depth >= MAX_NESTED_ARCHIVES:
            self._collection.problem("limit", "an archive in so many others is not looked into", str(place))
            return
        for member in members(data, self._budget):
            inner = place.within(member.name) if member.name else place
            if member.problem is not None:
                self._collection.problem("unpack", member.problem, str(inner))
            self.data(member.content, inner, depth + 1)

    def _found(self, found: Iterable[Found], place: Place) -> None:
        for each in found:
            here = place if place.form != "bytes" else place._replace(offset=each.start)
            if each.cut_off:
                message = f"the bytes end within {one_line(text(each.file.name))}"
                self._collection.problem("cut_off", message, str(here), here.offset)
            self._collection.add(Descriptor(each.file, here))


def _literals(data: Buffer) -> Iterator[Literal]:
    if is_class(data):
        yield class_constants(data)
    elif b"\0" in data[:_TEXT_PROBE]:
        yield from utf16_literals(data)
    else:
        yield from literals(data)


class _Collection:
    """Descriptors by file name. Of copies one is kept; of different versions the one which says most is chosen."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._versions: dict[str, list[Descriptor]] = {}
        self._seen: set[bytes] = set()

    def descriptors(self) -> Iterator[Descriptor]:
        for versions in self._versions.values():
            first, *others = versions
            yield first
            yield from (each._replace(chosen=False) for each in others)

    def problem(self, code: str, message: str, where: str, offset: int | None = None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, f"{where}: {message}", None, offset))

    def add(self, descriptor: Descriptor) -> None:
        content = sha256(descriptor.file.SerializeToString()).digest()
        if content in self._seen:
            return
        if len(self._seen) >= MAX_EXTRACTED:
            self.problem("limit", "more descriptors are there than are taken", str(descriptor.place))
            return
        self._seen.add(content)
        versions = self._versions.setdefault(text(descriptor.file.name), [])
        if not versions:
            versions.append(descriptor)
        elif len(versions) < _MAX_VERSIONS:
            self._add_version(descriptor, versions)

    def _add_version(self, new: Descriptor, versions: list[Descriptor]) -> None:
        """Puts a descriptor of the same name where it belongs; the chosen one is the first."""
        for index, old in enumerate(versions):
            if _includes(old.file, new.file):
                return
            if _includes(new.file, old.file):
                versions[index] = new
                return
        versions.append(new)
        versions.sort(key=lambda each: each.file.ByteSize(), reverse=True)
        name = one_line(text(new.file.name))
        message = f"{name} is another version than that in {versions[0 if versions[0] is not new else 1].place}"
        self.problem("versions", message, str(new.place), new.place.offset)


def _includes(whole: FileDescriptorProto, part: FileDescriptorProto) -> bool:
    """Whether `part` defines nothing that `whole` does not define alike: it was cut off, or stripped of comments."""
    if whole.syntax and not part.syntax:  # it stands at the end, and is lost first
        part = FileDescriptorProto.FromString(part.SerializeToString())
        part.syntax, part.edition = whole.syntax, whole.edition
    ours = {each.name: each for each in definitions(whole)}
    theirs = list(definitions(part))
    return (not part.package or whole.package == part.package) and all(
        each.name in ours and difference(ours[each.name], each) is None for each in theirs
    )
