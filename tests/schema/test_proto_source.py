import os
import re
from contextlib import suppress
from pathlib import Path

import google.api
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_tools import protoc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import schemas

from inspector.errors import SchemaError
from inspector.schema.proto_source import to_source
from inspector.schema.proto_source_types import Types

TOOLS = Path(protoc.__file__).parent / "_proto"
GOOGLEAPIS = Path(next(iter(google.api.__path__))).parent.parent
OURS = Path(__file__).parent.parent.parent / "protos"


def compiled(roots, names, *, comments=False) -> FileDescriptorSet:
    out = Path(os.path.abspath(roots[0])) / "set.out"
    options = ["--include_source_info"] if comments else []
    command = ["protoc", *(f"-I{root}" for root in roots), f"--descriptor_set_out={out}", "--include_imports"]
    assert protoc.main([*command, *options, *names]) == 0
    try:
        return FileDescriptorSet.FromString(out.read_bytes())
    finally:
        out.unlink()


@pytest.fixture
def compile_text(tmp_path):
    """Compiles source text, and returns its descriptor and the definitions that it may use."""

    def compile_text(text: str, name: str = "test.proto", **others: str) -> tuple[FileDescriptorProto, Types]:
        (tmp_path / name).write_text(text)
        for other, content in others.items():
            (tmp_path / f"{other}.proto").write_text(content)
        files = compiled([tmp_path, TOOLS, GOOGLEAPIS], [name], comments=True).file
        return files[-1], Types(files)

    return compile_text


@pytest.fixture
def printed_again(compile_text):
    """Source -> descriptor -> source -> descriptor: the source that was printed, and both descriptors."""

    def print_again(text: str, **others: str):
        file, types = compile_text(text, **others)
        source = to_source(file, types)
        again, _ = compile_text(source, **others)
        return source, file, again

    return print_again


def bare(file: FileDescriptorProto) -> FileDescriptorProto:
    file = FileDescriptorProto.FromString(file.SerializeToString())
    file.ClearField("source_code_info")
    return file


def comments(file: FileDescriptorProto) -> dict:
    return {
        tuple(each.path): (tuple(each.leading_detached_comments), each.leading_comments, each.trailing_comments)
        for each in file.source_code_info.location
        if each.leading_detached_comments or each.leading_comments or each.trailing_comments
    }


@pytest.mark.parametrize(("root", "folder"), [(TOOLS, "."), (GOOGLEAPIS, "google"), (OURS, ".")])
def test_real_files_compile_to_the_same_descriptors(tmp_path, root, folder):
    names = [str(path.relative_to(root)) for path in sorted((root / folder).rglob("*.proto"))]
    files = compiled([tmp_path, root, TOOLS, GOOGLEAPIS], names).file
    types = Types(files)
    for file in files:
        path = tmp_path / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_source(file, types))
    again = {file.name: file for file in compiled([tmp_path], [file.name for file in files]).file}
    assert len(files) >= len(names) > 10
    assert [file.name for file in files if again[file.name] != file] == []


ALL_OF_PROTO2 = r"""syntax = "proto2";
package a.b;
import public "google/protobuf/timestamp.proto";
import "google/protobuf/descriptor.proto";
option java_package = "x\"y\\z\n\377";
extend google.protobuf.FieldOptions { optional Note note = 50000; repeated int32 many = 50001; }
extend google.protobuf.MessageOptions { optional double limit = 50002; optional float small = 50003; }
message Note { optional string text = 1; optional Kind kind = 2; repeated Note inner = 3; map<string, bytes> more = 4; }
enum Kind { option allow_alias = true; reserved -5 to -2, 100 to max; reserved "OLD"; NONE = 0; ZERO = 0; LESS = -1; }
message Holder {
  option (limit) = -inf;
  option (small) = 0.1;
  reserved 2, 9 to 11, 1000 to max;
  reserved "foo", "bar";
  extensions 100 to 199 [verification = UNVERIFIED];
  extensions 500;
  optional string text = 1 [default = "a\tb\"c\\é",
    (note) = { text: "it's", kind: LESS inner { more { key: "k" value: "\000\377" } } }];
  optional bytes raw = 3 [default = "\000\377\"x"];
  optional double huge = 4 [default = inf];
  optional float tiny = 5 [default = -1.5e-09, (many) = 1, (many) = -2];
  optional Kind kind = 6 [default = LESS, deprecated = true, json_name = "theKind"];
  required int64 needed = 7 [default = -9223372036854775808];
  repeated uint32 packed = 8 [packed = true];
  map<int32, Holder> children = 12;
  optional group Part = 13 { optional Holder holder = 1;
    repeated group Deep = 2 { optional bool on = 1 [default = true]; } }
  message Inner { optional .a.b.Kind kind = 1; message Kind {} optional Kind other = 2; }
  oneof choice { string one = 14; group Two = 15 { optional int32 x = 1; } google.protobuf.Timestamp at = 16; }
  extend Holder { optional string nested_extension = 100; optional group Extra = 101 { optional int32 y = 1; } }
}
extend Holder { repeated Holder.Inner inners = 150; }
message Set { option message_set_wire_format = true; extensions 4 to max; }
service Svc {
  option deprecated = true;
  rpc One(Holder) returns (.google.protobuf.Timestamp);
  rpc Two(stream Holder) returns (stream Holder.Inner) { option idempotency_level = IDEMPOTENT; }
}
"""

