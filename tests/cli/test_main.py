"""The command line as a whole: help, version, mistakes, and nothing unsafe on the terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata

import pytest
from command import ROOT, SAMPLES, SCHEMA, environment, on_terminal, run
from http2_traffic import REQUEST, RESPONSE, with_fields
from made_capture import capture

import inspector
from inspector.cli.main import COMMANDS

PREDICT = SAMPLES / "predict.pcapng"


# --- help and version --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-version"], "did you mean --version?"),
        (["-help"], "did you mean --help?"),
        (["-plaintext", "localhost:1", "list"], "-plaintext stands behind a command"),
        (["--plaintext", "localhost:1", "a.B/C"], "inspector call TARGET METHOD --plaintext"),
        (["localhost:1", "list"], "inspector list -s grpcs://localhost:1"),
        (["[::1]:50051", "a.B/C"], "inspector call [::1]:50051 METHOD"),
    ],
)
def test_a_command_line_of_grpcurl_earns_a_hint(arguments, said):
    result = run(*arguments)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, b"", 1)
    assert said in result.err


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(flag):
    result = run(flag)
    assert (result.code, result.err) == (0, "")
    lines = result.out.decode().splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ") and line.split()[0] in COMMANDS] == list(
        COMMANDS
    )


ARGUMENTS = {"encode": "[INPUT]", "diff": "A B", "extract": "FILE...", "list": "[SYMBOL]...", "describe": "[SYMBOL]...",
             "template": "SYMBOL", "record": "", "call": "TARGET METHOD", "tui": "[INPUT]..."}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_each_option(command):
    result = run(command, "--help")
    assert (result.code, result.err) == (0, "")
    text = result.out.decode()
    assert text.startswith(f"Usage: inspector {command} [OPTIONS] {ARGUMENTS.get(command, 'INPUT')}".rstrip())
    options = text.partition("\nOptions:\n")[2]
    entries = re.split(r"\n(?=  -)", options.partition("\n\n")[0].rstrip())
    assert len(entries) > 1
    assert all(re.search(r"\s{2,}\S.*\S", entry.lstrip()) for entry in entries)
    assert all(entry.rstrip().endswith((".", "]")) for entry in entries), entries


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("encode", "list", "describe", "tui")])
def test_a_command_without_arguments_shows_its_help(command):
    result = run(command)
    assert (result.code, result.out) == (2, b"")
    assert result.err.encode() == run(command, "--help").out


def test_no_command_shows_the_help():
    result = run()
    assert (result.code, result.out) == (2, b"")
    assert result.err.encode() == run("--help").out


@pytest.mark.parametrize(("mode", "build"), [("never", "pure Python"), (None, "compiled|pure Python")])
def test_the_version_says_which_kernels_run(mode, build):
    result = run("--version", **({"INSPECTOR_COMPILED": mode} if mode else {}))
    assert result.code == 0
    assert re.fullmatch(rf"inspector {re.escape(inspector.__version__)} \(kernels: ({build})\)\n", result.out.decode())


# --- mistakes ----------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_told_in_one_line():
    result = run("nope")
    assert result == (2, b"", "inspector: there is no command 'nope' (try 'inspector --help')\n")


def test_a_file_in_the_place_of_a_command_gets_advice():
    result = run(PREDICT)
    assert (result.code, result.out) == (2, b"")
    assert f"to read that file: inspector decode {PREDICT}" in result.err
    assert result.err.count("\n") == 1


def test_output_that_is_closed_is_told_in_one_line():
    command = f'exec "{sys.executable}" -m inspector decode "{PREDICT}" >&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment(), check=False)
    assert done.returncode == 1
    assert done.stderr == b"inspector: standard output is closed (-o writes to a file)\n"


def test_errors_may_be_thrown_away():
    command = f'exec "{sys.executable}" -m inspector decode "{SAMPLES / "truncated.pcapng"}" 2>&-'
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, env=environment(), check=False)
    assert done.returncode == 3
    assert done.stdout.count(b"\n") > 10


# --- text from outside -------------------------------------------------------------------------------------------

NASTY = "a\x1b[31m\x07\r\n\x9b2J\x7f\u202egnp\u2066x\u2028\u200f\u061cz"
"""ESC, BEL, line ends, a C1 control, DEL, overrides and marks of the bidirectional algorithm, a line separator."""


def is_unsafe(character):
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    ) or character in "\u200e\u200f\u061c"  # fmt: skip


def unsafe(text):
    return {character for character in text if is_unsafe(character)} - {"\n"}


@pytest.fixture
def nasty(tmp_path):
    path = tmp_path / "nasty.pcap"
    path.write_bytes(
        capture(
            request=with_fields(REQUEST, p_path=f"/{NASTY}/M", p_authority=NASTY, x_own=NASTY, grpc_encoding=NASTY),
            response=(*RESPONSE, (f"x-{NASTY}", NASTY)),
            trailers=(("grpc-status", "5"), ("grpc-message", NASTY)),
            sent=b"\x0a" + bytes((len(NASTY.encode()),)) + NASTY.encode(),
            answered=b"\x0a\x03" + NASTY.encode()[:3],
        )
    )
    return path


def test_the_unsafe_text_is_what_it_is_meant_to_be():
    assert len(unsafe(NASTY)) == 10


@pytest.mark.parametrize(
    "arguments",
    [["decode"], ["decode", "-t", "google.protobuf.StringValue"], ["calls"], ["calls", "--output", "table"], ["show"]],
    ids=lambda each: each[-1],
)
@pytest.mark.parametrize("runner", [run, on_terminal])
def test_nothing_unsafe_reaches_the_output(nasty, arguments, runner):
    variables = {"NO_COLOR": "1", "columns": 300} if runner is on_terminal else {}
    result = runner(*arguments, nasty, *(["1"] if arguments == ["show"] else []), **variables)
    text = result.out.decode()
    assert "gnp" in text
    assert unsafe(text) == set()
    assert unsafe(result.err) == set()


def test_unsafe_text_means_the_same_to_a_reader_of_json(nasty):
    [call] = run("calls", nasty).rows
    request, _ = run("decode", nasty, "-t", "google.protobuf.StringValue").rows
    assert call["method"] == f"/{NASTY}/M"
    assert dict(call["request_headers"])["x-own"] == NASTY
    assert call["status"]["message"] == NASTY
    assert request["message"] == NASTY


@pytest.mark.parametrize(
    "arguments",
    [
        ["decode", NASTY],
        [NASTY],
        ["decode", f"--{NASTY}"],
        ["decode", PREDICT, "-s", NASTY],
        ["decode", PREDICT, "-t", NASTY],
        ["decode", PREDICT, "--from", NASTY],
        ["decode", PREDICT, "--method", NASTY],
        ["calls", PREDICT, "--method", NASTY],
        ["decode", PREDICT, "-o", f"/nowhere/{NASTY}"],
        ["show", PREDICT, NASTY],
    ],
    ids=lambda each: each[0] if len(each) == 1 else each[-2] if each[-2] != PREDICT else "call",
)
def test_nothing_unsafe_reaches_the_error_output(arguments):
    result = run(*arguments)
    assert result.code in (1, 2)
    assert result.err.count("\n") == 1
    assert unsafe(result.err) == set()


PAYLOAD = SAMPLES / "payloads" / "predict_request.binpb"
PAYLOAD_TYPE = "vision.v1.PredictRequest"

# --- imports -----------------------------------------------------------------------------------------------------


def modules_after(code):
    program = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=True, cwd=ROOT
    )
    return set(done.stdout.split())


HEAVY = {"click", "textual", "rich", "grpc", "grpc_tools", "google.protobuf", "orjson", "importlib.metadata"}


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import inspector; assert inspector.__version__")
    assert "inspector" in loaded
    assert loaded & HEAVY == set()


def test_listing_calls_loads_no_protobuf():
    run_calls = (
        "from inspector.cli.main import cli\n"
        f"cli.main(['calls', {str(PREDICT)!r}], standalone_mode=False)\n"
        "sys.stdout.flush()"
    )
    loaded = modules_after(run_calls)
    assert "inspector.cli.calls" in loaded
    assert loaded & {"google.protobuf", "grpc", "grpc_tools", "rich", "textual"} == set()


PROTOBUF = {"google.protobuf"}
PARSERS = {"yaml", "inspector.formats.protoscope_reader", "inspector.formats.text_reader", "inspector.transcode.tree"}
CAPTURES = {"inspector.net.calls_cy", "inspector.session"}
COMPILER = {
    "subprocess",
    "tempfile",
    "hashlib",
    "grpc_tools",
    "inspector.schema.protoc",
    "inspector.schema.proto_files",
}
COMPRESSION = {"zstandard", "cramjam"}
GUESSING = {"inspector.wire.guess", "inspector.wire.untyped"}
EXACT = {
    "inspector.transcode.exact",
    "inspector.transcode.printer",
    "inspector.transcode.survey",
    "inspector.wire.scan",
}
NEVER = {"rich", "textual", "grpc", "grpc_tools", "importlib.metadata"}
LAYS_OUT = {"explain": {"rich"}}
"""What a command needs of those, to lay out text that is not ASCII: of Rich its table of widths alone."""


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (["convert", PAYLOAD, "-s", SCHEMA, "-t", PAYLOAD_TYPE], PARSERS | CAPTURES | COMPILER | COMPRESSION),
        (["convert", PAYLOAD, "--to", "hex"], PARSERS | CAPTURES | COMPILER | PROTOBUF),
        (
            ["encode", PAYLOAD.with_suffix(".json"), "-s", SCHEMA, "-t", PAYLOAD_TYPE, "-o", os.devnull],
            PARSERS | CAPTURES | COMPILER | COMPRESSION | GUESSING,
        ),
        (["explain", PAYLOAD], {"yaml"} | CAPTURES | COMPILER | COMPRESSION),
        (["decode", PREDICT, "-s", SCHEMA], PARSERS | COMPILER),
        (["show", PREDICT, "1", "-s", SCHEMA], PARSERS | COMPILER),
        (["calls", PREDICT], PARSERS | COMPILER | COMPRESSION | PROTOBUF),
    ],
    ids=lambda each: "-".join(map(str, each[:1])) if isinstance(each, list) else "",
)
def test_a_command_loads_no_more_than_it_needs(arguments, needless):
    code = f"from inspector.cli.main import cli\ncli.main({[str(each) for each in arguments]!r}, standalone_mode=False)"
    loaded = modules_after(f"{code}\nsys.stdout.flush()")
    assert f"inspector.cli.{arguments[0]}" in loaded
    assert loaded & (NEVER | needless | {"rich.console"}) == LAYS_OUT.get(arguments[0], set())


def test_messages_of_a_schema_are_printed_by_the_kernel_alone():
    arguments = ["convert", PAYLOAD, "-s", SCHEMA, "-t", PAYLOAD_TYPE]
    code = f"from inspector.cli.main import cli\ncli.main({[str(each) for each in arguments]!r}, standalone_mode=False)"
    loaded = modules_after(f"{code}\nsys.stdout.flush()")
    has_kernel = "inspector.transcode.wire_to_json_cy" in loaded
    assert loaded & (EXACT | GUESSING) == (set() if has_kernel else EXACT | GUESSING)


def test_help_loads_no_command():
    loaded = modules_after("from inspector.cli.main import cli\ncli.main(['--help'], standalone_mode=False)")
    assert "inspector.cli.main" in loaded
    assert {name for name in loaded if name.startswith(("inspector.cli.", "inspector.net"))} <= {
        "inspector.cli.main",
        "inspector.cli.exit_codes",
        "inspector.cli.output",
    }


def test_public_names_are_there():
    assert set(inspector.__all__) <= set(dir(inspector))
    assert all(getattr(inspector, name) is not None for name in inspector.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = inspector.nope
