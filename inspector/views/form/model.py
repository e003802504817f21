"""A message while it is edited.

The value is the JSON value of the message, as the encoder takes it; each change makes a new one. Invariants: `data` are
the bytes of the value, or None where `errors` says, by place, why there are none; as long as nothing was changed they
are the bytes that came in. What a person typed that is no value stays as it was typed, with its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from inspector.errors import EncodeError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.maps import map_key
from inspector.transcode.refusal import Key, Place, Refusal, Step
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.template import real_oneof
from inspector.views.form.items import enum_of, item_of, item_of_message, new_value
from inspector.views.form.rows import TYPE, FormRow, Walk, extensions_of, is_there, key_of, type_in
from inspector.views.form.texts import PLAIN, Manner, key_text, text_of, value_of
from inspector.views.form.texts import key_of as read_key
from inspector.views.form.values import ABSENT, Absent, Path, at, inserted, moved, replaced
from inspector.wire.json_value import JsonValue

MOST_UNDONE = 1_000
"""Changes that can be undone."""

ANY_PREFIX = "type.googleapis.com/"


class Fault(NamedTuple):
    """What was typed at a place, and why it is no value."""

    text: str
    message: str


class _State(NamedTuple):
    value: JsonValue
    faults: dict[Path, Fault]


class Form:
    """Raises SchemaError for a type that the schema lacks, DecodeError for bytes that do not follow it."""

    def __init__(self, resolver: Resolver, type_name: str, data: bytes = b"", *, manner: Manner = PLAIN) -> None:
        self.resolver = resolver
        self.type_name = type_name
        self.manner = manner
        self.descriptor: Descriptor = message_descriptor(resolver, type_name)
        self.opened: set[Path] = set()
        self._decoder = MessageDecoder(resolver, keep_unknown=True)
        self._encoder = MessageEncoder(resolver)
        value = self._decoded(data)
        self._state = _State(value, {})
        self._given = (value, data)
        self.last_good = data
        """The bytes of the message when it was last without errors."""
        self._past: list[_State] = []
        self._future: list[_State] = []

    # --- what it is now ------------------------------------------------------------------------------------------

    @property
    def value(self) -> JsonValue:
        """The message as a JSON value."""
        return self._state.value

    @property
    def faults(self) -> dict[Path, Fault]:
        """What was typed and is no value."""
        return self._state.faults

    @property
    def data(self) -> bytes | None:
        """The message on the wire."""
        return None if self.faults else self._encoded[0]

    @property
    def errors(self) -> dict[Path, str]:
        """What is wrong, by place."""
        found = {path: fault.message for path, fault in self.faults.items()}
        error = self._encoded[1]
        if error is not None and error[0] not in found:
            found[error[0]] = error[1]
        return found

    @property
    def is_changed(self) -> bool:
        """Whether it is another message than the one that came in."""
        return self.value is not self._given[0] or bool(self.faults)

    @cached_property
    def is_exact(self) -> bool:
        """Whether the form holds all of the message that came in. What it cannot hold, as JSON cannot: strings that are
        not UTF-8, a Value without a kind."""
        value, data = self._given
        if not data:
            return True
        parse = self.resolver.message_class(self.type_name).FromString
        try:
            again = self._encoder.encode(self.type_name, value)
        except EncodeError:
            return False
        first, second = (parse(each).SerializePartialToString(deterministic=True) for each in (data, again))
        return first == second

    @cached_property
    def _encoded(self) -> tuple[bytes | None, tuple[Path, str] | None]:
        if self.value is self._given[0]:
            return self._given[1], self._missing()
        return self._encode()

    def _encode(self) -> tuple[bytes | None, tuple[Path, str] | None]:
        steps: list[Step] = []

        def note(found: Sequence[Step], at_key: bool) -> Place | None:
            steps.extend(found)
            return None

        try:
            self.last_good = self._encoder.encode(self.type_name, self.value, note)
            return self.last_good, None
        except EncodeError as error:
            return None, (tuple(steps), f"{error.message} ({error.hint})" if error.hint else error.message)

    def _missing(self) -> tuple[Path, str] | None:
        """What the message that came in lacks, where nothing came in."""
        return None if self._given[1] else self._encode()[1]

    @cached_property
    def rows(self) -> list[FormRow]:
        """What there is to fill in, as far as it is open."""
        return list(Walk(self.resolver, self.opened).rows(self.descriptor, self.value))

    def index_of(self, path: Path) -> int | None:
        """The row of a place, or of the innermost one around it that has a row."""
        best: int | None = None
        longest = -1
        for index, row in enumerate(self.rows):
            if len(row.path) > longest and row.path == path[: len(row.path)]:
                best, longest = index, len(row.path)
        return best

    def text(self, row: FormRow) -> str:
        """What a person edits: the value as text, or what was typed last where that is none."""
        fault = self.faults.get(row.path)
        if fault is not None:
            return fault.text
        if row.item is None or isinstance(row.value, Absent) or row.item.is_nested:
            return ""
        return text_of(row.item, row.value, self.manner)

    def default(self, row: FormRow) -> str:
        """The value that a field has where it is not set, as text; empty where that says nothing."""
        field, item = row.field, row.item
        if row.role != "value" or row.is_set or field is None or item is None or field.message_type is not None:
            return ""
        value = field.default_value
        if item.kind == "enum":
            number = value
            return next((each.name for each in enum_of(item).values if each.number == number), str(number))
        if item.kind == "bytes":
            return repr(value)[2:-1] if value else ""
        return str(value).lower() if item.kind == "bool" else str(value)

    def error(self, row: FormRow) -> str:
        """What is wrong at a row, or within it where that is closed."""
        errors = self.errors
        if not errors:
            return ""
        own = errors.get(row.path)
        if own is not None:
            return own
        if row.role not in ("value", "list", "map") or row.is_open:
            return ""
        depth = len(row.path)
        within = next((message for path, message in errors.items() if path[:depth] == row.path), None)
        return f"within: {within}" if within is not None else ""

    # --- opening -------------------------------------------------------------------------------------------------

    def open(self, row: FormRow) -> None:
        """Shows what is within; a message that is not there is set."""
        if not row.can_open:
            return
        if row.role == "value" and not row.is_set:
            self.put(row, {})
        self.opened.add(row.path)
        self._show_anew()

    def close(self, row: FormRow) -> None:
        self.opened.discard(row.path)
        self._show_anew()

    def reveal(self, path: Path) -> None:
        """Opens what is around a place."""
        self.opened |= {path[:depth] for depth in range(len(path))}
        self._show_anew()

    def open_all(self, most: int = 200) -> None:
        """Opens what is set, from the outside, as long as that shows no more than so many rows."""
        tried: set[Path] = set()
        while len(self.rows) < most:
            row = next(
                (r for r in self.rows if r.can_open and r.is_set and not r.is_open and r.path not in tried), None
            )
            if row is None:
                return
            tried.add(row.path)
            before = len(self.rows)
            self.opened.add(row.path)
            self._show_anew()
            if len(self.rows) > most or len(self.rows) == before:
                self.close(row)

    # --- editing -------------------------------------------------------------------------------------------------

    def enter(self, row: FormRow, text: str) -> str | None:
        """Takes what was typed at a row; what is wrong with it, or None."""
        assert row.item is not None
        try:
            value = value_of(row.item, text, self.manner)
        except Refusal as refusal:
            message = _told(refusal)
            self._change(self.value, self.faults | {row.path: Fault(text, message)})
            return message
        self.put(row, value)
        return None

    def check(self, row: FormRow, text: str) -> str | None:
        """What is wrong with a text for a row."""
        assert row.item is not None
        try:
            value_of(row.item, text, self.manner)
        except Refusal as refusal:
            return _told(refusal)
        return None

    def put(self, row: FormRow, value: JsonValue) -> None:
        """Sets a value; the other arms of its oneof go."""
        root = self.value
        oneof = real_oneof(row.field) if row.field is not None and row.role == "value" else None
        if oneof is not None and not row.is_element and not row.is_entry:
            around = row.path[:-1]
            for arm in oneof.fields:
                if arm.number != (row.field.number if row.field is not None else 0):
                    root = replaced(root, (*around, key_of(arm)), ABSENT)
        self._change(replaced(root, row.path, value), self._faults_without(row.path))

    def clear(self, row: FormRow) -> None:
        """Takes a value away: unsets a field, removes an element or an entry, empties a list."""
        if row.role == "oneof":
            self.choose_arm(row, None)
        elif row.role == "extensions":
            return
        elif not row.path:
            empty: JsonValue = {} if row.item is None or row.item.is_nested else new_value(row.item)
            self._change(empty, {})
        elif row.is_element:
            self._rearrange(row, None)
        else:
            self._change(replaced(self.value, row.path, ABSENT), self._faults_without(row.path))

    def toggle(self, row: FormRow) -> None:
        """Turns a bool round; sets or unsets a message."""
        if row.item is None or row.role != "value":
            return
        if row.item.kind == "bool":
            self.put(row, not row.value if isinstance(row.value, bool) else True)
        elif row.item.is_nested and not row.is_set:
            self.put(row, {})

    def add(self, row: FormRow, key: str | None = None) -> Path:
        """Adds an element to a list, or behind an element, or an entry to a map; where that is. Raises Refusal for a
        key that is none, or that is there."""
        around = row.path[:-1] if row.is_element or row.is_entry else row.path
        assert row.item is not None
        value = new_value(row.item)
        self.opened.add(around)
        if row.role == "map" or row.is_entry:
            name = self._new_key(row, around, key or "")
            path: Path = (*around, Key(name))
            self._change(replaced(self.value, path, value), self.faults)
        else:
            index = row.path[-1] + 1 if row.is_element and isinstance(row.path[-1], int) else 1 << 60
            elements, place = inserted(self.value, around, index, value)
            moves: dict[int, int | None] = {each: each + 1 for each in range(place, len(elements) - 1)}
            self._move(around, moves, elements)
            path = (*around, place)
        if row.item.is_nested:
            self.opened.add(path)
            self._show_anew()
        return path

    def rename(self, row: FormRow, key: str) -> Path:
        """Gives an entry of a map another key, in its place; where it is now. Raises Refusal."""
        around, old = row.path[:-1], row.path[-1]
        name = self._new_key(row, around, key, old)
        held = at(self.value, around)
        assert isinstance(held, dict)
        made: JsonValue = {name if each == old else each: value for each, value in held.items()}
        faults = {
            (*around, Key(name), *path[len(row.path) :]) if path[: len(row.path)] == row.path else path: fault
            for path, fault in self.faults.items()
        }
        if row.is_open:
            self.opened.add((*around, Key(name)))
        self._change(replaced(self.value, around, made), faults)
        return (*around, Key(name))

    def _new_key(self, row: FormRow, around: Path, text: str, old: Step | None = None) -> str:
        assert row.field is not None
        name = read_key(map_key(row.field), text)
        held = at(self.value, around)
        if isinstance(held, dict) and name in held and name != old:
            raise Refusal(f"the key {key_text(map_key(row.field), name)} is there already")
        return name

    def key_text(self, row: FormRow) -> str:
        """The key of an entry, as it is edited."""
        assert row.field is not None
        return key_text(map_key(row.field), str(row.path[-1]))

    def move(self, row: FormRow, step: int) -> Path:
        """Moves an element among its neighbours; where it is now."""
        return self._rearrange(row, step) if row.is_element else row.path

    def _rearrange(self, row: FormRow, step: int | None) -> Path:
        """Moves an element, or (None) removes it."""
        around, index = row.path[:-1], row.path[-1]
        held = at(self.value, around)
        assert isinstance(held, list)
        assert isinstance(index, int)
        elements = list(held)
        value = elements.pop(index)
        if step is None:
            moves: dict[int, int | None] = {each: each - 1 for each in range(index + 1, len(held))}
            self._move(around, moves | {index: None}, elements or ABSENT)
            return around
        place = max(0, min(index + step, len(elements)))
        elements.insert(place, value)
        low, high = sorted((index, place))
        shift = 1 if place < index else -1
        moves = {each: each + shift for each in range(low, high + 1)}
        self._move(around, moves | {index: place}, elements)
        return (*around, place)

    def _move(self, around: Path, moves: dict[int, int | None], elements: list[JsonValue] | Absent) -> None:
        """A list with its elements in other places: what is open and what is at fault goes with them."""
        opened = (moved(path, around, moves) for path in self.opened)
        self.opened = {path for path in opened if path is not None}
        faults = {moved(path, around, moves): fault for path, fault in self.faults.items()}
        kept = {path: fault for path, fault in faults.items() if path is not None}
        self._change(replaced(self.value, around, elements), kept)

    # --- choosing ------------------------------------------------------------------------------------------------

    def choose_arm(self, row: FormRow, arm: FieldDescriptor | None) -> Path:
        """Sets an arm of a oneof, or none; where it is."""
        assert row.oneof is not None
        around, root = row.path[:-1], self.value
        held = at(root, around)
        for each in row.oneof.fields:
            if isinstance(held, dict) and is_there(each, held) and each is not arm:
                root = replaced(root, (*around, key_of(each)), ABSENT)
        if arm is None:
            self._change(root, self._faults_within(around, row))
            return row.path
        path = (*around, key_of(arm))
        if isinstance(at(root, path), Absent):
            root = replaced(root, path, new_value(item_of(arm)))
        if item_of(arm).is_nested:
            self.opened.add(path)
        self._change(root, self._faults_within(around, row))
        return path

    def _faults_within(self, around: Path, row: FormRow) -> dict[Path, Fault]:
        assert row.oneof is not None
        faults = self.faults
        for arm in row.oneof.fields:
            faults = _without(faults, (*around, key_of(arm)))
        return faults

    def choose_type(self, row: FormRow, type_name: str) -> Path:
        """Says what an Any holds; where it is. What it held is kept where it is the same type."""
        held = row.value if isinstance(row.value, dict) else {}
        url = held.get(TYPE)
        if isinstance(url, str) and type_in(url) == type_name:
            return row.path
        descriptor = message_descriptor(self.resolver, type_name)
        made: dict[str, JsonValue] = {TYPE: f"{ANY_PREFIX}{type_name}"}
        item = item_of_message(descriptor)
        if item.kind != "message":
            made["value"] = new_value(item)
        self.opened.add(row.path)
        self.put(row, made)
        return row.path

    def add_extension(self, row: FormRow, extension: FieldDescriptor) -> Path:
        """Sets an extension; where it is."""
        path = (*row.path[:-1], key_of(extension))
        item = item_of(extension)
        value: JsonValue = [] if extension.is_repeated else new_value(item)
        if item.is_nested or extension.is_repeated:
            self.opened.add(path)
        self._change(replaced(self.value, path, value), self.faults)
        return path

    def extensions(self, row: FormRow) -> list[FieldDescriptor]:
        """Those that may be added at a row."""
        held = at(self.value, row.path[:-1])
        assert row.owner is not None
        return [each for each in extensions_of(row.owner) if not isinstance(held, dict) or key_of(each) not in held]

    # --- as a whole ----------------------------------------------------------------------------------------------

    def load(self, data: bytes, *, joins: bool = False) -> None:
        """Takes another message, as one change (`joins`: as part of the last one). Raises DecodeError."""
        value = self._decoded(data)
        if joins and self._past:
            self._state = self._past.pop()
        self._change(value, {})

    def undo(self) -> bool:
        """Takes the last change back; False where there is none."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """Makes the change that was taken back."""
        return self._step(self._future, self._past)

    def _step(self, taken: list[_State], given: list[_State]) -> bool:
        if not taken:
            return False
        given.append(self._state)
        self._state = taken.pop()
        self._show_anew()
        return True

    def _change(self, value: JsonValue, faults: dict[Path, Fault]) -> None:
        self._past.append(self._state)
        del self._past[:-MOST_UNDONE]
        self._future.clear()
        self._state = _State(value, faults)
        self._show_anew()

    def _faults_without(self, path: Path) -> dict[Path, Fault]:
        return _without(self.faults, path)

    def _decoded(self, data: bytes) -> JsonValue:
        found = self._decoder.decode(self.type_name, data)
        if found.error is not None:
            raise found.error
        return found.value

    def _show_anew(self) -> None:
        for name in ("rows", "_encoded"):
            self.__dict__.pop(name, None)


def _told(refusal: Refusal) -> str:
    return f"{refusal.message} ({refusal.hint})" if refusal.hint else refusal.message


def _without(faults: dict[Path, Fault], path: Path) -> dict[Path, Fault]:
    """The faults that are not at a place, or within."""
    if not faults:
        return faults
    depth = len(path)
    return {each: fault for each, fault in faults.items() if each[:depth] != path}
