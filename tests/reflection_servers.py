"""Servers that offer reflection, well and badly, without a connection. (pytest puts this folder on the path.)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from inspector.schema.reflection import Reflected, Reflection
from inspector.schema.type_references import types

NOT_FOUND, UNIMPLEMENTED = 5, 12


class StreamEnd(Exception):
    """What a server raises to end the stream."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


class Server:
    """Answers from a list of files as the protocol has it. The tests override what is to go wrong."""

    def __init__(self, *files: FileDescriptorProto, services: Sequence[str] | None = None) -> None:
        self.files = list(files)
        self.services = (
            list(services) if services is not None else [name for file in files for name in services_of(file)]
        )
        self.requests: list[ServerReflectionRequest] = []

    def answer(self, request: ServerReflectionRequest) -> ServerReflectionResponse:
        self.requests.append(request)
        kind = request.WhichOneof("message_request")
        answer = getattr(self, kind)(getattr(request, kind))
        answer.original_request.CopyFrom(request)
        return answer

    def list_services(self, _: str) -> ServerReflectionResponse:
        answer = ServerReflectionResponse()
        for name in self.services:
            answer.list_services_response.service.add(name=name)
        answer.list_services_response.SetInParent()
        return answer

    def file_by_filename(self, name: str) -> ServerReflectionResponse:
        return self.found(file for file in self.files if file.name == name)

    def file_containing_symbol(self, name: str) -> ServerReflectionResponse:
        return self.found(file for file in self.files if name in symbols_of(file))

    def file_containing_extension(self, extension: object) -> ServerReflectionResponse:
        wanted = (extension.containing_type, extension.extension_number)
        return self.found(file for file in self.files if wanted in extensions_of(file))

    def all_extension_numbers_of_type(self, name: str) -> ServerReflectionResponse:
        numbers = [number for file in self.files for extended, number in extensions_of(file) if extended == name]
        if name not in {symbol for file in self.files for symbol in symbols_of(file)}:
            return self.found(())
        answer = ServerReflectionResponse()
        answer.all_extension_numbers_response.base_type_name = name
        answer.all_extension_numbers_response.extension_number.extend(numbers)
        return answer

    def found(self, files: Iterable[FileDescriptorProto]) -> ServerReflectionResponse:
        first = next(iter(files), None)
        return error(NOT_FOUND, "no such thing") if first is None else self.file_response(first)

    def file_response(self, file: FileDescriptorProto) -> ServerReflectionResponse:
        return with_files(file.SerializeToString())


class WithImports(Server):
    """Sends all that a file imports with it, each time."""

    def file_response(self, file: FileDescriptorProto) -> ServerReflectionResponse:
        by_name = {each.name: each for each in self.files}
        found, waiting = {"": file}, [*file.dependency]
        while waiting:
            name = waiting.pop()
            if name in by_name and name not in found:
                found[name] = by_name[name]
                waiting += by_name[name].dependency
        return with_files(*(each.SerializeToString() for each in found.values()))


def error(code: int, message: str) -> ServerReflectionResponse:
    answer = ServerReflectionResponse()
    answer.error_response.error_code, answer.error_response.error_message = code, message
    return answer


def with_files(*contents: bytes) -> ServerReflectionResponse:
    answer = ServerReflectionResponse()
    answer.file_descriptor_response.file_descriptor_proto.extend(contents)
    return answer


def services_of(file: FileDescriptorProto) -> list[str]:
    return [f"{file.package}.{service.name}".removeprefix(".") for service in file.service]


def symbols_of(file: FileDescriptorProto) -> set[str]:
    return {*services_of(file), *(name for name, _ in types(file))}


def extensions_of(file: FileDescriptorProto) -> list[tuple[str, int]]:
    """The messages and numbers; a name without a package is of the file's own."""
    names = (field.extendee.removeprefix(".") for field in file.extension)
    full = (name if "." in name else f"{file.package}.{name}" for name in names)
    return [(name, field.number) for name, field in zip(full, file.extension, strict=True)]


def talk(
    answer: Callable[[ServerReflectionRequest], ServerReflectionResponse], *symbols: str, reversed_: bool = False
) -> Reflected:
    """The exchange with a server, over any number of streams: it has ended, whatever the server does."""
    reflection = Reflection(symbols)
    while not reflection.is_done:
        waiting = []
        while (question := reflection.next_question()) is not None:
            waiting.append(question)
        for question in waiting[::-1] if reversed_ else waiting:
            try:
                reflection.receive(answer(question).SerializeToString())
            except StreamEnd as end:
                reflection.stream_ended(end.code, end.message)
                break
    return reflection.result()
