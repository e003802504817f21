"""Requests as files: one each, in JSON that a person can write and that differs line by line (docs/requests.md).

    {
      "method": "shop.v1.Orders/Get",
      "target": "@staging",
      "metadata": ["authorization: Bearer ${STAGING_TOKEN}"],
      "messages": [{"id": 7}]
    }

Paths in it start at its folder. The records of `show --as json` are such files, too.
Invariant: no credential is written, and what is not known is refused, with its place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings
from inspector.errors import EncodeError, InputError, InspectorError
from inspector.formats import registry as formats
from inspector.formats import values
from inspector.formats.base import Conversion
from inspector.limits import MAX_REQUEST_FILE, MAX_SECONDS
from inspector.net.compression import ENCODINGS
from inspector.schema import Schema
from inspector.schema.names import near
from inspector.transcode.json_source import Document, JsonSource
from inspector.transcode.json_text import dumps
from inspector.transcode.refusal import Step, path_text, shown
from inspector.views.safe_text import safe_json
from inspector.views.written_request import WrittenField, WrittenRequest, without_secrets

SUFFIX = ".request.json"

_NAME = re.compile(r"[0-9a-z_.-]+")
_OFF = "# "
"""Begins a header field that is not sent."""

_DEFAULTS = ConnectSettings()
_PATHS = ("cacert", "cert", "key")
_OWN = ("timeout", "compress", "max_message", "schema", "import_paths", "metadata", "messages", "messages_base64")
_BOUND = ("use_proxy", "keepalive_timeout")
"""Settings of a connection that no request has."""

_CONNECT = tuple(name for name in ConnectSettings._fields if name not in _BOUND)
KEYS = ("method", "target", *_CONNECT, *_OWN)
"""What a file may say, in the order in which it is written."""

_FLAGS = ("plaintext", "insecure")
_TIMES = ("connect_timeout", "keepalive_time", "timeout")
_PREFIXES = ("grpc://", "grpcs://", "unix:", "@")
"""How sources begin that are no paths."""


class Body(NamedTuple):
    """Messages as they are written: `name` is the key, `texts` are JSON values."""

    name: str
    texts: tuple[str, ...]


# --- written -----------------------------------------------------------------------------------------------------


def body_of(messages: Sequence[bytes], schema: Schema | None, method: str) -> Body:
    """Messages by name where a schema has their type and JSON holds all of them, else in base64."""
    found = schema.find_method(method) if schema is not None else None
    if found is not None:
        conversion = Conversion(schema, found.input_type.full_name, indent=2, keep_unknown=True)
        try:
            return Body("messages", tuple(_text(each, conversion) for each in messages))
        except InspectorError:
            pass
    base64 = formats.find("base64")
    texts = (base64.write(each, Conversion()).decode().replace("\n", "") for each in messages)
    return Body("messages_base64", tuple(f'"{each}"' for each in texts))


def _text(message: bytes, conversion: Conversion) -> str:
    """JSON that says all of the message. Raises InspectorError where none does."""
    json = formats.find("json")
    text = json.write(message, conversion)
    (again,) = json.read(text, conversion)
    if again != message and (len(again) != len(message) or json.write(again, conversion) != text):
        raise InputError("JSON does not hold all of it")
    return text.decode().strip()


def written(request: WrittenRequest, body: Body, folder: Path) -> bytes:
    """The text of a file that will be in the folder."""
    lines = [f'  "{name}": {_indented(text)}' for name, text in _rows(request, body, folder)]
    return safe_json(("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _rows(request: WrittenRequest, body: Body, folder: Path) -> Iterator[tuple[str, str]]:
    for name, value in _values(request, folder):
        yield name, dumps(value, 2).decode()
    if body.texts:
        inner = ",\n".join(f"  {_indented(text)}" for text in body.texts)
        yield body.name, f"[\n{inner}\n]"


def _values(request: WrittenRequest, folder: Path) -> Iterator[tuple[str, Any]]:
    yield "method", request.method
    if request.target:
        yield "target", _socket(request.target, partial(_relative, folder))
    for name in _CONNECT:
        value = getattr(request.connect, name)
        if value != getattr(_DEFAULTS, name):
            yield name, _relative(folder, value) if name in _PATHS else value
    if request.timeout is not None:
        yield "timeout", request.timeout
    if request.compress != "identity":
        yield "compress", request.compress
    if request.max_message != DEFAULT_MAX_MESSAGE:
        yield "max_message", request.max_message
    if request.sources:
        yield "schema", [_source(each, partial(_relative, folder)) for each in request.sources]
    if request.import_paths:
        yield "import_paths", [_relative(folder, each) for each in request.import_paths]
    if request.metadata:
        fields = without_secrets(request.metadata)
        yield "metadata", [f"{'' if each.is_enabled else _OFF}{each.name}: {each.value}" for each in fields]


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _relative(folder: Path, path: str) -> str:
    """A path as the folder sees it, where both are in one project; what is elsewhere stays as it is."""
    whole = os.path.abspath(path)
    found = os.path.relpath(whole, folder)
    return found if not found.startswith(os.path.join("..", "..")) else whole


def _resolved(folder: Path, path: str) -> str:
    return os.path.normpath(folder / os.path.expanduser(path))


def _socket(target: str, put: Callable[[str], str]) -> str:
    kind, _, path = target.partition(":")
    return f"unix:{put(path)}" if kind == "unix" and path and not path.startswith("//") else target


def _source(source: str, put: Callable[[str], str]) -> str:
    return source if source.startswith((*_PREFIXES, "python:")) else put(source)


# --- read --------------------------------------------------------------------------------------------------------


def read_file(path: Path) -> WrittenRequest:
    """The request in a file. Raises InspectorError with the file and the place in it."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe is not waited for
            data = file.read(MAX_REQUEST_FILE + 1)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", where=str(path)) from None
    return read(data or b"", str(path), path.parent)


