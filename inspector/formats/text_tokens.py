"""Text format cut into tokens (https://protobuf.dev/reference/protobuf/textformat-spec/, "Lexical Elements").

Invariant: each character belongs to a token, to white space or to a comment, else TextProblem is raised. Tokens are
cut when they are asked for, by one pattern that never goes back, so that the whole takes time linear in the text.
"""

from __future__ import annotations

import re

from inspector.schema.wording import one_line

NAME, SYMBOL, STRING, NUMBER, END = range(1, 6)
"""Kinds of tokens: the groups of the pattern below."""

_SPACE = r"(?>[ \t\n\r\v\f]++|\#[^\n]*+)*+"

# A number is taken with all that clings to it (as C does), so that `10bar` and `1.2.3` are one wrong number each.
_TOKEN = re.compile(
    _SPACE
    + r"""(?:
      ([A-Za-z_][A-Za-z0-9_]*+)
    | ([{}<>\[\]:;,-])
    | ("(?>[^"\\\n\0]++|\\[^\n\0])*+"|'(?>[^'\\\n\0]++|\\[^\n\0])*+')
    | (\.?[0-9](?>[eE][+-]|[0-9A-Za-z_.])*+)
    | (\Z)
    )""",
    re.VERBOSE,
)

_BRACKETED = re.compile(rf"((?>{_SPACE}[A-Za-z0-9_.~%!$&()*+,;=/-]++)*+){_SPACE}\]", re.VERBOSE)
"""What stands between brackets in place of a field name: the name of an extension, or the URL of a type."""

_LEFT_OUT = re.compile(r"[ \t\n\r\v\f]+|#[^\n]*")

MAX_SHOWN = 40
"""Characters of a token that an error message shows."""


class TextProblem(Exception):
    """Something is wrong with the text at an offset; the reader makes an EncodeError of it, which has the path too."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class Tokens:
    """The tokens of a text, one at a time: its `kind`, its `text` as it stands there, its offset `start`.

    The token at the end has an empty text.
    """

    def __init__(self, source: str) -> None:
        """Stands at the first token. Raises TextProblem, as all that goes to the next one."""
        self._source = source
        self._end = 0
        self.kind = END
        self.text = ""
        self.start = 0
        self.advance()

    def advance(self) -> None:
        """Goes to the next token."""
        found = _TOKEN.match(self._source, self._end)
        if found is None or found.lastindex is None:
            raise self._unreadable()
        self.kind = kind = found.lastindex
        self.text = found[kind]
        self.start = found.start(kind)
        self._end = found.end()

    def take(self, symbol: str) -> bool:
        """Goes past the symbol if it stands here."""
        if self.text != symbol:
            return False
        self.advance()
        return True

    def expect(self, symbol: str) -> None:
        """Goes past the symbol, which has to be here."""
        if not self.take(symbol):
            raise self.unexpected(symbol)

    def bracketed(self) -> str:
        """What stands between the `[` that is the token and the next `]`, without white space. Goes past it."""
        found = _BRACKETED.match(self._source, self._end)
        if found is None:
            raise self.problem("expected the name of an extension or the URL of a type, and ]")
        self._end = found.end()
        self.advance()
        return _LEFT_OUT.sub("", found[1])

    def unexpected(self, expected: str, hint: str | None = None) -> TextProblem:
        """The problem that the token is not what should be there."""
        return self.problem(f"expected {expected}, found {self.found()}", hint)

    def problem(self, message: str, hint: str | None = None) -> TextProblem:
        """A problem at the token."""
        return TextProblem(message, self.start, hint)

    def found(self) -> str:
        """The token, for a message."""
        return "the end of the text" if self.kind == END else one_line(self.text, MAX_SHOWN)

    def _unreadable(self) -> TextProblem:
        blank = re.compile(_SPACE, re.VERBOSE).match(self._source, self._end)
        start = blank.end() if blank else self._end
        character = self._source[start]
        if character in "\"'":
            line = self._source[start:].partition("\n")[0]
            hint = "NUL is written \\000" if "\0" in line else f"close it with {character}, write \\n for a line end"
            return TextProblem("the string does not end on its line", start, hint)
        return TextProblem(f"the character {one_line(character)} cannot stand here", start)
