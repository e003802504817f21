"""The well-known types that ProtoJSON has as a string, read: what `well_known` prints.

Each reader gives the fields of its message, or raises Refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from inspector.transcode.refusal import Refusal, refuse, shown
from inspector.transcode.well_known import EPOCH, FIRST_SECOND, LAST_SECOND, LONGEST_DURATION
from inspector.wire.json_value import JsonValue

Fields = dict[str, JsonValue]

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
"""RFC 3339 with capital letters, as timestamp.proto wants it."""

_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")

_YEARS = "years 1 to 9999"


def timestamp_fields(text: JsonValue) -> Fields:
    """Seconds and nanoseconds of a time."""
    found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        refuse("a time", text, "as in 2026-11-23T09:03:11.5Z")
    date, time, fraction, sign, hours, minutes = found.groups()
    try:
        since = datetime.fromisoformat(f"{date}T{time}") - EPOCH
    except ValueError as error:
        raise Refusal(f"{shown(text)} is no time: {error}") from None
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        since += offset if sign == "-" else -offset
    seconds = since.days * 86_400 + since.seconds
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise Refusal(f"{shown(text)} is out of the range of a Timestamp", hint=_YEARS)
    return {"seconds": seconds, "nanos": _nanos(fraction)}


def duration_fields(text: JsonValue) -> Fields:
    """Seconds and nanoseconds of a duration, both with its sign."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        refuse("a duration in seconds", text, "as in 1.5s")
    sign = -1 if found[1] else 1
    seconds, nanos = int(found[2]), _nanos(found[3])
    if seconds > LONGEST_DURATION:
        raise Refusal(f"{shown(text)} is out of the range of a Duration", hint=f"at most {LONGEST_DURATION} seconds")
    return {"seconds": sign * seconds, "nanos": sign * nanos}


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def mask_fields(text: JsonValue) -> Fields:
    """Paths in snake_case."""
    if not isinstance(text, str):
        refuse("field names joined by commas", text)
    if "_" in text:
        raise Refusal(f"{shown(text)} has an underscore", hint="a field mask has lowerCamelCase names in JSON")
    paths: list[JsonValue] = [re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", path) for path in text.split(",")]
    return {"paths": paths if text else []}


READERS: dict[str, Callable[[JsonValue], Fields]] = {
    "google.protobuf.Duration": duration_fields,
    "google.protobuf.FieldMask": mask_fields,
    "google.protobuf.Timestamp": timestamp_fields,
}
