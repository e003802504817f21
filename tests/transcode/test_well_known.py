"""Text forms of times and masks, against the protobuf package's own."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.well_known import duration_text, mask_text, timestamp_text

nanos = st.sampled_from([0, 1, 1_000, 1_000_000, 999_999_999, 1_000_000_000]) | st.integers(0, 1_000_000_000)
seconds = st.integers(-400_000_000_000, 400_000_000_000) | st.integers(-2, 2)


def theirs(message):
    try:
        return message.ToJsonString()
    except ValueError:
        return None


@given(seconds, nanos, st.sampled_from([1, -1]))
def test_timestamps(whole, part, sign):
    message = Timestamp(seconds=whole, nanos=sign * part)
    assert timestamp_text(message) == theirs(message)


@given(seconds, nanos, st.sampled_from([1, -1]))
def test_durations(whole, part, sign):
    message = Duration(seconds=whole, nanos=sign * part)
    assert duration_text(message) == theirs(message)


@given(st.lists(st.text("ab_.Z1", max_size=6), max_size=3))
def test_masks(paths):
    message = FieldMask(paths=paths)
    assert mask_text(message) == theirs(message)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Timestamp(seconds=-1, nanos=5_000_000), "1969-12-31T23:59:59.005Z"),
        (Timestamp(seconds=1, nanos=7_000), "1970-01-01T00:00:01.000007Z"),
        (Timestamp(nanos=1), "1970-01-01T00:00:00.000000001Z"),
    ],
)
def test_fractions_have_three_six_or_nine_digits(message, text):
    assert timestamp_text(message) == text
