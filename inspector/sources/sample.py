"""What messages that no schema tells may be, judged by many of them together.

Those of one group (a method and direction) are of one type. Of a file the first messages are looked at beforehand; of a
pipe those that came so far, so that what is judged of its first lines may be judged better later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable

from inspector import limits
from inspector.model.call import Message
from inspector.sources.base import SourceEvent
from inspector.sources.input import Input
from inspector.wire.guess import Shape
from inspector.wire.hints import Hints

GroupOf = Callable[[Message], Hashable | None]
"""The group of a message; None for one that a schema tells."""


class Samples:
    """The first limits.MAX_SAMPLED_MESSAGES messages of each group, and their shapes by the hints of the group."""

    def __init__(self, group_of: GroupOf, hints_of: Callable[[Hashable | None], Hints]) -> None:
        self._group_of = group_of
        self._hints_of = hints_of
        self._messages: dict[Hashable, list[bytes]] = {}
        self._shapes: dict[Hashable, tuple[int, Shape]] = {}  # with how many messages each is of
        self._is_ahead = False

    def look_ahead(self, path: str, kind: str | None) -> None:
        """Takes the messages of the first limits.MAX_SAMPLED_INPUT bytes of a file. (What is no regular file can be
        read only once.) Raises InputError where it cannot be read."""
        if not os.path.isfile(path):
            return
        self._is_ahead = True
        with Input(path, kind) as opened:
            parser = opened.source.open()
            read = 0
            for piece in opened.pieces():
                self._take(parser.feed(piece))
                read += len(piece)
                if read >= limits.MAX_SAMPLED_INPUT:
                    return
            self._take(parser.close())

    def shape_of(self, message: Message, data: bytes) -> Shape:
        """The shape of the messages of its group, this one (whose bytes are `data`) among them where they are few."""
        group = self._group_of(message)
        if not self._is_ahead or group not in self._messages:
            self._add(group, data)
        messages = self._messages[group]
        count, shape = self._shapes.get(group, (0, None))
        if shape is None or len(messages) >= 2 * count:
            shape = Shape.of(messages, self._hints_of(group))
            self._shapes[group] = len(messages), shape
        return shape

    def messages_of(self, message: Message) -> list[bytes]:
        """Those of its group that were seen so far."""
        return self._messages.get(self._group_of(message), [])

    def _take(self, events: list[SourceEvent]) -> None:
        for event in events:
            if isinstance(event, Message) and event.data is not None:
                group = self._group_of(event)
                if group is not None:
                    self._add(group, event.data)

    def _add(self, group: Hashable, data: bytes) -> None:
        messages = self._messages.setdefault(group, [])
        if len(messages) < limits.MAX_SAMPLED_MESSAGES:
            messages.append(data)
