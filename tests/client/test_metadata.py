"""Header fields as users write them, and as HTTP/2 carries them."""

from __future__ import annotations

import pytest
from hpack import NeverIndexedHeaderTuple

from inspector.client import metadata
from inspector.errors import InputError

ENVIRONMENT = {"TOKEN": "abc", "EMPTY": "", "NESTED": "${TOKEN}"}


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("x-a: b", ("x-a", "b")),
        ("X-A:b", ("x-a", "b")),
        (" x-a :  b  ", ("x-a", "b")),
        ("x-a:", ("x-a", "")),
        ("x-a: b: c", ("x-a", "b: c")),
        ("x-a-bin: AAE", ("x-a-bin", "AAE")),
    ],
)
def test_forms_of_a_field(option, field):
    assert metadata.parse([option]) == (field,)


def test_fields_keep_their_order_and_may_repeat():
    assert metadata.parse(["b: 1", "a: 2", "b: 3"]) == (("b", "1"), ("a", "2"), ("b", "3"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("x: Bearer ${TOKEN}", "Bearer abc"),
        ("x: ${TOKEN}${EMPTY}${TOKEN}", "abcabc"),
        ("x: ${NESTED}", "${TOKEN}"),
        ("x: $TOKEN $", "$TOKEN $"),
    ],
)
def test_variables(option, value):
    assert metadata.parse([option], environment=ENVIRONMENT) == (("x", value),)


def test_variables_are_text_without_an_environment():
    assert metadata.parse(["x: ${TOKEN}"]) == (("x", "${TOKEN}"),)


def test_a_variable_that_breaks_the_field_is_refused():
    with pytest.raises(InputError, match="cannot be sent as it is"):
        metadata.parse(["x: ${SPLIT}"], environment={"SPLIT": "a\r\nb: c"})


def test_a_file_of_fields(tmp_path):
    path = tmp_path / "headers"
    path.write_text("# who\nauthorization: Bearer ${TOKEN}\n\n  x-a: 1\r\n")
    found = metadata.parse([f"@{path}", "x-b: 2"], environment=ENVIRONMENT)
    assert found == (("authorization", "Bearer abc"), ("x-a", "1"), ("x-b", "2"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x-a: 1\nno colon\n", "line 2: 'no colon' is not of the form 'name: value'"),
        (b"\n\nx-a: ${NONE}\n", "line 3: the environment has no variable NONE"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (None, "No such file"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path, content, said):
    path = tmp_path / "headers"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        metadata.parse([f"@{path}"], environment=ENVIRONMENT)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("x-a", "is not of the form 'name: value'"),
        (": b", "cannot be the name of a header"),
        (":path: /x", "cannot be the name of a header"),
        ("x a: b", "cannot be the name of a header"),
        ("ü: b", "cannot be the name of a header"),
        ("x: ü", "values are printable ASCII; others go into x-bin, in base64"),
        ("x: a\x00b", "cannot be sent as it is"),
        ("x-bin: *", "the value of x-bin is not base64"),
        ("TE: trailers", "the header te belongs to the protocol"),
        ("grpc-timeout: 1S", "the header grpc-timeout belongs to the protocol"),
        ("content-type: text/plain", "the header content-type belongs to the protocol"),
        ("User-Agent: me", "the header user-agent belongs to the protocol"),
    ],
)
def test_what_cannot_be_sent_is_refused(option, said):
    with pytest.raises(InputError, match=said):
        metadata.parse([option])


@pytest.mark.parametrize("value", [b"\0\x01", "AAE=", "AAE"])
def test_binary_values_are_carried_in_base64_without_padding(value):
    assert metadata.to_send((("X-Bin", value),)) == [(b"x-bin", b"AAE")]


def test_credentials_stay_out_of_the_tables_of_hpack():
    secret, plain = metadata.to_send((("Authorization", "Bearer a"), ("x-a", "b")))
    assert isinstance(secret, NeverIndexedHeaderTuple)
    assert secret == (b"authorization", b"Bearer a")
    assert not isinstance(plain, NeverIndexedHeaderTuple)


def test_bytes_that_are_not_text_are_refused_where_text_is_carried():
    with pytest.raises(InputError, match="cannot be sent as it is"):
        metadata.to_send((("x", b"\xff"),))