ALL_OF_PROTO3 = """syntax = "proto3";
import "google/api/annotations.proto";
import "google/api/http.proto";
message M {
  optional int32 maybe = 1; int32 plain = 2; repeated int32 loose = 3 [packed = false];
  oneof kind { string a = 4; bytes b = 5; } optional M self = 6; google.api.Http http = 7; map<string, M> by_name = 8;
}
service S { rpc Get(M) returns (M) {
  option (google.api.http) = { post: "/v1/{plain}" body: "*" additional_bindings { get: "/x" } }; } }
"""

ALL_OF_2023 = """edition = "2023";
package e;
option features.field_presence = IMPLICIT;
message M {
  reserved foo, bar;
  string s = 1 [features.field_presence = EXPLICIT, features.utf8_validation = NONE, default = "x"];
  M child = 2 [features.message_encoding = DELIMITED];
  int32 must = 3 [features.field_presence = LEGACY_REQUIRED];
  extensions 10 to 20 [declaration = { number: 10 full_name: ".e.x" type: "int32" }];
}
enum Closed { option features.enum_type = CLOSED; ONE = 1; }
"""

ALL_OF_2024 = """edition = "2024";
package f;
import option "options.proto";
option features.enforce_naming_style = STYLE_LEGACY;
local message badName { int32 Bad = 1 [(note) = "n"]; }
export enum kind { none = 0; }
"""
OPTIONS = """edition = "2024"; package f; import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { string note = 50000; }
"""


@pytest.mark.parametrize(
    ("text", "others"),
    [(ALL_OF_PROTO2, {}), (ALL_OF_PROTO3, {}), (ALL_OF_2023, {}), (ALL_OF_2024, {"options": OPTIONS})],
    ids=["proto2", "proto3", "2023", "2024"],
)
def test_all_of_a_dialect_comes_back(printed_again, text, others):
    source, file, again = printed_again(text, **others)
    assert bare(again) == bare(file)
    assert "not known" not in source


def test_comments_come_back_at_their_places(printed_again):
    text = """// Detached from the file.

// Of the syntax.
syntax = "proto3";

// Of the package.
package p;  // Behind the package.

// Detached one.

// Detached two.

// Of a message,
// in two lines.
message M {
  // Behind the brace.

  // Of a field.
  int32 a = 1;  // Behind the field.
  // Of the next.
  int32 b = 2;
  // Behind b, one.
  // Behind b, two.

  oneof o {
    // In a oneof.
    string c = 3;
  }
}

enum E {
  ZERO = 0;  // Nothing.
}

// Of a service.
service S {
  // Of a method.
  rpc Get(M) returns (M);
}
"""
    _, file, again = printed_again(text)
    assert len(comments(file)) == 9
    assert comments(again) == comments(file)


def test_names_are_as_short_as_they_can_be(printed_again):
    text = """syntax = "proto3"; package a.b;
    import "google/protobuf/any.proto"; import "other.proto";
    message M { message N {} N n = 1; M m = 2; google.protobuf.Any any = 3; a.Other other = 4;
    c.X x = 5; .a.b.c.X y = 6; }
    message c { message X {} }
    message string { .a.b.string s = 1; }
    """
    source, file, again = printed_again(text, other='syntax = "proto3"; package a; message Other {}')
    assert bare(again) == bare(file)
    types = re.findall(r"^ +(\S+) \w+ = \d+;", source, re.MULTILINE)
    assert types == ["N", "M", "google.protobuf.Any", "a.Other", "c.X", "c.X", "a.b.string"]


def test_a_name_that_another_hides_is_written_in_full(printed_again):
    text = """syntax = "proto3"; package p; import "google/protobuf/any.proto";
    message google { .google.protobuf.Any any = 1; }
    message X { message Y {} message X { .p.X.Y y = 1; .p.X x = 2; X z = 3; } }
    """
    source, file, again = printed_again(text)
    assert bare(again) == bare(file)
    assert ".google.protobuf.Any any" in source
    assert "p.X x = 2" in source


def test_an_option_that_is_not_known_is_kept_as_a_comment(compile_text):
    text = 'syntax = "proto3"; import "o.proto"; message M { option (o.deep) = 7; int32 a = 1 [(o.note) = "x"]; }'
    options = """syntax = "proto3"; package o; import "google/protobuf/descriptor.proto";
    extend google.protobuf.MessageOptions { int32 deep = 50001; }
    extend google.protobuf.FieldOptions { string note = 50002; }"""
    file, types = compile_text(text, o=options)
    assert '[(o.note) = "x"]' in to_source(file, types)
    lonely = to_source(file)
    assert "// option 50001: not known; its bytes are 88b51807" in lonely
    assert "// option 50002: not known; its bytes are 92b5180178" in lonely
    file.dependency[:] = []
    assert bare(compile_text(to_source(file))[0]).message_type[0].name == "M"


