import os
from pathlib import Path

import pytest

from inspector.errors import SchemaError
from inspector.schema import Schema

HEAD = 'syntax = "proto3";\n'


def test_a_mistake_is_shown_with_file_line_and_column(write):
    path = write("bad.proto", HEAD + "message A {\n  strin name = 1;\n  Missing other = 2;\n}\n")
    with pytest.raises(SchemaError) as caught:
        Schema.from_protos(path)
    assert caught.value.where == f"{path}:3:3"
    assert caught.value.message.startswith('"strin" is not defined.; ')
    assert f'{path}:4:3: "Missing" is not defined.' in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_an_imported_file_is_shown_by_its_path(write, monkeypatch, tmp_path):
    write("protos/shop/bad.proto", HEAD + "mesage A {}\n")
    write("protos/shop/good.proto", HEAD + 'import "shop/bad.proto";\nmessage B {}\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SchemaError) as caught:
        Schema.from_source("protos/shop/good.proto")
    assert caught.value.where == f"{Path('protos/shop/bad.proto')}:2:1"


def test_many_mistakes_are_counted(write):
    path = write("bad.proto", HEAD + "message A {\n" + "".join(f"  X{n} x{n} = {n};\n" for n in range(1, 30)) + "}\n")
    with pytest.raises(SchemaError, match="and 24 more"):
        Schema.from_protos(path)


def test_an_import_that_is_not_found_is_named_with_a_hint(write):
    path = write("a.proto", HEAD + 'import "no/where.proto";\nmessage A { nowhere.X x = 1; }\n')
    with pytest.raises(SchemaError, match=r"no/where\.proto.*-I") as caught:
        Schema.from_protos(path)
    assert caught.value.where == f"{path}:2:1"


def test_bytes_that_are_no_proto_are_refused(write):
    with pytest.raises(SchemaError, match=r"image\.proto:1:1"):
        Schema.from_protos(write("image.proto", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"))


def test_import_paths_are_used(write, tmp_path):
    write("deps/other/b.proto", HEAD + "package other; message B {}")
    path = write("mine/a.proto", HEAD + 'import "other/b.proto"; message A { other.B b = 1; }')
    schema = Schema.from_source(str(path), import_paths=[str(tmp_path / "deps")])
    assert schema.files() == ["a.proto", "other/b.proto"]


def test_google_imports_are_found(write):
    text = HEAD + (
        'import "google/protobuf/timestamp.proto"; import "google/api/annotations.proto";'
        'import "google/rpc/status.proto";'
        'package shop; message A { google.protobuf.Timestamp at = 1; google.rpc.Status status = 2; }'
        'service S { rpc Get(A) returns (A) { option (google.api.http) = { get: "/a" }; } }'
    )  # fmt: skip
    schema = Schema.from_protos(write("a.proto", text))
    assert schema.message("shop.A").fields_by_name["status"].message_type is schema.message("google.rpc.Status")
    assert schema.services() == ["shop.S"]
    assert schema.messages() == ["shop.A"]


def test_comments_are_kept(write):
    schema = Schema.from_protos(write("a.proto", HEAD + "// A thing.\nmessage A {}\n"))
    assert any(each.leading_comments == " A thing.\n" for each in schema.file("a.proto").source_code_info.location)


def test_odd_file_names_are_compiled(write, monkeypatch, tmp_path):
    write("-dash.proto", HEAD + "message A {}")
    write("sp ace/ü.proto", HEAD + "message B {}")
    monkeypatch.chdir(tmp_path)
    assert Schema.from_protos("-dash.proto", "sp ace").messages() == ["A", "B"]


def test_a_module_in_the_current_folder_is_not_taken_for_protoc(write, monkeypatch, tmp_path):
    write("grpc_tools/__init__.py", "raise SystemExit('taken')")
    path = write("a.proto", HEAD + "message A {}")
    monkeypatch.chdir(tmp_path)
    assert Schema.from_protos(path).messages() == ["A"]


def test_an_absolute_import_path_serves_a_relative_file(write, monkeypatch, tmp_path):
    write("protos/shop/a.proto", HEAD + "message A {}")
    monkeypatch.chdir(tmp_path)
    schema = Schema.from_source(os.path.join("protos", "shop", "a.proto"), [str(tmp_path / "protos")])
    assert schema.files() == ["shop/a.proto"]


@pytest.mark.parametrize(
    "text", ['syntax = "proto2"; message A { optional group G = 1 {} }', 'edition = "2023"; message A {}']
)
def test_all_dialects_are_compiled(write, text):
    assert Schema.from_protos(write("a.proto", text)).message("A").name == "A"
