import itertools
import subprocess
import sys

import pytest

from inspector.errors import SchemaError
from inspector.schema import Schema

NUMBERS = itertools.count()


@pytest.fixture
def generated(write, tmp_path, monkeypatch):
    """A package of generated modules. (Each has a name of its own, as protobuf's default pool keeps them all.)"""
    package = f"gen_{NUMBERS.__next__()}_{tmp_path.name.replace('-', '_')}"
    head = f'syntax = "proto3"; package {package};\n'
    write(f"{package}/base.proto", head + "message Base {}")
    write(f"{package}/deep/top.proto", head + f'import "{package}/base.proto"; message Top {{ Base base = 1; }}')
    files = [f"{package}/base.proto", f"{package}/deep/top.proto"]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", *files]
    subprocess.run(command, cwd=tmp_path, check=True)
    return package


@pytest.mark.parametrize("suffix", ["", ".deep", ".deep.top_pb2"])
def test_a_module_or_a_package_is_a_source(generated, tmp_path, monkeypatch, suffix):
    monkeypatch.syspath_prepend(str(tmp_path))
    schema = Schema.from_source(f"python:{generated}{suffix}")
    assert schema.messages() == [f"{generated}.Base", f"{generated}.Top"]
    assert schema.message(f"{generated}.Top").fields_by_name["base"].message_type.name == "Base"


def test_the_current_folder_and_import_paths_are_searched(generated, tmp_path, monkeypatch):
    path = list(sys.path)
    assert Schema.from_module(generated, [str(tmp_path)]).files()
    assert sys.path == path
    monkeypatch.chdir(tmp_path)
    assert Schema.from_module(f"{generated}.base_pb2").files() == [f"{generated}/base.proto"]


def test_a_module_and_the_proto_it_was_made_from_agree(generated, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    schema = Schema.from_sources([f"python:{generated}", str(tmp_path / generated)], [str(tmp_path)])
    assert schema.message(f"{generated}.Top").full_name


@pytest.mark.parametrize("name", ["", ".", "..x", "no_such_module_here", "a b", "os.no_such"])
def test_a_module_that_is_not_there_is_an_error(name):
    with pytest.raises(SchemaError, match="python:"):
        Schema.from_module(name)


def test_a_module_that_is_not_generated_is_refused():
    with pytest.raises(SchemaError, match="it holds no generated code"):
        Schema.from_module("textwrap")


@pytest.mark.parametrize("code", ["1/0", "raise SystemExit(3)", "import no_such_module_here", "x ="])
def test_a_module_that_fails_is_an_error_in_one_line(write, tmp_path, code):
    name = f"broken_{NUMBERS.__next__()}_pb2"
    write(f"{name}.py", code)
    with pytest.raises(SchemaError) as caught:
        Schema.from_module(name, [str(tmp_path)])
    assert "\n" not in str(caught.value)
