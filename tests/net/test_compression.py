"""Message encodings, with what the foreign libraries make as the input."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib

import cramjam
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import DecodeError
from inspector.limits import MIB
from inspector.net.compression import ENCODINGS, SMALL, decompress

LIMIT = 4 * MIB
TEXT = b"the quick brown fox " * 500


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def zstd(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def zstd_streamed(data):
    stream = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return stream.compress(data) + stream.flush()


def snappy_framed(data):
    return bytes(cramjam.snappy.compress(data))


def snappy_block(data):
    return bytes(cramjam.snappy.compress_raw(data))


MAKERS = {
    "gzip": ("gzip", gzip.compress),
    "deflate, zlib": ("deflate", zlib.compress),
    "deflate, raw": ("deflate", raw_deflate),
    "zstd": ("zstd", zstd),
    "zstd without size": ("zstd", lambda data: zstd(data, write_content_size=False)),
    "zstd, streamed": ("zstd", zstd_streamed),
    "snappy, framed": ("snappy", snappy_framed),
    "snappy, block": ("snappy", snappy_block),
    "identity": ("identity", bytes),
}
FORMATS = pytest.mark.parametrize(("encoding", "compress"), MAKERS.values(), ids=MAKERS)
COMPRESSED = pytest.mark.parametrize(("encoding", "compress"), list(MAKERS.values())[:-1], ids=list(MAKERS)[:-1])


def damage(encoding, data, limit=LIMIT):
    with pytest.raises(DecodeError) as caught:
        decompress(encoding, data, limit)
    return caught.value.code


@FORMATS
@given(data=st.binary(max_size=2000) | st.integers(0, 300_000).map(bytes))
def test_round_trip(encoding, compress, data):
    assert decompress(encoding, compress(data), LIMIT) == data


def test_all_encodings_are_covered():
    assert {encoding for encoding, _ in MAKERS.values()} == set(ENCODINGS)


def test_an_unknown_encoding_names_those_that_are_known():
    with pytest.raises(DecodeError, match="identity, gzip, deflate, zstd, snappy") as caught:
        decompress("br\x1b", b"", LIMIT)
    assert caught.value.code == "compression_unknown"
    assert "\x1b" not in str(caught.value)


# --- several parts -----------------------------------------------------------------------------------------------


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_gzip_members_and_zstd_frames_follow_each_other(parts):
    assert decompress("gzip", b"".join(map(gzip.compress, parts)), LIMIT) == b"".join(parts)
    assert decompress("zstd", b"".join(map(zstd, parts)), LIMIT) == b"".join(parts)


def test_skippable_zstd_frames_and_snappy_chunks_are_skipped():
    skippable = struct.pack("<II", 0x184D2A5F, 3) + b"abc"
    assert decompress("zstd", skippable + zstd(TEXT) + skippable, LIMIT) == TEXT
    framed = snappy_framed(TEXT)
    assert decompress("snappy", framed + b"\xfe\x02\0\0ab" + framed, LIMIT) == TEXT * 2


def test_a_large_zstd_window_is_accepted_up_to_the_output_allowed():
    parameters = zstandard.ZstdCompressionParameters(window_log=23)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert decompress("zstd", stream.compress(TEXT) + stream.flush(), LIMIT) == TEXT
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert damage("zstd", stream.compress(TEXT) + stream.flush()) == "compression_damaged"


# --- damage ------------------------------------------------------------------------------------------------------


@COMPRESSED
def test_data_that_is_cut_off_is_damaged(encoding, compress):
    data = compress(TEXT)
    ends = set(range(len(data)))
    if encoding == "snappy":
        ends -= {0, 10}  # a stream without chunks, and one that has only begun
    for end in ends:
        assert damage(encoding, data[:end]) == "compression_damaged"


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 20, b"garbage"])
@COMPRESSED
def test_data_with_something_behind_it_is_damaged(encoding, compress, tail):
    assert damage(encoding, compress(TEXT) + tail) == "compression_damaged"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_empty_data_is_damaged(encoding):
    assert damage(encoding, b"") == "compression_damaged"


def test_empty_data_is_a_snappy_stream_without_chunks():
    """Go's snappy.Writer makes it of an empty message."""
    assert decompress("snappy", b"", LIMIT) == b""


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, zstd_streamed, snappy_framed])
def test_a_wrong_checksum_is_damage(compress):
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate", zstd_streamed: "zstd"}.get(compress, "snappy")
    data = bytearray(compress(b"some text"))
    place = {"gzip": -8, "deflate": -1, "zstd": -1, "snappy": 15}[encoding]
    data[place] ^= 1
    assert damage(encoding, bytes(data)) == "compression_damaged"


