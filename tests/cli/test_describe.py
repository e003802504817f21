from __future__ import annotations

import pytest
from command import ROOT, SCHEMA, on_terminal, run
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

PROTOS = ROOT / "protos"
METHOD = "vision.v1.PredictionService/Predict"


@pytest.mark.parametrize("name", [METHOD, f"/{METHOD}", METHOD.replace("/", "."), "." + METHOD.replace("/", ".")])
def test_a_method_is_described_with_its_options_and_comment(name):
    result = run("describe", name, "-s", PROTOS)
    assert (result.code, result.err) == (0, "")
    assert result.out.decode() == (
        "// vision.v1.PredictionService.Predict is a unary method in vision/v1/prediction_service.proto:\n"
        "// One question, one answer.\n"
        "rpc Predict(vision.v1.PredictRequest) returns (vision.v1.PredictResponse) {\n"
        '  option (google.api.http) = { post: "/v1/{model=models/**}:predict" body: "*" };\n}\n'
    )


def test_a_record_has_custom_options_with_their_values():
    [row] = run("describe", METHOD, "-s", PROTOS, "--output", "json").rows
    assert row["path"] == f"/{METHOD}"
    assert row["options"] == {"[google.api.http]": {"post": "/v1/{model=models/**}:predict", "body": "*"}}


def test_recursive_describes_each_type_once():
    result = run("describe", METHOD, "-r", "-s", PROTOS, "--output", "json")
    names = [row["name"] for row in result.rows]
    assert len(names) == len(set(names))
    assert {"vision.v1.PredictRequest", "models.v1.Tensor", "google.protobuf.Timestamp"} <= set(names)
    assert "models.v1.Tensor.Floats" not in names  # it is within models.v1.Tensor


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("models.v1", "package"), ("models/v1/tensor.proto", "file"), ("models.v1.Task", "enum"),
        ("models.v1.TASK_DETECT", "value"), ("models.v1.Tensor.values", "oneof"), ("models.v1.Tensor.shape", "field"),
        ("legacy.v1.keywords", "extension"), ("google.protobuf.Any", "message"),
    ],
)  # fmt: skip
def test_all_kinds_are_described(name, kind):
    [row] = run("describe", name, "-s", PROTOS, "--output", "json").rows
    assert (row["kind"], row["name"]) == (kind, name)
    assert run("describe", name, "-s", PROTOS).out


def test_near_names_answer_a_mistyped_one():
    result = run("describe", "models.v1.Tasc", "-s", PROTOS)
    assert (result.code, result.out) == (1, b"")
    assert "did you mean models.v1.Task" in result.err


def test_a_descriptor_set_is_written_with_imports(tmp_path):
    out = tmp_path / "set.binpb"
    assert run("describe", "vision.v1.PredictionService", "-s", PROTOS, "--protoset-out", out)[:2] == (0, b"")
    files = FileDescriptorSet.FromString(out.read_bytes()).file
    there = {file.name for file in files}
    assert all(set(file.dependency) <= there for file in files)
    assert run("list", "-s", out).out == b"vision.v1.PredictionService\n"


def hostile(tmp_path):
    evil = FileDescriptorProto(name="../../evil\x1b.proto", package="p", syntax="proto3")
    evil.message_type.add(name="M").field.add(name="x", number=1, type=9, label=1)
    evil.source_code_info.location.add(path=[4, 0], span=[0, 0, 0], leading_comments=" a\x1b[2J\u202eb\n")
    evil.service.add(name="S\x1b[2J").method.add(name="X\r", input_type=".p.M", output_type=".p.Nope")
    path = tmp_path / "evil.binpb"
    path.write_bytes(FileDescriptorSet(file=[evil]).SerializeToString())
    return path


def test_nothing_of_a_schema_moves_the_terminal(tmp_path):
    path = hostile(tmp_path)
    shown = [
        on_terminal("describe", "p.M", "-s", path, NO_COLOR="1"),
        on_terminal("describe", "p", "-s", path, "--output", "json", NO_COLOR="1"),
        on_terminal("list", "-l", "--kind", "method", "-s", path, NO_COLOR="1"),
    ]
    for each in shown:
        assert each.code == 0
        assert each.out.decode().replace("\n", "").isprintable()


def test_sources_stay_beneath_their_folder(tmp_path):
    evil = FileDescriptorProto(name="../../evil.proto", package="p", syntax="proto3")
    evil.message_type.add(name="M")
    path = tmp_path / "evil.binpb"
    path.write_bytes(FileDescriptorSet(file=[evil]).SerializeToString())
    assert run("describe", "-s", path, "--proto-out-dir", tmp_path / "a/b").code == 0
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.proto")] == ["a/b/_/_/evil.proto"]


def test_a_terminal_gets_colour():
    assert b"\x1b[" in on_terminal("describe", "models.v1.Task", "-s", SCHEMA).out
