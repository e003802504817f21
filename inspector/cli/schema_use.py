"""How well a schema fits what was decoded: a wrong one is not an error, but should not go unnoticed."""

from __future__ import annotations

from typing import NamedTuple

from inspector.cli import output
from inspector.session import DecodedMessage, Session

MOST_METHODS = 1_000
"""Methods that are counted as missing from the schema."""


class Counts(NamedTuple):
    """What was counted: messages; those of the type of -t, as the method told none; per method those that the schema
    lacks; those without a method; unknown bytes, and messages with some."""

    messages: int = 0
    by_type: int = 0
    lacking: tuple[tuple[str, int], ...] = ()
    nameless: int = 0
    unknown_bytes: int = 0
    with_unknown: int = 0


class SchemaUse:
    """Counts, and tells at the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._messages = 0
        self._by_type = 0
        self._lacking: dict[str, int] = {}
        self._nameless = 0
        self._unknown_bytes = 0
        self._with_unknown = 0

    def note(self, decoded: DecodedMessage) -> None:
        self._messages += 1
        if decoded.unknown_bytes:
            self._with_unknown += 1
            self._unknown_bytes += decoded.unknown_bytes
        if decoded.type_name is None:
            method = decoded.message.method
            if method is None:
                self._nameless += 1
            else:
                self._lacks(method, 1)
        elif self._session.type_name is not None:
            self._by_type += self._is_by_type(decoded)

    def counts(self) -> Counts:
        return Counts(
            self._messages, self._by_type, tuple(self._lacking.items()), self._nameless, self._unknown_bytes,
            self._with_unknown,
        )  # fmt: skip

    def add(self, counts: Counts) -> None:
        """Adds what was counted elsewhere."""
        self._messages += counts.messages
        self._by_type += counts.by_type
        self._nameless += counts.nameless
        self._unknown_bytes += counts.unknown_bytes
        self._with_unknown += counts.with_unknown
        for method, count in counts.lacking:
            self._lacks(method, count)

    def _lacks(self, method: str, count: int) -> None:
        if method in self._lacking or len(self._lacking) < MOST_METHODS:
            self._lacking[method] = self._lacking.get(method, 0) + count

    def _is_by_type(self, decoded: DecodedMessage) -> bool:
        """Whether the type is the one of -t, as the method told none."""
        schema, method = self._session.schema, decoded.message.method
        return schema is None or method is None or schema.find_method(method) is None

    def report(self) -> None:
        """Says on standard error what does not fit."""
        session = self._session
        if self._by_type and session.source.is_capture:
            output.note(
                f"{self._by_type} messages, requests and responses alike, were decoded as {session.type_name} (-t)"
            )
        if session.schema is None:
            return
        if self._lacking:
            first = next(iter(self._lacking))
            more = f" and {len(self._lacking) - 1} more" if len(self._lacking) > 1 else ""
            count = sum(self._lacking.values())
            output.note(f"the schema lacks the method {first}{more}: {count} messages were decoded by field number")
        if self._nameless and session.source.is_capture:
            output.note(f"{self._nameless} messages are of methods that the capture does not tell, as their calls or "
                        "connections began before it; they were decoded by field number")  # fmt: skip
        elif self._nameless:
            output.note("a schema is given, but no type (-t): messages were decoded by field number")
        if session.source.is_capture and self._unknown_bytes:
            share = f"{self._with_unknown} of {self._messages} messages"
            output.note(f"{self._unknown_bytes} bytes in {share} are of fields that the schema lacks")
