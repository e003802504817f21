"""docs/grpcurl.md: its commands run against real servers, and it has every flag of grpcurl (1.9)."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner
from command import PATIENCE, ROOT, SCHEMA, environment
from typed_server import serving

from inspector.cli.main import cli

PAGE = (ROOT / "docs" / "grpcurl.md").read_text(encoding="utf-8")
LINES = re.findall(r"^    (.+)$", PAGE.replace("&&\n", "&&"), re.MULTILINE)
OURS = [line for line in LINES if re.search(r"\binspector [a-z]", line)]
THEIRS = [line for line in LINES if line not in OURS]
FLAGS = re.findall(
    r"\S+",
    """H allow-unknown-fields alts alts-handshaker-service alts-target-service-account authority cacert cert
connect-timeout d emit-defaults expand-headers format format-error help import-path insecure keep-proto-names
keepalive-time key max-msg-sz max-time msg-template plaintext proto proto-out-dir protoset protoset-out reflect-header
rpc-header servername unix use-reflection user-agent v version vv""",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, authority):
    """The working folder of a reader: certificates, and what the repository has."""
    made = tmp_path_factory.mktemp("reader")
    for name, path in (("ca.pem", authority.cert("ca")), ("client.pem", authority.cert("client")),
                       ("client.key", authority.key("client")), ("protos", ROOT / "protos"),
                       ("samples", ROOT / "samples")):  # fmt: skip
        (made / name).symlink_to(path)
    return made


@pytest.fixture(scope="module")
def servers(folder, authority):
    """Ports of the page -> where there is a server."""
    pair = Path(authority.key("server")).read_bytes(), Path(authority.cert("server")).read_bytes()
    mutual = grpc.ssl_server_credentials([pair], Path(authority.cert("ca")).read_bytes(), require_client_auth=True)
    with (
        serving(SCHEMA) as (plain, _),
        serving(SCHEMA, credentials=grpc.ssl_server_credentials([pair])) as (secure, _),
        serving(SCHEMA, credentials=mutual) as (asking, _),
        serving(SCHEMA, f"unix:{folder}/socket"),
    ):
        addresses = zip(("50051", "50443", "50444"), (plain, secure, asking), strict=True)
        yield {port: address.rpartition(":")[2] for port, address in addresses}


def test_the_page_has_a_command_of_ours_for_each_of_theirs():
    blocks = [block.splitlines() for block in re.findall(r"(?:^    .+\n)+", PAGE.replace("&&\n", "&&"), re.MULTILINE)]
    for block in blocks:
        kinds = ["ours" if line.strip() in OURS else "theirs" for line in block]
        assert kinds[-1] == "ours"
        assert all(after == "ours" for kind, after in pairwise(kinds) if kind == "theirs")
    assert len(THEIRS) > 20


def run_line(line, folder, servers):
    for port, there in servers.items():
        line = line.replace(f":{port}", f":{there}")
    program = f'inspector() {{ {sys.executable} -m inspector "$@"; }}\n{line}'
    return subprocess.run(
        ["bash", "-c", program], cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("line", OURS)
def test_a_command_of_the_page_runs(line, folder, servers):
    done = run_line(line, folder, servers)
    assert (done.returncode, b"warning" in done.stderr) == (0, False), done.stderr
    assert done.stdout or "-out" in line or " -o " in line


def test_what_the_page_writes_is_there(folder, servers):
    for line in OURS:
        if "-out" in line or " -o " in line:
            assert run_line(line, folder, servers).returncode == 0
    assert (folder / "vision.binpb").stat().st_size > 1000
    assert (folder / "sources" / "vision" / "v1" / "prediction_service.proto").exists()
    assert "model: model" in (folder / "request.yaml").read_text()
    assert "model: model" in (folder / "answer.yaml").read_text()


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_of_grpcurl_is_in_the_table(flag):
    assert re.search(rf"^\| [^|]*`-{flag}`", PAGE, re.MULTILINE)


def test_the_flags_that_the_page_names_exist():
    table = PAGE[PAGE.index("## Flag by flag") :]
    helps = [CliRunner().invoke(cli, [name, "--help"]).output for name in ("call", "describe")]
    known = set(re.findall(r"--[a-z][\w-]*", "".join(helps))) | {"--version"}
    assert sorted(set(re.findall(r"`(--[a-z][\w-]*)", table)) - known) == []


def test_the_commands_of_grpcurl_use_its_flags():
    said = {word for line in THEIRS for word in re.findall(r" -([a-zA-Z][\w-]*)", line.split("grpcurl", 1)[1])}
    assert sorted(said - set(FLAGS)) == []
