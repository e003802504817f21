"""Logs that are written: each entry as the protobuf runtime reads it, each file only where it may be."""

import os
import stat

import pytest
from binlogs import GrpcLogEntry, fixed, split, unary, varint
from hypothesis import given
from hypothesis import strategies as st

from inspector.client import binlog_writer as writing
from inspector.client.binlog_writer import BinlogFile, FileLimits
from inspector.errors import InputError
from inspector.model.call import Status
from inspector.sources import binlog_entry as log

TIME = 1_790_000_000_123_456_789
UINT64 = st.integers(1, (1 << 64) - 1)


def read(parts):
    data = b"".join(parts)
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    made = GrpcLogEntry.FromString(data[4:])
    assert made.SerializeToString() == data[4:]  # nothing unknown, nothing needless
    return made


def pairs(metadata):
    return [(each.key, each.value) for each in metadata.entry]


def one_entry(data=b""):
    return writing.message(log.CLIENT_MESSAGE, 1, 2, TIME, data, len(data))


@given(UINT64, UINT64, st.binary(max_size=300))
def test_messages_are_entries(call, sequence, data):
    made = read(writing.message(log.SERVER_MESSAGE, call, sequence, TIME, data, len(data)))
    assert (made.call_id, made.sequence_id_within_call, made.type) == (call, sequence, log.SERVER_MESSAGE)
    assert (made.timestamp.seconds, made.timestamp.nanos) == divmod(TIME, 1_000_000_000)
    assert (made.message.length, made.message.data, made.payload_truncated) == (len(data), data, False)


def test_a_message_of_which_a_part_is_kept_says_so():
    made = read(writing.message(log.CLIENT_MESSAGE, 1, 2, TIME, b"ab", 7))
    assert (made.message.length, made.message.data, made.payload_truncated) == (7, b"ab", True)
    made = read(writing.message(log.CLIENT_MESSAGE, 1, 2, TIME, b"", 7))
    assert (made.message.length, made.message.data, made.payload_truncated) == (7, b"", True)


def test_a_client_header_has_what_is_the_applications():
    fields = (
        (":method", "POST"),
        (":path", "/a/b"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "x"),
        ("grpc-timeout", "1S"),
        ("grpc-accept-encoding", "gzip"),
        ("lb-token", "t"),
        ("x-plain", "\xc3\xa4"),
        ("x-plain", ""),
        ("x-bin", "\0\xff\x01"),
        ("y-bin", "AAE,_w"),
        ("z-bin", "!"),
        ("grpc-trace-bin", "AAE="),
    )
    payload = writing.client_header(fields, "/a/b", "host:1", 1_500_000_000)
    made = read(writing.entry(log.CLIENT_HEADER, 1, 1, TIME, payload, peer=writing.address("127.0.0.1", 80)))
    header = made.client_header
    assert pairs(header.metadata) == [
        ("x-plain", b"\xc3\xa4"),
        ("x-plain", b""),
        ("x-bin", b"\xff\x01"),
        ("y-bin", b"\0\x01"),
        ("y-bin", b"\xff"),
        ("z-bin", b"!"),
        ("grpc-trace-bin", b"\0\x01"),
    ]
    assert (header.method_name, header.authority) == ("/a/b", "host:1")
    assert (header.timeout.seconds, header.timeout.nanos) == (1, 500_000_000)
    assert (made.peer.type, made.peer.address, made.peer.ip_port, made.logger) == (1, "127.0.0.1", 80, 1)


def test_a_trailer_has_status_and_details():
    payload = writing.trailer((("grpc-status", "5"), ("x", "y")), Status(5, "NOT_FOUND", "keine Größe", b"\x08\x05"))
    made = read(writing.entry(log.SERVER_TRAILER, 1, 3, TIME, payload, truncated=True))
    assert (made.trailer.status_code, made.trailer.status_message) == (5, "keine Größe")
    assert made.trailer.status_details == b"\x08\x05"
    assert pairs(made.trailer.metadata) == [("x", b"y")]
    assert made.payload_truncated


@pytest.mark.parametrize(
    ("host", "port", "kind", "text"),
    [
        ("::1", 5, 2, "::1"),
        ("fe80::1%eth0", 6, 2, "fe80::1"),
        ("10.0.0.1", 7, 1, "10.0.0.1"),
        ("/run/x", None, 3, "/run/x"),
    ],
)
def test_addresses_are_peers(host, port, kind, text):
    peer = read(writing.entry(log.CANCEL, 1, 3, TIME, peer=writing.address(host, port))).peer
    assert (peer.type, peer.address, peer.ip_port) == (kind, text, port or 0)


# --- files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.binlog"


def write(path, *entries, **options):
    file = BinlogFile(str(path), **options)
    try:
        for each in entries:
            file.write([each])
    finally:
        file.close()
    return file


def test_entries_are_in_the_file_when_they_are_written(path):
    file = BinlogFile(str(path))
    file.write([one_entry(b"ab"), one_entry(b"cd")])
    assert [made.message.data for made in split(path.read_bytes())] == [b"ab", b"cd"]
    file.write([one_entry(b"ef")])
    assert len(split(path.read_bytes())) == 3
    assert file.written == path.stat().st_size
    file.close()


