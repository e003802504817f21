"""Metadata of a call: header fields as text, and the status in them."""

from __future__ import annotations

import base64

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.call import Status

metadata = kernels.fixture("inspector.net.metadata_cy")


def status(metadata, *fields):
    """The status in some fields, and the codes of the problems that were reported."""
    problems = []
    found = metadata.status_of(fields, problems.append)
    return found, [problem.code for problem in problems]


# --- statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code"),
    [("200", 200), ("503", 503), ("20", 0), ("2000", 0), ("abc", 0), ("", 0), (None, 0)],
)
def test_the_http_status_is_three_digits(metadata, value, code):
    assert metadata.http_status((("x", "1"), (":status", value))) == code


def test_fields_without_http_status_have_none(metadata):
    assert metadata.http_status((("status", "200"),)) == 0


def test_a_status_without_message_is_ok(metadata):
    assert status(metadata, ("grpc-status", "0")) == (Status(0, "OK", ""), [])


def test_a_status_has_its_name_message_and_details(metadata):
    found, reported = status(
        metadata, ("grpc-message", "no%20such"), ("grpc-status", "5"), ("grpc-status-details-bin", "CAU=")
    )
    assert found == Status(5, "NOT_FOUND", "no such", b"\x08\x05")
    assert reported == []


def test_ok_with_a_message_or_details_keeps_them(metadata):
    assert status(metadata, ("grpc-status", "0"), ("grpc-message", "fine"))[0].message == "fine"
    assert status(metadata, ("grpc-status", "0"), ("grpc-status-details-bin", ""))[0].details == b""


@pytest.mark.parametrize("code", [17, 99, 999_999_999])
def test_a_code_that_grpc_does_not_know_is_kept(metadata, code):
    assert status(metadata, ("grpc-status", str(code)))[0] == Status(code, f"CODE_{code}", "")


@pytest.mark.parametrize("value", ["", "-1", "abc", "1.0", " 1", "٣", "0" * 10, "x" * 5000])
def test_a_code_that_is_not_a_number_is_reported_and_no_status(metadata, value):
    found, reported = status(metadata, ("grpc-status", value), ("grpc-message", "lost"))
    assert (found, reported) == (None, ["grpc_status"])


def test_a_problem_quotes_only_the_beginning_of_a_long_value(metadata):
    problems = []
    metadata.status_of((("grpc-status", "x" * 5000),), problems.append)
    assert len(problems[0].message) < 100


def test_trailers_without_status_have_none(metadata):
    assert status(metadata, ("grpc-message", "hello")) == (None, [])


def test_values_that_are_not_in_the_capture_are_left_out(metadata):
    assert status(metadata, ("grpc-message", None), ("grpc-status", "3"), (None, None))[0].code == 3
    assert status(metadata, ("grpc-status", None)) == (None, [])


def test_details_that_are_not_base64_are_reported_and_the_status_stays(metadata):
    found, reported = status(metadata, ("grpc-status", "3"), ("grpc-status-details-bin", "!"))
    assert found == Status(3, "INVALID_ARGUMENT", "", None)
    assert reported == ["grpc_details"]


# --- binary values ------------------------------------------------------------------------------------------------


@given(octets=st.binary(max_size=50), padded=st.booleans(), url_safe=st.booleans())
def test_binary_values_are_base64_of_either_alphabet_padded_or_not(metadata, octets, padded, url_safe):
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(octets).decode()
    assert metadata.binary_value(text if padded else text.rstrip("=")) == octets


def test_of_several_binary_values_the_first_is_taken(metadata):
    assert metadata.binary_value("YQ==, Yg==") == b"a"


@pytest.mark.parametrize("text", ["A", "YQ=a", "a b c", "é", "%%%%", "YWJ\0"])
def test_what_is_not_base64_is_none(metadata, text):
    assert metadata.binary_value(text) is None


# --- header fields as text ----------------------------------------------------------------------------------------


def test_ascii_fields_stay_as_they_are(metadata):
    fields = [(":path", "/a"), ("x-bin", "AAEC"), (None, None), ("name", None)]
    assert metadata.readable(tuple(fields), {}) == tuple(fields)


def test_a_field_that_is_not_utf8_reads_as_latin1(metadata):
    assert metadata.readable((("a", "caf\xe9"), ("b", "x")), {}) == (("a", "café"), ("b", "x"))


def test_unknown_fields_stay_unknown_beside_others(metadata):
    fields = [(None, None), ("a", "\xff"), ("b", None)]
    assert metadata.readable(tuple(fields), {}) == tuple(fields)


def test_a_zero_byte_elsewhere_changes_nothing(metadata):
    fields = (("a", "x\0y"), ("b-bin", "x\0y"), ("c", "\0"))
    assert metadata.readable(fields, {}) == fields


@given(octets=st.binary(max_size=40).filter(lambda octets: octets.isascii()))
def test_a_true_binary_value_becomes_base64(metadata, octets):
    shown = metadata.readable((("x-bin", "\0" + octets.decode("ascii")),), {})
    assert metadata.binary_value(shown[0][1]) == octets


# --- gRPC-Web trailers --------------------------------------------------------------------------------------------


def test_the_trailers_of_grpc_web_are_lines(metadata):
    block = b"grpc-status: 5\r\nGrpc-Message:not found: it\r\n\r\nnonsense\r\nempty:\r\n"
    assert metadata.trailer_block(block) == (
        ("grpc-status", "5"),
        ("grpc-message", "not found: it"),
        ("empty", ""),
    )


@given(block=st.binary(max_size=60))
def test_any_bytes_are_trailers(metadata, block):
    for name, value in metadata.trailer_block(block):
        assert name == name.lower()
        assert value == value.strip()
