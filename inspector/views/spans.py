"""Styled text without a toolkit: a line is a list of (style, text); what a style looks like is the toolkit's."""

from __future__ import annotations

import re

Span = tuple[str, str]
Line = list[Span]

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(:?)|(-?\d[\d.eE+-]*)|\b(true|false|null)\b')


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
