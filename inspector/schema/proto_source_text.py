"""Names, literals and lines of .proto source text.

Source: https://protobuf.dev/reference/protobuf/edition-2023-spec/ (lexical elements).
Invariant: whatever a descriptor holds, what is written here stays the token that it is meant to be. A name which is no
identifier is refused, and text only stands between quotes or behind `//`, with all that could end it escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from inspector.errors import SchemaError
from inspector.schema.wording import one_line, text

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")

_ESCAPES = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x22: '\\"', 0x5C: "\\\\"}


def is_identifier(name: str) -> bool:
    return _IDENTIFIER.fullmatch(name) is not None


def is_dotted(name: str) -> bool:
    """Whether it is identifiers joined by dots."""
    return _DOTTED.fullmatch(name) is not None


def identifier(name: str | bytes, what: str) -> str:
    """`name`, which must be an identifier. Raises SchemaError."""
    return _checked(_IDENTIFIER, name, what)


def dotted(name: str | bytes, what: str) -> str:
    """`name`, which must be identifiers joined by dots. Raises SchemaError."""
    return _checked(_DOTTED, name, what)


def _checked(form: re.Pattern[str], name: str | bytes, what: str) -> str:
    spelled = text(name)
    if not form.fullmatch(spelled):
        shown = f"{one_line(spelled)!r} is no name for {what}" if spelled else f"{what} has no name"
        raise SchemaError(shown, hint="no .proto source can say that: the descriptor is damaged or made by hand")
    return spelled


def quoted(value: str | bytes) -> str:
    """A string literal. Text stays readable; what is not printable, and bytes, are escaped."""
    if isinstance(value, bytes):
        return '"' + "".join(_escaped_byte(byte) for byte in value) + '"'
    return '"' + "".join(c if _is_plain(c) else _escaped(c) for c in value) + '"'


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in '"\\'


def _escaped(character: str) -> str:
    return "".join(_escaped_byte(byte) for byte in character.encode("utf-8", "surrogatepass"))


def _escaped_byte(byte: int) -> str:
    # Three octal digits: what follows cannot be taken for a part of it, as it can after \x.
    return _ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")


def in_comment(line: str) -> str:
    """Text that may stand behind `//`: tabs are kept, other control characters and reordering marks become escapes."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode("ascii") for c in line)


class Comment(NamedTuple):
    """What stands before and behind a declaration, as SourceCodeInfo has it: text without the comment marks."""

    detached: tuple[str, ...] = ()
    leading: str = ""
    trailing: str = ""


NO_COMMENT = Comment()


class SourceLines:
    """Lines of source text, indented as blocks are opened and closed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = ""

    def text(self) -> str:
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "\n".join(self._lines) + "\n"

    def line(self, line: str) -> None:
        self._lines.append(self._indent + line)

    def blank(self) -> None:
        """An empty line, unless there is one already, or a block was just opened."""
        if self._lines and self._lines[-1] and not self._lines[-1].endswith("{"):
            self._lines.append("")

    def statement(self, statement: str | Sequence[str], comment: Comment = NO_COMMENT) -> None:
        """A declaration in one line or several, with its comments."""
        first, *others = [statement] if isinstance(statement, str) else statement
        self._comments_before(comment)
        self.line(first)
        for line in others:
            self.line(line)
        self._comment_behind(comment)

    @contextmanager
    def block(self, head: str, comment: Comment = NO_COMMENT) -> Iterator[None]:
        """`head { ... }`, and what is written within."""
        self._comments_before(comment)
        self.line(head + " {")
        opened, self._indent = len(self._lines), self._indent + "  "
        self._comment_behind(comment)
        yield
        self._indent = self._indent[:-2]
        if self._lines[-1] == "":
            self._lines.pop()
        if len(self._lines) == opened:
            self._lines[-1] += "}"
        else:
            self.line("}")

    def comment(self, comment: str) -> None:
        """Lines of comment. protoc takes a comment away with one line break at its end, so that is left out here."""
        for line in comment.removesuffix("\n").split("\n"):
            self.line("//" + in_comment(line))

    def _comments_before(self, comment: Comment) -> None:
        # Else it could be read as what stands behind the declaration before, or behind the brace.
        opened = bool(self._lines) and self._lines[-1].endswith("{")
        if comment.detached and opened:
            self._lines.append("")
        elif comment.detached or comment.leading:
            self.blank()
        for detached in comment.detached:
            self.comment(detached)
            self.blank()
        if comment.leading:
            self.comment(comment.leading)

    def _comment_behind(self, comment: Comment) -> None:
        lines = comment.trailing.removesuffix("\n").split("\n")
        if len(lines) == 1 and lines[0]:
            self._lines[-1] += "  //" + in_comment(lines[0])
        elif comment.trailing:
            self.comment(comment.trailing)
            self._lines.append("")
