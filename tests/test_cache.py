import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from inspector import cache, user_folder
from inspector.user_folder import FileBytes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder that is not there yet."""
    place = tmp_path / "cache"
    monkeypatch.setenv("INSPECTOR_CACHE", str(place))
    return place


def set_age(path, seconds):
    used = time.time() - seconds
    os.utime(path, (used, used))


def test_what_is_written_is_read(folder):
    cache.write("schema", "abc", b"one", memoryview(b"two"))
    assert cache.read("schema", "abc") == b"onetwo"
    assert cache.path("schema", "abc") == folder / "schema" / "abc.cache"


def test_parts_may_be_arrays_of_numbers(folder):
    cache.write("schema", "abc", memoryview(b"\1\0\2\0").cast("H"))
    assert cache.read("schema", "abc") == b"\1\0\2\0"


def test_what_was_not_written_is_not_there(folder):
    assert cache.read("schema", "abc") is None
    assert cache.path("schema", "abc") is None
    cache.write("schema", "abc", b"data")
    assert cache.read("schema", "abd") is None
    assert cache.read("index", "abc") is None


def test_an_entry_is_replaced_and_forgotten(folder):
    cache.write("schema", "abc", b"first")
    cache.write("schema", "abc", b"second")
    assert cache.read("schema", "abc") == b"second"
    cache.forget("schema", "abc")
    assert cache.read("schema", "abc") is None
    cache.forget("schema", "abc")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "a\0", "ä", "x" * 101])
def test_a_name_that_could_lead_elsewhere_is_refused(folder, name):
    with pytest.raises(ValueError, match="name a file"):
        cache.read("schema", name)
    with pytest.raises(ValueError, match="name a file"):
        cache.write(name, "abc", b"")


# --- where it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "off"])
def test_it_can_be_switched_off(monkeypatch, value, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INSPECTOR_CACHE", value)
    assert cache.folder() is None
    cache.write("schema", "abc", b"data")
    assert cache.read("schema", "abc") is None
    assert list(tmp_path.iterdir()) == []


def test_it_is_where_caches_of_the_system_are(monkeypatch, tmp_path):
    monkeypatch.delenv("INSPECTOR_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "inspector"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == tmp_path / ".cache" / "inspector"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == tmp_path / "Library" / "Caches" / "inspector"


def test_without_a_home_there_is_none(monkeypatch):
    monkeypatch.delenv("INSPECTOR_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "nowhere")
    assert cache.folder() is None


# --- who may read and write it -----------------------------------------------------------------------------------


def test_only_the_user_may_look_into_it(folder):
    before = os.umask(0)
    try:
        cache.write("schema", "abc", b"data")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder / "schema", folder / "schema" / "abc.cache")]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("place", ["", "schema", "schema/abc.cache"])
@pytest.mark.parametrize("bit", [stat.S_IWGRP, stat.S_IWOTH])
def test_what_others_could_have_written_is_not_read(folder, place, bit):
    cache.write("schema", "abc", b"data")
    (folder / place).chmod((folder / place).stat().st_mode | bit)
    assert cache.read("schema", "abc") is None


@pytest.mark.parametrize("place", ["", "schema"])
def test_nothing_is_written_where_others_may_write(folder, place):
    cache.write("schema", "abc", b"data")
    (folder / place).chmod(0o777)
    cache.write("schema", "other", b"data")
    assert not (folder / "schema" / "other.cache").exists()


def test_what_is_of_another_user_is_not_read(folder, monkeypatch):
    cache.write("schema", "abc", b"data")
    assert cache.read("schema", "abc") == b"data"
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert cache.read("schema", "abc") is None


def test_links_are_not_followed(folder, tmp_path):
    cache.write("schema", "abc", b"data")
    (folder / "schema" / "abc.cache").rename(tmp_path / "elsewhere")
    (folder / "schema" / "abc.cache").symlink_to(tmp_path / "elsewhere")
    assert cache.read("schema", "abc") is None
    cache.write("schema", "abc", b"new")
    assert cache.read("schema", "abc") == b"new"
    assert (tmp_path / "elsewhere").read_bytes() == b"data"


# --- where it cannot be used -------------------------------------------------------------------------------------


@pytest.mark.parametrize("beneath", ["", "deeper"])
def test_a_folder_that_cannot_be_made_is_done_without(folder, monkeypatch, beneath):
    folder.write_bytes(b"this is a file")
    monkeypatch.setenv("INSPECTOR_CACHE", str(folder / beneath))
    cache.write("schema", "abc", b"data")
    assert cache.read("schema", "abc") is None


def test_a_disk_that_is_full_leaves_nothing_behind(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    cache.write("schema", "abc", b"before")
    monkeypatch.setattr(os, "write", full)
    cache.write("schema", "abc", b"after")
    assert cache.read("schema", "abc") == b"before"
    assert [each.name for each in (folder / "schema").iterdir()] == ["abc.cache"]


def test_writes_of_a_part_at_a_time_are_continued(folder, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    cache.write("schema", "abc", b"0123456789")
    assert cache.read("schema", "abc") == b"0123456789"


# --- several at once ---------------------------------------------------------------------------------------------


def test_an_entry_is_whole_however_many_write_it(folder):
    contents = [bytes([number]) * 100_000 for number in range(8)]
    seen = []

    def work(data):
        for _ in range(20):
            cache.write("schema", "abc", data)
            seen.append(cache.read("schema", "abc"))

    threads = [threading.Thread(target=work, args=(data,)) for data in contents]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(seen) == 160
    assert set(seen) <= set(contents)
    assert [each.name for each in (folder / "schema").iterdir()] == ["abc.cache"]


def test_processes_see_what_others_wrote(folder):
    code = "from inspector import cache; cache.write('schema', 'abc', b'data')"
    root = os.path.dirname(os.path.dirname(cache.__file__))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=60)
    assert cache.read("schema", "abc") == b"data"


# --- how much is kept --------------------------------------------------------------------------------------------


def test_the_oldest_used_go_where_there_are_too_many(folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHE_ENTRIES", 3)
    for age, key in enumerate(("newest", "used", "old")):
        cache.write("schema", key, b"data")
        set_age(folder / "schema" / f"{key}.cache", 100 * (age + 1))
    set_age(folder / "schema" / "used.cache", 1000)
    assert cache.read("schema", "used") == b"data"
    cache.write("index", "fourth", b"data")
    found = {key for key in ("newest", "used", "old") if cache.read("schema", key)}
    assert found == {"newest", "used"}
    assert cache.read("index", "fourth") == b"data"


def test_the_oldest_used_go_where_they_are_too_large(folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHE_BYTES", 100)
    for age, key in enumerate(("a", "b", "c")):
        cache.write("schema", key, bytes(30))
        set_age(folder / "schema" / f"{key}.cache", 100 * (age + 1))
    cache.write("schema", "d", bytes(30))
    assert [key for key in "abcd" if cache.read("schema", key)] == ["a", "b", "d"]


def test_what_is_larger_than_the_whole_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHE_BYTES", 100)
    cache.write("schema", "small", b"data")
    cache.write("schema", "large", bytes(60), bytes(41))
    assert cache.read("schema", "large") is None
    assert cache.read("schema", "small") == b"data"


def test_only_entries_are_ever_removed(folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHE_ENTRIES", 1)
    strange = [folder / "letter.txt", folder / "schema" / "letter.txt", folder / "deep" / "er" / "x.cache"]
    for each in strange:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(b"dear")
    folder.chmod(0o700)
    (folder / "schema").chmod(0o700)
    for key in ("a", "b"):
        cache.write("schema", key, b"data")
    assert all(each.exists() for each in strange)
    assert [key for key in "ab" if cache.read("schema", key)] == ["b"]


def test_what_writers_left_is_removed_when_they_are_surely_gone(folder):
    cache.write("schema", "a", b"data")
    left, busy = folder / "schema" / "x.cache.1-0.part", folder / "schema" / "y.cache.2-0.part"
    left.write_bytes(b"")
    busy.write_bytes(b"")
    set_age(left, 7200)
    cache.write("schema", "b", b"data")
    assert not left.exists()
    assert busy.exists()


def test_a_part_may_stand_in_a_file(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(user_folder, "_AT_ONCE", 4)
    (tmp_path / "long").write_bytes(b"0123456789")
    with open(tmp_path / "long", "rb") as file:
        cache.write("schema", "abc", b"<", FileBytes(file.fileno(), 9), b">")
    assert cache.read("schema", "abc") == b"<012345678>"
