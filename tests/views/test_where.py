"""Filtering by CEL."""

from __future__ import annotations

import pytest

from inspector.errors import InspectorError
from inspector.model.call import Call, Message, Status
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


@pytest.mark.parametrize(
    "expression", ["call == 8", "message.labels.all(l, l.score > 0.5)", "size + call", '"true" + "x"']
)
def test_a_record_that_does_not_fit_is_left(expression):
    where = Where(expression)
    assert not where.takes(decoded())


@pytest.mark.parametrize(
    "expression", ["message.nope > 1", "request.name == 'a'", "status.code == 0", "call > 'a'", "1 / (call - 7)"]
)
def test_a_record_that_lacks_what_is_asked_is_left_and_says_why(expression):
    where = Where(expression)
    assert not where.takes(decoded())
    assert where.last_error


def test_a_message_that_was_not_decoded_is_null():
    where = Where("message == null")
    assert where.takes(decoded(b"null"))


@pytest.mark.parametrize(
    "expression",
    ["", " ", "call ==", "a (b", "nope == 1", "message.x.exists(i, j == 1)", "(" * 2000, "1" * (MAX_EXPRESSION + 1)],
)
def test_what_is_not_an_expression_is_refused_in_one_line(expression):
    with pytest.raises(InspectorError) as caught:
        Where(expression)
    assert "\n" not in str(caught.value)


def call(**fields):
    known = Call(
        7, "/pkg.Svc/Predict", "grpc", "10.0.0.1:4000", "10.0.0.2:80", 1, 1, 0, 1_500_000_000, "example.com", None,
        (("authorization", "Bearer sesame"), ("x-tenant", "Acme")), (), (("grpc-status", "5"),),
        Status(5, "NOT_FOUND", "no such label"), 1, 2, 3, 6, True, (),
    )  # fmt: skip
    return known._replace(**fields)


def messages(*found):
    return lambda direction: [each for each in found if direction is None or each.message.direction == direction]


REQUEST = decoded(b'{"inputs":[{"id":"a"}],"limit":2}', "request")
SMALL, LARGE = decoded(b'{"score":1}'), decoded(b'{"score":9}')


@pytest.mark.parametrize(
    "expression",
    [
        'method.endsWith("Predict") && status.code != 0 && request.inputs.exists(i, i.id == "a")',
        "response.score == 9",
        "response.score == 1 && request.limit == 2",
        "duration > 1.0 && (response.score == 9 || status.code == 0)",
        "status.code == 5 || response.nope",
        'direction == "response" && size == 3 && message.score == 9',
        'client.startsWith("10.") && request_headers.exists(h, h[0] == "x-tenant" && h[1] == "Acme")',
        'request_headers.exists(h, h[1].contains("masked"))',
    ],
)
def test_a_call_matches_if_a_message_of_it_makes_the_expression_true(expression):
    assert Where(expression).takes_call(call(), messages(REQUEST, SMALL, LARGE))


@pytest.mark.parametrize(
    "expression",
    [
        "response.score == 1 && response.score == 9",
        "request.limit == 3",
        'direction == "request" && message.score == 9',
        'request_headers.exists(h, h[1].contains("sesame"))',
        "!(status.code == 5)",
    ],
)
def test_a_call_of_which_no_message_does_is_left(expression):
    assert not Where(expression).takes_call(call(), messages(REQUEST, SMALL, LARGE))


def test_a_call_without_messages_matches_where_they_are_not_needed():
    where = Where("response.score == 1 || status.code == 5")
    assert where.takes_call(call(), messages())
    assert not where.takes_call(call(status=None), messages())


@pytest.mark.parametrize(
    "words",
    [
        "predict",
        "Svc/Predict",
        "NOT_FOUND",
        "such label",
        '"no such label"',
        "x-tenant: acme",
        "'ACME' ",
        '"inputs"',
        "score acme predict",
        "grpc-status",
    ],
)
def test_words_are_looked_for_in_method_status_headers_and_messages(words):
    where = Where(words)
    assert where.words
    assert where.takes_call(call(), messages(REQUEST, SMALL))


@pytest.mark.parametrize("words", ["sesame", "predict nope", '"label no"', "10.0.0.1"])
def test_words_of_which_one_is_not_there_do_not_match(words):
    assert not Where(words).takes_call(call(), messages(REQUEST, SMALL))


def test_credentials_are_not_searched_but_their_names_are():
    assert Where("authorization").takes_call(call(), messages())
    assert not Where("sesame").takes_call(call(), messages())


def test_a_field_that_is_not_there_is_told_with_the_one_that_was_meant():
    with pytest.raises(InspectorError, match="statsu") as caught:
        Where("statsu.code == 1")
    assert "did you mean status?" in str(caught.value)
