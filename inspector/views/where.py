"""Filtering records by an expression of CEL, the protobuf world's expression language (github.com/google/cel-spec)."""

from __future__ import annotations

import orjson

from inspector.errors import InspectorError
from inspector.session import DecodedMessage
from inspector.views.rows import message_row, to_line

try:
    import cel
except ImportError:  # it comes with the extra `where`
    cel = None  # type: ignore[assignment]

MAX_EXPRESSION = 10_000
"""Characters of an expression: whoever writes one by hand stays far below."""


class Where:
    """An expression over the record of a message, as `inspector decode` prints it.

    The message is also there as `request` or `response`, whichever it is. A record that lacks what the expression asks
    for does not match; `last_error` then says what was missing.
    """

    def __init__(self, expression: str) -> None:
        """Raises InspectorError for an expression that is not CEL, or where the library for it is not installed."""
        if cel is None:
            raise InspectorError("--where needs a library for CEL", hint="pip install 'payload-inspector[where]'")
        if len(expression) > MAX_EXPRESSION:
            raise InspectorError(f"the expression has over {MAX_EXPRESSION} characters")
        try:
            self._program = cel.compile(expression)
        except ValueError as error:
            raise InspectorError(f"the expression is not CEL: {_reason(error)}") from None
        self.expression = expression
        self.last_error: str | None = None

    def takes(self, decoded: DecodedMessage) -> bool:
        """Whether a message matches."""
        record = orjson.loads(to_line(message_row(decoded)))
        if record["direction"]:
            record[record["direction"]] = record["message"]
        try:
            return self._program.execute(record) is True
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            self.last_error = _reason(error)
            return False


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
