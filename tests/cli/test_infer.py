import pytest
from command import SAMPLES, run

PREDICT = SAMPLES / "predict.pcapng"
REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
BARE = sorted(
    path.name for path in (SAMPLES / "payloads").iterdir() if path.suffix in (".binpb", ".delimited", ".grpc")
)


def decoded(sample, schema, *options):
    result = run("decode", sample, "-s", schema, "--envelope", *options)
    assert result.code == 0, result.err
    return result.rows


@pytest.mark.parametrize("name", BARE)
def test_the_schema_of_payloads_decodes_them(tmp_path, name):
    inferred = run("infer", SAMPLES / "payloads" / name, "--package", "shop.v1", "--message", "Thing")
    assert (inferred.code, inferred.err) == (0, "")
    path = tmp_path / "thing.proto"
    path.write_bytes(inferred.out)
    rows = decoded(SAMPLES / "payloads" / name, path, "-t", "shop.v1.Thing")
    assert {(row["decoded_by"], "unknown_bytes" in row, "error" in row) for row in rows} == {("schema", False, False)}


@pytest.mark.parametrize("name", ["predict.pcapng", "errors.pcapng", "hpack.pcapng", "large.pcapng"])
def test_the_schemas_of_a_capture_decode_it(tmp_path, name):
    folder = tmp_path / "inferred"
    result = run("infer", SAMPLES / name, "-o", folder)
    assert (result.code, result.out, result.err) == (0, b"", "")
    rows = decoded(SAMPLES / name, folder)
    assert {(row["decoded_by"], "unknown_bytes" in row, "error" in row) for row in rows} == {("schema", False, False)}


def test_standard_output_has_one_package_and_tells_of_others(tmp_path):
    result = run("infer", PREDICT)
    assert result.code == 0
    assert b"\npackage vision.v1;\n" in result.out
    assert "calls of models.v1 are not in it (-o FOLDER writes a file for each" in result.err
    other = run("infer", PREDICT, "--package", "models.v1", "-o", tmp_path / "models.proto")
    assert (other.code, other.out, other.err) == (0, b"", "")
    rows = decoded(PREDICT, tmp_path / "models.proto", "--method", "models.v1.*")
    assert {row["decoded_by"] for row in rows} == {"schema"}


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_may_be_named(tmp_path, name):
    result = run("infer", REQUEST, "-o", name, cwd=tmp_path)
    assert (result.code, result.out, result.err) == (0, run("infer", REQUEST).out, "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_whatever_its_name(tmp_path):
    path = tmp_path / "schema"
    path.write_text("old")
    assert run("infer", REQUEST, "-o", path).code == 0
    assert path.read_bytes() == run("infer", REQUEST).out


def test_a_package_that_is_not_there_is_told():
    result = run("infer", PREDICT, "--package", "nope.v1")
    assert (result.code, result.out) == (1, b"")
    assert "no method of the package nope.v1 is in the input" in result.err


def test_methods_are_named_and_streams_marked():
    text = run("infer", PREDICT).out.decode()
    assert "rpc Predict(PredictRequest) returns (PredictResponse);" in text
    assert "rpc WatchVideo(WatchVideoRequest) returns (stream WatchVideoResponse);" in text


def test_several_inputs_are_one_sample(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"\x08\x05")
    two.write_bytes(b"\x08\x06\x12\x05hello")
    text = run("infer", one, two, "--from", "message").out.decode()
    assert "// In all 2 messages; values 5, 6" in text
    assert '// In 1 of 2 messages; "hello".' in text


def test_hints_are_followed():
    text = run(
        "infer",
        "-",
        "--from",
        "message",
        "--hint",
        "1=fixed32",
        "--hint",
        "2=bytes",
        stdin=b"\x0d\0\0\x80\x3f\x12\x02ab",
    ).out
    assert b"optional fixed32 field_1 = 1;" in text
    assert b"optional bytes field_2 = 2;" in text


@pytest.mark.parametrize("option", [("--hint", "x"), ("--hint", "1=nonsense")])
def test_a_wrong_hint_is_refused(option):
    result = run("infer", REQUEST, *option)
    assert result.code == 2
    assert "hint" in result.err


@pytest.mark.parametrize("option", [("--package", "a b"), ("--message", "1x")])
def test_a_wrong_name_is_refused(option):
    result = run("infer", REQUEST, *option)
    assert (result.code, result.out) == (1, b"")
    assert option[1] in result.err


def test_damage_is_told_and_shown_by_the_exit_code(tmp_path):
    result = run("infer", SAMPLES / "truncated.pcapng", "-o", tmp_path / "out")
    assert result.code == 3
    assert "1 messages are damaged and were left out" in result.err
    assert list((tmp_path / "out").rglob("*.proto"))


def test_without_a_message_there_is_nothing_to_infer():
    result = run("infer", "-", "--from", "message", stdin=b"\xff\xff\xff")
    assert (result.code, result.out) == (1, b"")
    assert "there is no whole message to infer a schema from" in result.err
