"""Text format into the bytes of a message (https://protobuf.dev/reference/protobuf/textformat-spec/).

Beside what the specification has, a field that the schema lacks may be told by its number, as `text_writer` prints it.
The form of the value says how it is on the wire then:

- `1: 5` a varint, `1: 0x00000005` and `1: 0x0000000000000005` fixed fields of 4 and 8 bytes;
- `1: "text"` and `1 { ... }` a LEN field, `1 < ... >` a group.

Invariant: what is open lies on a stack of frames, at most limits.MAX_DEPTH deep, and never on Python's; each token is
looked at once.
"""

from __future__ import annotations

from inspector.errors import EncodeError
from inspector.formats.text_frames import Content, Frame, Numbered, Typed, Types
from inspector.formats.text_tokens import END, TextProblem, Tokens
from inspector.limits import MAX_DEPTH
from inspector.transcode.resolver import Resolver, message_descriptor

_CLOSING = {"{": "}", "<": ">"}

_BYTE_ORDER_MARK = "\ufeff"


class TextReader:
    """Reads one message; without a type, all of its fields are told by number.

    With `ignore_unknown`, fields, extensions and enum values that the schema lacks are skipped.
    """

    def __init__(self, resolver: Resolver | None, type_name: str | None, *, ignore_unknown: bool = False) -> None:
        """Raises SchemaError where the schema lacks the type."""
        self._types = Types(resolver, ignore_unknown)
        self._plan = None if type_name is None else self._types[message_descriptor(resolver, type_name)]

    def read(self, source: bytes) -> bytes:
        """The message on the wire. Raises EncodeError with the path, line and column of what is wrong."""
        text = _decode(source)
        root: Content = Numbered("") if self._plan is None else Typed("", self._plan, self._types)
        walk = _Walk(root)
        try:
            walk.run(text)
        except TextProblem as problem:
            line, column = _place(text, problem.offset)
            raise EncodeError(problem.message, path=walk.path(), line=line, column=column, hint=problem.hint) from None
        return root.wire()


def _decode(source: bytes) -> str:
    try:
        return source.decode().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        line, column = _place(source[: error.start].decode().removeprefix(_BYTE_ORDER_MARK), error.start)
        raise EncodeError(
            "the text is not UTF-8", line=line, column=column, hint="write bytes in strings as \\xff"
        ) from None


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class _Walk:
    """The walk over the text: what is open on a stack, innermost last."""

    def __init__(self, root: Frame) -> None:
        self._stack = [root]

    def path(self) -> str:
        """The field that is being read: `inputs[2].name`."""
        return ".".join(filter(None, (frame.place() for frame in self._stack)))

    def run(self, text: str) -> None:
        """To the end of the text. Raises TextProblem."""
        tokens = Tokens(text)
        stack = self._stack
        while True:
            frame = stack[-1]
            if frame.in_list:
                self._value(frame, tokens)
            elif tokens.text != frame.closing:
                self._field(frame, tokens)
            elif len(stack) > 1:
                self._close(frame, tokens)
            else:
                frame.finish(tokens)
                return

    def _field(self, frame: Frame, tokens: Tokens) -> None:
        frame.slot = None
        if tokens.kind == END or tokens.text in (">", "}"):
            raise tokens.unexpected(f"a field or {frame.closing}" if frame.closing else "a field")
        frame.slot = slot = frame.begin(tokens)
        frame.has_colon = tokens.take(":")
        if tokens.text != "[":
            self._value(frame, tokens)
            return
        if not (frame.has_colon or slot.is_message):
            raise tokens.unexpected(":")
        if not slot.repeated:
            raise tokens.problem("only a repeated field takes a list")
        tokens.advance()
        frame.in_list = not tokens.take("]")
        if not frame.in_list:
            _separator(tokens)

    def _value(self, frame: Frame, tokens: Tokens) -> None:
        slot = frame.slot
        assert slot is not None
        closing = _CLOSING.get(tokens.text)
        if closing is None:
            if not (frame.has_colon or slot.is_message):
                raise tokens.unexpected(":")
            slot.scalar(tokens)
            _after_value(frame, tokens)
            return
        if len(self._stack) > MAX_DEPTH:
            raise tokens.problem(f"messages nested over {MAX_DEPTH} deep")
        inner = slot.message(tokens, closing)
        tokens.advance()
        self._stack.append(inner)

    def _close(self, frame: Frame, tokens: Tokens) -> None:
        frame.slot = None
        frame.finish(tokens)
        tokens.advance()
        self._stack.pop()
        _after_value(self._stack[-1], tokens)


def _after_value(frame: Frame, tokens: Tokens) -> None:
    if not frame.in_list:
        _separator(tokens)
    elif tokens.take("]"):
        frame.in_list = False
        _separator(tokens)
    elif not tokens.take(","):
        raise tokens.unexpected(", or ]")


def _separator(tokens: Tokens) -> None:
    if tokens.text in (",", ";"):
        tokens.advance()
