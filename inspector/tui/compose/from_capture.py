"""Calls of an open input as requests to send. No toolkit in it."""

from __future__ import annotations

from inspector import limits
from inspector.client.replay_plan import cost_of
from inspector.errors import InspectorError
from inspector.tui.compose.draft import Draft, draft_of
from inspector.tui.document import STANDALONE, Document


def draft_from(document: Document, number: int, place: int, start: Draft) -> Draft:
    """The call of that number as a draft; of messages without calls, the one at a place. `start` is what requests that
    are made anew begin with. Raises InspectorError."""
    if number == STANDALONE:
        message = document.message(number, place)
        if message is None or message.data is None:
            raise InspectorError("there is no message to take over")
        return start._replace(messages=(message.data,))
    call = document.call(number)
    if call is None:
        raise InspectorError("the call has not ended, so that there may be more requests", hint="choose another call")
    if cost_of(call) > limits.MAX_REPLAYED_CALL:
        raise InspectorError(f"the messages of call {number} take over {limits.MAX_REPLAYED_CALL:,} bytes")
    found = draft_of(call, document.index.messages_of(number), target=start.target or None)
    return found._replace(connect=start.connect)
