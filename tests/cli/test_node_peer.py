"""The live commands against a server of another implementation than grpcio's: @grpc/grpc-js on Node."""

from __future__ import annotations

import json
import signal

import node_peer
import pytest
from certificates import Certificates
from command import PATIENCE, ROOT, SCHEMA, run, start
from google.protobuf.json_format import MessageToDict
from recording import recording

from inspector.schema import Schema
from inspector.transcode.template import make

SERVICE = "vision.v1.PredictionService"
PREDICT = f"{SERVICE}/Predict"


@pytest.fixture(scope="module", params=[SCHEMA, ROOT / "protos"], ids=["set", "protos"])
def schema_file(request):
    """What the server loads: protobuf.js keeps other things of a descriptor set than of sources."""
    return request.param


@pytest.fixture(scope="module")
def server(schema_file):
    with node_peer.serving(schema_file) as address:
        yield f"grpc://{address}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    made = Certificates(tmp_path_factory.mktemp("tls") / "ca")
    made.sign("server")
    made.sign("client")
    return made


def tls_files(made):
    return made.cert("ca"), made.cert("server"), made.key("server")


def test_services_are_listed_by_reflection(server):
    listed = run("list", "-s", server)
    assert (listed.code, listed.err) == (0, "")
    assert SERVICE in listed.out.decode().splitlines()


def test_a_method_is_described_by_reflection(server):
    described = run("describe", PREDICT, "-s", server, "--output", "json")
    assert described.code == 0
    assert described.rows[0]["name"] == f"{SERVICE}.Predict"


def test_every_message_has_a_template_that_encodes_as_by_the_sources(server):
    found, expected = Schema.from_reflection(server), Schema.from_source(str(SCHEMA))
    names = [name for name in found.messages() if expected.find_message(name) is not None]
    names = [name for name in names if not name.startswith("legacy.")]  # protobuf.js forgets their groups
    for name in names:
        message = make(found, name).message
        theirs = expected.message_class(name).FromString(message.SerializeToString())
        values = (MessageToDict(each, descriptor_pool=expected.pool) for each in (theirs, message))
        assert next(values) == next(values), name
    assert "vision.v1.PredictRequest" in names


def test_what_is_written_of_it_compiles(server, tmp_path):
    written = run("describe", "-s", server, "--proto-out-dir", tmp_path / "out", "--protoset-out", tmp_path / "set.pb")
    assert written.code == 0
    for source in (tmp_path / "out", tmp_path / "set.pb"):
        listed = run("list", "-s", source)
        assert (listed.code, listed.err) == (0, "")
        assert SERVICE in listed.out.decode().splitlines()


def test_a_template_is_edited_and_sent(server, tmp_path):
    path = tmp_path / "request.json"
    assert run("template", PREDICT, "-s", server, "-o", path).code == 0
    request = json.loads(path.read_bytes())
    request["model"], request["context"]["requestId"] = "models/edited", "7"
    path.write_text(json.dumps(request))
    called = run("call", server, PREDICT, "-s", SCHEMA, "-d", f"@{path}")
    assert (called.code, called.err) == (0, "")
    assert called.rows == [{"name": "7", "model": "models/edited"}]


