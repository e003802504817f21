"""What the type of a message does not know of it."""

from __future__ import annotations

from inspector.transcode.tree import FieldTree
from inspector.transcode.tree_unknown import unknown_fields, untold
from inspector.wire.encode import length_delimited

PROTO = """
syntax = "proto2";
message Inner { optional string name = 1; }
message Outer { repeated Inner all = 2; }
"""


def tree(compile_proto, data):
    return FieldTree(data, resolver=compile_proto(PROTO), type_name="Outer")


def test_unknown_fields_are_found_at_every_depth_with_what_is_within_them(compile_proto):
    data = (
        length_delimited(2, b"") + length_delimited(2, b"\x0a\x01a\x78\x05") + length_delimited(9, b"\x0a\x03abc") * 2
    )
    assert unknown_fields(tree(compile_proto, data)) == {"all[1].15": 5, "9": [{"1": "abc"}, {"1": "abc"}]}


def test_json_does_not_tell_unknown_fields_and_strings_that_are_not_utf8(compile_proto):
    made = tree(compile_proto, length_delimited(2, b"\x0a\x02\xff\xfe\x78\x05"))
    assert [node.path for node in untold(made)] == ["all[0].name", "all[0].15"]


def test_numbers_that_a_closed_enum_lacks_are_untold(compile_proto):
    proto = (
        'syntax = "proto2"; enum E { A = 0; } message M { optional E one = 1; repeated E many = 2 [packed = true]; }'
    )
    made = FieldTree(b"\x08\x07\x12\x02\x00\x08", resolver=compile_proto(proto), type_name="M")
    assert unknown_fields(made) == {"one": 7, "many[1]": 8}
    assert list(untold(made, keep_unknown=True)) == []


def test_strings_that_are_not_utf8_are_told_as_bytes(compile_proto):
    made = tree(compile_proto, length_delimited(2, b"\x0a\x02\xff\xfe"))
    assert unknown_fields(made) == {"all[0].name": {"$bytes": "//4="}}
    assert len(list(untold(made, keep_unknown=True))) == 1


def test_json_tells_an_any_whose_type_is_not_known(compile_proto):
    data = length_delimited(1, b"type.googleapis.com/unknown.Type") + length_delimited(2, b"\x08\x01")
    made = FieldTree(data, resolver=compile_proto(PROTO, known=True), type_name="google.protobuf.Any")
    assert list(untold(made)) == []
