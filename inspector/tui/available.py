"""Which actions hold where the focus is: the palette, the help and the footer are made of this.

What a widget can do is told by its bindings, whose ids are those of actions: so a pane that has a context is known here
without being named.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen

from inspector.tui.actions import ACTIONS, Action


class Available(NamedTuple):
    """An action, the widget that does it, and the keys that run it now (as they are shown; none where it has none)."""

    action: Action
    node: DOMNode
    keys: tuple[str, ...]


def available(screen: Screen[object]) -> list[Available]:
    """Those of what has the focus first, then those around it, those of the program last."""
    keys: dict[str, list[str]] = defaultdict(list)
    for key, active in screen.active_bindings.items():
        if active.binding.id is not None:
            keys[active.binding.id].append(key)
    found = {}
    for node in _nodes(screen):
        for action in _actions_of(node):
            if action.id not in found and _holds(action, node):
                found[action.id] = Available(action, node, _in_order(keys[action.id], action))
    return list(found.values())


def _in_order(keys: list[str], action: Action) -> tuple[str, ...]:
    """As they are shown, those first that stand first in the registry."""
    known = action.keys.split(",")
    return tuple(map(shown, sorted(keys, key=lambda key: known.index(key) if key in known else -1)))


def shown(key: str) -> str:
    """A key as people write it: `^p`, `?`, `↓`."""
    *modifiers, last = key.split("+")
    name = {"pageup": "pgup", "pagedown": "pgdn", "escape": "esc"}.get(last) or format_key(last)
    before = "".join("^" if each == "ctrl" else f"{each}+" for each in modifiers)
    return f"{before}{name}"


def _nodes(screen: Screen[object]) -> list[DOMNode]:
    nodes = screen.focused.ancestors_with_self if screen.focused is not None else [screen, screen.app]
    ends = [place for place, node in enumerate(nodes, 1) if node.is_modal]
    return nodes[: ends[0]] if ends else nodes


def _actions_of(node: DOMNode) -> list[Action]:
    """The actions of the contexts that the classes of a widget are of, those of the narrowest first."""
    contexts: dict[str, None] = {}
    for each in type(node).__mro__:
        for binding in each.__dict__.get("BINDINGS", ()):
            name = getattr(binding, "id", None)
            if name:
                contexts[name.partition(".")[0]] = None
    return [action for context in contexts for action in ACTIONS if action.context == context]


def _holds(action: Action, node: DOMNode) -> bool:
    name, _, rest = action.call.rpartition(".")[2].partition("(")
    return bool(node.check_action(name, ())) if not rest else True
