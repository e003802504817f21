"""Calls that were made again, as lines for people and as rows for programs.

The invariant: what a header carries as a credential is shown nowhere unless that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inspector.client.replay import Outcome, Result
from inspector.client.replay_plan import Planned, Unfit
from inspector.client.transcript import as_headers
from inspector.model.call import Call
from inspector.transcode.compare import Difference
from inspector.views.differences import difference_line, difference_row
from inspector.views.rows import DecodeDetails, Row, status_row
from inspector.views.safe_text import safe
from inspector.views.secrets import MASK, is_secret, masked
from inspector.views.spans import Line
from inspector.views.times import duration, seconds, size

MOST_LINES = 20
"""Differences of a call that are shown to people."""

_STYLES: dict[Result, str] = {"same": "good", "different": "bad", "failed": "bad", "skipped": "dim"}


def outcome_row(outcome: Outcome, decode_details: DecodeDetails, *, show_secrets: bool) -> Row:
    """The record of a call."""
    call = outcome.call
    differences = [_hidden(each, show_secrets=show_secrets) for each in outcome.differences]
    row: Row = {
        "call": call.number,
        "method": call.method,
        "outcome": outcome.result,
        "differences": [difference_row(each, "kind") for each in differences],
        "status": status_row(outcome.status, decode_details),
        "captured_status": status_row(call.status, decode_details),
        "duration": seconds(outcome.duration),
        "captured_duration": seconds(call.duration),
    }
    if outcome.more:
        row["more_differences"] = outcome.more
    if outcome.reason is not None:
        row["reason"] = outcome.reason
    if outcome.notes:
        row["notes"] = [*outcome.notes]
    return row


def outcome_lines(outcome: Outcome, *, show_secrets: bool) -> Iterator[Line]:
    """A line for the call, then its differences."""
    call = outcome.call
    line = _heading(call, outcome.result, _STYLES[outcome.result])
    if outcome.duration is not None:
        line.append(("dim", f"  {duration(call.duration)} -> {duration(outcome.duration)}"))
    if outcome.reason is not None:
        line.append(("", f"  {safe(outcome.reason)}"))
    yield line
    for difference in outcome.differences[:MOST_LINES]:
        yield [("", "    "), *difference_line(_hidden(difference, show_secrets=show_secrets))]
    left = len(outcome.differences) + outcome.more - MOST_LINES
    if left > 0:
        yield [("dim", f"    ... and {left} more")]
    for note in outcome.notes:
        yield [("dim", f"    {safe(note)}")]


def planned_row(planned: Planned | Unfit, *, show_secrets: bool) -> Row:
    """The record of a call that would be made."""
    call = planned.call
    row: Row = {"call": call.number, "method": call.method}
    if isinstance(planned, Unfit):
        return row | {"outcome": "skipped", "reason": planned.reason}
    metadata = masked(as_headers(planned.metadata), show_secrets=show_secrets)
    return row | {
        "outcome": "planned",
        "requests": len(planned.requests),
        "request_bytes": sum(len(each.data) for each in planned.requests),
        "encoding": planned.encoding,
        "deadline": planned.deadline,
        "metadata": [[*field] for field in metadata],
    }


def planned_lines(planned: Planned | Unfit, *, show_secrets: bool) -> Iterator[Line]:
    """A line for the call that would be made, then its header fields."""
    if isinstance(planned, Unfit):
        yield [*_heading(planned.call, "skipped", "dim"), ("", f"  {safe(planned.reason)}")]
        return
    count = len(planned.requests)
    parts = [f"{count} request{'' if count == 1 else 's'}", size(sum(len(each.data) for each in planned.requests))]
    parts += [planned.encoding] if planned.encoding != "identity" else []
    parts += [f"deadline {planned.deadline:g} s"] if planned.deadline is not None else []
    yield [*_heading(planned.call, "planned", "title"), ("", f"  {', '.join(parts)}")]
    for name, value in masked(as_headers(planned.metadata), show_secrets=show_secrets):
        yield [("key", f"    {safe(name or '')}"), ("", f": {safe(value or '')}")]


def totals(outcomes: dict[str, int], captured: int, taken: int) -> str:
    """What became of all calls; durations in nanoseconds, of those that were made."""
    count = sum(outcomes.values())
    parts = [f"{outcomes.get(each, 0)} {each}" for each in _STYLES if outcomes.get(each)]
    text = f"{count} call{'' if count == 1 else 's'}: {', '.join(parts) or 'nothing was sent'}"
    made = count - outcomes.get("skipped", 0)
    return f"{text}; calls took {duration(captured)} as captured, {duration(taken)} now" if made else text


_WHY = {
    "credential": "credentials (--keep-credentials sends them)",
    "dropped": "dropped by --drop-header",
    "unsendable": "not whole in the capture, or nothing that can be sent",
    "transport": "replaced by those of the new connection and call",
}


def left_out(names: dict[str, dict[str, int]]) -> Iterator[str]:
    """Which header fields were not sent, by reason."""
    for reason, text in _WHY.items():
        found = [name for name in names.get(reason, {}) if not name.startswith(":")]
        if found:
            yield f"header fields not sent: {_listed(found)}: {text}"


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - MOST_LINES} more" if len(found) > MOST_LINES else ""
    return safe(", ".join(found[:MOST_LINES]) + more)


def _heading(call: Call, result: str, style: str) -> Line:
    return [
        ("title", f"#{call.number:<4} "),
        (style, f"{result:<9}"),
        ("method", f"  {safe((call.method or 'unknown method').removeprefix('/'))}"),
    ]


def _hidden(difference: Difference, *, show_secrets: bool) -> Difference:
    """A difference between header fields, without their values where these are credentials."""
    place, _, name = difference.path.partition(".")
    if show_secrets or place not in ("headers", "trailers") or not is_secret(name.partition("[")[0]):
        return difference
    before, after = (None if each is None else MASK for each in (difference.before, difference.after))
    return difference._replace(before=before, after=after)
