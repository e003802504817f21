"""The filter language: an expression over the record of a call or of a message, or words to look for.

An expression is CEL, the protobuf world's expression language (github.com/google/cel-spec). Its names are the fields
of the records (what `inspector calls` and `decode` print) and `request`, `response`, `message`: what messages say. What
does not look like an expression are words, each of which has to stand somewhere in a call.

What CEL means is the business of its library; parts of an expression that columns of an index can answer go a faster
way with the same result (`call_conditions`).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property, partial
from itertools import product
from types import ModuleType
from typing import Any, NamedTuple

import orjson

from inspector.errors import InspectorError
from inspector.index.capture_index import CaptureIndex
from inspector.model.call import Call, Direction, Status
from inspector.session import DecodedMessage, Session
from inspector.views.call_conditions import Conditions, NotTranslatedError
from inspector.views.call_lines_cy import call_lines
from inspector.views.cel_guards import guarded
from inspector.views.cel_syntax import Node, NotReadError, conjuncts, paths, read
from inspector.views.record_conditions import Condition, UnsureError, translated
from inspector.views.rows import DecodeDetails, message_row, to_line
from inspector.views.secrets import masked

MAX_EXPRESSION = 10_000
"""Characters of an expression: whoever writes one by hand stays far below."""

CALL_FIELDS = (
    "call", "method", "protocol", "client", "server", "connection", "stream", "started", "duration", "authority",
    "deadline", "request_headers", "response_headers", "trailers", "status", "requests", "responses", "request_bytes",
    "response_bytes", "complete", "problems",
)  # fmt: skip
"""Names of the record of a call."""

MESSAGE_FIELDS = (
    "call", "index", "direction", "method", "type", "time", "size", "encoding", "decoded_by", "message",
    "unknown_bytes", "error", "raw",
)  # fmt: skip
"""Names of the record of a message."""

DIRECTIONS: tuple[Direction, ...] = ("request", "response")
NAMES = frozenset((*CALL_FIELDS, *MESSAGE_FIELDS, *DIRECTIONS))
_OF_CALLS = frozenset(CALL_FIELDS) - frozenset(MESSAGE_FIELDS)
_OF_MESSAGES = frozenset(MESSAGE_FIELDS) - frozenset(CALL_FIELDS)

_EXPRESSION = re.compile(
    r"""[=!<>&|?+%(){}\[\]"'`;]  |  \b(?:request|response|message)\.[A-Za-z_]  |  ^\s*(?:complete|true|false)\s*$""",
    re.VERBOSE,
)
"""What is in an expression, and seldom in words."""

QUOTES = "to look for text, put it in quotes"

_PHRASE = re.compile(r"""\s*(?:"([^"\\]+)"|'([^'\\]+)')\s*""")

Record = dict[str, Any]
Messages = Callable[[Direction | None], Iterable[DecodedMessage]]
"""The messages of a call in one direction, or all (None), in the order of the capture."""

ROWS_AT_ONCE = 1 << 14
"""Rows of an index that are looked at together: some milliseconds."""


class _Parts(NamedTuple):
    """Parts of an expression: those of a call, those of its messages (joined), the names in these, and whether any of
    both asks for fields of the call."""

    of_call: tuple[str, ...]
    of_messages: str
    names: frozenset[str]
    asks_call: bool


MOST_MISSING = 8
"""Of what records lacked: more are not told."""

_SNAKE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
"""A name as in .proto files."""

_SYNTAX_ERROR = re.compile(r"<input>:1:(\d+): (?:Syntax error: )?(.*?)(?: expecting .*?)? \|")
"""Of the parser: where, and what; then come all tokens that there might be, and the text with a mark below it."""