@pytest.mark.parametrize("schema", [(), ("-s", SCHEMA)], ids=["reflection", "file"])
@pytest.mark.parametrize(
    ("method", "data", "answers"),
    [
        ("Predict", '{"model": "m"}', [{"model": "m"}]),
        ("WatchVideo", "{}", [{"progress": n / 4} if n else {} for n in range(5)]),
        ("UploadDataset", '{"example": {}} {"example": {}}', [{"stored": "2"}]),
        ("Converse", '{"text": "a"} {"text": "b"}', [{"turn": 1, "text": "A"}, {"turn": 2, "text": "B"}]),
    ],
)
def test_all_kinds_of_methods_are_called(server, schema, method, data, answers):
    called = run("call", server, f"{SERVICE}/{method}", *schema, "--no-cache", "-d", data)
    assert (called.code, called.err, called.rows) == (0, "", answers)


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("describe", SERVICE, "--recursive"),
        *(("call", f"{SERVICE}/{method}", "-d", '{"text": "a"} {"text": "b"}' if method == "Converse" else "{}", "-vv")
          for method in ("Predict", "WatchVideo", "UploadDataset", "Converse")),
        ("call", PREDICT, "-d", '{"model": "fail"}'),
        ("call", PREDICT, "-d", '{"model": "m"}', "--compress", "gzip", "-H", "x-a: b", "--max-time", "20"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_through_a_recording_proxy_all_is_the_same(server, tmp_path, words):
    with recording(server, tmp_path / "calls.binlog") as proxy:
        direct, through = (_live(words, each) for each in (server, f"grpc://{proxy.address}"))
    assert (through.code, through.out) == (direct.code, direct.out)


def _live(words, target):
    name, *rest = words
    return run(name, *([target, *rest] if name == "call" else [*rest, "-s", target]), "--no-cache")


def test_requests_may_be_compressed(server):
    model = "m" * 5000
    called = run("call", server, PREDICT, "--compress", "gzip", "-d", json.dumps({"model": model}))
    assert (called.code, called.rows) == (0, [{"model": model}])


def test_an_error_is_told_with_its_details(server):
    called = run("call", server, PREDICT, "-s", SCHEMA, "-d", '{"model": "fail"}')
    assert (called.code, called.out) == (64 + 3, b"")
    assert "the image is empty" in called.err
    assert "BadRequest" in called.err


def test_a_deadline_is_kept(server):
    called = run("call", server, PREDICT, "-s", SCHEMA, "--max-time", "0.2", "-d", '{"model": "wait"}')
    assert called.code == 64 + 4
    assert "DEADLINE_EXCEEDED" in called.err


def test_tls_with_a_ca(schema_file, certificates):
    with node_peer.serving(schema_file, *tls_files(certificates)) as address:
        called = run("call", f"grpcs://{address}", PREDICT, "--cacert", certificates.cert("ca"), "-d", '{"model": "m"}')
        refused = run("call", f"grpcs://{address}", PREDICT, "-d", "{}")
    assert (called.code, called.err, called.rows) == (0, "", [{"model": "m"}])
    assert refused.code == 1
    assert "certificate" in refused.err


def test_tls_with_a_certificate_of_both_sides(schema_file, certificates):
    trust = ("--cacert", certificates.cert("ca"))
    own = ("--cert", certificates.cert("client"), "--key", certificates.key("client"))
    with node_peer.serving(schema_file, *tls_files(certificates), "mutual") as address:
        called = run("call", f"grpcs://{address}", PREDICT, *trust, *own, "-d", '{"model": "m"}')
        refused = run("call", f"grpcs://{address}", PREDICT, *trust, "-d", "{}")
    assert (called.code, called.err, called.rows) == (0, "", [{"model": "m"}])
    assert (refused.code, refused.out) == (1, b"")


def test_a_unix_socket(schema_file, tmp_path):
    with node_peer.serving(schema_file, address=f"unix:{tmp_path}/s") as address:
        called = run("call", address, PREDICT, "-d", '{"model": "m"}')
    assert (called.code, called.err, called.rows) == (0, "", [{"model": "m"}])


def test_what_is_recorded_is_read_and_replayed(server, tmp_path):
    path = tmp_path / "calls.binlog"
    proxy = start("record", "--listen", "127.0.0.1:0", "--target", server, "-o", path)
    line = proxy.stderr.readline().decode()
    address = line.partition("listening on ")[2].partition(",")[0]
    called = run("call", f"grpc://{address}", f"{SERVICE}/WatchVideo", "-s", SCHEMA, "-d", "{}")
    proxy.send_signal(signal.SIGINT)
    proxy.communicate(timeout=PATIENCE)
    assert (proxy.returncode, called.code, len(called.rows)) == (0, 0, 5)
    (row,) = run("calls", path, "--output", "ndjson").rows
    assert row["method"] == f"/{SERVICE}/WatchVideo"
    again = run("replay", path, "--target", server, "-s", SCHEMA)
    assert again.code == 0
    assert "1 call: 1 same" in again.err
