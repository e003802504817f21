import gzip
import random

import pytest

from inspector.limits import MIB
from inspector.sources.gunzip import Gunzip

TEXT = random.Random(1).randbytes(30_000) + bytes(50_000)


def opened(data, size=None):
    """What the data holds, fed in pieces of `size`, and the code of what is wrong with it."""
    gunzip = Gunzip()
    parts = []
    for at in range(0, len(data), size or len(data)):
        parts += gunzip.feed(data[at : at + (size or len(data))])
    gunzip.close()
    return b"".join(parts), gunzip.problem and gunzip.problem.code


@pytest.mark.parametrize("size", [None, 1, 7, 5_000])
def test_data_is_decompressed_in_any_pieces(size):
    assert opened(gzip.compress(TEXT), size) == (TEXT, None)


@pytest.mark.parametrize("size", [None, 1])
def test_several_members_follow_one_another(size):
    assert opened(gzip.compress(b"one") + gzip.compress(b"two"), size) == (b"onetwo", None)


def test_padding_behind_the_last_member_is_passed_over():
    assert opened(gzip.compress(b"one") + bytes(512)) == (b"one", None)


@pytest.mark.parametrize("cut", [5, 12, 1_000, 30_020, -1])
def test_data_that_is_cut_gives_what_is_there(cut):
    found, problem = opened(gzip.compress(TEXT)[:cut])
    assert TEXT.startswith(found)
    assert problem == "gzip_truncated"
    assert cut < 100 or len(found) > 900


@pytest.mark.parametrize("size", [None, 1_000])
def test_damaged_data_gives_what_comes_before(size):
    data = bytearray(gzip.compress(TEXT))
    data[-8:-4] = bytes(4)  # its checksum: all of the data comes before
    assert opened(bytes(data), size) == (TEXT, "gzip_damaged")


def test_damage_in_the_middle_keeps_the_beginning():
    text = b"".join(b"%d foxes, " % number for number in range(20_000))
    data = bytearray(gzip.compress(text))
    data[len(data) // 2 : len(data) // 2 + 20] = b"\xff" * 20
    found, problem = opened(bytes(data))
    assert problem == "gzip_damaged"
    assert len(found) > len(text) // 3
    assert found[: len(text) // 3] == text[: len(text) // 3]


def test_what_expands_a_lot_comes_in_pieces_of_bounded_size():
    gunzip = Gunzip()
    sizes = [len(piece) for piece in gunzip.feed(gzip.compress(bytes(50 * MIB)))]
    assert sum(sizes) == 50 * MIB
    assert max(sizes) <= MIB
