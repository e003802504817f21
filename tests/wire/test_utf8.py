"""UTF-8 is found where decoding all bytes at once finds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import utf8
from inspector.wire.utf8 import find_invalid_utf8

PIECES = st.sampled_from(
    [b"a", "ж".encode(), "漢".encode(), "🙂".encode(), b"\xff", b"\xd0", b"\xe6\xbc", b"\xed\xa0\x80"]
)


@given(st.lists(PIECES, max_size=30).map(b"".join), st.integers(1, 9), st.integers(0, 3))
def test_the_offset_is_that_of_the_decoder(data, step, start):
    start = min(start, len(data))
    try:
        data[start:].decode()
        expected = None
    except UnicodeDecodeError as error:
        expected = start + error.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utf8, "_STEP", step + 3)  # a character fits
        assert find_invalid_utf8(data, start, len(data)) == expected


def test_no_more_is_looked_at_than_asked():
    assert find_invalid_utf8(b"\xffabc\xff", 1, 4) is None