# --- hostile descriptors -----------------------------------------------------------------------------------------


def message_file(**fields) -> FileDescriptorProto:
    file = FileDescriptorProto(name="x.proto", package="p", syntax="proto3")
    message = file.message_type.add(name="M")
    message.field.add(**{"name": "a", "number": 1, "type": 5, "label": 1} | fields)
    return file


BAD_NAMES = ["", "a b", "a;", "a = 1; } message Evil {", "a\nb", "1a", 'a"', "ü", "a.b", "a//", "\x1b[31m", "\u202eab"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda file, name: setattr(file.message_type[0], "name", name),
        lambda file, name: setattr(file.message_type[0].field[0], "name", name),
        lambda file, name: file.message_type[0].nested_type.add(name=name),
        lambda file, name: file.enum_type.add(name=name),
        lambda file, name: file.enum_type.add(name="E").value.add(name=name, number=0),
        lambda file, name: file.service.add(name=name),
        lambda file, name: file.service.add(name="S").method.add(name=name, input_type=".p.M", output_type=".p.M"),
        lambda file, name: file.message_type[0].oneof_decl.add(name=name),
        lambda file, name: file.extension.add(name=name, number=1, type=5, extendee=".p.M"),
    ],
)
def test_a_name_that_is_no_identifier_is_refused(name, spoil):
    file = message_file()
    spoil(file, name)
    with pytest.raises(SchemaError) as caught:
        to_source(file)
    assert str(caught.value).isprintable()
    assert caught.value.where == "x.proto"


@pytest.mark.parametrize(
    "file",
    [
        message_file(type=11, type_name=".p.M; evil"),
        message_file(default_value="1]; int32 evil = 2 [default = 1"),
        message_file(type=12, default_value='a"b'),
        message_file(type=12, default_value="a\nb"),
        message_file(type=10, type_name=".p.Elsewhere"),
        message_file(oneof_index=3),
        FileDescriptorProto(name="x.proto", package="p;q"),
        FileDescriptorProto(name="x.proto", syntax='proto3"; evil'),
        FileDescriptorProto(name="x.proto", syntax="editions", edition=0),
    ],
)
def test_a_descriptor_that_no_source_can_make_is_refused(file):
    with pytest.raises(SchemaError):
        to_source(file)


def test_strings_of_a_descriptor_do_not_break_out(compile_text):
    evil = 'x"; message Evil {} //\n\r\t\\\x1b\u2028\u202eé'
    file = message_file(type=9, json_name=evil)
    file.options.java_package = evil
    info = file.source_code_info.location.add(path=[4, 0], leading_comments=f" {evil}\nmessage Evil {{}}\n*/ ")
    info.leading_detached_comments.append("message Evil {}\u2028message Evil {}")
    again, _ = compile_text(to_source(file))
    assert [message.name for message in again.message_type] == ["M"]
    assert again.options.java_package == evil
    assert again.message_type[0].field[0].json_name == evil


def test_imports_are_escaped():
    source = to_source(FileDescriptorProto(name="x.proto", dependency=['a"; message Evil {} //\n'], syntax="proto3"))
    assert source.splitlines() == ['syntax = "proto3";', "", 'import "a\\"; message Evil {} //\\n";']


def test_deep_nesting_and_long_names_are_refused():
    file = FileDescriptorProto(name="x.proto")
    message = file.message_type.add(name="M")
    for _ in range(300):
        message = message.nested_type.add(name="M")
    with pytest.raises(SchemaError, match="nested over 100 deep"):
        to_source(file)
    with pytest.raises(SchemaError, match="too long"):
        to_source(FileDescriptorProto(name="x.proto", message_type=[DescriptorProto(name="M" * 100_000)]), Types())


@given(st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_random_descriptors_are_source_or_a_schema_error(data):
    file = message_file(type=9, default_value="x")
    with suppress(DecodeError):
        file.MergeFromString(data)
        file.message_type[0].field.append(FieldDescriptorProto.FromString(data[2:]))
    said = source_or_error(file)
    assert all(line.isprintable() for line in said.replace("\t", "").split("\n"))


def source_or_error(file: FileDescriptorProto) -> str:
    try:
        return to_source(file)
    except SchemaError as error:
        return str(error)


@given(schemas())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_schemas_compile_to_the_same_descriptors(tmp_path, resolver):
    file = FileDescriptorProto()
    resolver.pool.FindFileByName("t.proto").CopyToProto(file)
    (tmp_path / "t.proto").write_text(to_source(file))
    again = compiled([tmp_path, TOOLS], ["t.proto"]).file[-1]
    assert normalised(again) == normalised(file)


def normalised(file: FileDescriptorProto) -> FileDescriptorProto:
    """Without what only compilers add, and with the members of a oneof together, as a source has them."""
    file.ClearField("syntax")
    for message in file.message_type:
        message.field.sort(key=lambda field: field.number)
        message.nested_type.sort(key=lambda nested: nested.name)
        for field in (*message.field, *(field for nested in message.nested_type for field in nested.field)):
            field.ClearField("json_name")
    for field in file.extension:
        field.ClearField("json_name")
    return file
