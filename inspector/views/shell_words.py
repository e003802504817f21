"""A command line as a shell (POSIX, with what bash adds in quotes) takes it apart, without running anything.

Invariant: what a shell would put in by running or looking up something is never guessed: variables stay by name, the
rest is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from inspector.errors import InputError

LONGEST = 4 << 20
"""Characters of a command; shells take no longer ones."""

_PIECE = re.compile(
    r"""(?P<joined>\\[ \t]*\r?\n) | (?P<space>[ \t]+) | (?P<newline>\r?\n) | '(?P<single>[^']*)'
    | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
    | "(?P<double>(?:[^"\\]|\\.)*)" | \\(?P<escaped>.) | \$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<named>[A-Za-z_]\w*))
    | (?P<run>`|\$[({]) | (?P<operator><<<|<<-?|>>|&&|\|\||[|&;<>()]) | (?P<comment>\#[^\n]*)
    | (?P<plain>\$|[^\s'"\\$`|&;<>()\#]+)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_DOUBLE = re.compile(
    r"""\\(?P<escaped>[\\"$`]) | (?P<joined>\\\r?\n) | \$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<named>[A-Za-z_]\w*))
    | (?P<run>`|\$[({])""",
    re.VERBOSE | re.ASCII,
)
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


class Word(NamedTuple):
    """A word; `has_variables` where the shell would put some in, which stand as `${NAME}`. What is not a `word` is an
    operator (`|`, `&&`, `>`, ...; a newline is `;`) or a `document`, which is standard input."""

    text: str
    kind: str = "word"
    has_variables: bool = False


def split(text: str) -> list[Word]:
    """The words and operators of a command line. Raises InputError with the place."""
    if len(text) > LONGEST:
        raise InputError(f"a command of over {LONGEST:,} characters")
    return list(_Splitter(text.rstrip() + "\n").words())


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._parts: list[str] | None = None
        self._has_variables = False
        self._expected: str | None = None  # what the next word is: a here-string, or the end of a here-document
        self._waiting: list[tuple[str, bool]] = []  # ends of here-documents, and whether they are quoted
        self._is_quoted = False

    def words(self) -> Iterator[Word]:
        while self._at < len(self._text):
            piece = _PIECE.match(self._text, self._at)
            if piece is None:
                raise self._error("a quote or a backslash is not closed")
            kind = piece.lastgroup or ""
            if kind == "comment" and self._parts is not None:  # only at the beginning of a word
                self._take("#")
                self._at += 1
                continue
            self._at = piece.end()
            if kind == "joined":
                continue
            if kind in ("space", "newline", "operator", "comment"):
                yield from self._end(kind, piece[0])
            else:
                self._add(kind, piece)

    def _end(self, kind: str, text: str) -> Iterator[Word]:
        if kind == "operator" and text[0] in "<>" and (self._parts or [""])[-1].isdecimal():
            self._parts = None  # the number of a descriptor
        yield from self._word()
        if kind == "operator":
            self._expected = text if text in ("<<", "<<-", "<<<") else None
            if self._expected is None:
                yield Word(text, "operator")
        elif kind == "newline":
            yield from (self._document(end, is_quoted) for end, is_quoted in self._waiting)
            self._waiting.clear()
            yield Word(";", "operator")

    def _word(self) -> Iterator[Word]:
        if self._parts is None:
            return
        word = Word("".join(self._parts), "word", self._has_variables)
        self._parts, self._has_variables = None, False
        if self._expected == "<<<":
            yield word._replace(text=f"{word.text}\n", kind="document")
        elif self._expected is not None:
            self._waiting.append((word.text, self._is_quoted))
        else:
            yield word
        self._expected, self._is_quoted = None, False

    def _document(self, end: str, is_quoted: bool) -> Word:
        """The lines up to the one that ends a here-document."""
        found = re.compile(rf"^\t*{re.escape(end)}\r?\n", re.MULTILINE).search(self._text, self._at)
        if found is None:
            raise self._error(f"there is no line {end[:40]!r} that ends what is put in")
        text = self._text[self._at : found.start()]
        if not is_quoted and set("$`\\") & set(text):
            raise self._error(
                "a shell would change what is put in: there is a $, ` or \\ in it", f"<<'{end[:40]}' takes it as it is"
            )
        self._at = found.end()
        return Word(text, "document")

    def _add(self, kind: str, piece: re.Match[str]) -> None:
        self._is_quoted |= kind in ("single", "double", "ansi", "escaped")
        if kind == "double":
            self._take(_DOUBLE.sub(self._in_double, piece[kind]))
        elif kind == "ansi":
            self._take(_unescaped(piece[kind]))
        else:
            self._take(self._in_double(piece) if kind in ("braced", "named", "run") else piece[kind])

    def _in_double(self, piece: re.Match[str]) -> str:
        found = piece.groupdict()
        name = found.get("braced") or found.get("named")
        if found.get("run"):
            raise self._error("a shell would run or look up something here", "paste what comes of it")
        self._has_variables |= name is not None
        return f"${{{name}}}" if name else found.get("escaped") or ""

    def _take(self, text: str) -> None:
        if self._parts is None:
            self._parts = []
        self._parts.append(text)

    def _error(self, message: str, hint: str | None = None) -> InputError:
        line = self._text.count("\n", 0, self._at) + 1
        return InputError(message, where=f"line {line} of the command", hint=hint)


def _unescaped(text: str) -> str:
    """What `$'...'` stands for."""
    if "\\" not in text:
        return text
    at = 0
    parts: list[bytes] = []
    for found in _ANSI.finditer(text):
        parts += [text[at : found.start()].encode("utf-8", "surrogateescape"), _escape(found)]
        at = found.end()
    return b"".join([*parts, text[at:].encode("utf-8", "surrogateescape")]).decode("utf-8", "surrogateescape")


def _escape(found: re.Match[str]) -> bytes:
    code, short, long, octal, letter = found.groups()
    if code or octal:
        return bytes([int(code, 16) if code else int(octal, 8) & 0xFF])
    if short or long:
        number = int(short or long, 16)
        return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else b""
    return _ANSI_LETTERS.get(letter, letter if letter in "\\'\"?" else f"\\{letter}").encode("utf-8", "surrogateescape")


def printed(words: list[str]) -> str | None:
    """What `echo` or `printf` (without values to put in) writes; None for another program."""
    program, *rest = words
    if program == "echo":
        is_bare = rest[:1] == ["-n"]
        return " ".join(rest[is_bare:]) + ("" if is_bare else "\n")
    if program == "printf" and len(rest) == 1 and "%" not in rest[0].replace("%%", ""):
        return _unescaped(rest[0]).replace("%%", "%")
    if program == "printf" and len(rest) == 2 and rest[0] in ("%s", "%s\\n"):
        return rest[1] + ("\n" if rest[0] != "%s" else "")
    return None
