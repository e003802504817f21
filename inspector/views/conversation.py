"""Messages and calls laid out for a reader."""

from __future__ import annotations

import orjson

from inspector.model.call import Call, Header
from inspector.model.problem import Problem
from inspector.session import DecodedMessage
from inspector.views.rows import DecodeDetails
from inspector.views.safe_text import safe, safe_json
from inspector.views.secrets import masked
from inspector.views.spans import Line, json_lines
from inspector.views.times import duration, size, time_of_day, timestamp

ARROWS = {"request": "→", "response": "←", None: "·"}


def message_lines(decoded: DecodedMessage, *, bare: bool = False, numbered: bool = True) -> list[Line]:
    """A message: a line that says what it is, then its JSON."""
    body = _body(decoded)
    return body if bare else [_heading(decoded, numbered=numbered), *body, []]


def _heading(decoded: DecodedMessage, *, numbered: bool) -> Line:
    message = decoded.message
    count = len(message.wire if message.data is None else message.data)
    line: Line = [
        ("title", f"#{message.call} " if numbered and message.call else ""),
        ("title", f"{ARROWS[message.direction]} {message.direction or 'message'} {message.index}"),
        ("method", f"  {safe(message.method or 'unknown method')}" if numbered else ""),
        ("", f"  {safe(decoded.type_name)}" if decoded.type_name else ""),
        ("dim", "" if decoded.type_name or decoded.problem else "  (guessed)"),
        ("dim", f"  {time_of_day(message.time)}  {size(count)}"),
    ]
    if message.encoding != "identity":
        line.append(("dim", f" ({safe(message.encoding)}, {size(len(message.wire))} on the wire)"))
    if decoded.unknown_bytes:
        line.append(("bad", f"  {decoded.unknown_bytes} bytes unknown to the schema"))
    return line


def _body(decoded: DecodedMessage) -> list[Line]:
    if decoded.problem is not None:
        return [[("bad", f"not decoded: {safe(decoded.problem.message)}")]]
    text = orjson.dumps(orjson.loads(decoded.json), option=orjson.OPT_INDENT_2)
    return json_lines(safe_json(text).decode("utf-8"))


def call_lines(
    call: Call, messages: list[DecodedMessage], decode_details: DecodeDetails, *, show_secrets: bool = False
) -> list[Line]:
    """A call, whole: what it was, how it ended, its headers, its messages, its trailers, what is wrong with it."""
    lines = [*summary_lines(call), []]
    for title, fields in (("Request headers", call.request_headers), ("Response headers", call.response_headers)):
        lines += header_lines(title, fields, show_secrets=show_secrets)
    for decoded in messages:
        lines += message_lines(decoded, numbered=False)
    lines += header_lines("Trailers", call.trailers, show_secrets=show_secrets)
    lines += details_lines(call, decode_details)
    if call.problems:
        lines.append([("title", "Problems")])
        lines += [problem_line(problem) for problem in call.problems]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def problem_line(problem: Problem) -> Line:
    """What is wrong, and in which packet."""
    place = f"  (packet {problem.packet})" if problem.packet else ""
    return [("bad" if problem.is_damage else "", f"  {safe(problem.message)}"), ("dim", place)]


def summary_lines(call: Call) -> list[Line]:
    """The method, and in a table status, time, ends and sizes."""
    started = timestamp(call.started) or "unknown"
    rows: list[tuple[str, Line]] = [
        ("status", status_line(call)),
        ("time", [("", f"{started}  took {duration(call.duration)}{_deadline(call)}")]),
        ("client", [("", _ends(call))]),
        ("sizes", [("", f"{_count(call.requests, 'request')}, {size(call.request_bytes)};"
                        f" {_count(call.responses, 'response')}, {size(call.response_bytes)}")]),
    ]  # fmt: skip
    if not call.complete:
        rows.append(("note", [("dim", "not all of this call is in the capture")]))
    heading: Line = [("title", f"Call {call.number}  "), ("method", safe(call.method or "unknown method"))]
    return [heading, *([("dim", f"  {name:<8}"), *line] for name, line in rows)]


def _ends(call: Call) -> str:
    """Who called whom. A log has neither connections nor streams, and perhaps not both addresses."""
    ends = f"{safe(call.client or 'unknown')} → {safe(call.server or 'unknown')}"
    return f"{ends}  connection {call.connection}, stream {call.stream}" if call.connection else ends


def status_line(call: Call) -> Line:
    """The status by name and code, with its message."""
    status = call.status
    if status is None:
        if call.duration is not None:
            return [("dim", "unknown: sent by reference to a header field from before the capture")]
        return [("dim", "unknown: the end of the call is not in the capture")]
    line: Line = [("good" if status.code == 0 else "bad", f"{status.name} ({status.code})")]
    if status.message:
        line.append(("", f"  {safe(status.message)}"))
    if status.source == "client":
        line.append(("dim", "  (said by the client, not the server)"))
    elif status.source != "trailers":
        line.append(("dim", "  (concluded: no grpc-status arrived)"))
    return line


def _deadline(call: Call) -> str:
    if call.deadline is None:
        return ""
    text = f" of a deadline of {duration(call.deadline)}"
    if call.duration is not None and call.deadline:
        text += f" ({100 * call.duration / call.deadline:.0f} %)"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def header_lines(title: str, fields: tuple[Header, ...], *, show_secrets: bool) -> list[Line]:
    """Header fields below a title; nothing where there are none."""
    if not fields:
        return []
    lines: list[Line] = [[("title", title)]]
    unknown = 0
    for name, value in masked(fields, show_secrets=show_secrets):
        if name is None and value is None:
            unknown += 1
            continue
        shown = "<not in the capture>" if value is None else _SHOWN_BELOW.get(name or "", value)
        lines.append([("key", f"  {safe(name or '<not in the capture>')}"), ("", f": {safe(shown)}")])
    if unknown:
        lines.append([("dim", f"  {_count(unknown, 'field')} not in the capture: sent by reference to earlier ones")])
    return [*lines, []]


_SHOWN_BELOW = {"grpc-status-details-bin": "(decoded below)"}


def details_lines(call: Call, decode_details: DecodeDetails) -> list[Line]:
    """The details of the status as JSON; nothing where it has none."""
    if call.status is None or call.status.details is None:
        return []
    details = decode_details(call.status.details)
    if details is None:
        return [[("bad", "Status details are damaged")]]
    text = safe_json(orjson.dumps(details, option=orjson.OPT_INDENT_2)).decode("utf-8")
    return [[("title", "Status details")], *json_lines(text), []]