def read(data: bytes, name: str, folder: Path) -> WrittenRequest:
    """The request that a text is; `name` is that of the file. Raises InspectorError with the place."""
    if len(data) > MAX_REQUEST_FILE:
        raise InputError(f"a request of over {MAX_REQUEST_FILE:,} bytes", where=name)
    try:
        source = JsonSource(data)
        return _Reader(source, source.document(), name, folder).request()
    except EncodeError as error:
        raise _named(error, name) from None


def _named(error: EncodeError, name: str) -> EncodeError:
    error.where = ", ".join(filter(None, (name, error.where)))
    return error


class _Reader:
    def __init__(self, source: JsonSource, document: Document, name: str, folder: Path) -> None:
        self._source = source
        self._start = document.start
        self._name = name
        self._folder = folder
        self._value = document.value

    def request(self) -> WrittenRequest:
        given = self._given()
        texts = {name: self._as(given, name, str, "a string") for name in ("method", "target")}
        connect = {name: value for name in _CONNECT if (value := self._setting(given, name)) is not None}
        resolve = partial(_resolved, self._folder)
        return WrittenRequest(
            texts["method"] or self._wrong("a request has a method", hint='"method": "pkg.Service/Method"'),
            _socket(texts["target"] or "", resolve),
            ConnectSettings(**connect),
            tuple(self._field(each, place) for place, each in enumerate(self._list(given, "metadata"))),
            self._seconds(given, "timeout"),
            self._compress(given),
            self._most(given),
            self._encode(given),
            tuple(self._source_of(each, place) for place, each in enumerate(self._list(given, "schema"))),
            tuple(resolve(self._string(each, "import_paths", at)) for at, each in enumerate(
                self._list(given, "import_paths"))),
        )  # fmt: skip

    def _given(self) -> Mapping[str, Any]:
        if not isinstance(self._value, dict):
            raise self._error(f"a request is an object, found {shown(self._value)}", ())
        for key in self._value:
            if key not in KEYS:
                close = near(key, KEYS) or KEYS
                raise self._error("a request has no such key", (key,), at_key=True, hint=f"known: {', '.join(close)}")
        return {key: value for key, value in self._value.items() if value is not None}

    # --- values --------------------------------------------------------------------------------------------------

    def _as(self, given: Mapping[str, Any], name: str, kind: type, words: str) -> Any:
        value = given.get(name)
        if value is not None and type(value) is not kind:
            self._wrong(f"expected {words}, found {shown(value)}", name)
        return value

    def _string(self, value: Any, *steps: Step) -> str:
        if not isinstance(value, str) or not value or "\0" in value:
            self._wrong(f"expected a string, found {shown(value)}", *steps)
        return str(value)

    def _list(self, given: Mapping[str, Any], name: str) -> Sequence[Any]:
        return self._as(given, name, list, "an array") or ()

    def _setting(self, given: Mapping[str, Any], name: str) -> Any:
        if name in _FLAGS:
            return self._as(given, name, bool, "true or false")
        if name in _TIMES:
            return self._seconds(given, name)
        text = self._as(given, name, str, "a string")
        return _resolved(self._folder, text) if text and name in _PATHS else text

    def _seconds(self, given: Mapping[str, Any], name: str) -> float | None:
        value = given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_SECONDS:
            self._wrong(f"expected a number of seconds, found {shown(value)}", name)
        return float(value)

    def _compress(self, given: Mapping[str, Any]) -> str:
        value: str = self._as(given, "compress", str, "a string") or "identity"
        if value not in ENCODINGS:
            self._wrong(f"expected one of {', '.join(ENCODINGS)}, found {shown(value)}", "compress")
        return value

    def _most(self, given: Mapping[str, Any]) -> int:
        value: int | None = self._as(given, "max_message", int, "a number of bytes")
        if value is not None and not 0 < value <= 1 << 31:
            self._wrong(f"expected a number of bytes, found {shown(value)}", "max_message")
        return value or DEFAULT_MAX_MESSAGE

    def _source_of(self, value: Any, place: int) -> str:
        """Where the schema is. A module of Python would be run, and who opens a file does not mean that."""
        text = self._string(value, "schema", place)
        if text.startswith("python:"):
            hint = "name it yourself: inspector tui -s python:MODULE"
            raise self._error(
                "a file may not name a module of Python, which would be run", ("schema", place), hint=hint
            )
        return _source(text, partial(_resolved, self._folder))

    def _field(self, value: Any, place: int) -> WrittenField:
        """A header field: `name: value`, or the two as an array."""
        steps = "metadata", place
        if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
            name, text, is_enabled = value[0], value[1], True
        elif isinstance(value, str) and ":" in value:
            is_enabled = not value.startswith("#")
            name, _, text = value.removeprefix("#").partition(":")
        else:
            self._wrong(f'expected "name: value", found {shown(value)}', *steps)
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            self._wrong(f"{shown(name)} cannot be the name of a header", *steps)
        return WrittenField(name, text.strip(), is_enabled)

    # --- messages ------------------------------------------------------------------------------------------------

    def _encode(self, given: Mapping[str, Any]) -> Callable[[Conversion], Iterator[bytes]]:
        typed, raw = self._list(given, "messages"), self._list(given, "messages_base64")
        if typed and raw:
            raise self._error("messages are told twice", ("messages_base64",), at_key=True)
        for place, each in enumerate(raw):
            if not isinstance(each, str):
                self._wrong(f"expected base64, found {shown(each)}", "messages_base64", place)
        return partial(self._raw, raw) if raw else partial(self._typed, typed)

    def _typed(self, items: Sequence[Any], conversion: Conversion) -> Iterator[bytes]:
        encode = values.encode(conversion)
        for place, item in enumerate(items):
            try:
                yield encode(item, partial(self._place_in, place))
            except EncodeError as error:
                raise _named(error, self._name) from None

    def _place_in(self, index: int, steps: Sequence[Step], at_key: bool) -> Any:
        return self._source.place(self._start, ["messages", index, *steps], at_key)

    def _raw(self, items: Sequence[str], conversion: Conversion) -> Iterator[bytes]:
        base64 = formats.find("base64")
        for place, item in enumerate(items):
            try:
                yield from base64.read(item.encode("utf-8", "surrogatepass"), Conversion()) if item else (b"",)
            except EncodeError as error:
                raise _named(self._error(error.message, ("messages_base64", place)), self._name) from None

    # --- errors --------------------------------------------------------------------------------------------------

    def _wrong(self, message: str, *steps: Step, hint: str | None = None) -> Any:
        raise self._error(message, steps, hint=hint)

    def _error(
        self, message: str, steps: Sequence[Step], *, at_key: bool = False, hint: str | None = None
    ) -> EncodeError:
        line, column = self._source.place(self._start, steps, at_key)
        return EncodeError(message, path=path_text(steps), line=line, column=column, hint=hint)
