"""The well-known types that are strings in JSON, against the protobuf runtime."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.refusal import Refusal
from inspector.transcode.well_known_readers import duration_fields, mask_fields, timestamp_fields

NANOS = st.one_of(st.sampled_from([0, 1, 5_000_000, 7_000, 999_999_999]), st.integers(0, 999_999_999))


@given(st.integers(-62_135_596_800, 253_402_300_799), NANOS)
def test_times_come_back_from_their_text(seconds, nanos):
    fields = {"seconds": seconds, "nanos": nanos}
    assert timestamp_fields(Timestamp(**fields).ToJsonString()) == fields


@given(
    st.from_regex(
        r"(19|20)[0-9]{2}-(0[0-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
        r"(\.[0-9]{1,9})?(Z|[-+][0-9]{2}:[0-5][0-9])",
        fullmatch=True,
    )
)
def test_times_are_those_of_the_runtime(text):
    expected = Timestamp()
    try:
        expected.FromJsonString(text)
    except ValueError:
        expected = None
    try:
        found = timestamp_fields(text)
    except Refusal:
        found = None
    if text[-6] in "+-" and text[-5:-3] > "23":
        assert found is None  # an offset of a day or more, which the runtime adds
    else:
        assert found == (None if expected is None else {"seconds": expected.seconds, "nanos": expected.nanos})


@given(st.integers(0, 315_576_000_000), NANOS, st.sampled_from([1, -1]))
def test_durations_come_back_from_their_text(seconds, nanos, sign):
    fields = {"seconds": sign * seconds, "nanos": sign * nanos}
    assert duration_fields(Duration(**fields).ToJsonString()) == fields


@given(st.lists(st.from_regex(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*(\.[a-z]+)?", fullmatch=True), min_size=1, max_size=4))
def test_masks_come_back_from_their_text(paths):
    assert mask_fields(FieldMask(paths=paths).ToJsonString()) == {"paths": paths}


def test_an_empty_mask_has_no_paths():
    assert mask_fields("") == {"paths": []}


@pytest.mark.parametrize(
    "text",
    [
        *("", "2020-01-01T00:00:00", "2020-01-01t00:00:00Z", "2020-01-01T00:00:00z", "2020-01-01 00:00:00Z"),
        *("2020-01-01T00:00:00+0100", "2020-01-01T24:00:00Z", "2020-01-01T00:00:60Z", "2020-13-01T00:00:00Z"),
        *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "２020-01-01T00:00:00Z"),
        *("2020-01-01T00:00:00.Z", "2020-01-01T00:00:00Z\n", "2020-1-1T0:0:0Z"),
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Refusal):
        timestamp_fields(text)


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1.s", ".5s", "+1s", "1e3s", "1.0000000000s", "- 1s", "9" * 5000 + "s", "１s"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(Refusal):
        duration_fields(text)
