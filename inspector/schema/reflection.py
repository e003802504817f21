"""Server reflection (grpc.reflection.v1 and v1alpha, which have the same messages), without a connection.

`Reflection` says what to ask of a server next, and takes its answers, until it has every file that the services, or the
symbols asked for, need: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md. Servers differ in what they
send unasked, in what they can be asked, and in how they say no (some end the stream), so an answer is taken for what it
holds, and what is missing is sought in every way there is. Invariant: nothing is asked again that was answered, so what
is asked is bounded whatever the server says.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError as ParseError
from grpc_reflection.v1alpha.reflection_pb2 import (
    ExtensionRequest,
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from inspector import limits
from inspector.errors import SchemaError
from inspector.net.grpc_cy import status_name
from inspector.schema.catalog import MAX_SYMBOL
from inspector.schema.conflicts import definitions
from inspector.schema.descriptor_set import all_messages
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.schema.known_types import KnownTypes
from inspector.schema.mend import mend
from inspector.schema.type_references import Reference, candidates, is_full_name, references, types
from inspector.schema.wording import listed, one_line, text

OK, UNIMPLEMENTED = 0, 12

_OWN = re.compile(r"grpc\.reflection\.v1(alpha)?\.ServerReflection")
"""The service that is being talked to. That a server lists it but cannot describe it harms nobody."""

_ABOUT_REQUEST = frozenset((2, 3, 5, 6, 8, 9, 11, UNIMPLEMENTED, 13, 15))
"""Status codes that a stream may end with because of one request; others are of the server or the way to it."""

_MOST_ENDS = 3
"""Streams that may end one after the other without an answer, for no reason that lies in a request."""

_KEPT_PER_NAME, _KEPT_PER_FILE = 64, 1024
"""What a name, or a file, counts for beside its own bytes."""

LIST = "list_services"
SYMBOL = "file_containing_symbol"
FILE = "file_by_filename"
EXTENSIONS = "all_extension_numbers_of_type"
EXTENSION = "file_containing_extension"

_ANSWERS = {LIST: "list_services_response", EXTENSIONS: "all_extension_numbers_response"}
"""What the fields of answers are called. The others are answered with files."""


class Question(NamedTuple):
    """A request: its kind, which is the name of its field, and what is asked for."""

    kind: str
    name: str
    number: int = 0

    def request(self) -> ServerReflectionRequest:
        if self.kind == EXTENSION:
            extension = ExtensionRequest(containing_type=self.name, extension_number=self.number)
            return ServerReflectionRequest(file_containing_extension=extension)
        request = ServerReflectionRequest()
        setattr(request, self.kind, self.name)
        return request


class Reflected(NamedTuple):
    """What a server gave: a serialized FileDescriptorSet, and what is wrong with it, in sentences. `is_whole` where
    the exchange was not broken off."""

    data: bytes
    problems: tuple[str, ...]
    is_whole: bool


class Reflection:
    """One exchange. Send what `next_question` says, give each answer to `receive`, and say so where the stream ends."""

    def __init__(self, symbols: Iterable[str] = ()) -> None:
        """Without symbols, all services are asked for. With some, what these need: messages, enums, services, methods
        (`pkg.Svc/Method`, `pkg.Svc.Method`); where one is not found, all services too."""
        self._symbols = [symbol.removeprefix("/").partition("/")[0].removeprefix(".") for symbol in symbols]
        self._services: list[str] | None = None
        self._files = _Files()
        self._waiting = deque(Question(SYMBOL, name) for name in self._symbols) or deque((Question(LIST, "*"),))
        self._pending: deque[Question] = deque()
        self._asked: set[Question] = set()
        self._refused: dict[Question, str] = {}
        self._unsupported: set[str] = set()
        self._at_once = 1
        self._vain_ends = 0
        self._broken_off = ""
        self.answers = 0

    @property
    def is_pending(self) -> bool:
        """Whether an answer is due."""
        return bool(self._pending)

    @property
    def is_done(self) -> bool:
        return not self._pending and not self._has_next()

    @property
    def broken_off(self) -> str:
        """Why the exchange ended before its end, if it did."""
        return self._broken_off or self._files.full

    def next_question(self) -> ServerReflectionRequest | None:
        """What to ask now; None where answers have to come first, or nothing is left to be asked."""
        if len(self._pending) >= self._at_once or not self._has_next():
            return None
        question = self._waiting.popleft()
        self._asked.add(question)
        self._pending.append(question)
        return question.request()

    def receive(self, data: bytes) -> None:
        """Takes an answer, a serialized ServerReflectionResponse, to whichever question it is."""
        if not self._pending:
            return
        self._files.note_received(len(data))
        answer = _parsed(data)
        question = self._answered(answer)
        self.answers += 1
        self._vain_ends = 0
        self._at_once = min(2 * self._at_once, limits.MAX_REFLECTION_PENDING)
        kind = answer.WhichOneof("message_response")
        for content in answer.file_descriptor_response.file_descriptor_proto:
            if not self._files.full:
                self._files.add(content)
        self._ask_for_imports()
        if kind == "error_response":
            error = answer.error_response
            self._refuse(question, error.error_code, text(error.error_message))
        elif kind != _ANSWERS.get(question.kind, "file_descriptor_response"):
            self._refused[question] = f"the server answered with {kind or 'nothing'}"
        elif kind == "list_services_response":
            self._take_services([text(each.name) for each in answer.list_services_response.service])
        elif kind == "all_extension_numbers_response":
            self._take_extensions(question.name, answer.all_extension_numbers_response.extension_number)

    def stream_ended(self, code: int, message: str) -> None:
        """The stream is over: what was not answered is to be asked on another one, but for what may have ended it."""
        self._at_once = 1
        if self._pending and code in _ABOUT_REQUEST:
            self._refuse(self._pending.popleft(), code, message)
            self._vain_ends = 0
        else:
            self._vain_ends += 1
        self._asked.difference_update(self._pending)
        self._waiting.extendleft(reversed(self._pending))
        self._pending.clear()
        if self._vain_ends >= _MOST_ENDS:
            self.break_off(f"the server ended the stream: {status_text(code, message)}")

    def break_off(self, reason: str) -> None:
        """Ends the exchange with what is there."""
        self._broken_off = self._broken_off or reason
        self._waiting.clear()
        self._pending.clear()

    def result(self) -> Reflected:
        """Raises SchemaError where there is nothing."""
        if not self._files.contents:
            raise SchemaError(self._why_nothing(), hint="name the schema with -s FILE")
        mended = mend(self._files.contents, self._files.known)
        problems = [*self._problems(), *mended.problems]
        return Reflected(mended.data, tuple(problems), not self.broken_off)

    # --- what to ask -----------------------------------------------------------------------------------------------

    def _has_next(self) -> bool:
        """Whether a question waits. Those that got needless meanwhile are dropped; then further ones are sought."""
        if self.broken_off:
            return False
        while True:
            while self._waiting and not self._is_needed(self._waiting[0]):
                self._waiting.popleft()
            if self._waiting and len(self._asked) >= limits.MAX_REFLECTION_REQUESTS:
                self.break_off(f"after {limits.MAX_REFLECTION_REQUESTS} requests there was still more to be asked")
            if self._waiting or self._pending or self.broken_off:
                return bool(self._waiting)
            self._waiting.extend(self._further_questions())
            if not self._waiting:
                return False

    def _is_needed(self, question: Question) -> bool:
        if question in self._asked or question.kind in self._unsupported:
            return False
        if question.kind == SYMBOL:
            return not self._files.defines(question.name)
        if question.kind == FILE:
            return not self._files.has(question.name)
        return question.kind != EXTENSION or (question.name, question.number) not in self._files.extensions

    def _further_questions(self) -> list[Question]:
        """Where all answers are there: what was named in them, and did not come."""
        if self._services is None and Question(LIST, "*") not in self._asked and self._lacking():
            outer = [Question(SYMBOL, name.rpartition(".")[0]) for name in self._lacking() if "." in name]
            needed = [question for question in outer if self._is_needed(question)]
            return needed or [Question(LIST, "*")]
        symbols = [Question(SYMBOL, name) for name in self._files.missing()]
        extended = [Question(EXTENSIONS, name) for name in self._files.extendable]
        for questions in (symbols, extended):
            needed = [question for question in questions if self._is_needed(question)]
            if needed:
                return needed
        return []

    def _ask_for_imports(self) -> None:
        self._waiting.extendleft(Question(FILE, name) for name in self._files.take_imports())

    def _lacking(self) -> list[str]:
        """The symbols asked for that are not there."""
        return [name for name in self._symbols if not self._files.reaches(name)]

    # --- what comes ------------------------------------------------------------------------------------------------

    def _answered(self, answer: ServerReflectionResponse) -> Question:
        """The question that this is the answer to: the one that it repeats, else the oldest."""
        question = _question_of(answer.original_request)
        if question is None or question not in self._pending:
            return self._pending.popleft()
        self._pending.remove(question)
        return question

    def _refuse(self, question: Question, code: int, message: str) -> None:
        self._refused[question] = status_text(code, message)
        if code == UNIMPLEMENTED and question.kind != SYMBOL:
            self._unsupported.add(question.kind)

    def _take_services(self, names: Sequence[str]) -> None:
        """Neighbours in the list are often of one file: they are asked for far apart, as then most need not be."""
        self._services = list(dict.fromkeys(names[: limits.MAX_REFLECTION_REQUESTS]))
        step = limits.MAX_REFLECTION_PENDING
        spread = (name for start in range(step) for name in self._services[start::step])
        self._waiting.extend(Question(SYMBOL, name) for name in spread if len(name) <= MAX_SYMBOL)

    def _take_extensions(self, message: str, numbers: Sequence[int]) -> None:
        self._waiting.extend(Question(EXTENSION, message, n) for n in numbers[: limits.MAX_REFLECTION_REQUESTS])

    # --- what is told ----------------------------------------------------------------------------------------------

    def _problems(self) -> Iterator[str]:
        if self.broken_off:
            yield f"the schema is not whole: {self.broken_off}"
        listing = self._refused.get(Question(LIST, "*"))
        if listing is not None:
            yield f"the server does not list its services: {listing}"
        lacking = [name for name in self._services or () if not self._files.defines(name) and not _OWN.fullmatch(name)]
        if lacking:
            reasons = dict.fromkeys(filter(None, (self._refused.get(Question(SYMBOL, name)) for name in lacking)))
            why = f": {listed(reasons, '; ')}" if reasons else ""
            yield f"the server lists {listed(lacking)}, but gives no file with that{why}"
        if self._files.unreadable:
            yield f"files of the server that are no descriptors were left out: {listed(self._files.unreadable)}"

    def _why_nothing(self) -> str:
        if self._services is not None and not self._services:
            return "the server lists no services"
        problems = list(self._problems())
        asked = [Question(SYMBOL, name) for name in self._symbols]
        reasons = [f"{one_line(each.name)}: {self._refused[each]}" for each in asked if each in self._refused]
        return "; ".join([*problems, *reasons[:1]]) or "the server gave no files"


class _Files:
    """The files that came, and what is in them.

    `contents` are the files, `extendable` the messages that may have extensions, `extensions` those that are there, by
    message and number; `full` says which limit is reached, if one is.
    """

    def __init__(self) -> None:
        self.known = KnownTypes()
        self.contents: dict[bytes, None] = {}
        self.extendable: dict[str, None] = {}
        self.extensions: set[tuple[str, int]] = set()
        self.unreadable: dict[str, None] = {}
        self.full = ""
        self._names: set[str] = set()
        self._symbols: set[str] = set()
        self._imports: dict[str, None] = {}
        self._open: dict[tuple[str, ...], None] = {}
        self._kept = self._received = self._name_size = 0

    def add(self, content: bytes) -> None:
        """Takes a file. What is there already, does not parse or holds nothing counts only towards the limits."""
        self.note_received(_KEPT_PER_FILE)
        if content not in self.contents and self._kept + len(content) > limits.MAX_REFLECTED_BYTES:
            self.full = f"its files are larger than {limits.MAX_REFLECTED_BYTES // limits.MIB} MiB"
        if content in self.contents or self.full:
            return
        try:
            proto = FileDescriptorProto.FromString(content)
        except (ParseError, ValueError) as error:
            self.unreadable[one_line(str(error))] = None
            return
        # Servers in Go give an empty file of that kind for one that they miss.
        if proto.dependency or any(definitions(proto)):
            self.contents[content] = None
            self._kept += len(content)
            self._note(proto)
            if self.full:
                del self.contents[content]  # what is kept stays within the limits, also with all its names in full

    def note_received(self, size: int) -> None:
        """Counts what came towards the limit."""
        self._received += size
        if self._received > limits.MAX_REFLECTED_REPEATS:
            self.full = f"it sent more than {limits.MAX_REFLECTED_REPEATS // limits.MIB} MiB"

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._names or self.known.has_file(name)

    def defines(self, name: str) -> bool:
        """Whether there is a type, service or extension with this full name."""
        return name in self._symbols or self.known.file_of(name) is not None

    def reaches(self, name: str) -> bool:
        """The same; a method, field or value counts by what it is in."""
        return self.defines(name) or self.defines(name.rpartition(".")[0])

    def take_imports(self) -> list[str]:
        """The files that were imported since this was asked last, and are not there."""
        imports, self._imports = self._imports, {}
        return [name for name in imports if not self.has(name)]

    def missing(self) -> list[str]:
        """Full names that types may have which are used, and are not there."""
        self._open = {names: None for names in self._open if not any(map(self.defines, names))}
        return list(dict.fromkeys(name for names in self._open for name in names))

    def _note(self, proto: FileDescriptorProto) -> None:
        self._names.add(text(proto.name))
        self._imports |= {name: None for name in map(text, proto.dependency) if len(name) <= MAX_SYMBOL}
        for name in _names(proto):
            self._symbols.add(name)
            if self._is_beyond(len(name)):
                return
        if text(proto.package) not in KNOWN_PACKAGES:
            self.extendable |= {name: None for name, message in all_messages(proto) if message.extension_range}
        for reference in references(proto):
            names = tuple(_possible_names(reference))
            if reference.attribute == "extendee":
                self.extensions |= {(name, reference.node.number) for name in names}  # type: ignore[union-attr]
            is_open = not any(map(self.defines, names))
            if is_open:
                self._open[names] = None
            if (is_open or not reference.name.startswith(".")) and self._is_beyond(sum(map(len, names))):
                return

    def _is_beyond(self, size: int) -> bool:
        self._name_size += size + _KEPT_PER_NAME
        if self._name_size > limits.MAX_REFLECTED_NAMES:
            self.full = f"the names in its files are longer than {limits.MAX_REFLECTED_NAMES // limits.MIB} MiB"
        return bool(self.full)


def status_text(code: int, message: str) -> str:
    """A gRPC status as a person reads it."""
    return f"{status_name(code)}: {one_line(message)}" if message else status_name(code)


def _parsed(data: bytes) -> ServerReflectionResponse:
    """What does not parse is an answer that says nothing."""
    try:
        return ServerReflectionResponse.FromString(data)
    except (ParseError, ValueError):
        return ServerReflectionResponse()


def _question_of(request: ServerReflectionRequest) -> Question | None:
    kind = request.WhichOneof("message_request")
    if kind is None:
        return None
    if kind == EXTENSION:
        asked = request.file_containing_extension
        return Question(kind, text(asked.containing_type), asked.extension_number)
    return Question(kind, text(getattr(request, kind)))


def _names(proto: FileDescriptorProto) -> Iterator[str]:
    yield from (found.name for found in definitions(proto))
    yield from (name for name, _ in types(proto))


def _possible_names(reference: Reference) -> Iterator[str]:
    """The full names by which a server may know a type."""
    names = [reference.name[1:]] if reference.name.startswith(".") else candidates(reference.name, reference.scope)
    return (name for name in names if len(name) <= MAX_SYMBOL and is_full_name(name))
