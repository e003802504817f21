"""The functions for single messages."""

from __future__ import annotations

import json
import subprocess
import sys

import command
import pytest

import inspector
from inspector.errors import DecodeError, EncodeError, InputError, SchemaError

REQUEST = (command.SAMPLES / "payloads" / "predict_request.binpb").read_bytes()
TYPE = "vision.v1.PredictRequest"
SCHEMA = str(command.SCHEMA)


def test_decode_and_encode_are_inverse_with_a_type_and_without():
    value = inspector.decode(REQUEST, TYPE, schema=SCHEMA)
    assert value["context"]["requestId"] == "req-0001"
    assert inspector.diff(REQUEST, inspector.encode(value, TYPE, schema=SCHEMA), TYPE, schema=SCHEMA) == []
    assert inspector.encode(inspector.decode(REQUEST)) == REQUEST


def test_encode_takes_json_text_too():
    assert inspector.encode('{"model": "m"}', TYPE, schema=SCHEMA) == b"\x12\x01m"


@pytest.mark.parametrize("form", ["json", "yaml", "text", "protoscope", "hex", "base64"])
def test_convert_goes_to_text_and_back(form):
    text = inspector.convert(REQUEST, form)
    assert isinstance(text, str)
    assert inspector.convert(text, "binary", form=form) == REQUEST


def test_explain_shows_itself():
    explanation = inspector.explain(REQUEST, TYPE, schema=SCHEMA)
    assert "request_id" in str(explanation)
    assert "<table" in explanation._repr_html_()
    assert json.loads(explanation.to_json())["size"] == len(REQUEST)


def test_scan_and_guess_need_no_schema():
    assert [field.number for field in inspector.scan(b"\x08\x01\x12\x01a")] == [1, 2]
    assert inspector.guess(b"\x08\x01\x12\x03abc").value == {"1": 1, "2": "abc"}


def test_infer_makes_a_schema_that_decodes(tmp_path):
    path = tmp_path / "inferred.proto"
    path.write_text(inspector.infer(REQUEST, message_name="Request"))
    assert "$unknown" not in json.dumps(inspector.decode(REQUEST, "Request", schema=path, keep_unknown=True))


def test_infer_takes_a_session():
    with inspector.open(command.SAMPLES / "errors.pcapng") as session:
        assert "service " in inspector.infer(session)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_bytes_is_taken(kind):
    assert inspector.decode(kind(b"\x08\x01")) == {"1": 1}
    assert inspector.diff(kind(b"\x08\x01"), b"\x08\x01") == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: inspector.decode("abc"), InputError),
        (lambda: inspector.decode(b"\x0a\x05a"), DecodeError),
        (lambda: inspector.decode(REQUEST, TYPE), SchemaError),
        (lambda: inspector.decode(REQUEST, "vision.v1.PredictReques", schema=SCHEMA), SchemaError),
        (lambda: inspector.encode({1: "a"}), EncodeError),
        (lambda: inspector.encode({"1": b"ab"}), EncodeError),
        (lambda: inspector.encode({"nope": 1}, TYPE, schema=SCHEMA), EncodeError),
        (lambda: inspector.convert(b"\x08\x01", "xml"), InputError),
        (lambda: inspector.diff(REQUEST, {"1": 2}), InputError),
        (lambda: inspector.explain(None), InputError),
    ],
)
def test_mistakes_are_inspector_errors(call, error):
    with pytest.raises(error):
        call()


def test_importing_the_package_loads_none_of_it():
    code = "import sys, inspector; print(*(name for name in sys.modules if name.startswith('inspector.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"inspector.compiled"}  # which is asked where INSPECTOR_COMPILED is set
