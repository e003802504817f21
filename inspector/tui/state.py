"""What is remembered from one run to the next: the look, and for each file where the user was.

It lies in the state folder of the user (`$INSPECTOR_STATE`, else `inspector` in `$XDG_STATE_HOME` or `~/.local/state`),
in files that only they can read. Nothing depends on it: what is not there, or not as it was written, is done without.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

import orjson

from inspector.limits import MAX_STATE_BYTES, MAX_STATE_ENTRIES, MAX_STATE_SIZE
from inspector.session import HintsOfMethods
from inspector.tui.selection import FieldPath, Selection
from inspector.user_folder import UserFolder
from inspector.views import byte_sources
from inspector.views.byte_sources import BODY
from inspector.views.call_columns import NAMES, Chosen

FOLDER = UserFolder("INSPECTOR_STATE", "XDG_STATE_HOME", "~/.local/state", "~/Library/Application Support", ".json")

_KIND, _SETTINGS = "tui", "settings"
_MOST = 1_000
"""Marks, sizes, steps of a path: more were not written by us."""

_LARGEST = 1 << 62
"""Numbers above are none of ours."""

Item = TypeVar("Item")


class FileState(NamedTuple):
    """Where the user was in a file. `sizes` are those of panes, `filter` is as it was typed."""

    selected: Selection = Selection()
    column: str = "number"
    descending: bool = False
    filter: str = ""
    sizes: Mapping[str, int] = {}
    is_flipped: bool = False
    marks: Mapping[str, Selection] = {}
    hints: HintsOfMethods = {}  # noqa: RUF012  # nothing changes it


def load_theme() -> str | None:
    """The colours that were chosen last."""
    theme = _read(_SETTINGS).get("theme")
    return theme if isinstance(theme, str) else None


def save_theme(theme: str) -> None:
    _write(_SETTINGS, {**_read(_SETTINGS), "theme": theme})


def load_columns() -> Chosen:
    """The columns of lists of calls, as they were chosen last."""
    columns = _read(_SETTINGS).get("columns")
    return frozenset(map(str, columns)) & NAMES if isinstance(columns, list) else None


def save_columns(columns: Chosen) -> None:
    _write(_SETTINGS, {**_read(_SETTINGS), "columns": None if columns is None else sorted(columns)})


def load(path: str) -> FileState:
    """What is known of a file."""
    key = _key(path)
    row = _read(key) if key else {}
    column, filter_ = row.get("column"), row.get("filter")
    return FileState(
        _selection(row.get("selected")) or Selection(),
        column if isinstance(column, str) else "number",
        row.get("descending") is True,
        filter_ if isinstance(filter_, str) else "",
        {name: size for name, size in _items(row.get("sizes")) if isinstance(size, int) and _is_number(size)},
        row.get("flipped") is True,
        {name: place for name, row in _items(row.get("marks")) if len(name) == 1 and (place := _selection(row))},
        dict(_hints(row.get("hints"))),
    )


def save(path: str, state: FileState) -> None:
    """Remembers it. What comes from a pipe is not remembered."""
    key = _key(path)
    if key:
        marks = {letter: [*place] for letter, place in state.marks.items()}
        row = {**state._asdict(), "sizes": dict(state.sizes), "selected": [*state.selected], "marks": marks}
        row["flipped"] = row.pop("is_flipped")
        row["hints"] = [[*group, dict(hints)] for group, hints in state.hints.items() if hints]
        _write(key, {**row, "path": os.path.abspath(path)})


def _key(path: str) -> str | None:
    """The name of a file's entry; None for what is no file that is there again tomorrow."""
    with suppress(OSError, ValueError):
        if os.path.isfile(path) and not path.startswith("/dev/"):
            return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:32]
    return None


def _read(key: str) -> dict[str, object]:
    text = FOLDER.read(_KIND, key)
    if text is None or len(text) > MAX_STATE_SIZE:
        return {}
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}


def _write(key: str, row: Mapping[str, object]) -> None:
    with suppress(orjson.JSONEncodeError):  # a path that is no text
        text = orjson.dumps(row)
        if len(text) <= MAX_STATE_SIZE:
            FOLDER.write(_KIND, key, (text,), most_entries=MAX_STATE_ENTRIES, most_bytes=MAX_STATE_BYTES)


# --- nothing of it is believed ---------------------------------------------------------------------------------------


def _items(table: object) -> Iterator[tuple[str, object]]:
    if isinstance(table, dict) and len(table) <= _MOST:
        yield from table.items()


def _hints(rows: object) -> Iterator[tuple[tuple[str | None, str | None], Mapping[str, str]]]:
    """Rows of method, direction, and what the paths are read as."""
    for row in rows[:_MOST] if isinstance(rows, list) else ():
        if not isinstance(row, list) or len(row) != 3:
            continue
        method, direction, kinds = row
        if (method is None or isinstance(method, str)) and direction in (None, "request", "response"):
            yield (method, direction), {path: kind for path, kind in _items(kinds) if isinstance(kind, str)}


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _selection(row: object) -> Selection | None:
    if not isinstance(row, list) or len(row) not in (len(Selection._fields) - 1, len(Selection._fields)):
        return None
    call, message, path, offset, *rest = row  # the source of bytes is not in files of earlier versions
    source = rest[0] if rest and rest[0] in byte_sources.NAMES else BODY
    if not (call is None or _is_number(call)) or not (offset is None or _is_number(offset)):
        return None
    if not _is_number(message) or not isinstance(path, list) or len(path) > _MOST:
        return None
    steps = [_step(each) for each in path]
    return None if None in steps else Selection(call, message, _path(steps), offset, source)


def _step(row: object) -> tuple[int, int] | None:
    if isinstance(row, list) and len(row) == 2 and all(map(_is_number, row)):
        return row[0], row[1]
    return None


def _path(steps: list[tuple[int, int] | None]) -> FieldPath:
    return tuple(step for step in steps if step is not None)
