import pytest

from inspector.views.times import duration, seconds, size, time_of_day, timestamp


def test_a_timestamp_has_nine_digits():
    assert timestamp(1_795_445_990_383_485_597) == "2026-11-23T14:59:50.383485597Z"
    assert timestamp(0) == "1970-01-01T00:00:00.000000000Z"


@pytest.mark.parametrize("nanoseconds", [None, -1, 10**21])
def test_what_no_calendar_holds_has_no_timestamp(nanoseconds):
    assert timestamp(nanoseconds) is None
    assert time_of_day(nanoseconds) == "-"


def test_the_time_of_day_is_in_milliseconds():
    assert time_of_day(1_795_445_990_383_485_597) == "14:59:50.383"


def test_seconds_read_as_they_were_measured():
    assert seconds(1_500_000) == 0.0015
    assert seconds(None) is None


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "-"),
        (0, "0 ns"),
        (850, "850 ns"),
        (999, "999 ns"),
        (850_000, "850 µs"),
        (999_499, "999 µs"),
        (999_500, "1 ms"),
        (12_345_678, "12.3 ms"),
        (999_999_999, "1 s"),
        (4_200_000_000, "4.2 s"),
        (999_600_000_000, "1000 s"),
        (86_400_000_000_000, "86400 s"),
        (-1_500_000, "-1.5 ms"),
    ],
)
def test_durations_have_the_unit_that_suits_them(nanoseconds, text):
    assert duration(nanoseconds) == text


@pytest.mark.parametrize("exponent", range(15))
@pytest.mark.parametrize("factor", [1, 3, 9.94, 9.96, 9.994, 9.996, 9.9996])
def test_no_duration_needs_more_than_seven_characters_or_an_exponent(exponent, factor):
    text = duration(int(factor * 10**exponent))
    assert len(text) <= 7 or text.endswith("0 s")
    assert "e" not in text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (4_096, "4.1 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_118_616, "1.1 MB"),
    ],
)
def test_sizes_have_the_unit_that_suits_them(count, text):
    assert size(count) == text
