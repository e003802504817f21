from __future__ import annotations

import json

from command import ROOT, run

import inspector

PROTOS = ROOT / "protos"
METHOD = "vision.v1.PredictionService/Predict"


def test_the_template_of_a_method_encodes_as_it_stands():
    made = run("template", METHOD, "-s", PROTOS)
    assert (made.code, made.err) == (0, "")
    encoded = run("encode", "-s", PROTOS, "-t", "vision.v1.PredictRequest", stdin=made.out)
    assert encoded.out == run("template", METHOD, "-s", PROTOS, "--to", "binary").out
    assert json.loads(made.out) == inspector.template(METHOD, schema=str(PROTOS))


def test_oneofs_are_listed():
    lines = run("template", METHOD, "-s", PROTOS, "--oneofs").out.decode().splitlines()
    assert lines[1] == "image.source: content (bytes) | uri (string)"


def test_the_name_of_the_file_tells_the_format(tmp_path):
    path = tmp_path / "request.yaml"
    assert run("template", METHOD, "-s", PROTOS, "-o", path).code == 0
    assert "  # one of source; instead of it: uri (string)\n  content: Y29udGVudA==\n" in path.read_text()


def test_a_response_is_of_a_method():
    assert b'"labels"' in run("template", METHOD, "--response", "-s", PROTOS).out
    refused = run("template", "vision.v1.PredictRequest", "--response", "-s", PROTOS)
    assert (refused.code, refused.out) == (1, b"")
    assert "is a message, not a method" in refused.err
