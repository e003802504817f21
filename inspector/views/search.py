"""Looking for text, a regular expression or bytes: in rows of text, in the bytes of a message, in its fields.

What is looked for may stand anywhere in a message of 64 MB, and an expression may be one that takes for ever, so bytes
are searched a window at a time, and a match is no longer than `LONGEST_MATCH`: who searches can be stopped in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from inspector.errors import InspectorError
from inspector.model.span import Span
from inspector.transcode.tree import FieldNode
from inspector.views.explanation_rows import field_row
from inspector.views.outline import Chain
from inspector.views.spans import Line
from inspector.views.spans import Span as Styled

LONGEST_MATCH = 1_024
"""Bytes, or characters."""

LONGEST_ROW = 4_096
"""Characters of a row that are searched: no screen is wider."""

_WINDOW, _WINDOW_OF_EXPRESSION = 256 * 1024, 4 * 1024
"""Bytes that are searched at once: a millisecond, also where the time grows with the square of them."""

_PAIRS = re.compile(r"\s*[0-9a-fA-F]{2}(\s+[0-9a-fA-F]{2})*\s*")
_NESTED = re.compile(r"[*+}]\)+[?]?[*+{]")

Step = Callable[[float], bool]
"""Told how far a search is (0 to 1); whether it is to end."""


class Pattern:
    """What is looked for: `/.../` is a regular expression, `x:0a05` bytes, anything else a text in letters of any
    case. Where bytes are searched, `0a 05` are bytes too."""

    def __init__(self, text: str, *, in_bytes: bool = False) -> None:
        """Raises InspectorError for what cannot be looked for."""
        self.source = text
        self.is_expression = len(text) > 2 and text.startswith("/") and text.endswith("/")
        self.octets: bytes | None = None
        if text.startswith("x:"):
            self.octets = _from_hex(text[2:])
        elif in_bytes and _PAIRS.fullmatch(text):
            self.octets = _from_hex(text)
        if self.octets is None and not text:
            raise InspectorError("there is nothing to look for")
        self._text, self._bytes = self._compiled(text)

    def _compiled(self, text: str) -> tuple[re.Pattern[str] | None, re.Pattern[bytes]]:
        if self.octets is not None:
            return None, re.compile(re.escape(self.octets), re.DOTALL)
        body = text[1:-1] if self.is_expression else re.escape(text)
        flags = re.RegexFlag(0) if self.is_expression else re.IGNORECASE
        if self.is_expression and _NESTED.search(body):
            raise InspectorError("a repetition within a repetition may take for ever", hint="write it another way")
        try:
            return re.compile(body, flags), re.compile(body.encode(), flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise InspectorError(f"the expression is wrong: {error}") from None

    # --- in text -------------------------------------------------------------------------------------------------

    def spans_in(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in a row."""
        if self._text is None:
            return []
        found = self._text.finditer(text, 0, LONGEST_ROW)
        return [match.span() for match in found if match.end() > match.start()]

    def is_in(self, text: str) -> bool:
        return bool(self.spans_in(text))

    # --- in bytes ------------------------------------------------------------------------------------------------

    def spans_in_bytes(self, data: bytes, start: int, end: int) -> list[Span]:
        """Where it stands, as far as that is within a stretch, which should not be long."""
        found = self._bytes.finditer(data, max(0, start), max(0, end))
        return [Span(*match.span()) for match in found if match.end() > match.start()]

    def find_in_bytes(self, data: bytes, start: int, step: Step, *, forward: bool = True) -> Span | None:
        """The first match that begins at `start` or behind it, else the first one of all; backward: that begins before
        `start`, else the last one of all."""
        size = len(data)
        parts = [(start, size), (0, min(size, start))] if forward else [(0, start), (start, size)]
        done = 0
        for first, last in parts:
            for window in _windows(first, last, self._window, forward=forward):
                found = self._first_in(data, *window, forward=forward)
                if found is not None:
                    return found
                done += window[1] - window[0]
                if step(done / max(1, size)):
                    return None
        return None

    @property
    def _window(self) -> int:
        return _WINDOW_OF_EXPRESSION if self.is_expression else _WINDOW

    def _first_in(self, data: bytes, first: int, last: int, *, forward: bool) -> Span | None:
        """The first match, or the last one, that begins in a stretch."""
        inside = [span for span in self.spans_in_bytes(data, first, last + LONGEST_MATCH) if span.start < last]
        return inside[0 if forward else -1] if inside else None


def _windows(first: int, last: int, size: int, *, forward: bool) -> Iterator[tuple[int, int]]:
    starts = range(first, last, size)
    for start in starts if forward else reversed(starts):
        yield start, min(last, start + size)


def _from_hex(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        raise InspectorError("bytes are pairs of hexadecimal digits", hint="x:0a05") from None
    if not octets:
        raise InspectorError("there is nothing to look for")
    return octets


# --- rows --------------------------------------------------------------------------------------------------------


def find_row(
    pattern: Pattern, text_of: Callable[[int], str], count: int, start: int, step: Step, *, forward: bool = True
) -> int | None:
    """The next row behind (or before) `start` that has it, all around."""
    for done in range(1, count + 1):
        row = (start + (done if forward else -done)) % count
        if pattern.is_in(text_of(row)):
            return row
        if step(done / count):
            return None
    return None


def find_field(
    pattern: Pattern, fields: Sequence[FieldNode], start: Chain, step: Step, *, forward: bool = True
) -> Chain | None:
    """The next field behind (or before) the one at `start` that has it in its name, type or value, all around."""
    if not len(fields):
        return None
    first: Chain | None = None
    last: Chain | None = None
    is_behind = not start
    for chain, node in _walk(fields):
        if chain == start:
            is_behind = True
            if not forward and last is not None:
                return last
        elif pattern.is_in(text_of_field(node)):
            if forward and is_behind:
                return chain
            first, last = first or chain, chain
        if step((chain[0] + 1) / len(fields)):
            return None
    return first if forward else last


def text_of_field(node: FieldNode) -> str:
    """What is searched of a field."""
    row = field_row(node, is_open=False)
    value = str(node.value) if row.is_cut and isinstance(node.value, str) else row.value
    return f"{row.name} {row.type} {value}"


def _walk(fields: Sequence[FieldNode]) -> Iterator[tuple[Chain, FieldNode]]:
    """All fields with their places, each before those in it."""
    stack: list[Iterator[tuple[Chain, FieldNode]]] = [_placed((), fields)]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            continue
        yield found
        chain, node = found
        if node.has_children:
            stack.append(_placed(chain, node.children))


def _placed(chain: Chain, nodes: Sequence[FieldNode]) -> Iterator[tuple[Chain, FieldNode]]:
    return (((*chain, place), node) for place, node in enumerate(nodes))


# --- what is found, shown ----------------------------------------------------------------------------------------


def highlighted(line: Line, pattern: Pattern) -> Line:
    """A line in which what is looked for has the style `match`."""
    spans = pattern.spans_in("".join(text for _, text in line))
    if not spans:
        return line
    out: Line = []
    at = 0
    for style, text in line:
        out += _cut(style, text, at, spans)
        at += len(text)
    return out


def _cut(style: str, text: str, at: int, spans: list[tuple[int, int]]) -> Iterator[Styled]:
    """A run of text that begins at `at` of a line, cut where matches begin and end."""
    done = 0
    for start, end in spans:
        first, last = max(done, start - at), min(len(text), end - at)
        if first < last:
            if first > done:
                yield style, text[done:first]
            yield "match", text[first:last]
            done = last
    if done < len(text):
        yield style, text[done:]
