"""Types out of a descriptor set without `Schema`: the same ones, or none."""

from __future__ import annotations

import corpus
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from inspector.schema import Schema
from inspector.schema.plain_set import NotPlain, PlainSet

ITEM = FileDescriptorProto(name="item.proto", package="shop", message_type=[DescriptorProto(name="Item")])
USING = FileDescriptorProto(
    name="order.proto",
    package="shop",
    dependency=["item.proto"],
    message_type=[
        DescriptorProto(
            name="Order",
            field=[FieldDescriptorProto(name="item", number=1, label=1, type=11, type_name=".shop.Item")],
        )
    ],
)


def extendable() -> FileDescriptorProto:
    file = FileDescriptorProto(name="item.proto", package="shop")
    file.message_type.add(name="Item").extension_range.add(start=100, end=200)
    return file


def outline(descriptor):
    return [(field.name, field.number, field.type, field.json_name) for field in descriptor.fields]


@pytest.mark.parametrize("shape", corpus.shapes(), ids=lambda shape: shape.name)
def test_types_are_those_of_a_schema(shape, tmp_path):
    path = tmp_path / "set.desc"
    path.write_bytes(corpus.descriptor_set(shape.type_name))
    usual = Schema.from_files(path).message(shape.type_name)
    try:
        found = PlainSet(path.read_bytes()).find_message(shape.type_name)
    except NotPlain:
        assert shape.name == "descriptor set"
    else:
        assert outline(found) == outline(usual)


@pytest.mark.parametrize(
    "files",
    [
        (USING,),
        (USING, ITEM),
        (ITEM, FileDescriptorProto(name="other.proto", package="shop", message_type=ITEM.message_type), USING),
        (FileDescriptorProto(), ITEM, USING),
        (b"\x0a\x01\xff", ITEM, USING),
        (b"\x0a\x7f", ITEM, USING),
        (extendable(), USING),
    ],
    ids=["no import", "order", "twice", "no name", "no UTF-8", "damaged", "extensions"],
)
def test_what_has_to_be_settled_is_left_to_schema(write_set, files):
    data = write_set("set.desc", *files).read_bytes()
    with pytest.raises(NotPlain):
        PlainSet(data).find_message("shop.Order")


def test_types_that_are_not_there_are_left_to_schema(write_set):
    types = PlainSet(write_set("set.desc", ITEM, USING).read_bytes())
    assert types.find_message("shop.Order").fields[0].message_type.full_name == "shop.Item"
    with pytest.raises(NotPlain):
        types.find_message("google.protobuf.Timestamp")


@pytest.mark.parametrize("data", [b"", b"\x0a", b"\x0a\x05abc", b"\x12\x00", b"\x0a\x00"])
def test_what_is_no_set_is_left_to_schema(data):
    with pytest.raises(NotPlain):
        PlainSet(data)
