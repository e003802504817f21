import gzip
import json
import subprocess
import sys

from command import PATIENCE, SAMPLES, SCHEMA, environment, on_terminal, run
from google.protobuf import struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc._cython import cygrpc

from inspector.schema import Schema

STRUCT = struct_pb2.DESCRIPTOR.serialized_pb


def program(*descriptors: bytes) -> bytes:
    return b"\x7fELF" + bytes(60) + bytes(8).join(descriptors) + bytes(60)


def test_descriptors_are_listed_with_where_they_are(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(program(STRUCT))
    result = run("extract", path)
    assert (result.code, result.err) == (0, "")
    assert result.rows == [
        {
            "name": "google/protobuf/struct.proto",
            "package": "google.protobuf",
            "syntax": "proto3",
            "messages": 3,
            "enums": 1,
            "services": [],
            "size": len(STRUCT),
            "path": str(path),
            "member": None,
            "offset": 64,
            "form": "bytes",
            "chosen": True,
        }
    ]


def test_a_terminal_gets_a_table(tmp_path):
    odd = FileDescriptorProto(name="a\x1b[2J.proto", package="p", syntax="proto3")
    odd.message_type.add(name="M")
    path = tmp_path / "program"
    path.write_bytes(
        program(STRUCT) + gzip.compress(SCHEMA.read_bytes()) + odd.SerializeToString().replace(b"\x1b", b"\x1b")
    )
    result = on_terminal("extract", path, columns=200, NO_COLOR="1")
    lines = result.out.decode().splitlines()
    assert lines[0].split() == ["FILE", "SYNTAX", "MESSAGES", "SERVICES", "FOUND"]
    assert lines[1].split() == ["google/protobuf/struct.proto", "proto3", "3", "0", str(path), "at", "0x40"]
    assert any("vision/v1/prediction_service.proto" in line and line.endswith(", gzip") for line in lines)
    assert "\x1b" not in result.out.decode()


def test_a_descriptor_set_is_written_with_imports_first(tmp_path):
    out = tmp_path / "envoy.binpb"
    result = run("extract", cygrpc.__file__, "-o", out)
    assert (result.code, result.out, result.err) == (0, b"", "")
    files = FileDescriptorSet.FromString(out.read_bytes()).file
    seen: set[str] = set()
    for file in files:
        assert set(file.dependency) <= seen
        seen.add(file.name)
    assert len(seen) > 100
    assert Schema.from_source(str(out)).message("envoy.config.cluster.v3.Cluster").name == "Cluster"


def test_a_tree_of_sources_is_written_that_compiles(tmp_path):
    folder = tmp_path / "protos"
    result = run("extract", SCHEMA, "-o", folder)
    assert (result.code, result.out, result.err) == (0, b"", "")
    assert (folder / "vision/v1/prediction_service.proto").is_file()
    decoded = run("decode", SAMPLES / "predict.pcapng", "-s", folder)
    assert decoded == run("decode", SAMPLES / "predict.pcapng", "-s", SCHEMA)


def test_standard_input_is_searched():
    assert [row["name"] for row in run("extract", "-", stdin=gzip.compress(STRUCT)).rows] == [
        "google/protobuf/struct.proto"
    ]


def test_standard_input_that_is_closed_is_told():
    closed = subprocess.run(
        ["sh", "-c", '"$0" -m inspector extract - <&-', sys.executable],
        capture_output=True, env=environment(), timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (closed.returncode, closed.stdout) == (1, b"")
    assert closed.stderr == b"inspector: standard input: standard input is closed\n"


def test_nothing_found_says_what_was_looked_at(tmp_path):
    path = tmp_path / "empty.so"
    path.write_bytes(bytes(5_000))
    result = run("extract", path)
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith(f"inspector: {path}: no descriptors were found: looked at one file, 5,000 bytes (")


def test_damage_is_told_and_shown_by_the_exit_code(tmp_path):
    path = tmp_path / "dump"
    path.write_bytes(program(STRUCT) + SCHEMA.read_bytes()[3 : 3 + 4_000] + b"")
    whole = run("extract", path)
    assert (whole.code, len(whole.rows)) == (3, 2)
    assert "the bytes end within google/protobuf/duration.proto" in whole.err


def test_versions_are_told_and_no_damage(tmp_path):
    other = FileDescriptorProto.FromString(STRUCT)
    other.message_type[0].field[0].name = "renamed"
    path = tmp_path / "program"
    path.write_bytes(program(STRUCT, other.SerializeToString()))
    result = run("extract", path)
    assert result.code == 0
    assert [row["chosen"] for row in result.rows] == [True, False]
    assert "google/protobuf/struct.proto is another version than that in" in result.err


def test_what_has_no_source_is_told(tmp_path):
    odd = FileDescriptorProto(name="odd.proto", syntax="proto3")
    odd.message_type.add(name="M").nested_type.add(name="Nested").nested_type.add(name="no name")
    path = tmp_path / "program"
    path.write_bytes(program(STRUCT, odd.SerializeToString()))
    result = run("extract", path, "-o", tmp_path / "out")
    assert result.code == 3
    assert "odd.proto: 'no name' is no name for a message" in result.err
    assert (tmp_path / "out/google/protobuf/struct.proto").is_file()
    assert not (tmp_path / "out/odd.proto").exists()


def test_names_do_not_lead_out_of_the_folder(tmp_path):
    evil = FileDescriptorProto(name="../../evil.proto", package="p", syntax="proto3")
    evil.message_type.add(name="M")
    path = tmp_path / "program"
    path.write_bytes(program(evil.SerializeToString()))
    assert run("extract", path, "-o", tmp_path / "a/b").code == 0
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.proto")] == ["a/b/_/_/evil.proto"]


def test_no_file_stands_in_the_way_of_a_folder(tmp_path):
    files = [FileDescriptorProto(name=name, syntax="proto3") for name in ("a.proto", "a.proto/b.proto", "A.Proto/c")]
    for file in files:
        file.message_type.add(name="M")
    path = tmp_path / "program"
    path.write_bytes(program(*(file.SerializeToString() for file in files)))
    result = run("extract", path, "-o", tmp_path / "out")
    assert (result.code, result.err) == (0, "")
    found = sorted(str(each.relative_to(tmp_path / "out")) for each in (tmp_path / "out").rglob("*") if each.is_file())
    assert found == ["A.Proto_/c.proto", "a.proto", "a.proto_/b.proto"]


def test_missing_files_and_imports_are_told(tmp_path):
    lonely = FileDescriptorProto(name="lonely.proto", syntax="proto3", dependency=["gone.proto"])
    path = tmp_path / "program"
    path.write_bytes(program(lonely.SerializeToString()))
    result = run("extract", path, "-o", tmp_path / "x.binpb")
    assert (result.code, result.err) == (0, "inspector: 1 imported files were not found: gone.proto\n")
    missing = run("extract", tmp_path / "nowhere")
    assert (missing.code, missing.out) == (1, b"")
    assert "No such file" in missing.err


def test_rows_are_json_whatever_a_file_is_called(tmp_path):
    path = bytes(tmp_path) + b"/\xff\xfe.so"
    with open(path, "wb") as file:
        file.write(program(STRUCT))
    [line] = run("extract", tmp_path).out.splitlines()
    assert json.loads(line)["path"].endswith("??.so")