def test_many_entries_at_once_are_all_written(path):
    entries = [one_entry(b"%d" % number) for number in range(2_000)]
    file = BinlogFile(str(path))
    file.write(entries)
    file.close()
    assert [made.message.data for made in split(path.read_bytes())] == [b"%d" % number for number in range(2_000)]


def test_only_its_user_may_read_a_log(path):
    mask = os.umask(0)
    try:
        write(path, one_entry())
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_kept_unless_said_otherwise(path):
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"this is there already \(--append adds to it, --force overwrites it\)"):
        BinlogFile(str(path))
    assert path.read_bytes() == b"mine"
    write(path, one_entry(b"new"), mode="force")
    assert [made.message.data for made in split(path.read_bytes())] == [b"new"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_may_be_added_to(path):
    path.write_bytes(fixed(unary()))
    path.chmod(0o644)
    write(path, one_entry(b"more"), mode="append")
    assert [made.message.data for made in split(path.read_bytes())][-1] == b"more"
    assert len(split(path.read_bytes())) == 7
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write(path.with_name("other"), one_entry(b"first"), mode="append")
    assert path.with_name("other").exists()


@pytest.mark.parametrize("content", [b"something else", varint(unary())])
def test_what_is_no_such_log_is_not_added_to(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="this is no log of the kind that is written here"):
        BinlogFile(str(path), "append")
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", ["new", "append", "force"])
def test_links_and_folders_are_not_written_through(path, mode, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(fixed(unary()))
    before = victim.read_bytes()
    path.symlink_to(victim)
    with pytest.raises(InputError, match=r"this is a link|no regular file"):
        BinlogFile(str(path), mode)
    assert victim.read_bytes() == before
    assert path.is_symlink()
    with pytest.raises(InputError, match=r"this is a directory|no regular file"):
        BinlogFile(str(tmp_path), mode)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        BinlogFile(str(tmp_path / "none" / "x"))


def test_a_disk_that_is_full_is_told(path, monkeypatch):
    file = BinlogFile(str(path))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(InputError, match="the log cannot be written: No space left on device"):
        file.write([one_entry()])
    file.close()


def test_a_system_that_takes_a_few_bytes_at_a_time_gets_all(path, monkeypatch):
    monkeypatch.setattr(os, "writev", lambda descriptor, views: os.write(descriptor, bytes(views[0])[:3]))
    write(path, one_entry(b"abcdefgh"), one_entry(b"ij"))
    assert [made.message.data for made in split(path.read_bytes())] == [b"abcdefgh", b"ij"]


# --- parts -------------------------------------------------------------------------------------------------------

SIZE = len(b"".join(one_entry(b"12")))


def parts(path):
    return {
        each.name.removeprefix("calls.binlog"): [made.message.data for made in split(each.read_bytes())]
        for each in sorted(path.parent.iterdir())
    }


ENTRIES = [one_entry(b"%02d" % number) for number in range(5)]


def test_a_log_goes_on_in_the_next_file(path):
    file = write(path, *ENTRIES, limits=FileLimits(2 * SIZE))
    assert parts(path) == {"": [b"00", b"01"], ".1": [b"02", b"03"], ".2": [b"04"]}
    assert file.written == 5 * SIZE
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def test_an_entry_larger_than_a_file_has_one_for_itself(path):
    write(path, ENTRIES[0], one_entry(bytes(500)), ENTRIES[1], limits=FileLimits(2 * SIZE))
    assert parts(path) == {"": [b"00"], ".1": [bytes(500)], ".2": [b"01"]}


def test_only_the_last_files_are_kept(path):
    write(path, *ENTRIES, limits=FileLimits(SIZE, files=2))
    assert parts(path) == {".3": [b"03"], ".4": [b"04"]}


def test_a_file_begins_with_the_headers_of_the_calls_that_go_on(path):
    opening = b"".join(one_entry(b"header"))
    write(path, *ENTRIES[:3], limits=FileLimits(2 * SIZE), repeat=lambda: [opening])
    assert parts(path) == {"": [b"00", b"01"], ".1": [b"header", b"02"]}


def test_files_of_another_log_in_parts_are_not_mixed_in(path):
    path.with_name("calls.binlog.3").write_bytes(b"")
    with pytest.raises(InputError, match=r"calls.binlog.3: this is there already"):
        BinlogFile(str(path), limits=FileLimits(SIZE))
    write(path, *ENTRIES[:2], mode="force", limits=FileLimits(SIZE))
    assert parts(path) == {"": [b"00"], ".1": [b"01"]}


def test_a_log_in_parts_is_added_to_at_its_end(path):
    write(path, *ENTRIES[:3], limits=FileLimits(2 * SIZE))
    write(path, *ENTRIES[3:], mode="append", limits=FileLimits(2 * SIZE))
    assert parts(path) == {"": [b"00", b"01"], ".1": [b"02", b"03"], ".2": [b"04"]}
