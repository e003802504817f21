"""The command, as a process: what it says, how it ends, what it leaves behind."""

import asyncio
import contextlib
import fcntl
import os
import pty
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
from pathlib import Path

import command
import grpc
import grpc_peers as peers
import pytest
from command import run
from recording import calls_of

import inspector

PATIENCE = 60


@pytest.fixture(scope="module")
def server():
    with peers.serving() as (address, _):
        yield address


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.binlog"


@contextlib.contextmanager
def recording(target, path, *options, stderr=subprocess.PIPE):
    """The command, and where it listens."""
    words = ["record", "--listen", "127.0.0.1:0", "--target", target, "-o", str(path), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "inspector", *words],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=command.environment(),
    )
    if stderr != subprocess.PIPE:
        os.close(stderr)
        yield process, None, None
        process.kill()
        process.communicate(timeout=PATIENCE)
        return
    try:
        line = process.stderr.readline().decode()
        yield process, line.partition("listening on ")[2].partition(",")[0], line
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def ended(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err.decode().splitlines(), out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_records_until_it_is_told_to_end(server, path, number):
    with recording(f"grpc://{server}", path) as (process, address, line):
        assert line == f"inspector: listening on {address}, recording what goes to grpc://{server}\n"
        with peers.channel(address) as channel:
            assert peers.call(channel, "Bidi", [b"12"]).messages == (b"12", b"21")
        process.send_signal(number)
        code, lines, _ = ended(process)
    assert code == 0
    (last,) = lines
    assert last.startswith("inspector: 1 call, 3 messages, 1 connection, ")
    assert last.endswith(f"{path.stat().st_size} B logged")
    ((call, asked, answers),) = calls_of(path)
    assert (asked, answers, call.complete) == ([b"12"], [b"12", b"21"], True)


def test_a_kill_leaves_all_that_was_finished(server, path):
    with recording(f"grpc://{server}", path) as (process, address, _), peers.channel(address) as channel:
        assert peers.call(channel, "Unary", [b"u"]).messages == (b"u",)
        made = channel.stream_stream("/pkg.Echo/Bidi")(iter([b"%d" % number for number in range(50)]))
        answers = [next(made) for _ in range(60)]
        # Its log is written as soon as a message is handed on; it is asked for what it has handed on by one more call.
        assert peers.call(channel, "Unary", [b"v"]).messages == (b"v",)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    found = {call.number: (call, asked, got) for call, asked, got in calls_of(path)}
    assert found[1][2] == [b"u"]
    assert found[2][2][:60] == answers
    assert found[2][0].method == "/pkg.Echo/Bidi"


def test_ten_thousand_calls_and_100_megabytes_are_logged_whole_in_little_memory(server, path):
    async def calls(address, count):
        async with grpc.aio.insecure_channel(address, options=peers.OPTIONS) as channel:
            method = channel.unary_unary("/pkg.Echo/Unary")

            async def work(number):
                return [await method(b"%d-%d" % (number, index)) for index in range(count // 50)]

            return await asyncio.gather(*map(work, range(50)))

    with recording(f"grpc://{server}", path) as (process, address, _):
        asyncio.run(calls(address, 500))
        before = peak_memory(process)
        answers = [each for made in asyncio.run(calls(address, 10_000)) for each in made]
        with peers.channel(address) as channel:
            stream = channel.unary_stream("/pkg.Echo/Many")(b"100 1000000")
            assert sum(map(len, stream)) == 100_000_000
        grown = peak_memory(process) - before
        process.terminate()
        assert ended(process)[0] == 0
    assert sorted(set(answers)) == sorted(b"%d-%d" % (number, index) for number in range(50) for index in range(200))
    assert grown < 16_000_000
    assert path.stat().st_size > 100_000_000
    logged = [call for call in inspector.open(path).calls() if call.complete]
    assert len(logged) == 10_501
    assert sum(call.responses for call in logged) == 10_500 + 100
    assert max(call.response_bytes for call in logged) == 100_000_000


def peak_memory(process):
    """In bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_what_was_recorded_is_decoded(server, path):
    with recording(f"grpc://{server}", path) as (process, address, _):
        with peers.channel(address) as channel:
            peers.call(channel, "Unary", [b"\x08\x05"])
        process.terminate()
        assert ended(process)[0] == 0
    rows = run("decode", path).rows
    assert [(row["direction"], row["message"]) for row in rows] == [("request", {"1": 5}), ("response", {"1": 5})]
    (row,) = run("calls", path).rows
    assert (row["method"], row["status"]["name"]) == ("/pkg.Echo/Unary", "OK")


def test_a_profile_names_the_target(server, path, tmp_path, monkeypatch):
    profile = f'[targets.here]\naddress = "{server}"\nplaintext = true\nheaders = ["authorization: ${{NOT_SET}}"]\n'
    (tmp_path / "inspector.toml").write_text(profile)
    monkeypatch.chdir(tmp_path)
    with recording("@here", path) as (_, address, line), peers.channel(address) as channel:
        assert line.endswith(f"recording what goes to {server}\n")
        assert peers.call(channel, "Unary", [b"u"]).messages == (b"u",)
    unknown = run("record", "--listen", ":0", "--target", "@there", "-o", path, cwd=tmp_path)
    assert (unknown.code, "there" in unknown.err) == (2, True)


def test_a_log_may_go_to_standard_output(server):
    with recording(f"grpc://{server}", "-") as (process, address, _):
        with peers.channel(address) as channel:
            peers.call(channel, "Unary", [b"\x08\x05"])
        process.terminate()
        code, _, out = ended(process)
    assert code == 0
    assert [row["message"] for row in run("decode", "-", stdin=out).rows] == [{"1": 5}, {"1": 5}]


def test_files_are_limited_in_size_and_number(server, path):
    options = ("--max-file-size", "2K", "--max-files", "2", "--max-message-bytes", "100")
    with recording(f"grpc://{server}", path, *options) as (process, address, _):
        with peers.channel(address) as channel:
            peers.call(channel, "Unary", [bytes(5_000)])
            for _ in range(20):
                peers.call(channel, "Unary", [b"x" * 200])
        process.terminate()
        assert ended(process)[0] == 0
    files = sorted(path.parent.iterdir())
    assert len(files) == 2
    assert all(each.stat().st_size <= 2_000 for each in files)
    for each in files:
        assert all(call.method == "/pkg.Echo/Unary" for call, _, _ in calls_of(each) if call.requests)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--listen", "0.0.0.0:0"), "--listen 0.0.0.0:0 lets other machines in: say so with --allow-remote"),
        (("--listen", "nowhere"), "is no address to listen on"),
        (("--target", "http://a b"), "is not a target"),
        (("--append", "--force"), "use one of them"),
        (("--listen-cert", "x"), "--listen-cert and --listen-key go together"),
        (("--max-files", "2"), "--max-files needs --max-file-size"),
        (("-o", "-", "--max-file-size", "1K"), "standard output is no file"),
        (("-o", "-", "--append"), "standard output is no file"),
        (("--max-file-size", "many"), "is no size"),
    ],
)
def test_wrong_usage_is_told(path, options, words):
    usual = ("--listen", "127.0.0.1:0", "--target", "grpc://127.0.0.1:1", "-o", path)
    result = run("record", *usual, *options)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert words in result.err
    assert not path.exists()


def test_what_cannot_be_done_is_told_before_a_file_is_replaced(server, path, tmp_path):
    usual = ("record", "--listen", "127.0.0.1:0", "-o", path)
    path.write_bytes(b"mine")
    there = run(*usual, "--target", "grpc://127.0.0.1:1")
    assert (there.code, "this is there already" in there.err) == (1, True)
    file = run(*usual, "--force", "--target", "localhost:1", "--cacert", tmp_path / "none")
    assert (file.code, "cannot read the file of cacert" in file.err) == (1, True)
    taken = run("record", "--listen", server, "-o", path, "--force", "--target", "grpc://127.0.0.1:1")
    assert (taken.code, "cannot listen: Address already in use" in taken.err) == (1, True)
    assert path.read_bytes() == b"mine"


def test_other_machines_are_let_in_where_that_is_said(server, path):
    with recording(f"grpc://{server}", path, "--listen", "0.0.0.0:0", "--allow-remote") as (_, address, _):
        assert address.startswith("0.0.0.0:")
        with peers.channel(address.replace("0.0.0.0", "127.0.0.1")) as channel:
            assert peers.call(channel, "Unary", [b"u"]).code == "OK"


def test_a_log_that_cannot_be_written_is_a_failure_at_the_end(server):
    with recording(f"grpc://{server}", "-") as (process, address, _):
        process.stdout.close()
        with peers.channel(address) as channel:
            assert peers.call(channel, "Unary", [b"u"]).messages == (b"u",)
            assert peers.call(channel, "Unary", [b"v"]).messages == (b"v",)
        process.terminate()
        err = process.stderr.read().decode()
        assert process.wait(PATIENCE) == 1
    assert "-: the log cannot be written: Broken pipe; recording has ended, forwarding goes on\n" in err


def test_the_line_of_progress_fits_a_narrow_terminal(server, path):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(master, "rb", buffering=0) as terminal, recording(f"grpc://{server}", path, stderr=slave) as running:
        shown = b""
        while b"listening on" not in shown:
            shown += terminal.read(65_536)
        address = shown.decode().partition("listening on ")[2].partition(",")[0]
        with peers.channel(address) as channel:
            waiting = channel.unary_stream("/pkg.Echo/Wait")(b"w" * 5_000)
            assert len(next(waiting)) == 5_000
            while b"1 call (1 open)" not in shown:
                shown += terminal.read(65_536)
        running[0].terminate()
        with contextlib.suppress(OSError):  # how Linux says that the other end was closed
            while part := terminal.read(65_536):
                shown += part
        assert running[0].wait(PATIENCE) == 0
    begun = shown.decode().partition("\r\n")[2].rpartition("\r\x1b[K")[0]
    assert max(map(len, begun.split("\r\x1b[K"))) < 60
    assert shown.endswith(b" logged\r\n")


def test_a_socket_does_not_stay_behind_where_the_log_cannot_be_made(server, path, tmp_path):
    path.write_bytes(b"mine")
    where = tmp_path / "socket"
    result = run("record", "--listen", f"unix:{where}", "--target", f"grpc://{server}", "-o", path)
    assert (result.code, "this is there already" in result.err) == (1, True)
    assert not where.exists()


def test_what_happens_to_each_connection_is_told_only_so_often(server, path):
    with recording("grpc://127.0.0.1:1", path) as (process, address, _):
        for _ in range(30):
            with socket.create_connection(address.split(":")) as connected:
                assert connected.recv(1) == b""
        process.terminate()
        code, lines, _ = ended(process)
    assert code == 0
    assert len(lines) == 11
    assert [line for line in lines if "connection refused" in line] == lines[:10]
    assert lines[9].endswith("(this is told no more)")


def test_more_clients_than_files_may_be_open_are_told_of_in_a_line(server, path):
    with recording(f"grpc://{server}", path) as (process, address, _):
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (24, 24))
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection(address.split(":"))) for _ in range(20)]
            assert "too many open files" in process.stderr.readline().decode().lower()
            assert len(clients) == 20
        process.terminate()
        code, lines, _ = ended(process)
    assert code == 0
    assert len(lines) < 30


def test_as_many_files_may_be_open_as_the_system_allows(server, path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1] - 1, limits[1]))
        with recording(f"grpc://{server}", path) as (process, _, _):
            assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (limits[1], limits[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_it_does_not_record_itself(path):
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    for listen in (address, address.replace("127.0.0.1", "0.0.0.0")):
        result = run("record", "--listen", listen, "--allow-remote", "--target", f"grpc://{address}", "-o", path)
        assert result.code == 1
        assert "the target is where it listens itself" in result.err
    assert not path.exists()
