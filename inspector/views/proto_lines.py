""".proto source as lines of styled spans: words of the language, names of types, strings, numbers, comments.

Source: https://protobuf.dev/reference/protobuf/edition-2023-spec/ (lexical elements). Invariant: the text of the spans
is that of the source, which has no control characters (`schema.proto_source_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inspector.views.safe_text import safe
from inspector.views.spans import Line

_TOKEN = re.compile(
    r'(?P<dim>//.*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>(?<![\w.])-?[0-9][\w.+-]*)|'
    r"(?P<title>(?<=\bmessage )\w+|(?<=\benum )\w+|(?<=\bservice )\w+|(?<=\brpc )\w+|(?<=\boneof )\w+)|"
    r"(?P<word>(?<![\w.\[(])(?:syntax|edition|package|import|public|weak|option|message|enum|service|rpc|returns|stream|"
    r"oneof|extend|extensions|reserved|to|max|group|map|optional|required|repeated|true|false)(?![\w.]))"
)


def proto_lines(source: str) -> Iterator[Line]:
    """The lines of a source."""
    for line in source.rstrip("\n").split("\n"):
        yield _spans(line)


def _spans(text: str) -> Line:
    line: Line = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            line.append(("", text[at : match.start()]))
        line.append((match.lastgroup or "", safe(match[0])))
        at = match.end()
    return [*line, ("", text[at:])]
