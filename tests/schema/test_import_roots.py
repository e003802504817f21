import pytest

from inspector.schema import Schema
from inspector.schema.import_roots import roots_of_file

HEAD = 'syntax = "proto3";\n'


@pytest.fixture
def protos(write):
    write("protos/vision/v1/base.proto", HEAD + "package vision.v1; message Base {}")
    write(
        "protos/vision/v1/model.proto",
        HEAD
        + '/* import "nothing.proto"; */ import "vision/v1/base.proto";\n'
        + "package vision.v1; message Model { Base b = 1; }",
    )
    return write("protos/README", "").parent


@pytest.mark.parametrize("name", ["base", "model"])
def test_the_root_of_a_file_follows_from_its_package_and_imports(protos, name):
    schema = Schema.from_source(str(protos / f"vision/v1/{name}.proto"))
    assert f"vision/v1/{name}.proto" in schema.files()


def test_a_root_is_found_outside_of_the_current_folder(protos, monkeypatch):
    monkeypatch.chdir(protos / "vision")
    assert "vision/v1/model.proto" in Schema.from_source("v1/model.proto").files()
    monkeypatch.chdir(protos.parent)
    (protos.parent / "work").mkdir()
    monkeypatch.chdir(protos.parent / "work")
    assert "vision/v1/model.proto" in Schema.from_source("../protos/vision/v1/model.proto").files()


@pytest.mark.parametrize("folder", ["", "vision", "vision/v1", ".."])
def test_a_folder_may_be_the_root_or_above_or_beneath_it(protos, folder):
    schema = Schema.from_source(str(protos / folder))
    assert schema.files() == ["vision/v1/base.proto", "vision/v1/model.proto"]


def test_a_folder_may_hold_several_roots(protos, write):
    write("third/other/x.proto", HEAD + "package other; message X {}")
    write("third/other/y.proto", HEAD + 'import "other/x.proto"; package other; message Y { X x = 1; }')
    write("lone.proto", HEAD + "message Lone {}")
    schema = Schema.from_source(str(protos.parent))
    assert {"lone.proto", "other/x.proto", "other/y.proto", "vision/v1/base.proto"} <= set(schema.files())


def test_hidden_folders_are_passed_over(protos, write):
    write("protos/.cache/bad.proto", "bad")
    assert "Base" in Schema.from_source(str(protos)).message("vision.v1.Base").full_name


def test_a_given_import_path_counts_before_the_folder(protos):
    schema = Schema.from_source(str(protos / "vision"), import_paths=[str(protos)])
    assert schema.files() == ["vision/v1/base.proto", "vision/v1/model.proto"]


@pytest.mark.parametrize("text", ["/*" * 200_000, '"\\' * 200_000, "import " * 100_000, "package a" + ".a" * 100_000])
def test_hostile_text_takes_no_time_to_outline(write, text):
    path = write("a.proto", text)
    assert roots_of_file(path, [], [])


def test_files_that_are_known_elsewhere_too_are_named_by_their_root(write):
    write(
        "third_party/google/rpc/status.proto", HEAD + 'import "google/rpc/code.proto"; package google.rpc; message S {}'
    )
    write("third_party/google/rpc/code.proto", HEAD + "package google.rpc; enum C { Z = 0; }")
    own = write("own.proto", HEAD + 'import "google/rpc/status.proto"; message M { google.rpc.S s = 1; }')
    for folder in (own.parent / "third_party", own.parent / "third_party/google/rpc"):
        assert Schema.from_source(str(folder)).files() == ["google/rpc/code.proto", "google/rpc/status.proto"]
    assert Schema.from_source(str(own.parent)).messages() == ["M"]
