import subprocess
import sys

import pytest

from inspector.errors import SchemaError
from inspector.schema import Schema

TEXT = """syntax = "proto3"; package vision.v1;
message PredictRequest { message Box { message Corner {} } map<string, Box> boxes = 1; }
message PredictResponse {}
service Predictor { rpc Predict(PredictRequest) returns (PredictResponse);
  rpc Watch(PredictRequest) returns (stream PredictResponse); }
"""


@pytest.fixture
def schema(write):
    return Schema.from_protos(write("vision/v1/predict.proto", TEXT))


def test_everything_is_listed_by_full_name(schema):
    names = ["PredictRequest", "PredictRequest.Box", "PredictRequest.Box.Corner", "PredictResponse"]
    assert schema.messages() == [f"vision.v1.{name}" for name in names]
    assert schema.services() == ["vision.v1.Predictor"]
    assert schema.methods() == ["vision.v1.Predictor/Predict", "vision.v1.Predictor/Watch"]
    assert schema.files() == ["vision/v1/predict.proto"]


@pytest.mark.parametrize("name", ["vision.v1.PredictRequest.Box.Corner", ".vision.v1.PredictRequest.Box.Corner"])
def test_a_nested_message_is_found(schema, name):
    assert schema.message(name).full_name == "vision.v1.PredictRequest.Box.Corner"


@pytest.mark.parametrize(
    "path", ["vision.v1.Predictor/Watch", "/vision.v1.Predictor/Watch", "vision.v1.Predictor.Watch"]
)
def test_a_method_is_found_however_it_is_written(schema, path):
    assert schema.method(path) is schema.find_method(path)
    assert schema.method(path).full_name == "vision.v1.Predictor.Watch"


def test_a_class_is_made_for_a_name_or_a_descriptor(schema):
    made = schema.message_class("vision.v1.PredictRequest")
    assert made is schema.message_class(schema.message("vision.v1.PredictRequest"))
    assert made.FromString(b"\x0a\x05\x0a\x01k\x12\x00").boxes["k"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PredictRequest", "did you mean vision.v1.PredictRequest?"),
        ("predictrequest", "did you mean vision.v1.PredictRequest?"),
        ("vision.v1.PredictReqest", "did you mean vision.v1.PredictRequest"),
        ("vision.v2.Corner", "did you mean vision.v1.PredictRequest.Box.Corner?"),
        ("Timestamp", "did you mean google.protobuf.Timestamp?"),
        ("zzzzzzzz", "check the spelling, and what -s names"),
    ],
)
def test_an_unknown_message_is_an_error_with_near_names(schema, name, hint):
    with pytest.raises(SchemaError) as caught:
        schema.message(name)
    assert caught.value.message == f"no message type {name} in the schema"
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("path", ["vision.v1.Predictor/Predct", "Predictor/Predict", "vision.v1.Predictor.Predicts"])
def test_an_unknown_method_is_an_error_with_near_names(schema, path):
    with pytest.raises(SchemaError, match=r"did you mean vision\.v1\.Predictor\.Predict"):
        schema.method(path)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "/",
            "..",
            "vision",
            "vision.v1",
            "vision.v1.",
            "vision.v1.Predictor",
            "/a/b/c",
            "\0",
            "\ud800",
            "ü.ü",
        ),
        *("a." * 10_000, "vision.v1.PredictRequest.Nothing", "vision.v1.PredictRequest.Nothing.", "vision.v1.\ud800"),
    ],
    ids=lambda name: ascii(name[:40]),
)
def test_finding_a_name_that_is_not_there_gives_none(schema, name):
    assert schema.find_message(name) is None
    assert schema.find_method(name) is None
    assert schema.find_method(f"/vision.v1.Predictor/{name}") is None
    with pytest.raises(SchemaError) as caught:
        schema.message(name)
    assert str(caught.value).isprintable()


def test_remembered_names_are_bounded(schema, monkeypatch):
    monkeypatch.setattr("inspector.schema.schema.MAX_REMEMBERED", 3)
    for number in range(10):
        assert schema.find_method(f"/a.B/{number}") is None
    assert len(schema._methods) <= 3


def test_merging_gives_the_types_of_all(schema, write):
    other = Schema.from_protos(write("b.proto", 'syntax = "proto3"; message B {}'))
    merged = schema.merge(other, schema)
    assert merged.messages() == ["B", *schema.messages()]
    assert merged.pool is not schema.pool


def test_an_unknown_file_is_an_error(schema):
    with pytest.raises(SchemaError, match=r"no file predict\.proto in the schema"):
        schema.file("predict.proto")


def test_importing_it_loads_neither_grpc_nor_click():
    code = (
        "import sys, inspector.schema; print({m.split('.')[0] for m in sys.modules} & {'grpc', 'grpc_tools', 'click'})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
