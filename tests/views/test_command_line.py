"""Commands that people send one another, as requests: those of docs/grpcurl.md, copies of calls, and what shells do."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess

import click
import pytest
from command import ROOT, SCHEMA
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from inspector.cli.call import call
from inspector.errors import InputError, InspectorError
from inspector.formats.base import Conversion
from inspector.model.call import Call, Message
from inspector.schema import Schema
from inspector.session import DecodedMessage
from inspector.views.command_line import is_command, parse
from inspector.views.copy_as import FORMS, request_of
from inspector.views.shell_words import split
from inspector.views.written_request import WrittenField

VISION = Schema.from_source(str(SCHEMA))
PREDICT = "vision.v1.PredictionService/Predict"

PAGE = (ROOT / "docs" / "grpcurl.md").read_text(encoding="utf-8")
LINES = re.findall(r"^    (.+)$", PAGE.replace("&&\n", "&&"), re.MULTILINE)
CALLS = [line for line in LINES if re.search(r" vision\.v1\.PredictionService/\w+", line)]
CALLS = [line for line in CALLS if re.search(r"(^|[|&] *|abc )(grpcurl -|inspector call)", line)]


@pytest.mark.parametrize("line", CALLS)
def test_a_call_of_the_page_is_a_request(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    if "request.yaml" in line:
        with pytest.raises(InputError, match=r"request\.yaml: it cannot be read"):
            parse(line)
        return
    request = parse(line)
    assert request.method.startswith("vision.v1.PredictionService/")
    assert re.fullmatch(r"(grpc://)?(localhost|127\.0\.0\.1):50\d\d\d|unix:\./socket", request.target)
    sent = [value for name, value in re.findall(r'"?(model|text)"?: *"(\w)"', line)]
    assert len(request.messages(VISION)) == len(sent)
    assert not [note for note in request.notes if "standard input" in note]


def test_the_page_has_calls():
    assert len([line for line in CALLS if "grpcurl" in line]) >= 14
    assert len([line for line in CALLS if "inspector" in line]) >= 20


def test_all_that_a_command_says():
    request = parse(
        "$ grpcurl -cacert=ca.pem -cert c.pem -key k.pem -authority a.example -servername s.example \\\n"
        "  -connect-timeout 5 -max-time 10.5 --max-msg-sz 1000000 -keepalive-time 30 -user-agent me \\\n"
        "  -H 'x-tag: a: b' -rpc-header \"authorization: Bearer $TOKEN\" -H 'k-bin: AAE=' \\\n"
        f"  -reflect-header 'x: y' -emit-defaults -vv localhost:50443 {PREDICT}"
    )
    assert request.target == "localhost:50443"
    connect = request.connect
    assert (connect.cacert, connect.cert, connect.key) == ("ca.pem", "c.pem", "k.pem")
    assert (connect.authority, connect.servername, connect.user_agent) == ("a.example", "s.example", "me")
    assert (connect.connect_timeout, connect.keepalive_time, connect.plaintext) == (5.0, 30.0, None)
    assert (request.timeout, request.max_message) == (10.5, 1_000_000)
    assert request.metadata == (
        WrittenField("x-tag", "a: b"), WrittenField("k-bin", "AAE="),
        WrittenField("authorization", "Bearer ${TOKEN}"),
    )  # fmt: skip
    assert request.notes == (
        "-emit-defaults is left out", "-vv is left out", "header fields for reflection only are left out",
    )  # fmt: skip


def test_schemas_and_data_of_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text('{"model": "from a file"}')
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "x.proto").touch()
    (tmp_path / "h").write_text("x-a: 1\n# no\nx-b: 2\n")
    request = parse(f"grpcurl -import-path p -proto x.proto -protoset s.binpb -H @h -d @a.json h:1 {PREDICT}")
    assert (request.sources, request.import_paths) == (("p/x.proto", "s.binpb"), ("p",))
    assert request.metadata == (WrittenField("x-a", "1"), WrittenField("x-b", "2"))
    assert request.messages(VISION) == (b"\x12\x0bfrom a file",)
    piped = parse(f"cat a.json | inspector call h:1 {PREDICT} -d @- | jq .model")
    assert piped.messages(VISION) == (b"\x12\x0bfrom a file",)
    assert piped.notes == ("what follows the first command is left out",)


@pytest.mark.parametrize(
    ("command", "messages"),
    [
        ("grpcurl -d @ h:1 {} <<'EOF'\n{{\"model\": \"it's\"}}\nEOF", [b"\x12\x04it's"]),
        ("grpcurl -d @ h:1 {} <<< '{{}}{{}}' > out.json 2>/dev/null", [b"", b""]),
        (r"grpcurl -d $'{{\"model\": \"\x61\u00e9\'\"}}' h:1 {}", [b"\x12\x04a\xc3\xa9'"]),
        (r'grpcurl -d "{{\"model\": \"b\"}}" h:1 {}', [b"\x12\x01b"]),
        ("inspector call h:1 {} -d'{{\"model\": \"c\"}}' --tls", [b"\x12\x01c"]),
        ("inspector call h:1 {} --from base64 --data EgFk", [b"\x12\x01d"]),
        ("printf 'model: \"e\"\\x1e' | grpcurl -format text -d @ h:1 {} # so", [b"\x12\x01e"]),
        ("buf curl --schema x.proto --protocol grpc -d '{{\"model\": \"f\"}}' https://h:1/{}", [b"\x12\x01f"]),
        ("A=1 B='2 3' /usr/bin/grpcurl h:1 {}", []),
    ],
)  # fmt: skip
def test_shells_write_data_in_many_ways(command, messages):
    assert parse(command.format(PREDICT)).messages(VISION) == tuple(messages)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_as_terminals_paste_them(end):
    request = parse(f"grpcurl -plaintext \\{end}  -d @ h:1 {PREDICT} <<END{end}{{}}{end}END{end}")
    assert (request.target, request.messages(VISION)) == ("h:1", (b"",))


def test_a_call_of_buf():
    request = parse(f"buf curl -k --http2-prior-knowledge -H 'a: b' https://h:1/prefix/{PREDICT}")
    assert (request.target, request.method, request.connect.insecure) == ("https://h:1", PREDICT, True)
    assert (request.connect.protocol, request.connect.http, request.notes) == ("connect", "2", ())
    assert parse(f"buf curl --protocol grpcweb http://h:1/{PREDICT}").connect.protocol == "grpc-web"
    with pytest.raises(InputError, match="'x' is no protocol"):
        parse(f"buf curl --protocol x http://h:1/{PREDICT}")


WRONG = (
    ("curl http://h/", "no command that is known"),
    ("grpcurl h:1 list", "makes no call"),
    ("grpcurl -plaintext h:1", "makes no call"),
    ("grpcurl -plainntext h:1 a/b", "has no flag -plainntext (did you mean -plaintext"),
    ("inspector call -plaintext h:1 a/b", "has no flag -plaintext (did you mean --plaintext?)"),
    ("grpcurl -alts h:1 a/b", "ALTS is not spoken"),
    ("grpcurl h:1 a/b -d", "-d has no value"),
    ("grpcurl -d '{", "line 1 of the command: a quote or a backslash is not closed"),
    ('grpcurl -d "$(cat x)" h:1 a/b', "a shell would run or look up something here"),
    ("grpcurl -d `cat x` h:1 a/b", "a shell would run"),
    ("grpcurl $HOST:1 a/b", "holds a variable of the shell"),
    ("grpcurl -max-time x h:1 a/b", "is no number of seconds"),
    ("grpcurl -max-msg-sz 99999999999 h:1 a/b", "is no number of bytes"),
    ("grpcurl -H 'x y: 1' h:1 a/b", "cannot be the name of a header"),
    ("grpcurl -d @/does/not/exist h:1 a/b", "/does/not/exist: it cannot be read"),
    ("grpcurl h:99999 a/b", "is not a target"),
    ("grpcurl -d @ h:1 a/b <<END\n{}", "there is no line 'END'"),
    ("buf curl https://h:1/", "buf curl names a call as URL"),
)


@pytest.mark.parametrize(("command", "told"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_such_command_is_told(command, told):
    with pytest.raises(InputError) as caught:
        parse(command)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("grpcurl -d x", True), ("  $ grpcurl x", True), ("inspector  call x", True), ("buf curl x", True),
     ("grpcurling", False), ("inspector list", False), ('{"grpcurl ": 1}', False)],
)  # fmt: skip
def test_what_looks_like_a_command(text, is_one):
    assert is_command(text) == is_one


@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), max_size=4))
def test_quoted_words_are_split_as_they_were(words):
    assert [each.text for each in split(shlex.join(words)) if each.kind == "word"] == words


def test_words_are_those_of_bash():
    made = "a\\\nb 'x\ty' $'\\x41\\101\\n\\'\\u00e9\\q' \"\\$ \\\" \\a \\\nz\" '' e#f # g"
    told = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {made}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert [each.text for each in split(made) if each.kind == "word"] == told.stdout.decode().split("\0")[:-1]


@given(st.text(alphabet="'\"$\\{}<>|;&#`() \nax-=:@", max_size=40))
def test_no_text_raises_anything_else(text):
    try:
        request = parse(f"grpcurl {text} h:1 a/b")
        tuple(request.encode(Conversion()))
    except InspectorError:
        return
    assert request.target


# --- copies of calls ---------------------------------------------------------------------------------------------


WIDE_TEXT = st.text(max_size=8)
METADATA = st.lists(
    st.tuples(
        st.from_regex(r"x[0-9a-z_.-]{0,6}y", fullmatch=True), st.from_regex(r"[!-~]([ -~]{0,6}[!-~])?", fullmatch=True)
    ),
    max_size=3,
)  # fmt: skip


@given(
    st.sampled_from(["inspector", "grpcurl"]),
    st.lists(st.builds(lambda model: {"model": model}, WIDE_TEXT), max_size=3),
    METADATA,
    st.sampled_from([("127.0.0.1:50051", False), ("a.example:443", True), ("unix:/a b/s", False)]),
    st.none() | st.sampled_from([1.5, 20.0]),
    st.none() | st.just("an.authority"),
)
def test_a_copy_of_a_call_is_the_request_that_it_was(form, values, fields, where, seconds, authority):
    fields = [(name, value) for name, value in fields if "${" not in value]
    secret = ("authorization", "Bearer abc")
    sent = VISION.message_class("vision.v1.PredictRequest")
    texts = [json.dumps(each).encode() for each in values]
    data = [json_format.Parse(text, sent(), descriptor_pool=VISION.pool).SerializeToString() for text in texts]
    pieces = [
        Message(1, at, "request", f"/{PREDICT}", 0, "identity", each, each, None, ()) for at, each in enumerate(data)
    ]
    decoded = [DecodedMessage(each, "vision.v1.PredictRequest", text, "schema", 0, None)
               for each, text in zip(pieces, texts, strict=True)]  # fmt: skip
    target, is_tls = where
    headers = (":path", f"/{PREDICT}"), (":scheme", "https" if is_tls else "http"), *fields, secret
    call = Call(
        1, f"/{PREDICT}", "grpc", "127.0.0.1:5", target, 1, 1, 0, 0, authority,
        None if seconds is None else round(seconds * 1e9), headers, (), (), None, len(data), 0, 0, 0, True, (),
    )  # fmt: skip
    request = parse(FORMS[form](request_of(call, decoded)))
    assert (request.target, request.method, request.timeout) == (target, PREDICT, seconds)
    assert (request.connect.plaintext, request.connect.authority) == (None if is_tls else True, authority)
    hidden = WrittenField("authorization", "${AUTHORIZATION}")
    assert request.metadata == (*(WrittenField(*each) for each in fields), hidden)
    assert request.messages(VISION) == tuple(data)
    assert request.notes == ()


# --- what stands around a command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix",
    ["$ ", "sudo -E ", "time ", "env ", "/usr/local/bin/", "docker run --rm -i fullstorydev/", "cd x && ", "A=1; "],
)
def test_a_command_is_found_behind_what_changes_nothing_of_it(prefix):
    assert parse(f"{prefix}grpcurl h:1 {PREDICT}").target == "h:1"
    assert parse(f"python3 -m inspector call h:1 {PREDICT}").target == "h:1"


def test_data_of_a_file_that_is_standard_input(tmp_path):
    (tmp_path / "a.json").write_text('{"model": "from a file"}')
    found = parse(f"grpcurl -d @ h:1 {PREDICT} < {tmp_path}/a.json")
    assert (found.messages(VISION), found.notes) == ((b"\x12\x0bfrom a file",), ())


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("cd x && grpcurl h:1 {}", "what stands before the command is left out"),
        ("grpcurl h:1 {} >out 2>&1", "what goes to files is left out: answers stay on the screen"),
        ("grpcurl -d 1 -d 2 h:1 {}", "d is given 2 times: the last one counts"),
        ("grpcurl -H 'a: ${{T}}' h:1 {}", "a: ${{NAME}} is text there, a variable of the environment here"),
        ("echo 1 | grpcurl h:1 {}", "standard input is left out: it is read with -d @ only"),
        ("docker run fullstorydev/grpcurl:v1 h:1 {}", "docker is left out"),
    ],
)
def test_what_has_no_effect_is_told(command, told):
    assert parse(command.format(PREDICT)).notes == (told.format(),)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("inspector list -s grpc://h:1", "inspector list makes no call"),
        ("grpcurl -protoset x describe a.B", "makes no call"),
        ("grpcurl -plaintext=maybe h:1 a/b", "-plaintext is true or false"),
        ("grpcurl -format yaml h:1 a/b", "is neither json nor text"),
        ("grpcurl -d @ h:1 a/b <<E\n$x\nE", "a shell would change what is put in"),
    ],
)
def test_what_would_be_another_call_is_refused(command, told):
    with pytest.raises(InputError, match=told):
        parse(command)


def test_a_method_may_be_written_with_a_dot_and_a_line_may_go_on_behind_blanks():
    found = parse("~/bin/grpcurl -cacert ~/ca.pem \\  \n  h:1 vision.v1.PredictionService.Predict")
    assert found.method == PREDICT
    assert found.connect.cacert == os.path.expanduser("~/ca.pem")


@pytest.mark.parametrize("text", ["TOKEN=a grpcurl x", "$ sudo ./grpcurl x", "~/go/bin/grpcurl x"])
def test_a_command_with_something_before_it_is_known(text):
    assert is_command(text)


def test_all_options_of_our_own_command_are_known():
    options = [each for each in call.params if isinstance(each, click.Option) and each.name != "request_path"]
    for name, option in ((name, each) for each in options for name in (*each.opts, *each.secondary_opts)):
        value = VALUES.get(name, "1") if not (option.is_flag or option.count) else None
        words = ["inspector", "call", name, *([value] if value else []), "h:1", PREDICT]
        assert parse(shlex.join(words)).method == PREDICT


VALUES = {"--protocol": "connect", "--http": "2", "--compress": "gzip", "-H": "a: b", "--header": "a: b",
          "--rpc-header": "a: b", "--reflect-header": "a: b", "--format": "json"}  # fmt: skip
"""What options take that do not take any text."""
