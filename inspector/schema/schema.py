"""`Schema`: the message and method types that sources define, looked up by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, ServiceDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from inspector.schema.catalog import Catalog
from inspector.schema.conflicts import definitions
from inspector.schema.descriptor_set import DescriptorSet, all_messages
from inspector.schema.loader import Loader
from inspector.schema.names import split_method, unknown
from inspector.schema.sources import REFLECT, Reflect, open_descriptor_set, open_module, open_protos, open_sources
from inspector.schema.wording import text

if TYPE_CHECKING:
    from inspector.schema.symbols import Symbols

MAX_REMEMBERED = 10_000
"""Names whose look-up is remembered. Method paths come from captures, which may hold any number of them."""

MAX_REMEMBERED_LENGTH = 512
"""Characters of a name that is remembered: with the above it bounds the memory."""

T = TypeVar("T")


class Schema:
    """Types by name, from any number of sources and the always-known google/* files.

    A file is built when one of its types is asked for; opening a source reads no more than its outline.
    """

    def __init__(self, sources: Iterable[DescriptorSet] = ()) -> None:
        """Raises SchemaError where two sources define a symbol in different ways. See the `from_` methods."""
        self._catalog = Catalog(list(dict.fromkeys(sources)))
        self._catalog.refuse_conflicts()
        self._loader = Loader(self._catalog)
        self._messages: dict[str, Descriptor | None] = {}
        self._methods: dict[str, MethodDescriptor | None] = {}
        self._extended: set[str] = set()

    @classmethod
    def empty(cls) -> Schema:
        """Only the always-known types."""
        return cls()

    @classmethod
    def from_source(cls, source: str, import_paths: Sequence[str] = ()) -> Schema:
        """Opens a SOURCE: descriptor set, .proto file, folder of them, `python:MODULE`, or `grpc://HOST:PORT`
        (`grpcs://`), a server that offers reflection. Raises SchemaError (ConnectError, InputError for a server)."""
        return cls.from_sources((source,), import_paths)

    @classmethod
    def from_sources(
        cls, sources: Iterable[str], import_paths: Sequence[str] = (), reflect: Reflect = REFLECT
    ) -> Schema:
        """Opens each SOURCE, and merges them; `reflect` asks a server. Where that fails, and there is another source,
        it is one of the `notes`. Raises SchemaError (ConnectError, InputError for a server)."""
        return cls(open_sources(sources, import_paths, reflect))

    @classmethod
    def from_reflection(cls, address: str, *, symbols: Iterable[str] = (), use_cache: bool = True) -> Schema:
        """Asks a server for all its services, or for what the symbols need (`pkg.Svc/Method`, `pkg.Svc`, `pkg.Type`).

        `grpc://` is plaintext, `grpcs://` and an address without a scheme TLS. Without `use_cache` one that was asked
        for within the last minutes is asked for anew. Raises SchemaError, ConnectError, InputError.
        """
        return cls((REFLECT(address, symbols=tuple(symbols), use_cache=use_cache),))

    @classmethod
    def from_files(cls, *paths: str | PathLike[str]) -> Schema:
        """Opens descriptor sets, whatever their names end in. Raises SchemaError."""
        return cls(open_descriptor_set(fspath(path)) for path in paths)

    @classmethod
    def from_protos(cls, *paths: str | PathLike[str], import_paths: Sequence[str | PathLike[str]] = ()) -> Schema:
        """Compiles .proto files and folders of them. Raises SchemaError with file, line and column of a mistake."""
        folders = [fspath(path) for path in import_paths]
        return cls(open_protos(fspath(path), folders) for path in paths)

    @classmethod
    def from_module(cls, name: str, import_paths: Sequence[str] = ()) -> Schema:
        """Imports a generated module (`shop.v1.order_pb2`), or all of a package (`shop`). Raises SchemaError."""
        return cls((open_module(name, import_paths),))

    def merge(self, *others: Schema) -> Schema:
        """A new schema of the sources of all. Raises SchemaError where they define a symbol in different ways."""
        return Schema(source for schema in (self, *others) for source in schema._catalog.sources)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the sources, in sentences: what a server did not give, and how old it is."""
        return tuple(note for source in self._catalog.sources for note in source.notes)

    @property
    def pool(self) -> DescriptorPool:
        """The pool of this schema alone. A look-up by name in it loads what it finds, and may raise SchemaError."""
        return self._loader.pool

    def find_message(self, name: str) -> Descriptor | None:
        """The message type with this full name (a leading dot is allowed), or None.

        Raises SchemaError only where the type is there, but cannot be built.
        """
        if name in self._messages:
            return self._messages[name]
        return self._remember(self._messages, name, self._look_up_message(name.removeprefix(".")))

    def message(self, name: str) -> Descriptor:
        """As `find_message`, but raises SchemaError with the names that are near if there is no such type."""
        found = self.find_message(name)
        if found is None:
            raise unknown(
                "message type", name.removeprefix("."), self.messages(), self._catalog.always_known_messages()
            )
        return found

    def find_method(self, path: str) -> MethodDescriptor | None:
        """The method `pkg.Svc/Method` (also `/pkg.Svc/Method`, `pkg.Svc.Method`), or None.

        Raises SchemaError only where the service is there, but cannot be built.
        """
        if path in self._methods:
            return self._methods[path]
        return self._remember(self._methods, path, self._look_up_method(*split_method(path)))

    def method(self, path: str) -> MethodDescriptor:
        """As `find_method`, but raises SchemaError with the names that are near if there is no such method."""
        found = self.find_method(path)
        if found is None:
            service, method = split_method(path)
            known = [name.replace("/", ".") for name in self.methods()]
            raise unknown("method", f"{service}.{method}" if service else method, known)
        return found

    @cached_property
    def symbols(self) -> Symbols:
        """All that the files name, as it is described: packages, fields and options too."""
        from inspector.schema.symbols import Symbols  # noqa: PLC0415  # decoding can do without

        return Symbols(self._catalog, self._loader)

    def message_class(self, message: str | Descriptor) -> type[Message]:
        """The class whose instances hold this message type. Raises SchemaError for an unknown name."""
        return GetMessageClass(self.message(message) if isinstance(message, str) else message)

    def messages(self) -> list[str]:
        """Full names of the message types in the sources, nested ones too, sorted; without the always-known ones."""
        return list(self._message_names)

    def known_messages(self) -> list[str]:
        """Full names of the always-known message types, sorted."""
        return sorted(self._catalog.always_known_messages())

    def load_extensions(self, message: str) -> None:
        """Builds the files that have extensions of a message type, so that its pool knows them. Those that cannot be
        built are passed over."""
        if message not in self._extended:
            self._extended.add(message)
            for symbol in self.symbols.all("extension"):
                if text(symbol.node.extendee).removeprefix(".") == message:
                    self.symbols.load(symbol)

    def services(self) -> list[str]:
        """Full names of the services in the sources, sorted."""
        return sorted({name for name, _ in self._services})

    def methods(self) -> list[str]:
        """All methods of the sources as `pkg.Svc/Method`, sorted."""
        return sorted({f"{name}/{text(method.name)}" for name, service in self._services for method in service.method})

    def files(self) -> list[str]:
        """Names of the files in the sources, sorted."""
        return sorted({name for source in self._catalog.sources for name in source.names()})

    def file(self, name: str) -> FileDescriptorProto:
        """A file as its source has it, with comments where the source has them. Raises SchemaError if there is none."""
        for source in self._catalog.sources:
            entry = source.file(name)
            if entry is not None:
                return entry.proto()
        raise unknown("file", name, self.files())

    def _look_up_message(self, name: str) -> Descriptor | None:
        entry = self._catalog.defining(name)
        if entry is None:
            return None
        self._loader.load(entry)
        try:
            return self.pool.FindMessageTypeByName(name)
        except KeyError:
            return None

    def _look_up_method(self, service: str, method: str) -> MethodDescriptor | None:
        entry = self._catalog.defining(service)
        if entry is None:
            return None
        self._loader.load(entry)
        try:
            methods = self.pool.FindServiceByName(service).methods
        except KeyError:
            return None
        # Not `methods_by_name`: it fails with a SystemError for a name that is not valid Unicode.
        return next((each for each in methods if each.name == method), None)

    def _remember(self, cache: dict[str, T | None], name: str, found: T | None) -> T | None:
        if len(cache) >= MAX_REMEMBERED:
            cache.clear()
        if len(name) <= MAX_REMEMBERED_LENGTH:
            cache[name] = found
        return found

    @cached_property
    def _message_names(self) -> list[str]:
        found = (all_messages(entry.proto()) for entry in self._catalog.own_files())
        return sorted({name for messages in found for name, message in messages if not message.options.map_entry})

    @cached_property
    def _services(self) -> list[tuple[str, ServiceDescriptorProto]]:
        found = (definitions(entry.proto()) for entry in self._catalog.own_files())
        return [
            (each.name, each.node) for file in found for each in file if isinstance(each.node, ServiceDescriptorProto)
        ]
