"""How long contents may be."""

from __future__ import annotations

import pytest

from inspector.errors import DecodeError
from inspector.transcode.content_length import read_content_length
from inspector.wire.encode import varint


def test_a_length_is_one_that_the_runtime_takes():
    assert read_content_length(b"\x03abc", 0, 4) == (3, 1)
    assert read_content_length(b"\x83\x80\x80\x80\x00abc", 0, 8) == (3, 5)
    with pytest.raises(DecodeError, match="over 2\\^31-1"):
        read_content_length(b"\x83\x80\x80\x80\x80\x00abc", 0, 9)
    with pytest.raises(DecodeError, match="announced"):
        read_content_length(varint(1 << 31), 0, 5)