class Where:
    """What a user is looking for.

    A record that lacks what an expression asks for does not match; `last_error` then says what was missing. Of a call
    with many messages one of them has to make the expression true: with `request` or `response` in it (or both, then a
    pair), or with fields of the record of a message, such as `size`.
    """

    def __init__(self, text: str) -> None:
        """Raises InspectorError for an expression that is not CEL, or that names fields that no record has, or where
        the library for CEL is not installed."""
        if len(text) > MAX_EXPRESSION:
            raise InspectorError(f"the expression has over {MAX_EXPRESSION} characters")
        if not text.strip():
            raise InspectorError("the expression is empty")
        self.expression = text
        self.words = words_of(text)
        self._errors: dict[str, bool] = {}  # and whether it is the name of what was not there
        self._failed: dict[object, tuple[str, Mapping[str, object]]] = {}  # by method: what CEL was not asked about
        self._translated: dict[str, Condition | None] = {}
        self._programs: dict[str, Any] = {}
        self._conditions: Conditions | None = None
        self._conjuncts = [] if self.words else self._compiled(text)

    @property
    def last_error(self) -> str | None:
        """What records lacked that did not match for that."""
        for text, record in self._failed.values():
            self._part(text, record)
        self._failed = {}
        missing = [name for name, is_name in self._errors.items() if is_name]
        meant = [
            f"did you mean {_camel(name)}? fields are named as in JSON" for name in missing if _SNAKE.fullmatch(name)
        ]
        told = [f"not there: {', '.join(missing)}"] if missing else []
        return "; ".join([*told, *meant[:1], *(text for text, is_name in self._errors.items() if not is_name)]) or None

    # --- what it asks for ----------------------------------------------------------------------------------------

    def _compiled(self, text: str) -> list[Node]:
        """The parts that each have to be true."""
        try:
            self._program(text)
        except ImportError:
            raise InspectorError(
                "expressions need a library for CEL", hint="pip install 'payload-inspector[where]'"
            ) from None
        except ValueError as error:
            raise InspectorError(f"the expression is not CEL: {_reason(error)}", hint=QUOTES) from None
        try:
            tree = read(text)
        except NotReadError:
            whole = tuple(Node("name", 0, 0, (), name) for name in self._programs[text].variables())
            return [Node("unread", 0, len(text), whole)]
        for name in _names(tree):
            _check_name(name)
        return conjuncts(tree)

    @cached_property
    def names(self) -> frozenset[str]:
        """The fields that it asks for, without what follows their first dot."""
        return frozenset(name for node in self._conjuncts for name in _names(node))

    @property
    def asks_calls(self) -> bool:
        """Whether it asks for what is known only when a call has ended."""
        return bool(self.names & _OF_CALLS)

    @property
    def asks_messages(self) -> bool:
        """Whether messages have to be read for it."""
        return bool(self.words) or any(map(_is_of_messages, self._conjuncts))

    @property
    def is_fast(self) -> bool:
        """Whether the columns of an index answer it."""
        return not self.words and not self.conditions.rest

    @property
    def conditions(self) -> Conditions:
        """What columns answer of it."""
        if self._conditions is None:
            try:
                self._conditions = Conditions(self.expression, self._conjuncts, self._part)
            except NotTranslatedError:
                self._conditions = Conditions(self.expression, (), self._part)
                self._conditions.rest = [*self._conjuncts]
        return self._conditions

    # --- messages ------------------------------------------------------------------------------------------------

    def takes(self, decoded: DecodedMessage, call: Call | None = None, details: DecodeDetails | None = None) -> bool:
        """Whether a message matches. `call` is the one that it belongs to, where that is asked for (`asks_calls`)."""
        if self.words:
            texts = [decoded.message.method or "", decoded.json.decode(), *(_texts_of(call) if call else ())]
            return _all_in(self.words, iter(texts))
        record = _message_record(decoded)
        if call is not None:
            record |= _call_record(call, details)
        return self._is_true(self.expression, self._only_asked(record))

    # --- calls ---------------------------------------------------------------------------------------------------

    def takes_call(self, call: Call, messages: Messages, details: DecodeDetails | None = None) -> bool:
        """Whether a call matches."""
        if self.words:
            return _all_in(self.words, _texts(call, messages))
        fits = self.conditions.take(call)
        parts = self._all if fits is None else self._rest
        return fits is not False and self._are_true(parts, lambda: call, messages, details)

    def _are_true(
        self, parts: _Parts, call: Callable[[], Call], messages: Messages, details: DecodeDetails | None
    ) -> bool:
        """Whether parts of the expression are true of a call, those of messages all of the same one."""
        record = self._only_asked(_call_record(call(), details)) if parts.asks_call else {}
        if not all(self._is_true(text, record) for text in parts.of_call):
            return False
        if not parts.of_messages:
            return True
        return any(self._is_true(parts.of_messages, {**record, **more}) for more in _bindings(parts.names, messages))

    @cached_property
    def _all(self) -> _Parts:
        return self._parts(self._conjuncts)

    @cached_property
    def _rest(self) -> _Parts:
        return self._parts(self.conditions.rest)

    def _parts(self, nodes: Iterable[Node]) -> _Parts:
        of_call = tuple(self._text(node) for node in nodes if not _is_of_messages(node))
        of_messages = [node for node in nodes if _is_of_messages(node)]
        text = " && ".join(f"({self._text(node)}\n)" for node in of_messages)
        names = frozenset(name for node in of_messages for name in _names(node))
        asked = {name for node in nodes for name in _names(node)}
        return _Parts(of_call, text, names, not asked.isdisjoint(CALL_FIELDS))

    def calls(self, session: Session) -> Iterator[Call]:
        """The calls of a capture that match, in the order in which they began. Raises InputError where it cannot be
        read."""
        with session.index() as index:
            index.build()
            numbers = index.column("number")
            rows = [row for found, _ in self.find(index, session, 0, len(index)) for row in found]
            yield from map(index.call_at, sorted(rows, key=numbers.__getitem__))

    def find(
        self,
        index: CaptureIndex,
        session: Session,
        first: int,
        last: int,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Sequence[int], int]]:
        """The rows of an index that match, from `first` to (not with) `last`, a step at a time: those that the step
        found, and the row up to which all are known. `session` decodes messages. It ends early where it is cancelled
        amid the messages of a call."""
        for start in range(first, last, ROWS_AT_ONCE):
            end = min(last, start + ROWS_AT_ONCE)
            taken, doubtful = self.conditions.rows(index, start, end)
            if self.is_fast and not doubtful:
                yield taken, end
                continue
            unsure = frozenset(doubtful)
            numbers = index.column("number", start, end)
            for row in sorted((*taken, *doubtful)):
                messages = messages_of(session, index, numbers[row - start], is_cancelled)
                try:
                    fits = self._takes_row(partial(index.call_at, row), messages, session, row not in unsure)
                except _CancelledError:
                    return
                yield (row,) if fits else (), row + 1
            yield (), end

    def _takes_row(self, call: Callable[[], Call], messages: Messages, session: Session, is_sure: bool) -> bool:
        if self.words:
            return _all_in(self.words, _texts(call(), messages))
        return self._are_true(self._rest if is_sure else self._all, call, messages, session.decode_details)

    # --- within --------------------------------------------------------------------------------------------------

    def _only_asked(self, record: Record) -> Record:
        return {name: record[name] for name in self.names if name in record}

    def _text(self, node: Node) -> str:
        return self.expression[node.start : node.end]

    def _program(self, text: str) -> Any:
        found = self._programs.get(text)
        if found is None:
            found = self._programs[text] = cel_library().compile(guarded(text))
        return found

    def _is_true(self, text: str, record: Mapping[str, object]) -> bool:
        if text not in self._translated:
            self._translated[text] = translated(text)
        condition = self._translated[text]
        if condition is not None:
            try:
                found = condition(record)
            except UnsureError:
                return self._part(text, record) is True
            if found is None and len(self._failed) < MOST_MISSING:
                self._failed.setdefault(record.get("method"), (text, record))
            return found is True
        return self._part(text, record) is True

    def _part(self, text: str, record: Mapping[str, object]) -> object:
        """What CEL says of a part of the expression; None for an error."""
        try:
            return self._program(text).execute(record)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if len(self._errors) < MOST_MISSING:
                self._errors[_reason(error)] = isinstance(error, KeyError)
            return None


