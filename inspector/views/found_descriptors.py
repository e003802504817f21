"""Descriptors that were found in a file, as records and as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inspector.schema.extract import Descriptor
from inspector.schema.wording import text
from inspector.views.rows import Row
from inspector.views.safe_text import safe
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip

_MOST_NAME = 64
"""Cells that the name of a file gets at most."""


def descriptor_row(found: Descriptor) -> Row:
    """The record of a descriptor: what is in it, and where it was."""
    file, place = found.file, found.place
    return {
        "name": text(file.name),
        "package": text(file.package),
        "syntax": _syntax(found),
        "messages": len(file.message_type),
        "enums": len(file.enum_type),
        "services": [text(service.name) for service in file.service],
        "size": file.ByteSize(),
        "path": _writable(place.path),
        "member": _writable(place.member) or None,
        "offset": place.offset,
        "form": place.form,
        "chosen": found.chosen,
    }


def descriptor_lines(found: Iterable[Descriptor]) -> Iterator[Line]:
    """A heading, and a line for each descriptor."""
    rows = list(found)
    width = min(_MOST_NAME, max(cells_of(safe(text(each.file.name))) for each in rows))
    yield [("title", f"{'FILE'.ljust(width)}  SYNTAX    MESSAGES  SERVICES  FOUND")]
    for each in rows:
        name = clip(safe(text(each.file.name)), width)
        padding = " " * (width - cells_of(name))
        counts = f"  {_syntax(each):<8}  {len(each.file.message_type):>8}  {len(each.file.service):>8}  "
        form = "" if each.place.form == "bytes" else f", {each.place.form}"
        where = f"{safe(str(each.place))} at {each.place.offset:#x}{form}"
        remark = [] if each.chosen else [("bad", "  another version")]
        yield [("method", name), ("", padding + counts), ("dim", where), *remark]


def _writable(name: str) -> str:
    """A file name as text: on disk it may be any bytes."""
    return name.encode("utf-8", "replace").decode()


def _syntax(found: Descriptor) -> str:
    file = found.file
    return f"edition {file.edition}" if file.syntax == "editions" else text(file.syntax) or "proto2"
