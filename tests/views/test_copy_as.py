"""What makes a call again, in the forms that there are: the shell or Python reads it, and the values are those sent."""

from __future__ import annotations

import ast
import base64
import json
import subprocess

import pytest
from command import ROOT, SAMPLES, SCHEMA, run
from hypothesis import given, settings
from hypothesis import strategies as st

import inspector
from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.session import DecodedMessage
from inspector.views.copy_as import FORMS, LONGEST_ARGUMENT, request_of

PREDICT = SAMPLES / "predict.pcapng"
PATH = {"PATH": "/usr/bin:/bin"}
METHOD = "/shop.v1.Orders/Put"
PROGRAMS = """
inspector() { printf '%s\\0' "$@"; cat >&2; }
grpcurl() { printf '%s\\0' "$@"; cat >&2; }
"""


def call(*fields, requests=1, deadline=None, authority=None):
    path = (":path", METHOD), (":scheme", "http"), ("te", "trailers"), ("user-agent", "x"), ("grpc-timeout", "1S")
    return Call(
        3, METHOD, "grpc", "127.0.0.1:5", "127.0.0.1:50051", 1, 1, 0, 0, authority, deadline,
        (*path, *fields), (), (), None, requests, 0, 0, 0, True, (),
    )  # fmt: skip


def message(value, index=0, type_name="shop.v1.Order", data=b"\x08\x01", problem=None):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    sent = Message(3, index, "request", METHOD, 0, "identity", data, data, problem, ())
    return DecodedMessage(sent, type_name, text, "schema", 0, problem)


def arguments(command):
    """What the shell hands to the program, and what stands on its standard input."""
    done = subprocess.run(
        ["bash", "-c", PROGRAMS + command], capture_output=True, env=PATH, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.decode().split("\0")[:-1], done.stderr.decode()


def written(form, *messages, fields=(), **options):
    shown = {name: options.pop(name) for name in ("sources", "import_paths", "show_secrets") if name in options}
    return FORMS[form](request_of(call(*fields, requests=len(messages), **options), messages, **shown))


@pytest.mark.parametrize(("form", "dash"), [("inspector", "--"), ("grpcurl", "-")])
def test_a_command_line_has_all_that_the_call_had(form, dash):
    text = written(
        form,
        message({"id": "it's"}),
        fields=[("x-a", "b c")],
        deadline=1_500_000_000,
        authority="shop",
        sources=["a b"],
    )
    given_, _ = arguments(text)
    words = ["call"] if form == "inspector" else []
    source = "-s" if form == "inspector" else "-protoset"
    assert given_ == [
        *words, source, "a b", f"{dash}plaintext", f"{dash}authority", "shop", f"{dash}max-time", "1.5",
        "-H", "x-a: b c", "-d", '{"id": "it\'s"}', "127.0.0.1:50051", METHOD[1:],
    ]  # fmt: skip


@settings(deadline=None)  # a shell takes its time where others work too
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)), st.text())
def test_the_shell_reads_any_header_and_any_text_as_it_was(value, text):
    given_, _ = arguments(written("inspector", message({"id": text}), fields=[("x-a", value)]))
    assert f"x-a: {value}" in given_
    assert json.loads(given_[given_.index("-d") + 1]) == {"id": text}


@pytest.mark.parametrize("form", ["inspector", "grpcurl"])
def test_credentials_come_from_the_environment(form):
    text = written(form, message({}), fields=[("authorization", "Bearer abc"), ("x-api-key", "def")])
    assert "abc" not in text
    assert "def" not in text
    given_, _ = arguments(text)
    assert ("--" if form == "inspector" else "-") + "expand-headers" in given_
    assert "authorization: ${AUTHORIZATION}" in given_
    assert "x-api-key: ${X_API_KEY}" in given_


def test_credentials_are_shown_where_asked_for():
    text = written("inspector", message({}), fields=[("authorization", "Bearer abc")], show_secrets=True)
    assert "authorization: Bearer abc" in arguments(text)[0]
    assert "expand" not in text


def test_a_header_that_would_be_expanded_is_refused_rather_than_changed():
    with pytest.raises(InspectorError, match=r"the header x-a holds \$\{"):
        written("inspector", message({}), fields=[("authorization", "Bearer abc"), ("x-a", "${HOME}")])


def test_messages_of_a_stream_follow_one_another():
    given_, _ = arguments(written("inspector", message({"a": 1}), message({"a": 2}, 1)))
    assert given_[given_.index("-d") + 1] == '{"a": 1}\n{"a": 2}'


def test_a_call_without_messages_has_no_data():
    assert "-d" not in arguments(written("inspector"))[0]


def test_messages_without_a_schema_are_told_as_bytes():
    one = message({"1": 1}, type_name=None)
    given_, _ = arguments(written("inspector", one))
    assert given_[given_.index("--from") : given_.index("--from") + 4] == ["--from", "base64", "-d", "CAE="]
    given_, _ = arguments(written("inspector", one, one))
    assert given_[given_.index("--from") : given_.index("--from") + 2] == ["--from", "delimited+base64"]
    assert base64.b64decode(given_[given_.index("-d") + 1]) == b"\x02\x08\x01\x02\x08\x01"


