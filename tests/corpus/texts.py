"""Text in many scripts, and text that JSON has to escape."""

from __future__ import annotations

from random import Random
from typing import Any

from corpus.predictions import WORDS

SCRIPTS = (
    ("велосипед", "мост", "перекрёсток", "собака", "вечер", "фонарь", "площадь", "трамвай"),
    ("自行车", "桥", "十字路口", "黄昏", "灯笼", "屋顶", "広場", "夜の川", "路面電車", "골목길"),
    ("🚲", "🌉", "🐕", "🏮", "👩‍🚀", "🇨🇭", "🏳️‍🌈", "👍🏽"),
    ("ποδήλατο", "γέφυρα", "पुल", "शाम", "جسر", "مساء", "גשר", "สะพาน"),
)
ESCAPED = (
    '"', "\\", "\n", "\t", "\r", "\b", "\f", "\0", "\x1b", "\x7f", "\u2028",
    "<a href='x'>&amp;</a>", "C:\\new\\",
)  # fmt: skip
"""What JSON escapes, and what some writers of it escape besides."""


def fill_ascii(message: Any, source: Random) -> None:
    """A corpus.v1.Texts of some 4 kB."""
    words = [word for word in WORDS if word.isascii()]
    _fill(message, lambda: " ".join(source.choice(words) for _ in range(source.randrange(1, 30))))


def fill_unicode(message: Any, source: Random) -> None:
    """A corpus.v1.Texts of some 6 kB; each line is of one script."""

    def line() -> str:
        script = source.choice(SCRIPTS)
        return " ".join(source.choice(script) for _ in range(source.randrange(1, 20)))

    _fill(message, line)


def fill_with_escapes(message: Any, source: Random) -> None:
    """A corpus.v1.Texts of some 2 kB, where about every tenth character needs an escape."""

    def line() -> str:
        return "".join(source.choice(WORDS)[:8] + source.choice(ESCAPED) for _ in range(source.randrange(1, 15)))

    _fill(message, line)


def _fill(message: Any, line: Any) -> None:
    message.title = line()
    message.lines.extend(line() for _ in range(40))
