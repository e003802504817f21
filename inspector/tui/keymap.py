"""Keys of the user's own, out of the table `[keys]` in inspector.toml of their config folder:

    [keys]
    "calls.sort" = "t"
    "app.palette" = ["ctrl+o", "f3"]

Names are ids of actions. What is wrong with a line is told, and the rest holds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from inspector.client import profiles
from inspector.errors import InputError
from inspector.schema.names import near
from inspector.tui.actions import ACTIONS

_MODIFIERS = frozenset(("ctrl", "shift", "alt", "super", "hyper", "meta"))
_NAMED = frozenset(key.value for key in Keys) | frozenset(KEY_NAME_REPLACEMENTS.values())
_MOST_KEYS = 16


class Keymap(NamedTuple):
    """Keys by the id of an action, as Textual takes them; and what is wrong with the table, a line for each."""

    keys: dict[str, str]
    problems: list[str]


def load() -> Keymap:
    """The user's."""
    path = profiles.user_file()
    if path is None or not path.is_file():
        return Keymap({}, [])
    try:
        table = profiles.read(path).get("keys", {})
    except InputError as error:
        return Keymap({}, [str(error)])
    return parse(table, str(path))


def parse(table: Any, where: str) -> Keymap:
    """What a table says."""
    if not isinstance(table, dict):
        return Keymap({}, [f"{where}: keys is not a table: [keys]"])
    keys, problems = {}, []
    for name, value in table.items():
        try:
            keys[_id(name)] = _keys(name, value)
        except InputError as error:
            problems.append(f"{where}: {error}")
    return Keymap(keys, problems + [f"{where}: {each}" for each in _clashes(keys)])


def _id(name: str) -> str:
    known = {action.id for action in ACTIONS}
    if name not in known:
        close = near(name, known)
        raise InputError(
            f"keys: there is no action {name}", hint=f"did you mean {', '.join(close)}?" if close else None
        )
    return name


def _keys(name: str, value: Any) -> str:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_KEYS:
        raise InputError(f'keys: {name} is not a key ("t"), or a list of keys')
    return ",".join(_key(name, each) for each in values)


def _key(name: str, value: Any) -> str:
    """A key as Textual names it: `question_mark` for `?`."""
    if not isinstance(value, str):
        raise InputError(f"keys: {name} has a key that is no text")
    *modifiers, last = value.split("+") if value not in ("+", "") else [value]
    is_key = (len(last) == 1 and last.isprintable()) or last in _NAMED or key_to_character(last) is not None
    if not is_key or not _MODIFIERS.issuperset(modifiers):
        raise InputError(f"keys: {name}: there is no key {value!r}", hint="keys are written t, ?, f5, ctrl+t, space")
    return "+".join([*modifiers, "comma" if last == "," else last])


def _clashes(keys: dict[str, str]) -> list[str]:
    """Keys that the table gives to two actions, or takes from another one, of the same context."""
    users: dict[tuple[str, str], list[str]] = defaultdict(list)
    for action in ACTIONS:
        for key in (keys.get(action.id) or action.keys).split(","):
            if key:
                users[action.context, _named(key)].append(action.id)
    doubled = {key: names for key, names in users.items() if len(names) > 1 and any(name in keys for name in names)}
    return [f"keys: {key} is the key of {' and '.join(names)}" for (_, key), names in doubled.items()]


def _named(key: str) -> str:
    """The name that Textual has for a key."""
    return next(iter(Binding.make_bindings([Binding(key, "none")]))).key