def test_grpcurl_cannot_send_what_no_schema_tells():
    with pytest.raises(InspectorError, match="grpcurl needs the messages by name"):
        written("grpcurl", message({"1": 1}, type_name=None))


def test_one_message_without_bytes_is_a_message_all_the_same():
    given_, _ = arguments(written("inspector", message({}, type_name=None, data=b"")))
    assert given_[given_.index("--from") : given_.index("--from") + 4] == ["--from", "delimited+base64", "-d", "AA=="]


def test_grpcurl_is_told_where_to_find_the_file_of_a_method_and_its_imports():
    schema = inspector.Schema.from_source(str(ROOT / "protos"))
    path = "/vision.v1.PredictionService/Predict"
    made = call()._replace(method=path)
    file = "vision/v1/prediction_service.proto"
    for source in (str(ROOT / "protos"), str(ROOT / "protos" / file)):
        text = FORMS["grpcurl"](request_of(made, [message({})], [source], schema=schema))
        given_, _ = arguments(text)
        assert given_[:4] == ["-import-path", str(ROOT / "protos"), "-proto", file]
    text = FORMS["grpcurl"](request_of(made, [message({})], ["python:a", "unix:/s", "grpc://b:1"], schema=schema))
    assert arguments(text)[0][0] == "-plaintext"


def test_a_log_without_the_address_of_the_server_may_have_its_name():
    request = request_of(call(authority="shop:1")._replace(server=""), [message({})])
    assert (request.target, request.authority) == ("shop:1", None)
    with pytest.raises(InspectorError, match="the server of call 3 is not in the capture"):
        request_of(call()._replace(server=""), [message({})])


def test_long_data_comes_from_a_here_document():
    value = {"id": "$HOME `id` 'x' \\" + "a" * LONGEST_ARGUMENT}
    given_, stdin = arguments(written("inspector", message(value)))
    assert given_[given_.index("-d") + 1] == "@"
    assert json.loads(stdin) == value


def test_curl_sends_the_frames_and_the_answer_is_read():
    text = written("curl", message({}), fields=[("x-a", "it's"), ("x-token", "abc")], deadline=1_500_000_000)
    assert text.endswith("| inspector decode --from grpc -")
    sent = subprocess.run(
        ["bash", "-c", 'curl() { printf "%s\\n" "$@" >&2; cat; }\ninspector() { cat; }\n' + text],
        capture_output=True, check=True, env=PATH | {"X_TOKEN": "from outside"},
    )  # fmt: skip
    assert sent.stdout == b"\x00\x00\x00\x00\x02\x08\x01"
    told = sent.stderr.decode().splitlines()
    assert {"x-a: it's", "x-token: from outside", "grpc-timeout: 1500m", "te: trailers"} <= set(told)
    assert told[-1] == f"http://127.0.0.1:50051{METHOD}"


def test_a_program_is_python_with_the_same_values():
    value = {"id": "it's \u202e \x1b", "list": [1.5, None, True]}
    text = written("python", message(value), fields=[("x-a", "b"), ("x-token", "abc")], deadline=2_000_000_000)
    assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 127)))
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    sent = next(node for node in found if getattr(node.func, "attr", "") == "call")
    assert [ast.literal_eval(each) for each in sent.args] == [METHOD[1:], value]
    told = {each.arg: ast.unparse(each.value) for each in sent.keywords}
    assert told == {"metadata": "[('x-a', 'b'), ('x-token', os.environ['X_TOKEN'])]", "timeout": "2"}


def test_a_record_is_json():
    record = json.loads(written("json", message({"id": "a"}), fields=[("x-token", "abc")], deadline=500_000_000))
    assert record == {
        "target": "127.0.0.1:50051", "plaintext": True, "authority": None, "method": METHOD[1:],
        "metadata": [["x-token", "${X_TOKEN}"]], "timeout": 0.5, "compress": "identity", "messages": [{"id": "a"}],
    }  # fmt: skip


def test_what_is_not_whole_is_not_sent_again():
    with pytest.raises(InspectorError, match="not all requests of call 3"):
        request_of(call(requests=2), [message({})])


def test_fields_that_are_not_in_the_capture_are_left_out_and_counted():
    request = request_of(call(("x-a", None), (None, None), ("x-b", "é")), [message({})])
    assert (request.metadata, request.left_out) == ((), 3)


@pytest.mark.parametrize("form", FORMS)
def test_show_prints_every_form_of_a_call_of_a_sample(form):
    result = run("show", PREDICT, 2, "-s", SCHEMA, "--as", form)
    assert (result.code, result.err) == (0, "")
    assert b"vision.v1.PredictionService/Predict" in result.out
    assert b"demo-002" in result.out
