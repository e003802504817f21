"""What happened since an input was opened, with the time of day: schemas that were read, filters, exports, mistakes."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST = 200
"""Events that are kept; the oldest go first."""

_LONGEST = 500
"""Characters of one."""


class Event(NamedTuple):
    """`text` is safe to show. Of events of one `topic` that follow one another only the last is kept."""

    time: str
    text: str
    is_bad: bool
    topic: str = ""


class Journal:
    """The last events, oldest first."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=MOST)
        self._once: dict[object, None] = {}

    def add(self, text: str, *, is_bad: bool = False, topic: str = "") -> None:
        time = datetime.now().astimezone().strftime("%H:%M:%S")
        if topic and self.events and self.events[-1].topic == topic:
            self.events.pop()
        self.events.append(Event(time, safe(" ".join(text[:_LONGEST].split())), is_bad, topic))

    def add_once(self, key: object, text: str) -> None:
        """Something wrong that would be met again and again."""
        if key not in self._once:
            self._once[key] = None
            for oldest in list(self._once)[:-MOST]:
                del self._once[oldest]
            self.add(text, is_bad=True)

    def lines(self) -> list[Line]:
        return [[("dim", f"  {event.time}  "), ("bad" if event.is_bad else "", event.text)] for event in self.events]