@st.composite
def nearly_valid(draw):
    encoding, compress = draw(st.sampled_from(list(MAKERS.values())))
    data = bytearray(compress(draw(st.binary(max_size=300))))
    for place, octet in draw(st.lists(st.tuples(st.integers(0, 320), st.integers(0, 255)), max_size=4)):
        data[place : place + 1] = [octet]
    return encoding, bytes(data)


@given(case=st.tuples(st.sampled_from(ENCODINGS), st.binary(max_size=300)) | nearly_valid(), limit=st.integers(0, 400))
def test_any_bytes_give_bounded_data_or_a_decode_error(case, limit):
    encoding, data = case
    try:
        result, code = decompress(encoding, data, limit), None
    except DecodeError as error:
        result, code = b"", error.code
    assert len(result) <= limit
    assert code in (None, "compression_damaged", "compression_limit")


# --- bounds ------------------------------------------------------------------------------------------------------


@FORMATS
def test_the_limit_itself_is_allowed(encoding, compress):
    data = compress(TEXT)
    assert decompress(encoding, data, len(TEXT)) == TEXT
    assert damage(encoding, data, len(TEXT) - 1) == "compression_limit"


def gzip_bomb():
    stream = zlib.compressobj(9, wbits=31)
    return b"".join(stream.compress(bytes(MIB)) for _ in range(1000)) + stream.flush()


def zstd_bomb():
    stream = zstandard.ZstdCompressor().compressobj()
    return b"".join(stream.compress(bytes(MIB)) for _ in range(1000)) + stream.flush()


BOMBS = {
    "gzip": ("gzip", gzip_bomb),
    "gzip members": ("gzip", lambda: gzip.compress(bytes(3 * MIB)) * 300),
    "deflate": ("deflate", lambda: zlib.compress(bytes(200 * MIB))),
    "deflate, raw": ("deflate", lambda: raw_deflate(bytes(200 * MIB))),
    "zstd": ("zstd", zstd_bomb),
    "zstd frames": ("zstd", lambda: zstd(bytes(3 * MIB), write_content_size=False) * 300),
    "zstd that says so": ("zstd", lambda: zstd(bytes(200 * MIB))),
    "snappy, framed": ("snappy", lambda: snappy_framed(bytes(200 * MIB))),
    "snappy, block": ("snappy", lambda: snappy_block(bytes(200 * MIB))),
}


@pytest.mark.parametrize(("encoding", "make"), BOMBS.values(), ids=BOMBS)
def test_bombs_stop_early(encoding, make):
    bomb = make()
    tracemalloc.start()
    try:
        assert damage(encoding, bomb) == "compression_limit"
        assert tracemalloc.get_traced_memory()[1] < 2 * LIMIT + 10 * MIB
    finally:
        tracemalloc.stop()


def test_the_ratio_is_bounded_but_for_small_data():
    data = zstd(bytes(SMALL))
    assert len(data) * 2000 < SMALL
    assert decompress("zstd", data, LIMIT) == bytes(SMALL)
    assert damage("zstd", zstd(bytes(SMALL + 1))) == "compression_limit"


@pytest.mark.parametrize("declared", [b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\x01"])
def test_a_length_that_is_only_declared_is_not_allocated(declared):
    tracemalloc.start()
    try:
        assert damage("snappy", declared + b"\x10hello") == "compression_damaged"
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "part"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd(b""))], ids=["gzip", "zstd"]
)
def test_a_megabyte_of_empty_parts(encoding, part):
    assert decompress(encoding, part * (MIB // len(part)), LIMIT) == b""
