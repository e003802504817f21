"""Values out of the events of a YAML parser, with what is open on a stack.

Invariant: what aliases repeat is bounded by limits.MAX_ALIASED, however they are nested, and nothing holds itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from inspector.errors import EncodeError
from inspector.formats.yaml_scalars import plain_value
from inspector.limits import MAX_ALIASED, MAX_DEPTH
from inspector.schema.wording import one_line
from inspector.transcode.refusal import Place, Step, path_text
from inspector.transcode.scalar_readers import TooLarge
from inspector.wire.json_value import JsonValue

Event = Any
Mark = Any
"""Those of PyYAML, whose two parsers have different classes for them."""

_DEEPEST = 2 * MAX_DEPTH + 1
"""Collections that messages nested to the limit stand in, each in a sequence."""

_TAG = "tag:yaml.org,2002:"


class _Anchored(NamedTuple):
    value: JsonValue
    size: int


class _Open:
    """A collection that is being read. `key` is that of the value to come; `size` counts nodes and characters."""

    __slots__ = ("anchor", "key", "key_mark", "size", "start", "value")

    def __init__(self, value: dict[str, JsonValue] | list[JsonValue], anchor: str | None, start: Mark) -> None:
        self.value = value
        self.anchor = anchor
        self.start = start
        self.key: str | None = None
        self.key_mark = start
        self.size = 1

    def step(self) -> Step | None:
        """The step to what is being read within."""
        return len(self.value) if isinstance(self.value, list) else self.key


Places = dict[tuple[int, Step], tuple[Mark, Mark]]
"""Where the key and the value at a step within a collection (by its id) begin."""


class YamlBuilder:
    """Makes values of events. `places` is filled where it is not None."""

    def __init__(self, places: Places | None) -> None:
        self._places = places
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._aliased = 0
        self._root: JsonValue = None
        self._start: Mark | None = None

    def take(self) -> JsonValue:
        """The value of the document that just ended."""
        self._anchors.clear()
        self._aliased = 0
        return self._root

    def place(self, root: JsonValue, steps: Sequence[Step], at_key: bool) -> Place | None:
        """The place of a value within the last document, as far as the steps lead."""
        marks, value = (self._start, self._start), root
        for step in steps:
            found = (self._places or {}).get((id(value), step))
            if found is None:
                break
            marks = found
            value = value[step]  # type: ignore[index]
        mark = marks[0] if at_key else marks[1]
        return None if mark is None else place_of_mark(mark)

    def scalar(self, event: Event) -> None:
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            self._put_key(frame, event.value, event.start_mark)
            self._anchor(event.anchor, event.value, len(event.value) + 1)
            return
        value = _resolve(event, self)
        self._anchor(event.anchor, value, len(event.value) + 1)
        self._put(value, len(event.value) + 1, event.start_mark)

    def sequence(self, event: Event) -> None:
        self._enter([], event, "seq")

    def mapping(self, event: Event) -> None:
        self._enter({}, event, "map")

    def close(self, _: Event) -> None:
        frame = self._open.pop()
        self._anchor(frame.anchor, frame.value, frame.size)
        self._put(frame.value, frame.size, frame.start)

    def alias(self, event: Event) -> None:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            known = event.anchor in self._anchors
            name = one_line(event.anchor)
            raise self.error(f"*{name} stands within &{name}" if known else f"there is no &{name} before", event)
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED:
            raise self.error("aliases repeat too much", event, hint="write it out")
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            if not isinstance(anchored.value, str):
                raise self.error("a key has to be text", event)
            self._put_key(frame, anchored.value, event.start_mark)
        else:
            self._put(anchored.value, anchored.size, event.start_mark)

    def error(self, message: str, event: Event, hint: str | None = None) -> EncodeError:
        """An error at an event, with the path to where it stands."""
        steps = [step for frame in self._open if (step := frame.step()) is not None]
        place = place_of_mark(event.start_mark)
        return EncodeError(message, path=path_text(steps), line=place.line, column=place.column, hint=hint)

    def _enter(self, value: dict[str, JsonValue] | list[JsonValue], event: Event, tag: str) -> None:
        if event.tag not in (None, "!", _TAG + tag):
            raise self.error(f"the tag {one_line(event.tag)} is not known", event)
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise self.error("a key has to be text", event)
        if len(self._open) >= _DEEPEST:
            place, hint = place_of_mark(event.start_mark), f"messages nest at most {MAX_DEPTH} deep"
            raise EncodeError("YAML nested too deep", line=place.line, column=place.column, hint=hint)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(value, event.anchor, event.start_mark))

    def _anchor(self, name: str | None, value: JsonValue, size: int) -> None:
        if name is not None:
            self._anchors[name] = _Anchored(value, size)

    def _put_key(self, frame: _Open, key: str, mark: Mark) -> None:
        frame.key, frame.key_mark = key, mark
        frame.size += len(key) + 1
        if key in frame.value:
            steps = [step for each in self._open if (step := each.step()) is not None]
            place = place_of_mark(mark)
            raise EncodeError("the key is there twice", path=path_text(steps), line=place.line, column=place.column)

    def _put(self, value: JsonValue, size: int, mark: Mark) -> None:
        if not self._open:
            self._root, self._start = value, mark
            return
        frame = self._open[-1]
        frame.size += size
        step = frame.step()
        if self._places is not None and step is not None:
            key_mark = mark if isinstance(step, int) else frame.key_mark
            self._places[id(frame.value), step] = (key_mark, mark)
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is not None:
            frame.value[frame.key] = value
            frame.key = None


def _resolve(event: Event, builder: YamlBuilder) -> JsonValue:
    text: str = event.value
    if event.tag is None:
        return plain_value(text) if event.implicit[0] else text
    if event.tag in ("!", _TAG + "str"):
        return text
    if event.tag == _TAG + "binary":
        return "".join(text.split())
    types = _TAGGED.get(event.tag)
    if types is None:
        raise builder.error(f"the tag {one_line(event.tag)} is not known", event)
    value = plain_value(text)
    if type(value) not in types:
        raise builder.error(f"{one_line(text)!r} is not what its tag {one_line(event.tag)} says", event)
    return value


_TAGGED: dict[str, tuple[type, ...]] = {
    f"{_TAG}bool": (bool,),
    f"{_TAG}float": (float, int, TooLarge),
    f"{_TAG}int": (int, TooLarge),
    f"{_TAG}null": (type(None),),
}


def place_of_mark(mark: Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)
