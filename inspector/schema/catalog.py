"""Several schema sources as one: which file defines a symbol, and which file an import means.

Sources come in order of precedence, behind them those that give way, the always-known types last. The unit is the
symbol, not the file: where two files define one symbol equally the first owns it, whatever the files are called. The
index of a package is made when one of its symbols is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from inspector.errors import SchemaError
from inspector.schema import wellknown
from inspector.schema.conflicts import Difference, definitions, difference
from inspector.schema.descriptor_set import DescriptorSet, FileEntry, all_messages
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.schema.wording import one_line

MAX_SYMBOL = 4096
"""Characters of a name that is looked up: paths in captures are hostile, and a lookup costs a step per component."""


class Catalog:
    """The files of `sources`, and the always-known ones behind them."""

    def __init__(self, sources: Sequence[DescriptorSet]) -> None:
        self.sources = tuple(sorted(sources, key=lambda source: source.gives_way))
        self._all: tuple[DescriptorSet | wellknown.AlwaysKnown, ...] = (*self.sources, wellknown.AlwaysKnown())
        self._packages = frozenset(chain.from_iterable(source.packages() for source in self._all))
        self._depth = max((name.count(".") + 1 for name in self._packages if name), default=0)
        self._owners: dict[str, Mapping[str, FileEntry]] = {}
        self._own_owners: dict[str, Mapping[str, FileEntry]] = {}
        self._broken: dict[str, SchemaError] = {}

    @property
    def with_known(self) -> tuple[DescriptorSet | wellknown.AlwaysKnown, ...]:
        """The sources, and the always-known files as the last one."""
        return self._all

    def refuse_conflicts(self) -> None:
        """Raises SchemaError where two sources disagree about a symbol."""
        counts = Counter(chain.from_iterable(source.packages() for source in self.sources))
        for package, count in counts.items():
            if count > 1:
                self.owners(package)

    def defining(self, symbol: str) -> FileEntry | None:
        """The file that defines `symbol` (a full name, no leading dot), perhaps in another definition."""
        if len(symbol) > MAX_SYMBOL:
            return None
        parts = symbol.split(".", self._depth + 1)
        for depth in range(min(len(parts) - 1, self._depth), -1, -1):
            package = ".".join(parts[:depth])
            if package in self._packages:
                owner = self.owners(package).get(".".join(parts[: depth + 1]))
                if owner is not None:
                    return owner
        return None

    def owners(self, package: str) -> Mapping[str, FileEntry]:
        """The file that each top-level symbol of a package comes from. Raises SchemaError where files disagree."""
        if package in self._broken:
            raise copy_of(self._broken[package])
        if package not in self._owners:
            try:
                self._owners[package] = self._index(package, self._all)
            except SchemaError as error:
                self._broken[package] = error
                raise
        return self._owners[package]

    def own_owners(self, package: str) -> Mapping[str, FileEntry]:
        """The same without the always-known files, which take time to load: what no source defines is theirs."""
        if package not in KNOWN_PACKAGES:
            return self.owners(package)
        if package not in self._own_owners:
            self._own_owners[package] = self._index(package, self.sources)
        return self._own_owners[package]

    def file(self, name: str) -> FileEntry | None:
        """The file with this name, of the first source that has it."""
        found = (source.file(name) for source in self._all)
        return next((file for file in found if file is not None), None)

    def own_files(self) -> Iterator[FileEntry]:
        """The files of the sources, without what is there for others: copies of always-known files that these import,
        and google/protobuf where there is anything else."""
        for source in self.sources:
            copies = [
                entry for each in source.packages() if each in KNOWN_PACKAGES for entry in source.in_package(each)
            ]
            own = [
                entry for each in source.packages() if each not in KNOWN_PACKAGES for entry in source.in_package(each)
            ]
            yield from own
            if copies:
                yield from _for_themselves(source, own, copies)

    def always_known_messages(self) -> Iterator[str]:
        """Full names of the messages that need no source. Reads all those files."""
        for package in KNOWN_PACKAGES:
            for entry in self._all[-1].in_package(package):
                yield from (name for name, _ in all_messages(entry.proto()))

    def imported(self, entry: FileEntry, name: str) -> FileEntry | None:
        """The file that `entry` means by its import `name`: one of its own source if there is one."""
        own = (source.file(name) for source in self._all if source.file(entry.name) is entry)
        return next(filter(None, own), None) or self.file(name)

    def unique_name(self, entry: FileEntry) -> str:
        """A name for the file that no file of another source has: two services may both have a `service.proto`."""
        before = 0
        for source in self._all:  # the always-known ones, which take time to load, come last
            held = source.file(entry.name)
            if held is entry:
                break
            before += held is not None
        return f"{entry.name}#{before + 1}" if before else entry.name

    def extending(self, message: str) -> Iterator[FileEntry]:
        """The files which (seem to) extend the message with this full name."""
        return chain.from_iterable(source.extending(message) for source in self._all)

    def _index(self, package: str, sources: Sequence[DescriptorSet | wellknown.AlwaysKnown]) -> dict[str, FileEntry]:
        owners: dict[str, FileEntry] = {}
        for source in sources:
            tolerant = package in KNOWN_PACKAGES or source.gives_way
            for entry in source.in_package(package):
                self._add_symbols(entry, owners, tolerant=tolerant)
        return owners

    def _add_symbols(self, entry: FileEntry, owners: dict[str, FileEntry], *, tolerant: bool) -> None:
        """Enters what the file defines. `tolerant`: the first wins, although the definitions differ."""
        for found in definitions(entry.proto()):
            owner = owners.setdefault(found.name, entry)
            if owner is entry or tolerant or owner.content == entry.content:
                continue
            differing = difference(owner.definition(found.name), found)
            if differing is not None:
                raise _conflict(differing, owner, entry)


def _for_themselves(
    source: DescriptorSet, own: Sequence[FileEntry], copies: Sequence[FileEntry]
) -> Iterator[FileEntry]:
    """The copies of always-known files that no other file of the source needs."""
    waiting, needed = list(own), set(own)
    while waiting:
        found = [source.file(name) for name in waiting.pop().imports]
        new = [each for each in found if each is not None and each not in needed]
        needed.update(new)
        waiting += new
    basic = [entry for entry in copies if entry.name.startswith("google/protobuf/")]
    hidden = needed.union(basic) if own or len(basic) < len(copies) else needed
    yield from (entry for entry in copies if entry not in hidden)


def _conflict(differing: Difference, first: FileEntry, second: FileEntry) -> SchemaError:
    here, there = (f"{one_line(entry.origin)}: {one_line(entry.name)}" for entry in (first, second))
    if first.name == second.name:
        here, there = one_line(first.origin), one_line(second.origin)
    elif first.origin == second.origin:
        here, there = one_line(first.name), one_line(second.name)
    place, ours, theirs = (one_line(part) for part in differing)
    return SchemaError(
        f"the sources disagree: {place} is {ours} in {here} and {theirs} in {there}",
        hint="they are different versions of one file: give only the one that the traffic was made with",
    )


def copy_of(error: SchemaError) -> SchemaError:
    """The same error, to be raised once more. (Raising one object again and again grows its traceback.)"""
    return SchemaError(error.message, where=error.where, hint=error.hint)
