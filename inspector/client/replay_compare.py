"""What came back this time beside what was captured, field by field.

Paths begin with where something stands: `response[0].labels[2].score`, `status.code`, `status.details[0].reason`,
`trailers.x-cost`. The invariant: an answer without a difference has the messages of the captured one, in its order, and
its status, but for what is ignored.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from inspector import limits
from inspector.client.replay_headers import is_transport
from inspector.errors import DecodeError
from inspector.model.call import Call, Header, Message, Status
from inspector.net.status import CANCELLED, is_of_client_reset
from inspector.schema import Schema
from inspector.transcode.compare import Difference, compare
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.message_differences import guessed_differences, typed_differences
from inspector.wire.json_value import JsonValue


class Ignored:
    """Paths that do not count: `usage`, `labels[*].score`, `response[0].**.id`. A path stands for all below it.

    `*` is any name or number, `**` any part of a path; a path may begin at a message or at `response`, `status`, ....
    Names may be those of JSON or of the .proto file.
    """

    def __init__(self, globs: Sequence[str] = ()) -> None:
        forms = {form for glob in globs for form in (glob, _json_name(glob))}
        self._pattern = re.compile("|".join(map(_expression, sorted(forms)))) if forms else None

    def takes(self, place: str, path: str) -> bool:
        """Whether a difference at `path` of what stands at `place` does not count."""
        pattern = self._pattern
        return pattern is not None and bool(pattern.fullmatch(path) or pattern.fullmatch(joined(place, path)))

    def pruned(self, place: str, value: JsonValue) -> JsonValue:
        """A value without what does not count, so that elements are not told apart by it."""
        return value if self._pattern is None else self._pruned(place, "", value)

    def _pruned(self, place: str, path: str, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            members = {key: (f"{path}.{key}" if path else key) for key in value}
            return {
                key: self._pruned(place, members[key], item)
                for key, item in value.items()
                if not self.takes(place, members[key])
            }
        if isinstance(value, list):  # elements keep their places, by which later ones are named
            return [
                None if self.takes(place, f"{path}[{number}]") else self._pruned(place, f"{path}[{number}]", item)
                for number, item in enumerate(value)
            ]
        return value


def _expression(glob: str) -> str:
    parts = (_PART[each] if each in _PART else re.escape(each) for each in re.split(r"(\*\*|\*)", glob.strip()))
    return f"(?:{''.join(parts)})(?:[.\\[].*)?"


_PART = {"*": r"[^.\[\]]*", "**": ".*"}


def _json_name(glob: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), glob)


class Rules(NamedTuple):
    """What counts as a difference. `headers` are globs over the names of header and trailer fields that are compared;
    with `strict` the text of the status is too."""

    schema: Schema
    ignored: Ignored = Ignored()
    tolerance: float = 0.0
    headers: tuple[str, ...] = ()
    strict: bool = False


class Comparison:
    """Takes what comes back from a call, and compares it as it comes. `more` counts differences that are not told."""

    def __init__(self, call: Call, answers: Sequence[Message], rules: Rules) -> None:
        self.differences: list[Difference] = []
        self.more = 0
        self.notes: list[str] = []
        self.received = 0
        self._call = call
        self._answers = answers
        self._rules = rules
        self._decoder = MessageDecoder(rules.schema)
        method = rules.schema.find_method(call.method or "")
        self._type = None if method is None else str(method.output_type.full_name)

    @property
    def is_guessed(self) -> bool:
        """Whether no schema tells the type of the responses."""
        return self._type is None

    @property
    def extra(self) -> int:
        """Responses that the capture does not have."""
        return max(0, self.received - len(self._answers))

    def response(self, data: bytes) -> None:
        """The next response."""
        place = f"response[{self.received}]"
        number, self.received = self.received, self.received + 1
        if number >= len(self._answers):
            self._add(place, [Difference("", "added", None, self._value(data))])
            return
        captured = self._answers[number]
        if captured.data is None or captured.problem is not None:
            self.notes.append(f"{place} is not whole in the capture, and not compared")
        elif captured.data != data:
            self._add(place, self._between(place, captured.data, data))

    def headers(self, name: str, before: tuple[Header, ...], after: tuple[Header, ...]) -> None:
        """Header fields, or trailers."""
        wanted = self._rules.headers
        if wanted:
            self._add(name, list(compare(_chosen(before, wanted), _chosen(after, wanted))))

    def rest(self) -> None:
        """No more responses: those of the capture that did not come are missing."""
        for number, captured in enumerate(self._answers[self.received :], self.received):
            value = None if captured.data is None else self._value(captured.data)
            self._add(f"response[{number}]", [Difference("", "removed", value, None)])

    def status(self, after: Status) -> None:
        """How the call ended."""
        before = self._call.status
        if before is None:
            self.notes.append(f"the status is {after.name}; that of the capture is not known")
            return
        if before.code not in (after.code, CANCELLED) and is_of_client_reset(before):
            # The code of a reset is what the client thought of an answer (gRPC core resets with ENHANCE_YOUR_CALM one
            # that is over its limit): the server of the capture did not get to say its own.
            self.notes.append(f"the status is {after.name}; in the capture {before.message}, and none came")
            return
        if before.code != after.code:
            self._add("status", [Difference("code", "changed", before.name, after.name)])
        if before.message != after.message and before.source == after.source == "trailers":
            self._message(before, after)
        if before.details != after.details:
            pair = [self._rules.ignored.pruned("status", self._details(each.details)) for each in (before, after)]
            self._add("status", list(compare(*pair, tolerance=self._rules.tolerance)))

    def _message(self, before: Status, after: Status) -> None:
        """The text of a status is for people, and counts only if asked for."""
        if self._rules.strict:
            self._add("status", [Difference("message", "changed", before.message, after.message)])
        else:
            self.notes.append(f"status.message: {before.message!r} -> {after.message!r}")

    def _between(self, place: str, before: bytes, after: bytes) -> list[Difference]:
        rules = self._rules

        def pruned(value: JsonValue) -> JsonValue:
            return rules.ignored.pruned(place, value)

        try:
            if self._type is None:
                return guessed_differences(before, after, tolerance=rules.tolerance, pruned=pruned)
            schema = rules.schema
            return typed_differences(before, after, self._type, schema, tolerance=rules.tolerance, pruned=pruned)
        except DecodeError as error:
            self.notes.append(f"{place} is compared by its bytes: {error}")
            return [Difference("", "changed", _base64(before), _base64(after))]

    def _add(self, place: str, found: list[Difference]) -> None:
        for each in found:
            if self._rules.ignored.takes(place, each.path):
                continue
            if len(self.differences) >= limits.MAX_REPLAY_DIFFERENCES:
                self.more += 1
                continue
            to = None if each.to is None else joined(place, each.to)
            self.differences.append(each._replace(path=joined(place, each.path), to=to))

    def _value(self, data: bytes) -> JsonValue:
        found = self._decoder.decode(self._type, data)
        return _base64(data) if found.error is not None else found.value

    def _details(self, details: bytes | None) -> JsonValue:
        """`details` as a member, by which they are named."""
        if details is None:
            return {"details": []}
        found = self._decoder.decode("google.rpc.Status", details)
        if found.error is not None or not isinstance(found.value, dict):
            return {"details": _base64(details)}
        return {"details": found.value.get("details", [])}


def joined(place: str, path: str) -> str:
    """A path within what stands at `place`."""
    return f"{place}.{path}" if path and not path.startswith("[") else f"{place}{path}"


def _chosen(fields: tuple[Header, ...], globs: Sequence[str]) -> JsonValue:
    names = tuple(globs)
    return by_name(tuple(field for field in fields if field[0] is not None and _is_chosen(field[0], names)))


def by_name(fields: tuple[Header, ...]) -> dict[str, JsonValue]:
    """Fields by name, but those whose names are not known; the values of one that is there more than once are a list.
    Base64 may be padded or not."""
    found: dict[str, list[JsonValue]] = {}
    for name, value in fields:
        if name is not None:
            plain = value.replace("=", "") if value is not None and name.endswith("-bin") else value
            found.setdefault(name, []).append(plain)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


@lru_cache(maxsize=1024)
def _is_chosen(name: str, globs: tuple[str, ...]) -> bool:
    """What the transport says of itself a log does not have: `*` does not mean it, its name or `grpc-*` does."""
    if is_transport(name):
        globs = tuple(glob for glob in globs if not glob.startswith(("*", "?", "[")))
    return any(fnmatchcase(name, glob.lower()) for glob in globs)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
