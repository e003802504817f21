"""Styled text without a toolkit: a line is a list of (style, text); what a style looks like is the toolkit's."""

from __future__ import annotations

import re

from inspector.views.widths import cells, cells_of

Span = tuple[str, str]
Line = list[Span]

MOVED = 12
"""Characters of a word that goes to the next line, where something stands before it, rather than being cut."""

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(:?)|(-?\d[\d.eE+-]*)|\b(true|false|null)\b')


def wrapped(line: Line, width: int, indent: str = "    ") -> list[Line]:
    """A line in as many as its width takes, those after the first behind an indent."""
    if sum(cells_of(text) for _, text in line) <= width or width <= len(indent):
        return [line]
    lines: list[Line] = [[]]
    room = full = width
    for style, text in line:
        while text:
            count = _fitting(text, room)
            if count < len(text):
                count = _between_words(text, count, longest_moved=min(MOVED, width - len(indent)) if room < full else 0)
            count = count or int(room == full)  # however narrow it is
            if count:
                lines[-1].append((style, text[:count]))
            room -= cells_of(text[:count])
            text = text[count:]
            if text:
                lines.append([("", indent)])
                room = full = width - len(indent)
    return lines


def _fitting(text: str, width: int) -> int:
    """How many characters fit so many cells."""
    if text[:width].isascii():
        return min(len(text), width)
    taken = 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > width:
            return index
    return len(text)


def _between_words(text: str, count: int, *, longest_moved: int) -> int:
    """Where to end a line of at most so many characters: behind a blank in its last third, or before any word that is
    not longer than what may go to the next line."""
    blank = text.rfind(" ", 0, count) + 1
    word = text[blank : blank + longest_moved + 1].partition(" ")[0]
    if longest_moved and len(word) <= longest_moved:
        return blank
    return blank if blank > count * 2 // 3 else count


def json_lines(text: str) -> list[Line]:
    """Indented JSON text as lines of spans: keys, strings, numbers and words."""
    return [_json_line(line) for line in text.split("\n")]


def _json_line(text: str) -> Line:
    line: Line = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            line.append(("", text[at : match.start()]))
        string, colon, number, word = match.groups()
        if string and colon:
            line += [("key", string), ("", colon)]
        elif string:
            line.append(("string", string))
        else:
            line.append(("number", number) if number else ("word", word))
        at = match.end()
    if at < len(text):
        line.append(("", text[at:]))
    return line
