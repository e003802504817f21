"""Requests as files: written and read again, strictly, with places; without credentials."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from command import ROOT
from command import SCHEMA as VISION
from hypothesis import given
from hypothesis import strategies as st
from kitchen_server import PROTOS, SERVICE

from inspector.client.settings import ConnectSettings
from inspector.errors import EncodeError, InputError, InspectorError
from inspector.limits import MAX_REQUEST_FILE
from inspector.schema import Schema
from inspector.views.request_file import KEYS, Body, body_of, read, read_file, written
from inspector.views.written_request import WrittenField, WrittenRequest, no_messages

SCHEMA = Schema.from_source(str(PROTOS))
METHOD = f"{SERVICE}/Echo"
FOLDER = Path("/project/requests")

FILE = b"""{
  "method": "kitchen.v1.KitchenService/Echo",
  "target": "@staging",
  "cacert": "../ca.pem",
  "timeout": 2.5,
  "metadata": ["authorization: Bearer ${TOKEN}", "# x-off: 1"],
  "messages": [
    {"int64Value": "9007199254740993"},
    {"names": ["a"]}
  ]
}
"""


def test_a_file_written_by_hand_is_read():
    request = read(FILE, "f", FOLDER)
    assert (request.method, request.target, request.timeout) == ("kitchen.v1.KitchenService/Echo", "@staging", 2.5)
    assert request.connect.cacert == "/project/ca.pem"
    fields = WrittenField("authorization", "Bearer ${TOKEN}"), WrittenField("x-off", "1", False)
    assert request.metadata == fields
    assert request.messages(SCHEMA) == (bytes.fromhex("108180808080808010"), bytes.fromhex("ba010161"))


def test_what_is_written_is_small_and_in_a_fixed_order():
    connect = ConnectSettings(plaintext=True, key="/project/k.pem", cert="/elsewhere/c.pem")
    request = WrittenRequest(METHOD, "h:1", connect, (WrittenField("x-api-key", "s3cret"), WrittenField("x-a", "b")),
                             sources=("/project/protos",))  # fmt: skip
    text = written(request, body_of((b"\x08\x07", b""), SCHEMA, METHOD), FOLDER).decode()
    assert text == (
        '{\n  "method": "kitchen.v1.KitchenService/Echo",\n  "target": "h:1",\n  "plaintext": true,\n'
        '  "cert": "/elsewhere/c.pem",\n  "key": "../k.pem",\n  "schema": [\n    "../protos"\n  ],\n'
        '  "metadata": [\n    "x-api-key: ${X_API_KEY}",\n    "x-a: b"\n  ],\n'
        '  "messages": [\n    {\n      "int32Value": 7\n    },\n    {}\n  ]\n}\n'
    )


PATHS = st.none() | st.sampled_from(["/project/a b.pem", "/else/where.pem", "/project/requests/x.pem"])
TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12).map(str.strip)
PRINTABLE = TEXT.filter(bool)
CONNECTS = st.builds(
    ConnectSettings, plaintext=st.none() | st.booleans(), insecure=st.booleans(), cacert=PATHS, cert=PATHS, key=PATHS,
    authority=st.none() | PRINTABLE, servername=st.none() | PRINTABLE,
    connect_timeout=st.floats(0.001, 1e9), keepalive_time=st.none() | st.floats(0.001, 1e9),
    user_agent=st.none() | PRINTABLE, keepalive_timeout=st.just(20.0), use_proxy=st.just(True),
)  # fmt: skip
NAMES = st.from_regex(r"[0-9a-z_.-]{1,8}", fullmatch=True).map(lambda name: f"x{name}x")
FIELDS = st.builds(WrittenField, NAMES, TEXT, st.booleans())
REQUESTS = st.builds(
    WrittenRequest, st.just(METHOD), st.sampled_from(["", "h:1", "@a", "grpcs://[::1]:5", "unix:/project/s"]), CONNECTS,
    st.lists(FIELDS, max_size=4).map(tuple), st.none() | st.floats(0.001, 1e9), st.sampled_from(["identity", "gzip"]),
    st.integers(1, 1 << 31), sources=st.lists(st.sampled_from(["/project/p", "@a", "/x/y/z"])).map(tuple),
    import_paths=st.lists(st.sampled_from(["/project/p", "/x"])).map(tuple), encode=st.just(no_messages),
    notes=st.just(()),
)  # fmt: skip
MESSAGES = st.lists(
    st.sampled_from([b"", b"\x08\x07", b"\xba\x01\x01a", b"\xff", b"\x08", bytes.fromhex("f83f01")])
    | st.binary(max_size=6),
    max_size=3,
).map(tuple)


@given(REQUESTS, MESSAGES, st.booleans())
def test_what_was_written_is_read_again(request, messages, has_schema):
    schema = SCHEMA if has_schema else None
    text = written(request, body_of(messages, schema, METHOD), FOLDER)
    again = read(text, "f", FOLDER)
    assert again.messages(schema) == messages
    assert again._replace(encode=request.encode) == request
    assert written(again, body_of(messages, schema, METHOD), FOLDER) == text


def test_a_record_of_show_is_a_request_too():
    record = {"target": "h:1", "plaintext": True, "authority": None, "method": METHOD, "metadata": [["x-a", "b: c"]],
              "timeout": None, "compress": "identity", "messages_base64": ["CAc=", ""]}  # fmt: skip
    request = read(json.dumps(record).encode(), "f", FOLDER)
    assert request.metadata == (WrittenField("x-a", "b: c"),)
    assert request.messages(None) == (b"\x08\x07", b"")


@pytest.mark.parametrize(
    ("name", "value", "is_kept"),
    [
        ("authorization", "Bearer abc", False),
        ("authorization", "Bearer ${TOKEN}", True),
        ("authorization", "Bearer s3cret${TOKEN}", False),
        ("x-api-key", "${A}${B}", True),
        ("cookie", "a=b", False),
        ("x-token-bin", "AAE=", False),
        ("x-plain", "Bearer abc", True),
    ],
)
def test_no_credential_is_written(name, value, is_kept):
    field = WrittenField(name, value)
    text = written(WrittenRequest(METHOD, metadata=(field,)), Body("messages", ()), FOLDER)
    (kept,) = read(text, "f", FOLDER).metadata
    variable = name.replace("-", "_").upper()
    assert kept.value == (value if is_kept else f"${{{variable}}}")


WRONG = (
    (b"", "line 1, column 1"),
    (b"[]", "f, line 1, column 1: a request is an object, found an array"),
    (b"{}", "a request has a method"),
    (b'{"method": 1}', "line 1, column 12: method: expected a string"),
    (b'{"method": "a/b",\n "methd": 1}', "line 2, column 2: methd: a request has no such key (known: method)"),
    (b'{"method": "a/b", "method": "a/b"}', "twice"),
    (b'{"method": "a/b", "timeout": 0}', "expected a number of seconds"),
    (b'{"method": "a/b", "timeout": 1e999}', "expected a number of seconds"),
    (b'{"method": "a/b", "timeout": true}', "expected a number of seconds"),
    (b'{"method": "a/b", "compress": "zip"}', "expected one of identity"),
    (b'{"method": "a/b", "max_message": 1.5}', "expected a number of bytes"),
    (b'{"method": "a/b", "plaintext": "yes"}', "expected true or false"),
    (b'{"method": "a/b", "metadata": ["x"]}', 'metadata[0]: expected "name: value"'),
    (b'{"method": "a/b", "metadata": ["@/etc/passwd: "]}', "cannot be the name of a header"),
    (b'{"method": "a/b", "schema": ["python:os"]}', "may not name a module of Python"),
    (b'{"method": "a/b", "messages": {}}', "expected an array"),
    (b'{"method": "a/b", "messages": [1], "messages_base64": ["a"]}', "messages are told twice"),
    (b'{"method": "a/b", "messages_base64": [1]}', "expected base64"),
    (b"[" * 100_000, "line 1"),
    (b'{"method": "a/b"} {}', "more behind the document"),
    (b"\xff", "UTF-8"),
)


@pytest.mark.parametrize(("text", "told"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_with_its_place(text, told):
    with pytest.raises(EncodeError) as caught:
        read(text, "f", FOLDER)
    assert str(caught.value).startswith("f, line 1") or "f, line 2" in str(caught.value)
    assert told in str(caught.value)


def test_messages_are_wrong_where_they_stand_in_the_file():
    request = read(FILE.replace(b'["a"]', b"[7]"), "a.request.json", FOLDER)
    with pytest.raises(EncodeError, match=r"a\.request\.json, line 9, column 16: names\[0\]: expected"):
        request.messages(SCHEMA)
    raw = read(b'{"method": "a/b", "messages_base64": [\n"?"]}', "f", FOLDER)
    with pytest.raises(EncodeError, match=r"f, line 2, column 1: messages_base64\[0\]"):
        raw.messages(None)


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_file(tmp_path / "none")
    with pytest.raises(InputError, match="directory"):
        read_file(tmp_path)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MAX_REQUEST_FILE + 1)
    with pytest.raises(InputError, match="a request of over"):
        read_file(large)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_hostile_text_raises_nothing_else(data):
    try:
        found = read(b'{"method": "a/b", "metadata": [' + data + b"]}", "f", FOLDER)
    except InspectorError:
        return
    assert found.method == "a/b"


def test_bytes_are_base64_without_a_schema():
    body = body_of((b"\x08\x07" * 100,), None, METHOD)
    assert json.loads(body.texts[0]) == base64.b64encode(b"\x08\x07" * 100).decode()


def test_the_page_about_files_has_one_and_every_key():
    page = (ROOT / "docs" / "requests.md").read_text(encoding="utf-8")
    text = page[page.index("```json\n") + 8 : page.index("\n```\n") + 1].encode()
    request = read(text, "f", FOLDER)
    vision = Schema.from_source(str(VISION))
    assert written(request, body_of(request.messages(vision), vision, request.method), FOLDER) == text
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(KEYS)
