"""Filtering by CEL."""

from __future__ import annotations

import pytest

from inspector.errors import InspectorError
from inspector.model.call import Message
from inspector.session import DecodedMessage
from inspector.views.where import MAX_EXPRESSION, Where


def decoded(json=b'{"name":"a","labels":[{"score":0.9},{"score":0.2}],"big":"9007199254740993"}', direction="response"):
    message = Message(7, 0, direction, "/pkg.Svc/Predict", 1, "identity", b"123", b"123", None, ())
    return DecodedMessage(message, "pkg.Reply", json, "schema", 0, None)


@pytest.mark.parametrize(
    "expression",
    [
        "call == 7",
        'direction == "response" && method.endsWith("Predict")',
        "response.labels.exists(l, l.score > 0.5)",
        "message.labels.size() == 2 && size == 3",
        'has(message.name) && !has(message.other) && message.big == "9007199254740993"',
    ],
)
def test_a_record_that_fits_is_taken(expression):
    where = Where(expression)
    assert where.takes(decoded())


@pytest.mark.parametrize("expression", ["call == 8", "message.labels.all(l, l.score > 0.5)", "call", '"true"'])
def test_a_record_that_does_not_fit_is_left(expression):
    where = Where(expression)
    assert not where.takes(decoded())


@pytest.mark.parametrize(
    "expression", ["message.nope > 1", "request.name == 'a'", "nope", "call > 'a'", "1 / (call - 7)"]
)
def test_a_record_that_lacks_what_is_asked_is_left_and_says_why(expression):
    where = Where(expression)
    assert not where.takes(decoded())
    assert where.last_error


def test_a_message_that_was_not_decoded_is_null():
    where = Where("message == null")
    assert where.takes(decoded(b"null"))


@pytest.mark.parametrize("expression", ["", "call ==", "a b", "(" * 2000, "1" * (MAX_EXPRESSION + 1)])
def test_what_is_not_an_expression_is_refused_in_one_line(expression):
    with pytest.raises(InspectorError) as caught:
        Where(expression)
    assert "\n" not in str(caught.value)
