import os
import threading

import pytest

from inspector.errors import SchemaError
from inspector.schema import Schema

PROTO = 'syntax = "proto3"; package shop.v1; message Item { string name = 1; message Part {} }'


def test_a_source_is_opened_by_what_it_is(write):
    path = write("shop/v1/item.proto", PROTO)
    by_file = Schema.from_source(str(path))
    by_folder = Schema.from_source(str(path.parent.parent.parent))
    assert by_file.messages() == by_folder.messages() == ["shop.v1.Item", "shop.v1.Item.Part"]


def test_the_name_of_a_descriptor_set_does_not_matter(write_set):
    path = write_set("schema.unknown", b"\x0a\x01a")
    assert Schema.from_source(str(path)).files() == ["a"]


def test_a_pipe_is_read_once(tmp_path, write_set):
    content = write_set("set.binpb", b"\x0a\x01a\x12" + b"\x80\x80\x04" + b"p" * 65_536).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    assert Schema.from_source(str(pipe)).files() == ["a"]
    writer.join()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("notes.txt", b"hello, this is text\n", "not a descriptor set"),
        ("image.pb", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a descriptor set"),
        ("empty.binpb", b"", "the file is empty"),
        ("cut.binpb", b"\x0a\x50\x0a\x05a.pro", "only 7 are left"),
        ("json.binpb", b'{"file": []}', "it looks like JSON"),
        ("schema.bin", b"\x1f\x8b\x08\0", "gzip"),
        ("item.txt", PROTO.encode(), "must end in .proto"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(write, name, content, problem):
    with pytest.raises(SchemaError, match=problem) as caught:
        Schema.from_source(str(write(name, content)))
    assert name in str(caught.value)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["", "nowhere.proto", "nowhere.binpb", "no.such.module", "no\0where", "http://x/y"])
def test_a_missing_file_is_an_error_with_a_hint(source):
    with pytest.raises(SchemaError) as caught:
        Schema.from_source(source)
    assert caught.value.hint
    assert "\0" not in str(caught.value)


def test_a_dotted_name_is_suspected_to_be_a_module():
    with pytest.raises(SchemaError, match="write python:shop\\.v1"):
        Schema.from_source("shop.v1")


def test_a_folder_without_protos_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"no \.proto file in this folder"):
        Schema.from_source(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["a.binpb", "a.proto"])
def test_an_unreadable_file_is_an_error(write, name):
    path = write(name, b"\x0a\x01a")
    path.chmod(0)
    with pytest.raises(SchemaError, match="Permission denied"):
        Schema.from_source(str(path))


def test_an_import_path_must_be_a_folder(write):
    path = write("item.proto", PROTO)
    with pytest.raises(SchemaError, match="import path is not a folder"):
        Schema.from_source(str(path), import_paths=[str(path)])
