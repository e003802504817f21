"""Types of an inferred schema that are well known, and fields that look like maps.

Invariant: a type is taken for a well-known one only if that reads each message of it that was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from inspector.schema.catalog import Catalog
from inspector.schema.infer_survey import Survey, TypeSurvey
from inspector.schema.infer_types import InferredField, InferredType, Span

_URL_PREFIX = b"type.googleapis.com/"

_FIRST_SECOND, _LAST_SECOND = 946_684_800, 4_102_444_800
"""The years 2000 to 2099."""

_MAX_NANOS = 999_999_999
_FINE = 1_000
"""Nanoseconds from which on a number is no count of something else, next to seconds of this century."""

_LEAST_ENTRIES = 2


def known_type(message: InferredType, survey: TypeSurvey) -> str | None:
    """The full name of the well-known type that this one is, if that is evident."""
    if _is_timestamp(message, survey):
        return "google.protobuf.Timestamp"
    return "google.protobuf.Any" if _is_any(message, survey) else None


def _is_timestamp(message: InferredType, survey: TypeSurvey) -> bool:
    if set(survey.fields) != {1, 2} or any(field.kind not in _INTEGERS for field in message.fields.values()):
        return False
    seconds, nanos = survey.fields[1], survey.fields[2]
    if seconds.numbers is None or nanos.numbers is None or seconds.messages_with < len(survey.messages):
        return False
    if seconds.strays or nanos.strays or seconds.most_in_one > 1 or nanos.most_in_one > 1:
        return False
    in_range = seconds.numbers[0] >= _FIRST_SECOND and seconds.numbers[1] <= _LAST_SECOND
    return in_range and _FINE <= nanos.numbers[1] <= _MAX_NANOS


_INTEGERS = ("int64", "uint64", "int32", "enum")


def _is_any(message: InferredType, survey: TypeSurvey) -> bool:
    """Whether it is Any, and all that it holds is of types that are always known: others could not be printed."""
    if 1 not in survey.fields or not set(survey.fields) <= {1, 2} or message.fields[1].kind != "string":
        return False
    urls = survey.fields[1]
    if urls.messages_with < len(survey.messages) or not all(url.startswith(_URL_PREFIX) for url in urls.texts):
        return False
    if 2 in survey.fields and (survey.fields[2].strays or message.fields[2].kind not in ("bytes", "message", "string")):
        return False
    catalog = Catalog(())
    names = [url.removeprefix(_URL_PREFIX).decode("utf-8", "replace") for url in urls.texts]
    return len(names) < 100 and all(catalog.defining(name) is not None for name in names)


def entries_of_map(field: InferredField, messages: Iterable[Span], survey: Survey) -> str:
    """A remark where a repeated field may well be a map: entries of a key and a value, no key twice in a message."""
    inner = survey.get(field.type) if field.type is not None else None
    if inner is None or field.type is None or set(inner.fields) != {1, 2}:
        return ""
    key, value = inner.fields[1], inner.fields[2]
    kind = field.type.fields[1].kind
    if kind not in ("string", *_INTEGERS) or key.messages_with < len(inner.messages) or value.most_in_one > 1:
        return ""
    most = 0
    for message in messages:
        keys = [_key(message.within(each)) for each in message.scan() if each.number == field.number]
        if len(set(keys)) < len(keys):
            return ""
        most = max(most, len(keys))
    return " May be a map: no key comes twice in a message." if most >= _LEAST_ENTRIES else ""


def _key(entry: Span) -> bytes:
    return b"".join(entry.data[each.value_start : each.end] for each in entry.scan() if each.number == 1)
