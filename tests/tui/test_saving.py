"""What is saved: files that our own commands read, and tests too."""

from __future__ import annotations

import json
import os
import stat

import pytest
from command import run
from sample_server import serving
from tui.terminal import NARROW, ROOT, SAMPLES, WIDE, Terminal, drive, sample

import inspector
from inspector.tui.document import Document
from inspector.views.file_forms import suggested

SCHEMA = ("-s", str(ROOT / "protos"))
TYPE = ("-t", "vision.v1.PredictRequest")
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(letter: str, name: str = "predict.pcapng", *before: str, **options: object) -> str:
    """Saves under the name that is suggested; what was said."""
    said: list[str] = []

    async def steps(terminal: Terminal) -> None:
        await terminal.press(*(before or ("j",)), "w", letter, "enter")
        await terminal.until(lambda: bool(terminal.notices()))
        said.append(terminal.notices()[-1])

    drive([sample(name, **options)], steps, NARROW)
    return said[0]


def request() -> bytes:
    """The first request of call 2."""
    with inspector.open(SAMPLES / "predict.pcapng") as opened:
        return next(each.data for each in opened.messages() if each.call == 2)


# --- a message ---------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_message_are_saved_as_they_are(folder):
    said = save("b")
    path = folder / "Predict-2-request-0.binpb"
    assert path.read_bytes() == request()
    assert said == "saved Predict-2-request-0.binpb, 552 B"
    assert inspector.decode(path.read_bytes(), TYPE[1], schema=SCHEMA[1])["model"] == "models/wildlife/versions/7"


@pytest.mark.parametrize(
    ("letter", "suffix", "form"), [("j", "json", "json"), ("t", "txtpb", "text"), ("y", "yaml", "yaml")]
)
def test_the_texts_of_a_message_are_encoded_to_it_again(folder, letter, suffix, form):
    save(letter)
    path = folder / f"Predict-2-request-0.{suffix}"
    out = folder / "again.binpb"
    assert run("encode", str(path), "--from", form, *SCHEMA, *TYPE, "-o", str(out)).code == 0
    assert inspector.diff(request(), out.read_bytes(), TYPE[1], schema=SCHEMA[1]) == []


def test_bytes_as_hex_are_converted_again(folder):
    save("x")
    path = folder / "Predict-2-request-0.hex"
    assert bytes.fromhex(path.read_text()) == request()
    result = run("convert", str(path), "--from", "hex", "--to", "binary", "-o", str(folder / "again"))
    assert result.code == 0
    assert (folder / "again").read_bytes() == request()


def test_a_message_without_a_schema_is_a_guess_that_is_encoded_again(folder):
    save("j", schema=False)
    path = folder / "Predict-2-request-0.json"
    assert run("convert", str(path), "--from", "json", "--to", "binary", "-o", str(folder / "again")).code == 0
    assert inspector.diff(request(), (folder / "again").read_bytes()) == []


def test_a_payload_is_named_by_its_file(folder):
    assert save("b", "payloads/responses.delimited", "j") == "saved responses-message-0.binpb, 96 B"


# --- a call ------------------------------------------------------------------------------------------------------


def test_a_log_of_a_call_opens_again_everywhere(folder):
    save("l", "predict.pcapng", "j", "j", "j")
    path = str(folder / "WatchVideo-4.binlog")
    (row,) = run("calls", path).rows
    assert row["method"] == "/vision.v1.PredictionService/WatchVideo"
    assert (row["requests"], row["responses"], row["status"]["name"]) == (1, 4, "OK")
    captured = run("decode", str(SAMPLES / "predict.pcapng"), "--call", "4", *SCHEMA).rows
    assert [each["message"] for each in run("decode", path, *SCHEMA).rows] == [each["message"] for each in captured]
    with serving() as address:
        replayed = run("replay", path, "--target", address, "--plaintext", *SCHEMA)
    assert [row["outcome"] for row in replayed.rows] == ["same"]

    async def steps(terminal: Terminal) -> None:
        assert "WatchVideo" in terminal.text()

    drive([Document(path)], steps)


