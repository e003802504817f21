"""JSON text, read: strictly as RFC 8259 has it, no key twice, numbers exact where a field could hold them.

The values come from the standard library's scanner, which keeps no places. Where something is wrong the text is looked
at again, along the path to the value at fault: so places cost nothing while all is well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError, JSONDecoder
from typing import Any, NamedTuple

from inspector.errors import EncodeError
from inspector.limits import MAX_DEPTH
from inspector.schema.wording import one_line
from inspector.transcode.refusal import Place, Step, path_text
from inspector.transcode.scalar_readers import real, whole
from inspector.transcode.source_text import decode_utf8, place_of
from inspector.wire.json_value import JsonValue

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf"{_STRING}|(-?Infinity|NaN)", re.DOTALL)
_BRACKET = re.compile(rf"{_STRING}|([\[{{])|([\]}}])", re.DOTALL)

_DEEPEST = 2 * MAX_DEPTH + 1
"""Brackets that messages nested to the limit stand in, each in an array."""


class Document(NamedTuple):
    """A JSON value, and the offset in characters where it begins."""

    value: JsonValue
    start: int


class _Repeated(dict[str, JsonValue]):
    """An object with a key that is there twice."""

    key: str


class _NoConstant(ValueError):
    """NaN or Infinity, which JSON does not have."""


class JsonSource:
    """A text of one or several JSON documents: lines of them, or just one behind the other."""

    def __init__(self, data: bytes) -> None:
        """Raises EncodeError where the bytes are not UTF-8. A byte order mark is passed over."""
        self.text = decode_utf8(data)
        self._repeated = False
        # An integer is given to a function only where its text needs a look: for minus zero.
        self._scan = self._scanner(whole if "-0" in self.text else int)

    def documents(self) -> Iterator[Document]:
        """Raises EncodeError where the text is not JSON; the documents before come first."""
        end = self.skip_space(0)
        while end < len(self.text):
            document, end = self.document_at(end)
            yield document

    def document(self) -> Document:
        """The only document. Raises EncodeError where there is none or more follows."""
        document, end = self.document_at(0)
        if end < len(self.text):
            raise self._syntax_error("more behind the document", end)
        return document

    def document_at(self, offset: int) -> tuple[Document, int]:
        """The document at an offset, or behind white space there, and the offset of what follows it and white space.
        Raises EncodeError where there is none."""
        start = self.skip_space(offset)
        value, end = self._read(start)
        return Document(value, start), self.skip_space(end)

    def place(self, start: int, steps: Sequence[Step], at_key: bool) -> Place:
        """Where the value at the end of the steps stands, or its key; of what is not there, the object around it."""
        offset, key_offset = start, start
        for step in steps:
            found = self._member(offset, step)
            if found is None:
                break
            key_offset, offset = found
        return place_of(self.text, key_offset if at_key else offset)

    # --- values --------------------------------------------------------------------------------------------------

    def _scanner(self, integer: Any) -> JSONDecoder:
        return JSONDecoder(
            object_pairs_hook=self._object, parse_float=real, parse_int=integer, parse_constant=_refuse_constant
        )

    def _read(self, start: int) -> tuple[JsonValue, int]:
        try:
            value, end = self._decode(start)
        except JSONDecodeError as error:
            raise self._syntax_error(error.msg, error.pos) from None
        except _NoConstant as error:
            raise self._constant(start, str(error)) from None
        except RecursionError:
            raise self._too_deep(start) from None
        if self._repeated:
            raise self._repeated_key(value, start)
        return value, end

    def _decode(self, start: int) -> tuple[JsonValue, int]:
        try:
            return self._scan.raw_decode(self.text, start)
        except (JSONDecodeError, _NoConstant):
            raise
        except ValueError:  # Python's limit on the digits of an integer
            self._scan = self._scanner(whole)
            return self._scan.raw_decode(self.text, start)

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self._repeated = True
        repeated = _Repeated(made)
        repeated.key = _first_repeated(pairs)
        return repeated

    # --- errors --------------------------------------------------------------------------------------------------

    def _error(self, message: str, offset: int | None, path: str = "", hint: str | None = None) -> EncodeError:
        line, column = (None, None) if offset is None else place_of(self.text, offset)
        return EncodeError(message, path=path, line=line, column=column, hint=hint)

    def _syntax_error(self, reason: str, offset: int) -> EncodeError:
        if "trailing comma" in reason:  # as Python 3.13 has it, which gives the place of the comma
            offset = self.skip_space(offset + 1)
        found = f"found {one_line(repr(self.text[offset]))}" if offset < len(self.text) else "the text ends here"
        reason = (reason[:1].lower() + reason[1:]).removesuffix(" at")
        return self._error(f"not valid JSON: {reason}; {found}", offset)

    def _constant(self, start: int, name: str) -> EncodeError:
        places = (found.start(1) for found in _CONSTANT.finditer(self.text, start) if found[1])
        return self._error(f"not valid JSON: {name}", next(places, None), hint=f'write it as a string: "{name}"')

    def _too_deep(self, start: int) -> EncodeError:
        depth, place = 0, None
        for found in _BRACKET.finditer(self.text, start):
            depth += bool(found[1]) - bool(found[2])
            if depth > _DEEPEST:
                place = found.start()
                break
        return self._error("JSON nested too deep", place, hint=f"messages nest at most {MAX_DEPTH} deep")

    def _repeated_key(self, value: JsonValue, start: int) -> EncodeError:
        steps, key = next(_repeated_objects(value))
        offset, again = start, start
        for step in steps:
            offset = (self._member(offset, step) or (offset, offset))[1]
        again = (self._member(offset, key, 2) or (offset, offset))[0]
        return self._error("the key is there twice", again, path_text([*steps, key]))

    # --- the second look -----------------------------------------------------------------------------------------

    def _member(self, offset: int, step: Step, occurrence: int = 1) -> tuple[int, int] | None:
        """The offsets of a key and its value, or twice that of an element, in the value at `offset`."""
        if isinstance(step, int):
            places = self._elements(offset) if self.text[offset] == "[" else iter(())
            return next((place for index, place in enumerate(places) if index == step), None)
        members = self._members(offset) if self.text[offset] == "{" else iter(())
        found = (places for key, *places in members if key == step)
        for _ in range(occurrence - 1):
            next(found, None)
        key_offset, value_offset = next(found, (None, None))
        return None if key_offset is None or value_offset is None else (key_offset, value_offset)

    def _elements(self, offset: int) -> Iterator[tuple[int, int]]:
        offset = self.skip_space(offset + 1)
        while self.text[offset] != "]":
            yield offset, offset
            offset = self._after(offset)

    def _members(self, offset: int) -> Iterator[tuple[str, int, int]]:
        offset = self.skip_space(offset + 1)
        while self.text[offset] != "}":
            key, end = self._scan.raw_decode(self.text, offset)
            value = self.skip_space(self.skip_space(end) + 1)
            yield key, offset, value
            offset = self._after(value)

    def _after(self, offset: int) -> int:
        """The offset of what follows a value and its comma. (The text was read before: it is sound.)"""
        end = self.skip_space(self._scan.raw_decode(self.text, offset)[1])
        return self.skip_space(end + 1) if self.text[end] == "," else end

    def skip_space(self, offset: int) -> int:
        """The offset of what follows white space."""
        found = _SPACE.match(self.text, offset)
        return found.end() if found else offset


def _refuse_constant(name: str) -> None:
    raise _NoConstant(name)


def _first_repeated(pairs: list[tuple[str, JsonValue]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return key


def _repeated_objects(value: JsonValue) -> Iterator[tuple[list[Step], str]]:
    """The objects with a repeated key: the way to each, and the key."""
    waiting: list[tuple[JsonValue, tuple[Any, ...]]] = [(value, ())]
    while waiting:
        value, way = waiting.pop()
        if isinstance(value, _Repeated):
            yield _unrolled(way), value.key
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(item, (way, step)) for step, item in items if isinstance(item, dict | list)]


def _unrolled(way: tuple[Any, ...]) -> list[Step]:
    steps: list[Step] = []
    while way:
        way, step = way
        steps.append(step)
    return steps[::-1]
