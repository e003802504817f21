from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from inspector.net.buffer import Buffer


def test_gives_back_what_was_fed_at_once_where_nothing_was_asked_for():
    assert Buffer().feed(b"abc") == b"abc"


def test_gives_nothing_until_as_much_is_there_as_was_asked_for():
    buffer = Buffer()
    buffer.keep(b"ab", 5)
    assert buffer.feed(b"c") == b""
    assert buffer.feed(b"d") == b""
    assert buffer.feed(b"ef") == b"abcdef"


def test_holds_nothing_after_it_gave_it():
    buffer = Buffer()
    buffer.feed(b"abc")
    assert buffer.take() == b""
    assert buffer.feed(b"d") == b"d"


def test_take_gives_what_is_held_although_more_was_asked_for():
    buffer = Buffer()
    buffer.keep(b"ab", 100)
    buffer.feed(b"c")
    assert buffer.take() == b"abc"


def test_an_empty_feed_gives_nothing_and_loses_nothing():
    buffer = Buffer()
    buffer.keep(b"ab", 3)
    assert buffer.feed(b"") == b""
    assert buffer.feed(b"c") == b"abc"


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 50)))
def test_every_byte_comes_out_once_and_in_order(pieces, needs):
    buffer = Buffer()
    needs = iter(needs)
    taken = b""
    for piece in pieces:
        held = buffer.feed(piece)
        half = len(held) // 2
        taken += held[:half]
        if held:
            buffer.keep(held[half:], next(needs, 0))
    assert taken + buffer.take() == b"".join(pieces)


def test_a_million_single_bytes_are_joined_in_linear_time():
    buffer = Buffer()
    buffer.keep(b"", 1_000_000)
    start = time.process_time()
    for _ in range(999_999):
        buffer.feed(b"x")
    assert buffer.feed(b"x") == b"x" * 1_000_000
    assert time.process_time() - start < 10  # joining at every feed would take many minutes
