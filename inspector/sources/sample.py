"""The first messages of a file, to judge by what the later ones may be too."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from inspector import limits
from inspector.model.call import Message
from inspector.sources.base import SourceEvent
from inspector.sources.input import Input


def sample(path: str, kind: str | None, group_of: Callable[[Message], Hashable | None]) -> dict[Hashable, list[bytes]]:
    """Messages by group, of the first limits.MAX_SAMPLED_INPUT bytes; those of the group None are left out.

    Raises InputError where the file cannot be read.
    """
    found: dict[Hashable, list[bytes]] = {}
    with Input(path, kind) as opened:
        parser = opened.source.open()
        read = 0
        for piece in opened.pieces():
            _add(found, parser.feed(piece), group_of)
            read += len(piece)
            if read >= limits.MAX_SAMPLED_INPUT:
                return found
        _add(found, parser.close(), group_of)
    return found


def _add(
    found: dict[Hashable, list[bytes]], events: list[SourceEvent], group_of: Callable[[Message], Hashable | None]
) -> None:
    for event in events:
        if not isinstance(event, Message) or event.data is None:
            continue
        group = group_of(event)
        if group is not None:
            same = found.setdefault(group, [])
            if len(same) < limits.MAX_SAMPLED_MESSAGES:
                same.append(event.data)
