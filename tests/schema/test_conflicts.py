import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import SchemaError
from inspector.schema import Schema

ITEM = """syntax = "proto3"; package shop.v1;
message Item { string name = 1; enum Kind { NONE = 0; GOOD = 1; } oneof price { int64 cents = 2; string text = 3; } }
enum Color { RED = 0; }
service Shop { rpc Get(Item) returns (stream Item); }
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("string name = 1", "string title = 1", "message shop.v1.Item: field 1 is 'name' in {a} and 'title' in {b}"),
        ("string name = 1", "bytes name = 1", "message shop.v1.Item: field 1: type is string in {a} and bytes in {b}"),
        ("string name = 1;", "", "message shop.v1.Item: field 1 is 'name' in {a} and missing in {b}"),
        ("string name", "repeated string name", "field 1: label is optional in {a} and repeated in {b}"),
        ("string name", "Color name", "message shop.v1.Item: field 1 is string in {a} and shop.v1.Color in {b}"),
        ("string name = 1", 'string name = 1 [json_name = "n"]', "field 1: JSON name is name in {a} and n in {b}"),
        ("GOOD = 1", "GOOD = 2", "message shop.v1.Item: enum Kind: value GOOD is 1 in {a} and 2 in {b}"),
        ("oneof price", "oneof cost", "message shop.v1.Item: oneof names is price in {a} and cost in {b}"),
        ("RED = 0;", "RED = 0; BLUE = 1;", "enum shop.v1.Color: value BLUE is missing in {a} and 1 in {b}"),
        ("enum Color { RED = 0; }", "message Color {}", "shop.v1.Color is an enum in {a} and a message in {b}"),
        ("stream Item", "Item", "service shop.v1.Shop: method Get is (shop.v1.Item) returns (stream shop.v1.Item)"),
        ("enum Kind { NONE = 0; GOOD = 1; }", "", "message shop.v1.Item: enum Kind is there in {a} and missing in {b}"),
        ('"proto3"', '"proto2"', " is proto3 in {a} and proto2 in {b}"),
    ],
)
def test_a_conflict_names_the_symbol_both_sources_and_the_difference(write, old, new, problem):
    assert old in ITEM
    changed = ITEM.replace(old, new)
    if "proto2" in new:
        changed = changed.replace("string name", "optional string name")
    a, b = write("a/item.proto", ITEM), write("b/item.proto", changed)
    with pytest.raises(SchemaError) as caught:
        Schema.from_sources([str(a), str(b)])
    assert problem.format(a=a, b=b) in str(caught.value)
    assert caught.value.hint


def test_comments_reserved_names_and_options_are_no_conflict(write):
    changed = "// comment\n" + ITEM.replace("{ string name = 1;", "{ reserved 9; string name = 1 [deprecated = true];")
    schema = Schema.from_protos(write("a/item.proto", ITEM), write("b/item.proto", changed))
    assert schema.message("shop.v1.Item").fields_by_name["name"].number == 1


def test_one_definition_in_differently_named_files_is_no_conflict(write):
    a = write("a/item.proto", ITEM)
    write("b/proto/item.proto", ITEM)
    uses = 'syntax = "proto3"; import "proto/item.proto"; message Box { shop.v1.Item item = 1; }'
    b = write("b/box.proto", uses)
    schema = Schema.from_protos(a, b)
    box, item = schema.message("Box"), schema.message("shop.v1.Item")
    assert box.fields_by_name["item"].message_type is item
    assert schema.method("shop.v1.Shop/Get").input_type is item


def test_conflicts_between_files_of_one_set_are_refused_when_looked_up(write, write_set):
    one, two = (FileDescriptorProto(name=f"{name}.proto", package="p", syntax="proto3") for name in "ab")
    one.message_type.add(name="M").field.add(name="x", number=1, type=5, label=1)
    two.message_type.add(name="M").field.add(name="y", number=1, type=5, label=1)
    schema = Schema.from_files(write_set("set.pb", one, two))
    for _ in range(2):
        with pytest.raises(SchemaError, match=r"message p\.M: field 1 is 'x' in a\.proto and 'y' in b\.proto"):
            schema.find_message("p.M")


def test_edition_features_are_compared(write):
    text = 'edition = "2023"; package p; message M { string s = 1; }'
    a = write("a/m.proto", text)
    b = write("b/m.proto", text.replace("s = 1", "s = 1 [features.field_presence = IMPLICIT]"))
    with pytest.raises(SchemaError, match=r"field 1: features is none in .* and field_presence: IMPLICIT in"):
        Schema.from_protos(a, b)
