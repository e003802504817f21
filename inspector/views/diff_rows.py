"""What a comparison found as rows: beside one another, or those of the left above those of the right.

Invariant: each difference has a row of its own, with a sign; what is the same is a fold that says how many fields it
hides, or is there too. All texts are safe to show.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from inspector.limits import MAX_COMPARED_LEAVES, MAX_COMPARED_ROWS, MAX_SHOWN_VALUE
from inspector.transcode.compare import Difference, member
from inspector.views.comparison import Section
from inspector.views.differences import difference_line, difference_row
from inspector.views.rows import Row as Record
from inspector.views.safe_text import safe
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip, clip_start, fitted
from inspector.wire.json_value import JsonValue

Kind = Literal["title", "note", "fold", "fact", "same", "added", "removed", "changed", "before", "after", "reordered"]

_SIGNS = {
    "same": ("  ", "dim"), "fact": ("  ", "dim"), "added": ("+ ", "good"), "removed": ("- ", "bad"),
    "changed": ("~ ", "word"), "before": ("- ", "bad"), "after": ("+ ", "good"), "reordered": ("> ", "word"),
}  # fmt: skip
"""Of each kind of row that has a field, its sign and the style of it."""

_AROUND = 12
"""Characters that are shown before the first that differs, of values that are too long for their room."""

Fold = tuple[int, int]
"""A run of what is the same: the number of its section, and of the first of it there."""


class Row(NamedTuple):
    """A row. `hunk` counts the differences that begin before it or in it, from 0; `path` is the field left, `to` right;
    `text` is what a title, a note or a fold says."""

    kind: Kind
    section: int
    hunk: int = -1
    path: str = ""
    to: str = ""
    before: JsonValue = None
    after: JsonValue = None
    text: str = ""
    fold: Fold = (0, 0)
    is_first: bool = False

    @property
    def has_left(self) -> bool:
        """Whether its field is there on the left."""
        return self.kind not in ("title", "note", "fold", "added")

    @property
    def has_right(self) -> bool:
        return self.kind not in ("title", "note", "fold", "removed")


def rows(
    sections: Sequence[Section], *, is_unified: bool, shows_equal: bool = False, opened: Collection[Fold] = ()
) -> list[Row]:
    """All rows; of what is equal limits.MAX_COMPARED_ROWS (the rest stays folded), of all no more than twice that."""
    most = 2 * MAX_COMPARED_ROWS
    found = list(islice(_Rows(sections, is_unified, shows_equal, opened).all(), most))
    if len(found) == most:
        found.append(Row("note", found[-1].section, text=f"no more than {most:,} rows are shown"))
    return found


class _Rows:
    def __init__(
        self, sections: Sequence[Section], is_unified: bool, shows_equal: bool, opened: Collection[Fold]
    ) -> None:
        self._sections = sections
        self._is_unified = is_unified
        self._shows_equal = shows_equal
        self._opened = opened
        self._hunk = -1
        self._equal_left = MAX_COMPARED_ROWS

    def all(self) -> Iterator[Row]:
        for number, section in enumerate(self._sections):
            yield Row("title", number, self._hunk, text=f"{section.title}{_counted(section)}")
            for note in section.notes:
                yield Row("note", number, self._hunk, text=note)
            yield from self._found(number, section)

    def _found(self, number: int, section: Section) -> Iterator[Row]:
        at = 0
        while at < len(section.found):
            if section.facts:
                yield self._fact(number, section.found[at])
                at += 1
            elif section.found[at].change == "same":
                end = at
                while end < len(section.found) and section.found[end].change == "same":
                    end += 1
                yield from self._run(number, at, section.found[at:end])
                at = end
            else:
                self._hunk += 1
                for place, row in enumerate(self._difference(number, section.found[at])):
                    yield row._replace(is_first=place == 0)
                at += 1

    def _fact(self, number: int, fact: Difference) -> Row:
        return Row("fact", number, self._hunk, fact.path, fact.path, fact.before, fact.after)

    def _run(self, number: int, first: int, run: Sequence[Difference]) -> Iterator[Row]:
        """What is the same: folded, or field by field."""
        fold = (number, first)
        count = sum(_size(each.before, MAX_COMPARED_ROWS) for each in run)
        shows_equal = self._shows_equal and count <= self._equal_left
        is_open = shows_equal or fold in self._opened
        if not shows_equal:
            sign = "▾" if is_open else "▸"
            text = f"{sign} {count:,}{'+' * (count > MAX_COMPARED_ROWS)} equal field{'' if count == 1 else 's'}"
            yield Row("fold", number, self._hunk, text=text, fold=fold)
        if is_open:
            self._equal_left -= count
            for each in run:
                for path, value in _leaves("", each.before):
                    place = (_joined(each.path, path), _joined(each.to or each.path, path))
                    yield Row("same", number, self._hunk, *place, value, value)
                yield from self._cut(number, each.before)

    def _difference(self, number: int, found: Difference) -> Iterator[Row]:
        to = found.to or found.path
        if found.change == "changed":
            both = Row("changed", number, self._hunk, found.path, to, found.before, found.after)
            yield from (both._replace(kind="before"), both._replace(kind="after")) if self._is_unified else (both,)
        elif found.change == "reordered":
            yield Row("reordered", number, self._hunk, found.path, to, found.before, found.after)
        else:
            value = found.after if found.change == "added" else found.before
            for path, leaf in _leaves("", value):
                own = _joined(found.path, path)
                values = (None, leaf) if found.change == "added" else (leaf, None)
                yield Row("added" if found.change == "added" else "removed", number, self._hunk, own, own, *values)
            yield from self._cut(number, value)

    def _cut(self, number: int, value: JsonValue) -> Iterator[Row]:
        count = _size(value, MAX_COMPARED_ROWS)
        if count > MAX_COMPARED_LEAVES:
            yield Row("note", number, self._hunk, text=f"... and {count - MAX_COMPARED_LEAVES:,} more fields of it")


def _counted(section: Section) -> str:
    if section.facts:
        return ""
    count = section.differences
    return f"  {count:,} difference{'' if count == 1 else 's'}" if count else "  no difference"


def _leaves(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """The values in a value that have no others in them, by path; no more than limits.MAX_COMPARED_LEAVES."""
    return islice(_all_leaves(path, value), MAX_COMPARED_LEAVES)


def _all_leaves(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict) and value and not _is_tagged(value):
        for key, item in value.items():
            yield from _all_leaves(member(path, key), item)
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _all_leaves(f"{path}[{place}]", item)
    else:
        yield path, value


def _is_tagged(value: dict[str, JsonValue]) -> bool:
    """Whether it stands for a value that JSON has no form for: `{"$bytes": "..."}`."""
    return len(value) == 1 and next(iter(value)).startswith("$")


def _size(value: JsonValue, most: int) -> int:
    """How many leaves a value has, counted to a few more than `most`."""
    return sum(1 for _ in islice(_all_leaves("", value), most + 1))


def _joined(path: str, inner: str) -> str:
    if not inner or not path:
        return path or inner
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


# --- lines -------------------------------------------------------------------------------------------------------


def line(row: Row, width: int) -> Line:
    """A row in a width of cells: its values beside one another, or (`before`, `after`) its own."""
    if row.kind == "title":
        text = clip(f"── {safe(row.text)} ", width)
        return [("title", text + "─" * (width - cells_of(text)))]
    if row.kind == "note":
        return [("dim", clip(f"   {safe(row.text)}", width))]
    if row.kind == "fold":
        return [("dim", clip(f"  {row.text}", width))]
    return _field(row, width)


def unified_line(row: Row, width: int) -> Line:
    """The same with one value in a row, behind its path."""
    if row.kind in ("title", "note", "fold"):
        return line(row, width)
    sign, style = _SIGNS[row.kind]
    path = row.to if row.kind in ("after", "added") else row.path
    path = clip_start(safe(path or "(message)"), max(8, (width - 4) // 2))
    shown: Line = [(style, sign), ("key" if style != "dim" else "dim", path), ("dim", ": ")]
    room = width - cells_of(sign) - cells_of(path) - 2
    if row.kind == "fact":
        texts = [str(row.before)] if row.before == row.after else [str(row.before), str(row.after)]
        return [*shown, ("dim", clip(safe(" │ ".join(texts)), room))]
    if row.kind == "reordered":
        return [*shown, ("word", clip(f"moved to {safe(row.to)}", room))]
    if row.kind in ("before", "after"):
        before, after = told_apart(row.before, row.after, room)
        return [*shown, *(before if row.kind == "before" else after)]
    value = row.after if row.kind == "added" else row.before
    return [*shown, (style if style != "word" else "", clip(_text(value), room))]


def columns(width: int) -> tuple[int, int]:
    """Cells for the path, and for a value on each side."""
    path = max(12, (width - 8) // 3)
    return path, max(4, (width - path - 8) // 2)


def heading(left: str, right: str, width: int) -> Line:
    """What stands above values beside one another."""
    path, value = columns(width)
    return [("title", f"  {fitted('field', path)} │ {fitted(safe(left), value)} │ {clip(safe(right), value)}")]


def _field(row: Row, width: int) -> Line:
    sign, style = _SIGNS[row.kind]
    for_path, for_value = columns(width)
    name = row.path or row.to or "(message)"
    moved = f" → {row.to}" if row.to != row.path and row.kind in ("changed", "same") else ""
    path = clip_start(safe(name + moved), for_path)
    name_style = "dim" if style == "dim" else "key"
    shown: Line = [(style, sign), (name_style, path + " " * (for_path - cells_of(path))), ("dim", " │ ")]
    left, right = _values(row, style, for_value)
    filler = " " * (for_value - sum(cells_of(text) for _, text in left))
    return [*shown, *left, ("", filler), ("dim", " │ "), *right]


def _values(row: Row, style: str, room: int) -> tuple[Line, Line]:
    if row.kind == "changed":
        return told_apart(row.before, row.after, room)
    if row.kind == "reordered":
        return [("", clip(_text(row.before), room))], [(style, clip(f"moved to {safe(row.to)}", room))]
    if row.kind == "fact":
        return [("", clip(safe(str(row.before)), room))], [("", clip(safe(str(row.after)), room))]
    left: Line = [(style, clip(_text(row.before), room))] if row.has_left else []
    right: Line = [(style, clip(_text(row.after), room))] if row.has_right else []
    return left, right


def told_apart(before: JsonValue, after: JsonValue, room: int) -> tuple[Line, Line]:
    """Two values with that part of each told apart in which they differ, cut to a number of cells around it."""
    if isinstance(before, str) and isinstance(after, str):
        same = _common(before, after)
        start = max(0, same - _AROUND) if max(len(before), len(after)) > room - 2 else 0
        texts = [_quoted(each[start : start + MAX_SHOWN_VALUE], is_cut=start > 0) for each in (before, after)]
    else:
        texts = [_text(before), _text(after)]
    first, second = texts
    head = _common(first, second)
    tail = _common(first[head:][::-1], second[head:][::-1])
    return _marked(first, head, tail, "bad", room), _marked(second, head, tail, "good", room)


def _marked(text: str, head: int, tail: int, style: str, room: int) -> Line:
    text_end = len(text) - tail
    line: Line = []
    for part, own in ((text[:head], ""), (text[head:text_end], style), (text[text_end:], "")):
        shown = clip(part, room)
        room -= cells_of(shown)
        if shown:
            line.append((own, shown))
    return line


def _common(first: str, second: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _quoted(text: str, *, is_cut: bool) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return safe(f"…{quoted[1:]}" if is_cut else quoted)


def _text(value: JsonValue) -> str:
    """A value as JSON, or the beginning of it."""
    if isinstance(value, str):
        return _quoted(value[:MAX_SHOWN_VALUE], is_cut=False)
    if isinstance(value, list | dict) and _size(value, MAX_COMPARED_LEAVES) > MAX_COMPARED_LEAVES:
        return f"({'list' if isinstance(value, list) else 'message'} of more than {MAX_COMPARED_LEAVES:,} fields)"
    return safe(json.dumps(value, ensure_ascii=False))


# --- as text -----------------------------------------------------------------------------------------------------


def as_text(sections: Sequence[Section], left: str, right: str) -> str:
    """The differences as lines, as `inspector diff` prints them, below what they are of."""
    found = [f"--- {safe(left)}", f"+++ {safe(right)}"]
    for section in sections:
        lines = [_plain(difference_line(each)) for each in _told(section)]
        lines += [f"# {safe(note)}" for note in section.notes]
        if lines:
            found += [f"@@ {safe(section.title)} @@", *lines]
    return "\n".join(found)


def as_records(sections: Sequence[Section]) -> str:
    """The same as the NDJSON records of `inspector diff`, with the section that each is of."""
    records: list[Record] = [
        {"section": section.title, **difference_row(each)} for section in sections for each in _told(section)
    ]
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in records)


def value_text(value: JsonValue) -> str:
    """A value by itself: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _told(section: Section) -> list[Difference]:
    return [] if section.facts else [each for each in section.found if each.change != "same"]


def _plain(shown: Line) -> str:
    return "".join(text for _, text in shown)
