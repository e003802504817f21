"""A schema out of messages that have none.

Field numbers and wire types are on the wire; kinds are judged over the whole sample (`infer_types`) and held against
each value of it (`infer_survey`); names are not to be had, save those of methods. What was seen stands in comments.

Invariant: the files that are returned compile, and decode the sample they were made from without errors, and without
unknown fields save those that a comment names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import InputError
from inspector.limits import MAX_INFERRED_BYTES, MAX_INFERRED_MESSAGES
from inspector.model.call import Message
from inspector.schema.infer_file import MethodTypes, write_file
from inspector.schema.infer_survey import settle
from inspector.schema.infer_types import InferredType, Place, TypeFinder
from inspector.schema.names import split_method
from inspector.schema.proto_source_text import is_dotted, is_identifier
from inspector.wire.scan import scan_prefix

_ATTEMPTS = 8
"""Times that types are found anew, where such as were taken for one turned out not to be."""


class Inference(NamedTuple):
    """The files, one for each package, that with most messages first, and what is to be said about them."""

    files: list[FileDescriptorProto]
    notes: list[str]


def infer(
    messages: Iterable[Message | bytes],
    hints: Mapping[str, str] = {},
    *,
    package: str = "",
    message_name: str = "",
) -> Inference:
    """Infers a schema from messages of one type (bytes), or from those of calls.

    `hints` say what kind a field has (`{"3.1": "string"}`). `package` and `message_name` name what nothing else does;
    where there are calls, `package` takes only the methods of that package. Raises InputError for names that are no
    identifiers, for hints that do not exist, and where no message is whole.
    """
    if package and not is_dotted(package):
        raise InputError(f"{package!r} is no package name", hint="identifiers with dots between them: shop.v1")
    if message_name and not is_identifier(message_name):
        raise InputError(f"{message_name!r} is no message name", hint="letters, digits and underscores")
    sample = _Sample(messages)
    packages = sample.packages(package)
    if not packages and sample.taken:
        raise InputError(f"no method of the package {package} is in the input", hint="see inspector calls")
    if not packages:
        raise InputError("there is no whole message to infer a schema from", hint="; ".join(sample.notes()) or None)
    files = [_infer_package(name, methods, hints, message_name) for name, methods in packages.items()]
    return Inference(files, sample.notes())


def _infer_package(
    package: str, methods: Sequence[_Method], hints: Mapping[str, str], message_name: str
) -> FileDescriptorProto:
    separate: set[Place] = set()
    for _ in range(_ATTEMPTS):
        finder = TypeFinder(hints, separate)
        roots: dict[InferredType, list[bytes]] = {}
        typed = []
        for method in methods:
            request, response = finder.add_root(method.requests), finder.add_root(method.responses)
            roots |= {request: method.requests, response: method.responses}
            typed.append(MethodTypes(method.service.rpartition(".")[2], method.name, request, response, method.streams))
        finder.run()
        settled = settle(roots)
        merged = {place for message in settled.contested for place in message.merged}
        if not merged:
            break
        separate |= merged
    return write_file(package, typed, settled.survey, message_name)


class _Method:
    """The messages of a method; those that no method tells are of one without a name."""

    def __init__(self, service: str, name: str) -> None:
        self.service = service
        self.name = name
        self.requests: list[bytes] = []
        self.responses: list[bytes] = []
        self.streams = [False, False]

    @property
    def messages(self) -> int:
        return len(self.requests) + len(self.responses)

    def add(self, data: bytes, message: Message | None) -> None:
        is_response = message is not None and message.direction == "response"
        (self.responses if is_response else self.requests).append(data)
        if message is not None and message.index > 0:
            self.streams[is_response] = True


class _Sample:
    """The messages by method, those that are damaged left out."""

    def __init__(self, messages: Iterable[Message | bytes]) -> None:
        self._methods: dict[str, _Method] = {}
        self.taken = self._damaged = self._size = 0
        self._more = False
        for message in messages:
            if self.taken >= MAX_INFERRED_MESSAGES or self._size >= MAX_INFERRED_BYTES:
                self._more = True
                break
            self._add(message)

    def _add(self, message: Message | bytes) -> None:
        record = None if isinstance(message, bytes) else message
        data = message if isinstance(message, bytes) else message.data
        if data is None or scan_prefix(data)[1] is not None:
            self._damaged += 1
            return
        self.taken += 1
        self._size += len(data)
        path = record.method if record is not None and record.method is not None else ""
        if path not in self._methods:
            self._methods[path] = _Method(*_names(path))
        self._methods[path].add(data, record)

    def packages(self, wanted: str) -> dict[str, list[_Method]]:
        """The methods by package. Messages without a method count only where there are no others."""
        named = [method for method in self._methods.values() if method.name]
        found: dict[str, list[_Method]] = {}
        for method in named:
            found.setdefault(method.service.rpartition(".")[0], []).append(method)
        if found:
            by_size = sorted(found.items(), key=lambda item: -sum(method.messages for method in item[1]))
            return {name: methods for name, methods in by_size if wanted in ("", name)}
        return {wanted: list(self._methods.values())} if self._methods else {}

    def notes(self) -> list[str]:
        notes = []
        if self._more:
            notes.append(f"the schema is inferred from the first {self.taken} messages")
        if self._damaged:
            notes.append(f"{self._damaged} messages are damaged and were left out")
        nameless = sum(
            len(method.requests) + len(method.responses) for method in self._methods.values() if not method.name
        )
        if nameless and len(self._methods) > 1:
            notes.append(f"{nameless} messages are of methods that are not known, and were left out")
        return notes


def _names(path: str) -> tuple[str, str]:
    """The service and method of a path, or nothing where they are no names that a schema can have."""
    service, method = split_method(path)
    return (service, method) if is_dotted(service) and is_identifier(method) else ("", "")
