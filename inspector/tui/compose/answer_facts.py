"""What there is to say of a call that was sent, as lines. No toolkit in it."""

from __future__ import annotations

from inspector.client.replay_compare import Comparison, Rules
from inspector.limits import MAX_SHOWN_JSON, MIB
from inspector.model.call import Message
from inspector.schema import Schema
from inspector.tui.compose.draft import Captured
from inspector.tui.compose.exchange import CONNECTING, OPEN, SENT, Exchange
from inspector.tui.compose.methods import Method
from inspector.views import call_facts, conversation, live
from inspector.views.differences import difference_line
from inspector.views.safe_text import safe
from inspector.views.schema_lines import source_lines
from inspector.views.spans import Line
from inspector.views.times import duration

MOST_DIFFERENCES = 200

MOST_COMPARED = 4 * MIB
"""Bytes of answers that are compared while the user waits."""

_STATES = {CONNECTING: "connecting ...", OPEN: "open: F5 sends, F8 ends, F7 cancels", SENT: "waiting ... F7 cancels"}


def state_text(exchange: Exchange, origin: Captured | None = None) -> str:
    """How the call is, in a few words."""
    if exchange.error is not None:
        return "not sent"
    if exchange.call is None:
        return _STATES.get(exchange.state, "")
    status = conversation.status_line(exchange.call)[0][1]
    compared = comparison_of(exchange, origin) if origin is not None else None
    parts = [status, duration(exchange.call.duration)]
    if compared is not None:
        parts.append(_count(compared) if compared.differences else "as captured")
    return "  ".join(parts)


def failure_text(exchange: Exchange) -> str:
    """What went wrong, in full; empty where nothing did."""
    if exchange.error is not None:
        return f"! {safe(str(exchange.error))}"
    status = exchange.call.status if exchange.call is not None else None
    if exchange.call is None or status is None or status.code == 0:
        wrong = [each.message for each in (exchange.call.problems if exchange.call is not None else ())]
        return f"! {safe('; '.join(filter(None, (exchange.note, *wrong))))}" if exchange.note or wrong else ""
    return f"! {''.join(text for _, text in conversation.status_line(exchange.call))}  {safe(exchange.note)}".rstrip()


def schema_of(schema: Schema | None, method: Method) -> list[Line]:
    """What the schema says of a method and its types."""
    if schema is None or method.request is None or method.response is None:
        return [[("dim", "no schema tells the method")]]
    names = dict.fromkeys((method.name, method.request, method.response))
    return [line for name in names for line in (*source_lines(schema, name), [])]


def lines_of(tab: str, exchange: Exchange | None, message: Message | None, origin: Captured | None) -> list[Line]:
    """The lines of a tab."""
    if exchange is None:
        return [[("dim", "nothing was sent yet: F5 sends")]]
    if exchange.error is not None:
        return [[("bad", safe(str(exchange.error)))]]
    if tab == "json":
        return [] if message is None else _json(exchange, message)
    if tab == "problems":
        return _problems(exchange, origin)
    call = exchange.so_far
    if call is None:
        return [[("dim", "connecting ...")]]
    if tab == "headers":
        return call_facts.headers(call)
    if tab == "trailers":
        return call_facts.trailers(call, exchange.decode_details)
    if tab == "timing":
        return [*call_facts.summary(call), *live.timing_lines(live.connect_timing(exchange.steps))]
    return []


def _json(exchange: Exchange, message: Message) -> list[Line]:
    if len(message.data or b"") > MAX_SHOWN_JSON:
        return [[("dim", f"over {MAX_SHOWN_JSON:,} bytes: the fields show it")]]
    return conversation.message_lines(exchange.decode(message), bare=True)


def _problems(exchange: Exchange, origin: Captured | None) -> list[Line]:
    lines: list[Line] = [[("bad", safe(exchange.note))]] if exchange.note else []
    if origin is not None and exchange.call is not None:
        lines += differences(exchange, origin)
    return lines or [[("dim", "none")]]


def differences(exchange: Exchange, origin: Captured) -> list[Line]:
    """What is other than in the capture."""
    compared = comparison_of(exchange, origin)
    if compared is None:
        return []
    notes: list[Line] = [[("dim", safe(each))] for each in compared.notes]
    if not compared.differences:
        return [[("good", "the same as in the capture")], *notes]
    lines: list[Line] = [difference_line(each) for each in compared.differences[:MOST_DIFFERENCES]]
    return [[("bad", f"{_count(compared)} to the capture")], *lines, *notes]


def _count(compared: Comparison) -> str:
    count = len(compared.differences) + compared.more
    return f"{count} difference{'' if count == 1 else 's'}"


def comparison_of(exchange: Exchange, origin: Captured) -> Comparison | None:
    """The answers beside those of the captured call; None while there is no end."""
    call = exchange.call
    if call is None or call.status is None or call.response_bytes > MOST_COMPARED:
        return None
    if exchange.compared is None:
        compared = Comparison(origin.call, origin.answers, Rules(exchange.schema or Schema.empty()))
        for each in exchange.answers:
            compared.response(each.data or b"")
        compared.rest()
        compared.status(call.status)
        exchange.compared = compared
    return exchange.compared
