"""An index in the cache folder: found only whole, and never believed where it is not."""

from __future__ import annotations

import random
import struct
import zlib

import orjson
import pytest
from capture_files import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

import inspector
from inspector import limits
from inspector.errors import InputError
from inspector.index import saved
from inspector.index.saved import SavedIndex
from inspector.index.spool import DamagedIndexError
from inspector.model.call import Call, Message

CAPTURE = SAMPLES / "errors.pcapng"
HEADER = struct.Struct("<8sIIQQ")


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    """A cache folder for all tests of this module."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSPECTOR_CACHE", str(folder))
        patch.setattr(limits, "MIN_INDEX_CACHED", 0)
        yield folder


@pytest.fixture(autouse=True)
def own_cache(cache_folder):
    """It is the one of all tests."""


@pytest.fixture(scope="module")
def kept(cache_folder):
    """The file of an index, and its bytes."""
    inspector.open(CAPTURE).index().build().close()
    [file] = (cache_folder / "index").iterdir()
    return file, file.read_bytes()


@pytest.fixture(scope="module")
def truth():
    events = list(inspector.open(CAPTURE).events())
    return [each for each in events if type(each) is Call], [each for each in events if type(each) is Message]


def ask_everything(index):
    """All that it says, and which questions it does not answer."""
    said = []
    for ask in (index.call_at, index.call, index.messages_of, lambda n: index.message(n, "response", 0)):
        for number in range(20):
            try:
                said.append(ask(number))
            except IndexError as error:
                said.append(str(error))
    return said


def assert_true(index, truth):
    calls, messages = truth
    assert [index.call(call.number) for call in calls] == calls
    assert [index.message(each.call, each.direction, each.index) for each in messages] == messages


@pytest.mark.parametrize("seed", range(30))
def test_an_index_with_changed_bytes_is_made_anew_when_it_shows(seed, kept, truth):
    file, data = kept
    changed = bytearray(data)
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 20))):
        at = chance.randrange(len(data))
        changed[at] ^= chance.randrange(1, 256)
    file.write_bytes(changed)
    with inspector.open(CAPTURE).index() as index:
        index.build()
        assert_true(index, truth)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 500, -500, -1])
def test_an_index_that_is_cut_is_not_found(size, kept, truth):
    file, data = kept
    file.write_bytes(data[:size])
    with inspector.open(CAPTURE).index() as index:
        assert not index.complete
        assert_true(index.build(), truth)
    assert file.read_bytes() == data  # kept again


@pytest.mark.parametrize("start", [b"", b"\x89INSPIDX\x63\0\0\0", b"PK\x03\x04"])
def test_what_is_no_index_or_one_of_another_version_is_not_found(start, kept, tmp_path):
    _, data = kept
    file = tmp_path / "other"
    file.write_bytes(start + data[len(start) or len(data) :])
    with pytest.raises(DamagedIndexError):
        SavedIndex(file)


def test_an_index_that_is_gone_is_not_found(tmp_path):
    with pytest.raises(DamagedIndexError):
        SavedIndex(tmp_path / "nothing")


# --- made up by somebody who knows the format -------------------------------------------------------------------


def taken_apart(data):
    _, _, _, size, _ = HEADER.unpack_from(data)
    return data[HEADER.size : HEADER.size + size], orjson.loads(data[HEADER.size + size :])


def put_together(pages, footer):
    """A file whose checksums are right."""
    starts = range(0, len(pages), limits.INDEX_PAGE)
    if "checksums" in footer:
        footer["checksums"] = [zlib.crc32(pages[at : at + limits.INDEX_PAGE]) for at in starts]
    text = orjson.dumps(footer)
    return HEADER.pack(b"\x89INSPIDX", saved.VERSION, zlib.crc32(text), len(pages), len(text)) + pages + text


def test_a_file_is_put_together_as_it_was(kept):
    _, data = kept
    assert put_together(*taken_apart(data)) == data


odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.integers(-3, 30_000), st.text(max_size=3),
    st.lists(st.integers(-1, 1 << 40), max_size=4), st.lists(st.lists(st.none(), max_size=4), max_size=3),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_made_up_footer_is_no_harm(data, kept):
    file, original = kept
    pages, footer = taken_apart(original)
    for name in data.draw(st.lists(st.sampled_from(sorted(footer)), min_size=1, max_size=3)):
        if isinstance(footer[name], list) and footer[name] and data.draw(st.booleans()):
            footer[name][data.draw(st.integers(0, len(footer[name]) - 1))] = data.draw(odd)
        else:
            footer[name] = data.draw(odd)
    file.write_bytes(put_together(pages, footer) if isinstance(footer["checksums"], list) else original)
    with inspector.open(CAPTURE).index() as index:
        ask_everything(index)
        assert len(index.column("started")) == len(index)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_made_up_pages_are_no_harm(data, kept):
    file, original = kept
    pages, footer = taken_apart(original)
    made = bytearray(pages)
    for _ in range(data.draw(st.sampled_from((1, 5, 100)))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.sampled_from((0, 1, 0x22, 0x5B, 0x7F, 0xFF)))
    file.write_bytes(put_together(bytes(made), footer))
    with inspector.open(CAPTURE).index() as index:
        try:
            ask_everything(index)
        except InputError:
            pytest.fail("a made-up index is replaced by a true one")


def test_a_place_beyond_all_bounds_is_no_harm(kept, truth):
    file, original = kept
    pages, footer = taken_apart(original)
    made = bytearray(pages)
    for row in range(footer["count"]):
        struct.pack_into("<q", made, footer["rows"] + 64 * row + 16, -1 << 16)
    file.write_bytes(put_together(bytes(made), footer))
    with inspector.open(CAPTURE).index() as index:
        assert index.complete
        assert_true(index, truth)
