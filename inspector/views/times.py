"""Times, durations and sizes as text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000_000_000
_ROUNDS_UP = 0.9995
"""From this part of a unit on, three digits show the whole unit."""
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z


@lru_cache(maxsize=256)
def date_and_time(seconds: int) -> str:
    """`2026-11-23T09:03:11` of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(nanoseconds: int | None) -> str | None:
    """RFC 3339 with nine digits; None for none, and for what no calendar holds."""
    if nanoseconds is None:
        return None
    seconds, fraction = divmod(nanoseconds, SECOND)
    if not 0 <= seconds <= _LAST_SECOND:
        return None
    return f"{date_and_time(seconds)}.{fraction:09d}Z"


def time_of_day(nanoseconds: int | None) -> str:
    """`09:03:11.123` in UTC; a dash for none."""
    text = timestamp(nanoseconds)
    return text[11:23] if text else "-"


def seconds(nanoseconds: int | None) -> float | None:
    """Seconds as a number that reads as it was measured: 1.5 ms is 0.0015."""
    return None if nanoseconds is None else nanoseconds / SECOND


def duration(nanoseconds: int | None) -> str:
    """With the unit that suits it: `850 µs`, `12.3 ms`, `4.20 s`."""
    if nanoseconds is None:
        return "-"
    for unit, size in (("s", SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if abs(nanoseconds) >= size * _ROUNDS_UP:
            value = nanoseconds / size
            return f"{value:.3g} {unit}" if abs(value) < _ROUNDS_UP * 1000 else f"{value:.0f} {unit}"
    return f"{nanoseconds} ns"


def size(count: int) -> str:
    """`79 B`, `4.1 kB`, `1.1 MB`."""
    if count < 1_000:
        return f"{count} B"
    if count < 999_950:
        return f"{count / 1_000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"
