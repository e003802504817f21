"""The field tree: what each kind of field becomes, with and without a schema."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from google.protobuf import any_pb2

from inspector.errors import InputError, SchemaError
from inspector.limits import MAX_DEPTH, MAX_SAMPLED_FIELDS
from inspector.transcode import tree_fields
from inspector.transcode.tree import FieldTree, Visit
from inspector.wire import scan
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import SGROUP, VARINT

MIB = 1 << 20

COUNTS = b"".join(varint(300_000 + 7 * count) for count in range(50_000))

PROTO = """
syntax = "proto3";
package p;
import "google/protobuf/any.proto";
enum Colour { NONE = 0; RED = 1; }
message Part { string name = 1; int32 size = 2; }
message Order {
  string id = 1;
  repeated int32 counts = 2;
  repeated Part parts = 3;
  map<string, Part> by_name = 4;
  google.protobuf.Any detail = 5;
  repeated double weights = 6;
  Colour colour = 7;
  Part main = 8;
  bool gift = 9;
  sint32 delta = 10;
  uint32 weight = 11;
  int64 total = 12;
}
"""

LEGACY = """
syntax = "proto2";
package q;
enum Size { SMALL = 1; }
message Old {
  optional group Box = 1 { optional int32 width = 1; optional string label = 2; }
  optional string text = 2;
  optional Size size = 3;
  extensions 100 to 200;
}
message Set { option message_set_wire_format = true; extensions 4 to max; }
message Item { extend Set { optional Item item = 4; } optional int32 x = 1; }
extend Old { optional Item more = 100; }
"""


@pytest.fixture(scope="module")
def schema(compile_proto):
    return compile_proto(PROTO)


@pytest.fixture(scope="module")
def legacy(compile_proto):
    return compile_proto(LEGACY)


@pytest.fixture(scope="module")
def order(schema):
    return lambda data, **options: FieldTree(data, resolver=schema, type_name="p.Order", **options)


@pytest.fixture(scope="module")
def old(legacy):
    return lambda data, name="q.Old": FieldTree(data, resolver=legacy, type_name=name)


def by_path(tree):
    return {node.path: node for node in tree.walk()}


def outline(tree):
    return [(node.path, node.kind, node.value) for node in tree.walk()]


# --- fields of the schema ----------------------------------------------------------------------------------------


def test_a_field_knows_its_bytes(order):
    [node] = order(b"\x0a\x03abc").fields
    assert (node.number, node.name, node.kind, node.value) == (1, "id", "string", "abc")
    assert (node.span, node.tag, node.length, node.value_span, node.end_tag) == ((0, 5), (0, 1), (1, 2), (2, 5), None)
    assert (node.path, node.depth, node.parent, node.is_guess, node.notes) == ("id", 0, None, False, ())


def test_elements_of_a_packed_field_have_their_own_bytes(order):
    tree = order(bytes.fromhex("12 04 01 ac02 03"))
    [packed] = tree.fields
    assert (packed.kind, packed.value, packed.path) == ("packed-int32", None, "counts")
    assert [(node.path, node.value, node.span, node.tag) for node in packed.children] == [
        ("counts[0]", 1, (2, 3), None),
        ("counts[1]", 300, (3, 5), None),
        ("counts[2]", 3, (5, 6), None),
    ]


def test_values_count_on_from_packed_to_single_ones(order):
    tree = order(bytes.fromhex("10 07 12 02 08 09 10 0a 12 01 0b"))
    assert [(node.path, node.value) for node in tree.walk() if node.kind == "int32"] == [
        (f"counts[{index}]", 7 + index) for index in range(5)
    ]


def test_packed_numbers_of_a_fixed_size_may_leave_bytes_over(order):
    packed = order(b"\x32\x0b" + b"\0\0\0\0\0\0\xf0\x3f" + b"\0\0\0").fields[0]
    first, rest = packed.children
    assert (first.value, first.span) == (1.0, (2, 10))
    assert (rest.kind, rest.span, rest.problem.code) == ("damage", (10, 13), "wire")


def test_repeated_messages_have_their_index(order):
    tree = order(bytes.fromhex("1a 03 0a 01 61 1a 02 10 05"))
    assert outline(tree) == [
        ("parts[0]", "message", None),
        ("parts[0].name", "string", "a"),
        ("parts[1]", "message", None),
        ("parts[1].size", "int32", 5),
    ]
    assert tree.fields[0].type_name == "p.Part"


def test_entries_of_a_map_are_messages_of_key_and_value(order):
    tree = order(bytes.fromhex("22 07 0a 01 6b 12 02 10 05"))
    assert [node.path for node in tree.walk()] == [
        "by_name[0]",
        "by_name[0].key",
        "by_name[0].value",
        "by_name[0].value.size",
    ]
    assert tree.fields[0].is_map_entry


def test_an_enum_has_number_and_name(order):
    known, unknown = order(b"\x38\x01\x38\x07").fields
    assert (known.kind, known.value, known.enum_name, known.type_name) == ("enum", 1, "RED", "p.Colour")
    assert (unknown.value, unknown.enum_name) == (7, None)


def test_a_value_of_a_closed_enum_that_it_does_not_have_is_noted(old):
    assert old(b"\x18\x07").fields[0].notes == ("not a value of the closed enum: kept as unknown",)
    assert old(b"\x18\x01").fields[0].notes == ()


def test_what_a_later_field_replaces_is_noted(order):
    first, second = order(b"\x0a\x01a\x0a\x01b").fields
    assert (first.notes, second.notes) == (("a later one takes its place",), ())
    first, second = order(b"\x42\x00\x42\x00").fields
    assert (first.notes, second.notes) == (("merged with a later one",), ())


def test_a_group_has_an_end_tag(old):
    tree = old(bytes.fromhex("0b 08 05 0c 12 01 61"))
    box, text = tree.fields
    assert (box.kind, box.span, box.value_span, box.end_tag, box.length) == ("group", (0, 4), (1, 3), (3, 4), None)
    assert [node.path for node in tree.walk()] == ["box", "box.width", "text"]
    assert text.value == "a"


def test_an_extension_has_its_name_in_brackets(old):
    tree = old(bytes.fromhex("a2 06 02 08 05"))
    assert [node.path for node in tree.walk()] == ["[q.more]", "[q.more].x"]


@pytest.mark.parametrize("data", ["0b 10 04 1a 02 08 05 0c", "0b 1a 02 08 05 10 04 0c"], ids=["before", "behind"])
def test_the_type_id_of_an_item_tells_what_it_holds(old, data):
    nodes = by_path(old(bytes.fromhex(data), "q.Set"))
    assert nodes["item[0].type_id"].value == 4
    assert nodes["item[0].[q.Item.item]"].type_name == "q.Item"
    assert nodes["item[0].[q.Item.item].x"].value == 5
    assert not any(node.notes for node in nodes.values())


def test_an_item_of_an_unknown_type_is_guessed(old):
    node = by_path(old(bytes.fromhex("0b 10 09 1a 02 08 05 0c"), "q.Set"))["item[0].message"]
    assert node.is_guess
    assert node.notes == ("q.Set has no extension 9",)


URL = length_delimited(1, b"type.googleapis.com/p.Part")
CONTENT = length_delimited(2, b"\x0a\x02ab\x10\x05")


@pytest.mark.parametrize("data", [URL + CONTENT, CONTENT + URL], ids=["before", "behind"])
def test_the_type_of_any_is_found_wherever_it_stands(order, data):
    nodes = by_path(order(length_delimited(5, data)))
    assert nodes["detail.value"].type_name == "p.Part"
    assert (nodes["detail.value.name"].value, nodes["detail.value.size"].value) == ("ab", 5)


def test_of_two_types_of_any_the_last_one_counts(order):
    data = length_delimited(1, b"x/p.Order") + CONTENT + URL
    assert by_path(order(length_delimited(5, data)))["detail.value"].type_name == "p.Part"


def test_any_of_a_type_that_the_schema_lacks_is_guessed(order):
    data = length_delimited(1, b"x/p.Gone") + CONTENT
    node = by_path(order(length_delimited(5, data)))["detail.value"]
    assert node.is_guess
    assert node.name == "value"
    assert node.notes == ("the schema has no type p.Gone",)


def test_any_whose_type_url_is_no_name_is_guessed(order):
    data = length_delimited(1, b"x/" + b"\xff" * 300) + CONTENT
    node = by_path(order(length_delimited(5, data)))["detail.value"]
    assert node.is_guess
    assert node.notes == ("its type_url does not name a type",)


def test_any_that_does_not_hold_its_type_is_damaged_within(order):
    data = URL + length_delimited(2, b"\x0a\x09ab")
    tree = order(length_delimited(5, data) + b"\x48\x01")
    damage = by_path(tree)["detail.value.name"]
    assert (damage.kind, damage.value, damage.problem.code) == ("damage", b"ab", "truncated")
    assert by_path(tree)["gift"].value is True


def test_any_in_any_ends_at_the_limit(order):
    data = b""
    for _ in range(3 * MAX_DEPTH):
        data = length_delimited(1, b"x/google.protobuf.Any") + length_delimited(2, data)
    nodes = list(order(length_delimited(5, data)).walk())
    assert max(node.depth for node in nodes) == MAX_DEPTH
    assert nodes[-1].is_damaged


def test_an_any_by_itself_is_resolved(schema):
    packed = any_pb2.Any(type_url="x/p.Part", value=b"\x10\x05").SerializeToString()
    tree = FieldTree(packed, resolver=schema, type_name="google.protobuf.Any")
    assert by_path(tree)["value.size"].value == 5


# --- what is not in the schema -----------------------------------------------------------------------------------


def test_unknown_fields_are_guessed_and_told_by_number(order):
    tree = order(b"\x1a\x04\xfa\x01\x01x" + length_delimited(33, b"some words here"))
    inner, outer = by_path(tree)["parts[0].31"], by_path(tree)["33"]
    assert (outer.name, outer.kind, outer.value) == (None, "string", "some words here")
    assert (outer.number_path, outer.notes) == ("33", ("not in p.Order",))
    assert outer.candidates[0].kind == "string"
    assert (inner.number_path, inner.notes) == ("3.31", ("not in p.Part",))


def test_unknown_fields_that_repeat_have_an_index():
    data = length_delimited(3, b"first words") * 2 + b"\x20\x01"
    assert [node.path for node in FieldTree(data).walk()] == ["3[0]", "3[1]", "4"]


def test_a_wire_type_that_contradicts_the_schema_is_shown_as_what_it_is(order):
    tree = order(b"\x08\x05\x0a\x01a")
    odd, id_ = tree.fields
    assert (odd.path, odd.name, odd.kind, odd.value) == ("1", None, "int64", 5)
    assert odd.problem.code == "wire_type"
    assert odd.problem.message == "id is string (LEN) in p.Order, but VARINT here"
    assert not odd.is_damaged
    assert (id_.path, id_.value) == ("id", "a")


def test_a_message_where_the_schema_has_a_number_is_a_message(order):
    tree = order(length_delimited(12, b"\x0a\x05words\x10\x01"))
    assert tree.fields[0].kind == "message"
    assert tree.fields[0].problem.message == "total is int64 (VARINT) in p.Order, but LEN here"
    assert by_path(tree)["12.1"].value == "words"


def test_without_a_schema_messages_are_guessed():
    inner = length_delimited(1, b"models/wildlife") + b"\x10\x05"
    assert outline(FieldTree(length_delimited(1, inner))) == [
        ("1", "message", None),
        ("1.1", "string", "models/wildlife"),
        ("1.2", "int64", 5),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"some words " * 10_000, "string"),
        (b"some words " * 10_000 + b"\xff", "bytes"),
        ("слово ".encode() * 20_000, "string"),
        ("слово ".encode() * 20_000 + b"\xd0", "bytes"),
        (length_delimited(1, b"some words") * 10_000, "message"),
        (length_delimited(1, b"some words") * 10_000 + b"\x0a", "bytes"),
        (bytes(range(1, 90)) * 2_000, "bytes"),
        (COUNTS, "packed-int64"),
        (COUNTS + b"\x80", "bytes"),
    ],
)
def test_a_long_content_is_judged_by_its_beginning_and_checked_whole(content, kind):
    node = FieldTree(length_delimited(2, content)).fields[0]
    assert node.kind == kind
    assert node.value == {"string": content.decode(errors="replace"), "bytes": content}.get(kind)
    head = node.head(7)
    assert head == (node.value[:7] if node.value is not None else None)


def test_of_very_many_fields_some_tell_what_all_are(monkeypatch):
    monkeypatch.setattr(tree_fields, "MAX_SAMPLED_FIELDS", 200)
    sampled = []
    original = tree_fields.Shape.sampled

    def note(spans, *rest):
        spans = list(spans)
        sampled.append(sum(end - start for _, start, end in spans))
        return original(spans, *rest)

    monkeypatch.setattr(tree_fields.Shape, "sampled", note)
    many = length_delimited(1, b"some words") * 400
    rare = length_delimited(2, length_delimited(1, b"inner text") + tag(2, VARINT) + b"\x05")
    tree = FieldTree(many + rare + many)
    assert [tree.fields[index].kind for index in (0, 400, 800)] == ["string", "message", "string"]
    assert [node.value for node in tree.fields[400].children] == ["inner text", 5]
    assert sampled == [200 * 12, len(rare)]


@pytest.mark.parametrize("messages", [2_000, 20_000])
def test_a_first_screen_looks_at_no_more_fields_of_a_longer_message(monkeypatch, messages):
    scanned = []
    scan_into = scan.scan_into

    def count(fields, *rest):
        before = len(fields)
        after = scan_into(fields, *rest)
        scanned.append(len(fields) - before)
        return after

    monkeypatch.setattr(scan, "scan_into", count)
    inner = length_delimited(1, b"some words")
    for _ in range(5):
        inner = length_delimited(1, inner) * 3 + tag(2, VARINT) + b"\x05"
    tree = FieldTree(length_delimited(1, inner) * messages)
    kinds = Counter(node.kind for node in islice(tree.walk(), 50))
    assert set(kinds) == {"message", "string", "int64"}
    assert MAX_SAMPLED_FIELDS < sum(scanned) < 8 * MAX_SAMPLED_FIELDS


def test_a_long_message_within_another_is_judged_over_all_of_it():
    flags, counts = (tag(1, VARINT) + bytes((value,)) for value in (1, 9))
    nodes = FieldTree(length_delimited(7, (flags + counts * 9) * MAX_SAMPLED_FIELDS)).fields[0].children
    assert nodes[0].kind == "int64"
    nodes = FieldTree(length_delimited(7, flags * MAX_SAMPLED_FIELDS + counts * 50_000)).fields[0].children
    assert nodes[0].kind == "int64"


def test_a_number_among_booleans_is_shown_as_it_is():
    flag = tag(1, VARINT) + b"\x01"
    nodes = FieldTree(flag * 5 * MAX_SAMPLED_FIELDS + tag(1, VARINT) + b"\x05" + flag * MAX_SAMPLED_FIELDS).fields
    assert (nodes[0].kind, nodes[0].value) == ("bool", True)
    assert (nodes[5 * MAX_SAMPLED_FIELDS].kind, nodes[5 * MAX_SAMPLED_FIELDS].value) == ("uint64", 5)


def test_a_hint_overrules_the_guess():
    data = length_delimited(3, b"\x0a\x05words")
    assert FieldTree(data).fields[0].kind == "message"
    assert FieldTree(data, hints={"3": "string"}).fields[0].value == "\n\x05words"
    assert by_path(FieldTree(data, hints={"3.1": "bytes"}))["3.1"].value == b"words"


def test_a_hint_stands_where_the_bytes_do_not_fulfil_it():
    [node] = FieldTree(length_delimited(3, b"\x0a\x09ab"), hints={"3": "message"}).fields
    assert node.kind == "message"
    assert [child.kind for child in node.children] == ["damage"]


def test_of_messages_beside_each_other_one_that_is_none_is_bytes():
    part = length_delimited(3, length_delimited(1, b"some words") + b"\x10\x05")
    odd = FieldTree(part * 20 + length_delimited(3, b"\x0a\xff\xff")).fields[20]
    assert (odd.kind, odd.value, len(odd.children), odd.problem) == ("bytes", b"\x0a\xff\xff", 0, None)


def test_a_hint_that_is_none_is_refused():
    with pytest.raises(InputError, match="no kind 'text'"):
        FieldTree(b"", hints={"3": "text"})


# --- damage ------------------------------------------------------------------------------------------------------


def test_a_cut_field_costs_only_what_follows_it(order):
    tree = order(b"\x10\x05" + b"\x0a\x09abc")
    good, damage = tree.fields
    assert (good.value, damage.kind, damage.name, damage.span) == (5, "damage", "id", (2, 7))
    assert (damage.number, damage.tag, damage.length, damage.value) == (1, (2, 3), (3, 4), b"abc")
    assert tree.problem == damage.problem
    assert (tree.problem.code, tree.problem.offset) == ("truncated", 3)


def test_a_message_that_is_cut_shows_its_beginning(order):
    tree = order(bytes.fromhex("10 05 1a 20 10 05 0a 09 61 62"))
    assert outline(tree) == [
        ("counts[0]", "int32", 5),
        ("parts[0]", "damage", None),
        ("parts[0].size", "int32", 5),
        ("parts[0].name", "damage", b"ab"),
    ]
    assert [piece.role for piece in tree.pieces()] == [
        "tag",
        "value",
        *["tag", "length"],
        "tag",
        "value",
        *["tag", "length", "value"],
    ]


def test_a_cut_message_is_guessed_by_those_before_it():
    part = length_delimited(3, length_delimited(1, b"some words") + b"\x10\x05")
    assert [node.kind for node in FieldTree(part * 3 + part[:-1]).fields[3].children] == ["string", "damage"]
    assert [node.kind for node in FieldTree(part[:-1]).walk()] == ["damage"]


def test_a_damaged_message_leaves_those_beside_it_whole(order):
    tree = order(bytes.fromhex("1a 04 0a 01 61 07  1a 03 0a 01 62"))
    assert outline(tree) == [
        ("parts[0]", "message", None),
        ("parts[0].name", "string", "a"),
        ("parts[0]", "damage", b"\x07"),
        ("parts[1]", "message", None),
        ("parts[1].name", "string", "b"),
    ]
    assert tree.problem is None


def test_bytes_that_are_no_tag_have_no_number():
    [node] = FieldTree(b"\0\0\0").fields
    assert (node.kind, node.number, node.wire_type, node.path, node.value) == ("damage", None, None, "", b"\0\0\0")
    assert node.problem.message == "field number 0"


def test_invalid_utf8_is_bytes_with_a_problem(order, old):
    [strict] = order(b"\x0a\x03a\xc3(").fields
    assert (strict.kind, strict.value, strict.problem.code) == ("bytes", b"a\xc3(", "utf8")
    assert (strict.problem.offset, strict.is_damaged) == (3, True)
    [lax] = old(b"\x12\x03a\xc3(").fields
    assert (lax.kind, lax.is_damaged) == ("bytes", False)


def test_a_group_without_an_end_shows_what_is_in_it(old):
    tree = old(bytes.fromhex("0b 08 05 12 01 61"))
    [box] = tree.fields
    assert (box.problem.code, box.problem.message, box.end_tag) == ("truncated", "group 1 has no end", None)
    assert [(node.name, node.value) for node in box.children] == [("width", 5), ("label", "a")]


def test_a_group_that_another_ends_is_damaged_where_that_stands(old):
    box = old(bytes.fromhex("0b 08 05 14 0c")).fields[0]
    assert [(node.kind, node.span) for node in box.children] == [("int32", (1, 3)), ("damage", (3, 5))]
    assert "end of group 2" in box.children[1].problem.message


def test_an_end_tag_that_ends_nothing_is_damage():
    good, damage = FieldTree(b"\x08\x01\x0c\x08\x01").fields
    assert (good.value, damage.kind, damage.span) == (1, "damage", (2, 5))


def test_messages_that_are_too_deep_are_bytes(compile_proto):
    schema = compile_proto('syntax = "proto3"; package p; message M { M m = 1; }')
    data = b""
    for _ in range(2_000):
        data = length_delimited(1, data)
    nodes = list(FieldTree(data, resolver=schema, type_name="p.M").walk())
    assert [node.kind for node in nodes] == ["message"] * MAX_DEPTH + ["bytes"]
    assert nodes[-1].problem.message == f"messages nested over {MAX_DEPTH} deep"


def test_groups_that_are_too_deep_are_bytes():
    nodes = list(FieldTree(b"\x0b" * 150 + b"\x0c" * 150).walk())
    assert [node.kind for node in nodes] == ["group"] * MAX_DEPTH + ["bytes"]
    assert nodes[-1].problem.code == "depth"


# --- longer than needed, wider than allowed ----------------------------------------------------------------------


def test_forms_that_are_longer_than_needed_are_noted(order):
    longer = order(bytes.fromhex("8a 00 82 00 61 62 48 81 80 00")).fields
    assert longer[0].notes == ("tag is 1 byte longer than needed, length is 1 byte longer than needed",)
    assert longer[1].notes == ("varint is 2 bytes longer than needed",)
    assert (longer[0].value, longer[1].value) == ("ab", True)
    assert not longer[0].is_minimal
    assert order(b"\x0a\x02ab").fields[0].is_minimal


@pytest.mark.parametrize("raw", [5, 1 << 32 | 5, 1 << 40, (1 << 64) - 1, (1 << 63) + 1, (1 << 70) - 1, 2, 3 << 31])
@pytest.mark.parametrize("name", ["gift", "delta", "weight", "total", "colour", "counts"])
def test_numbers_are_cut_as_the_runtime_cuts_them(schema, order, name, raw):
    message_class = schema.message_class("p.Order")
    low = [raw >> shift & 0x7F | 0x80 for shift in range(0, max(1, raw.bit_length()), 7)]
    data = tag(message_class.DESCRIPTOR.fields_by_name[name].number, VARINT) + bytes([*low[:-1], low[-1] & 0x7F])
    message = message_class.FromString(data)
    [node] = order(data).fields
    expected = message.counts[0] if name == "counts" else getattr(message, name)
    assert node.value == expected
    written = message_class(**{name: [expected] if name == "counts" else expected}).SerializeToString()
    written = tag(2, VARINT) + varint(expected) if name == "counts" else written
    assert (node.notes == ()) == (written == data)


def test_a_varint_of_eleven_bytes_is_damage():
    assert [node.kind for node in FieldTree(b"\x08\x01\x08" + b"\x80" * 10 + b"\x01").fields] == ["int64", "damage"]


# --- the walk ----------------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_read(order, monkeypatch):
    read = []
    original = tree_fields.FieldIndex
    monkeypatch.setattr(tree_fields, "FieldIndex", lambda *args: read.append(args[1:]) or original(*args))
    tree = order(length_delimited(3, b"\x10\x01" * 1000) * 2)
    assert read == []
    assert len(tree.fields) == 2
    assert read == [(0, 4006)]
    assert tree.fields[0].kind == "message"
    assert len(read) == 1
    assert len(tree.fields[0].children) == 1000
    assert read == [(0, 4006), (3, 2003)]


def test_the_first_fields_of_a_known_message_are_there_before_all_are_counted(order, monkeypatch):
    read = []
    original = tree_fields.FieldIndex
    monkeypatch.setattr(tree_fields, "FieldIndex", lambda *args: read.append(args[1:]) or original(*args))
    numbers = tag(2, VARINT) + b"\x07"
    tree = order(numbers * MANY + b"\x80")
    first = list(islice(tree.fields, 3))
    assert [node.path for node in first] == ["counts[0]", "counts[1]", "counts[2]"]
    assert read == []
    assert [node.kind for node in tree.fields][MANY - 1 :] == ["int32", "damage"]
    assert read == [(0, 2 * MANY + 1)]


MANY = 1100
"""Fields: more than there are from one mark to the next."""


@pytest.mark.parametrize(
    "unit",
    [
        length_delimited(3, b"\x10\x01"),
        length_delimited(2, b"\x01\x96\x01") + tag(2, VARINT) + b"\x07",
        length_delimited(1, b"again"),
        tag(99, VARINT) + b"\x05" + length_delimited(99, b"words"),
        tag(99, SGROUP) + b"\x08\x01" + tag(99, 4) + length_delimited(3, b""),
    ],
)
def test_a_node_is_the_same_from_any_place(order, unit):
    for tree in (order(unit * MANY), FieldTree(unit * MANY)):
        walked = [(node.span, node.path, node.kind, node.notes) for node in tree.fields]
        placed = [(node.span, node.path, node.kind, node.notes) for node in tree.fields[:]]
        assert placed == walked


def test_elements_are_the_same_from_any_place(order):
    for raw in (bytes(range(1, 120)) * 30, b"\x96\x01\x05" * MANY, b"\x01" * MANY + b"\x80"):
        elements = order(length_delimited(2, b"\x07\x08") + length_delimited(2, raw)).fields[1].children
        assert [(each.span, each.path, each.value) for each in elements[:]] == [
            (each.span, each.path, each.value) for each in elements
        ]
        assert elements[-2 if raw[-1] >= 0x80 else -1].path == f"counts[{sum(byte < 0x80 for byte in raw) + 1}]"


def test_the_last_type_url_tells_the_type_also_of_very_many(order):
    detail = any_pb2.Any(type_url="x/p.Part", value=b"\x10\x05").SerializeToString()
    early = length_delimited(1, b"x/p.Order") + detail
    for content in (early + b"\x20\x01" * MANY, b"\x20\x01" * MANY + early, early + b"\x23\x24" * MANY):
        tree = order(length_delimited(5, content))
        kinds = {node.name: node.type_name for node in tree.fields[0].children}
        assert kinds["value"] == "p.Part"


def test_nodes_are_a_sequence():
    fields = FieldTree(b"\x08\x01\x10\x02\x18\x03").fields
    assert len(fields) == 3
    assert fields[-1].value == 3
    assert [node.number for node in fields[1:]] == [2, 3]
    assert fields[0] is fields[0]
    with pytest.raises(IndexError):
        fields[3]


def test_a_walk_goes_no_deeper_than_asked(order):
    tree = order(bytes.fromhex("22 07 0a 01 6b 12 02 10 05"))
    steps = [(node.label, visit) for node, visit in tree.steps(2)]
    assert steps == [
        ("by_name[0]", Visit.OPEN),
        ("key", Visit.LEAF),
        ("value", Visit.LEAF),
        ("by_name[0]", Visit.CLOSE),
    ]


def test_pieces_tell_what_each_byte_is(old):
    pieces = list(old(bytes.fromhex("0b 12 01 61 0c")).pieces())
    assert [(piece.role, piece.span, piece.node.label) for piece in pieces] == [
        ("tag", (0, 1), "box"),
        ("tag", (1, 2), "label"),
        ("length", (2, 3), "label"),
        ("value", (3, 4), "label"),
        ("end_tag", (4, 5), "box"),
    ]


def test_a_type_that_the_schema_lacks_is_refused(schema):
    with pytest.raises(SchemaError, match=r"no message type 'p\.Gone'"):
        FieldTree(b"", resolver=schema, type_name="p.Gone")


def test_an_empty_message_has_no_fields(order):
    tree = order(b"")
    assert (list(tree.walk()), tree.problem, tree.type_name) == ([], None, "p.Order")


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b" * MIB,
        b"\x80" * MIB,
        bytes(MIB),
        tag(1, SGROUP) * 99 + b"\x10\x01" * (MIB // 32) + tag(1, SGROUP) * 3,
        tag(1, SGROUP) * 150 + b"\x10\x01" * (MIB // 32) + b"\x0c" * 150,
        b"\x0b\x13\x14" * 3_000,
        b"\x0a\0" * (MIB // 64),
        b"\x08\x01\x10\x02" * (MIB // 64),
        length_delimited(1, b"\xff" * MIB),
    ],
    ids=["starts", "varint", "zeros", "deep", "deeper", "unmatched", "empty", "alternating", "long"],
)
def test_hostile_input_is_walked_to_its_end(data):
    *_, last = FieldTree(data).pieces()
    assert last.span.end == len(data)
