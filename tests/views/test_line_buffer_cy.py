"""The buffer that lines are written into, through what is written with it: its methods are C functions, compiled."""

from __future__ import annotations

import json

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.call import Message
from inspector.session import DecodedMessage
from inspector.views.times import timestamp

line_buffer = kernels.fixture("inspector.views.line_buffer_cy")
message_lines = kernels.fixture("inspector.views.message_lines_cy")

CODES = [*range(0x7F, 0xA1), 0x61B, 0x61C, 0x61D, *range(0x200D, 0x2011),
          *range(0x2027, 0x2030), *range(0x2065, 0x206B),
         0x7FF, 0xFFFF, 0x10FFFF]  # fmt: skip
"""Characters that move a terminal, those beside them, and the largest of each length in UTF-8."""


def line(message_lines, document=b"{}", time=0, call=1, bare=False):
    message = Message(call, 0, "request", None, time, "identity", b"", b"", None, ())
    return message_lines.message_lines([DecodedMessage(message, None, document, "guess", 0, None)], bare=bare)


@given(time=st.integers(-(10**10), 2**66))
def test_times_are_those_of_rows(message_lines, time):
    assert json.loads(line(message_lines, time=time))["time"] == timestamp(time)


@pytest.mark.parametrize("time", [None, -1, 0, 1, 10**9 - 1, 10**9, 2**62 - 1, 2**62, 253_402_300_800 * 10**9])
def test_times_at_their_limits(message_lines, time):
    assert json.loads(line(message_lines, time=time))["time"] == timestamp(time)


@pytest.mark.parametrize("number", [0, 1, 9, 10, 99, 100, 2**31, 2**53 + 1, 2**63 - 1])
def test_numbers_have_all_their_digits(message_lines, number):
    assert json.loads(line(message_lines, call=number))["call"] == (number or None)


def test_the_buffer_grows_as_far_as_it_must(message_lines):
    document = json.dumps("x" * 3_000_000).encode()
    assert line(message_lines, document, bare=True) == document + b"\n"
    assert json.loads(line(message_lines, document))["message"] == "x" * 3_000_000


@pytest.mark.parametrize("code", CODES)
def test_just_what_moves_a_terminal_is_escaped(line_buffer, message_lines, code):
    unsafe = code <= 0x9F or code in (0x61C, 0x200E, 0x200F) or 0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069
    expected = f'"\\u{code:04x}"' if unsafe else f'"{chr(code)}"'
    document = f'"{chr(code)}"'.encode()
    assert line(message_lines, document, bare=True).decode() == expected + "\n"
    assert line_buffer.json_bytes(chr(code)).decode() == expected
