"""The always-known types by full name, loaded package by package as names of them are asked for."""

from __future__ import annotations

from inspector.schema.conflicts import definitions
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.schema.type_references import types
from inspector.schema.wellknown import AlwaysKnown


class KnownTypes:
    """Which types need no source, and their files."""

    def __init__(self) -> None:
        self._source = AlwaysKnown()
        self._files: dict[str, str] = {}
        self._loaded = set[str]()

    def has_file(self, name: str) -> bool:
        return self._source.file(name) is not None

    def file_of(self, name: str) -> str | None:
        """The file that defines the type, service or extension with this full name."""
        for package in KNOWN_PACKAGES:
            if name.startswith(f"{package}.") and package not in self._loaded:
                self._load(package)
        return self._files.get(name)

    def _load(self, package: str) -> None:
        self._loaded.add(package)
        for entry in self._source.in_package(package):
            proto = entry.proto()
            self._files |= {found.name: entry.name for found in definitions(proto)}
            self._files |= {name: entry.name for name, _ in types(proto)}
