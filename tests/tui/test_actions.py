"""The registry of actions, and what is made of it: keys, footer, help, palette."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.actions import ACTIONS, CONTEXTS
from inspector.tui.browse.field_list import FieldList
from inspector.tui.help import Help

TOGETHER = (
    ("app", "browse", "list", "calls"),
    ("app", "browse", "list", "messages"),
    ("app", "browse", "list", "fields"),
    ("app", "browse", "list", "bytes"),
    ("app", "browse", "list", "details"),
    ("app", "compose", "list", "metadata"),
    ("app", "compose", "list", "settings"),
    ("app", "diff"),
)
"""Contexts that hold at once."""


def test_ids_are_unique_and_of_a_context_that_is_known():
    assert [name for name, count in Counter(action.id for action in ACTIONS).items() if count > 1] == []
    assert {action.context for action in ACTIONS} <= set(CONTEXTS)


@pytest.mark.parametrize("contexts", TOGETHER, ids=lambda each: each[-1])
def test_no_key_does_two_things_at_once(contexts):
    keys = Counter(key for each in ACTIONS if each.context in contexts for key in each.keys.split(",") if key)
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
def test_the_footer_has_whole_words_and_tells_of_help(size, pane):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(pane)
        footer = terminal.lines()[-1].rstrip()
        assert "? help  ^p commands" in footer
        assert len(footer) < size[0]
        assert ("s sort" in footer) == (pane == "1")
        assert ("space open" in footer) == (pane == "2")

    drive([sample("predict.pcapng")], steps, size)


def test_a_click_on_the_footer_is_the_key():
    async def steps(terminal: Terminal) -> None:
        await terminal.click("? help")
        assert isinstance(terminal.app.screen, Help)

    drive([sample("predict.pcapng")], steps)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_help_begins_with_the_keys_of_what_has_the_focus(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("2", "question_mark")
        text = terminal.text()
        assert "Open or close" in text
        assert text.index("Fields") < text.index("In every list")
        assert "Sort by the next column" not in text
        await terminal.press("question_mark", "escape", "1", "f1")
        assert "Sort by the next column" in terminal.text()
        assert "Open or close" not in terminal.text()
        await terminal.press("G")
        assert "Find a command by its name" in terminal.text()
        await terminal.press("q")
        assert terminal.browser

    drive([sample("predict.pcapng")], steps, size)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_palette_runs_an_action_where_it_belongs(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "h")
        fields = terminal.browser.query_one(FieldList)
        before = fields.count()
        await terminal.press("ctrl+p")
        assert isinstance(terminal.app.screen, CommandPalette)
        await terminal.press(*"open or cl")
        options = terminal.app.screen.query_one(OptionList)
        await terminal.until(lambda: options.option_count > 0 and "Open or close" in terminal.text())
        await terminal.press("enter")
        await terminal.until(lambda: fields.count() != before)
        assert fields.has_focus

    drive([sample("predict.pcapng")], steps, size)


def test_the_palette_has_actions_without_a_key_and_not_those_of_other_panes():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("2", "ctrl+p")
        options = terminal.app.screen.query_one(OptionList)
        await terminal.until(lambda: options.option_count > 10)
        found = "\n".join(str(options.get_option_at_index(place).prompt) for place in range(options.option_count))
        assert "Choose colours" in found
        assert "Open all within" in found
        assert "Sort by the next column" not in found

    drive([sample("predict.pcapng")], steps)