def cel_library() -> ModuleType:
    """That for CEL, which takes 60 ms to load. Raises ImportError where the extra `where` is not installed."""
    return importlib.import_module("cel")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text that is no expression. What is in quotes by itself is one word."""
    phrase = _PHRASE.fullmatch(text)
    if phrase:
        return (phrase[1] or phrase[2],)
    return () if _EXPRESSION.search(text) else tuple(text.split())


class _CancelledError(Exception):
    """The user wishes no more of it."""


def messages_of(
    session: Session, index: CaptureIndex, number: int, is_cancelled: Callable[[], bool] = lambda: False
) -> Messages:
    """The messages of a call, which are read and decoded when they are asked for."""

    def decoded(direction: Direction | None) -> Iterator[DecodedMessage]:
        for count, message in enumerate(index.each_message(number, direction)):
            if count and is_cancelled():
                raise _CancelledError
            yield session.decode(message)

    return decoded


def _names(node: Node) -> set[str]:
    return {path.partition(".")[0] for path in paths(node)}


def _is_of_messages(node: Node) -> bool:
    return not _names(node).isdisjoint(_OF_MESSAGES.union(DIRECTIONS))


def _check_name(name: str) -> None:
    if name in NAMES or name in _TYPES:
        return
    close = get_close_matches(name, NAMES, 1)
    hint = f"did you mean {close[0]}?" if close else QUOTES
    raise InspectorError(f"there is no field {name!r}", hint=hint)


_TYPES = frozenset(
    ("bool", "bytes", "double", "google", "int", "list", "map", "null_type", "string", "type", "uint", "dyn")
)
"""Names that CEL itself has."""


def _bindings(names: frozenset[str], messages: Messages) -> Iterator[Record]:
    """What the names of messages may stand for: each message of the call, or each pair of a request and a response."""
    if names & _OF_MESSAGES:
        yield from map(_message_record, messages(None))
        return
    used = [direction for direction in DIRECTIONS if direction in names]
    first, *others = [_values(messages, direction) for direction in used]
    rest = [[*values] for values in others]
    for values in _combinations(first, rest):
        yield {name: value for name, value in zip(used, values, strict=True) if value is not _ABSENT}


_ABSENT = object()


def _values(messages: Messages, direction: Direction) -> Iterator[object]:
    """What the messages of a direction say; where there are none, that it is absent."""
    none = True
    for decoded in messages(direction):
        none = False
        yield decoded.value
    if none:
        yield _ABSENT


def _combinations(first: Iterator[object], rest: list[list[object]]) -> Iterator[tuple[object, ...]]:
    """All combinations; `first` is read as they are taken."""
    for value in first:
        yield from product([value], *rest)


def _message_record(decoded: DecodedMessage) -> Record:
    record: Record = orjson.loads(to_line(message_row(decoded)))
    if record["direction"]:
        record[record["direction"]] = record["message"]
    return record


def _call_record(call: Call, details: DecodeDetails | None) -> Record:
    found: Record = orjson.loads(call_lines((call,), details or _no_details))
    return found


def _no_details(_: bytes) -> list[object] | None:
    return []


# --- words -------------------------------------------------------------------------------------------------------


def _all_in(words: tuple[str, ...], texts: Iterator[str]) -> bool:
    """Whether each word stands in one of the texts, in letters of any case."""
    missing = [word.casefold() for word in words]
    for text in texts:
        folded = text.casefold()
        missing = [word for word in missing if word not in folded]
        if not missing:
            return True
    return False


def _texts(call: Call, messages: Messages) -> Iterator[str]:
    yield from _texts_of(call)
    for decoded in messages(None):
        yield decoded.json.decode()


def _texts_of(call: Call) -> Iterator[str]:
    """Method, status, and header fields but for the values of credentials."""
    yield call.method or ""
    if call.status is not None:
        yield _status_text(call.status)
    for fields in (call.request_headers, call.response_headers, call.trailers):
        for name, value in masked(fields):
            yield f"{name or ''}: {value or ''}"


def _status_text(status: Status) -> str:
    return f"{status.name} {status.message}"


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])[:100]
    text = " ".join(str(error).split())
    found = _SYNTAX_ERROR.search(text)
    return f"column {found[1]}: {found[2]}" if found else text[:300]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
