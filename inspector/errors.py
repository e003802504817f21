"""What can go wrong, as exceptions. Damage inside a capture is not here: it is data (`inspector.model.Problem`)."""

from __future__ import annotations


class InspectorError(Exception):
    """Root of every error this package raises on purpose.

    `message` says what is wrong in one line, `hint` what to do about it, `where` the place (a file, a line, an offset).
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class InputError(InspectorError):
    """The input cannot be opened, or is not of a kind that can be read."""


class ConnectError(InspectorError):
    """The other side cannot be reached, or does not speak what it should. `where` is the target."""


class SchemaError(InspectorError):
    """A schema source cannot be read, is inconsistent, or lacks what was asked for."""


class DecodeError(InspectorError):
    """Bytes that do not follow their format. `offset` counts bytes from the start of what was decoded."""

    def __init__(self, message: str, *, code: str = "malformed", offset: int | None = None, hint: str | None = None):
        super().__init__(message, where=None if offset is None else f"offset {offset}", hint=hint)
        self.code = code
        self.offset = offset


class EncodeError(InspectorError):
    """Text that cannot become a message. `path` names the field (`inputs[2].name`, empty for the message itself);
    `line` and `column` count from 1."""

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ):
        place = None if line is None else f"line {line}, column {column}"
        super().__init__(message, where=": ".join(filter(None, (place, path))) or None, hint=hint)
        self.path = path
        self.line = line
        self.column = column