def test_records_are_those_of_decode_and_calls(folder):
    save("r", "predict.pcapng", "j", "j", "j")
    whole = run("decode", str(SAMPLES / "predict.pcapng"), "--call", "4", "--raw", *SCHEMA).out
    assert (folder / "WatchVideo-4.ndjson").read_bytes() == whole
    save("k", "predict.pcapng", "j", "j", "j")
    rows = run("calls", str(SAMPLES / "predict.pcapng"), *SCHEMA).rows
    assert json.loads((folder / "WatchVideo-4.json").read_text()) == rows[3]


@pytest.mark.parametrize("letter", ["l", "k"])
def test_credentials_are_masked_and_that_is_said(folder, letter):
    said = save(letter, "hpack.pcapng")
    (path,) = folder.iterdir()
    assert said.endswith("; credentials in its headers are masked")
    assert b"<masked>" in path.read_bytes()
    assert b"example-token" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) & 0o044


@pytest.mark.parametrize("letter", ["l", "k", "b"])
def test_a_file_with_credentials_is_for_ones_own_eyes(folder, letter):
    async def steps(terminal: Terminal) -> None:
        terminal.browser.action_toggle_secrets()
        await terminal.settle()
        await terminal.press("y", "w")
        assert "with its credentials" in terminal.text()
        await terminal.press(letter, "enter")
        await terminal.until(lambda: bool(terminal.notices()))
        assert ("only you can read it" in terminal.notices()[-1]) == (letter != "b")

    drive([sample("hpack.pcapng")], steps)
    (path,) = folder.iterdir()
    assert (b"example-token" in path.read_bytes()) == (letter != "b")
    assert stat.S_IMODE(path.stat().st_mode) == (0o600 if letter != "b" else 0o644 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- the name ----------------------------------------------------------------------------------------------------


@SIZES
def test_nothing_is_overwritten_unasked(folder, size):
    path = folder / "Predict-2-request-0.hex"
    path.write_text("mine")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "w", "x", "enter")
        assert "is there already. Overwrite it?" in terminal.text()
        await terminal.press("escape")
        assert path.read_text() == "mine"
        await terminal.press("w", "x", "enter", "y")
        await terminal.until(lambda: bool(terminal.notices()))
        assert bytes.fromhex(path.read_text()) == request()
        assert [each.name for each in folder.iterdir()] == [path.name]

    drive([sample("predict.pcapng")], steps, size)


def test_a_name_that_will_not_do_is_told_where_it_is_typed(folder):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "w", "b")
        assert "Save bytes as" in terminal.text()
        await terminal.press("home", *"no/where/", "enter")
        assert "there is no such directory" in terminal.text()
        await terminal.press("ctrl+u", "ctrl+k", ".", "enter")
        assert "this is a directory" in terminal.text()
        await terminal.press("escape")
        assert terminal.notices() == []
        assert terminal.browser

    drive([sample("predict.pcapng")], steps)
    assert [*folder.iterdir()] == []


def test_what_is_no_file_is_not_written_to(folder):
    (folder / "link").symlink_to(folder / "there")
    (folder / "there").write_text("old")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "w", "x", "ctrl+u", *"/dev/null", "enter")
        assert "this is no regular file" in terminal.text()
        await terminal.press("escape", "w", "x", "ctrl+u", *"link", "enter", "y")
        await terminal.until(lambda: bool(terminal.notices()))

    drive([sample("predict.pcapng")], steps)
    assert (folder / "link").is_symlink()
    assert bytes.fromhex((folder / "there").read_text()) == request()


def test_a_folder_that_cannot_be_written_is_told():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "w", "x", "ctrl+u", *"/proc/x.hex", "enter")
        await terminal.until(lambda: bool(terminal.notices()))
        assert "cannot be written" in terminal.notices()[-1]

    drive([sample("predict.pcapng")], steps)


def test_names_of_methods_make_names_of_files():
    assert suggested("/pkg.Svc/Do", 7, None, ".binlog") == "Do-7.binlog"
    assert suggested("/../../etc/pass wd\x1b", 1, None, ".json") == "pass-wd-1.json"
    assert suggested("/a/...", None, None, ".json") == "call.json"
    assert len(suggested("/a/" + "x" * 500, 1, None, ".json")) < 80
