"""Reading text format by a schema: what it may look like, what is refused, and where."""

from __future__ import annotations

import pytest

from inspector.errors import EncodeError
from inspector.formats.text_reader import TextReader
from inspector.limits import MAX_DEPTH

MIB = 1 << 20

SCHEMA = """
syntax = "proto2";
package p;
import "google/protobuf/any.proto";
enum E { ZERO = 0; ONE = 1; LESS = -5; }
message M {
  reserved "gone", "left";
  optional int32 i = 1;
  optional string s = 2;
  optional bytes b = 3;
  optional M m = 4;
  repeated int32 n = 5;
  repeated M ms = 6;
  map<string, int32> counts = 7;
  map<int32, M> by_number = 8;
  oneof choice { string word = 9; int32 number = 10; }
  optional E e = 11;
  optional group Group = 12 { optional int32 x = 1; }
  optional google.protobuf.Any any = 13;
  repeated E es = 14;
  optional Needy needy = 15;
  optional uint32 u = 16;
  optional float f = 17;
  repeated string words = 18;
  extensions 100 to 199;
}
message Needy { required int32 a = 1; required string b = 2; }
extend M { optional int32 ext = 100; repeated M exts = 101; }
message Scope { extend M { optional string inner = 102; } }
message Set { option message_set_wire_format = true; extensions 4 to max; }
message Item { extend Set { optional Item item = 4; } optional int32 x = 1; }
"""


@pytest.fixture(scope="module")
def schema(compile_proto):
    return compile_proto(SCHEMA)


@pytest.fixture(scope="module")
def read(schema):
    def read_text(text, type_name="p.M", **options):
        return TextReader(schema, type_name, **options).read(text.encode())

    return read_text


@pytest.fixture(scope="module")
def parsed(schema, read):
    return lambda text, type_name="p.M": schema.message_class(type_name).FromString(read(text, type_name))


@pytest.fixture
def refused(read):
    def refuse(text, says, type_name="p.M", **options):
        with pytest.raises(EncodeError, match=says) as caught:
            read(text, type_name, **options)
        return caught.value

    return refuse


# --- what a text may look like -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "m { i: 1 } n: 1 n: 2",
        "m: { i: 1 } n: [1, 2]",
        "m < i: 1 >; n: [1] n: [2]",
        "m: < i: 1, >, n: 1; n: [] n: 2;",
        "m{i:1}n:[1,2]",
        "n: 1 # first\nm { # within\n i: 1 } n: 2",
        "m { i: 0x1; } n: 01, n: 0x2",
    ],
)
def test_many_ways_to_write_the_same(read, text):
    assert read(text).hex() == "2202080128012802"


@pytest.mark.parametrize(
    "text", ["ms { i: 1 } ms { }", "ms: [{ i: 1 }, <>]", "ms [< i: 1 >, {}]", "ms: [{i: 1}] ms {} ms []"]
)
def test_messages_in_lists(read, text):
    assert read(text).hex() == "320208013200"


def test_maps_take_the_last_of_a_key_and_default_what_is_missing(parsed):
    message = parsed('counts { key: "a" value: 1 } counts: [{ key: "b" }, { value: 3 key: "a" }, {}]')
    assert dict(message.counts) == {"a": 3, "b": 0, "": 0}


def test_maps_of_messages(parsed):
    message = parsed('by_number { key: 5 value { s: "x" by_number { key: 6 value <> } } }')
    assert message.by_number[5].s == "x"
    assert 6 in message.by_number[5].by_number


@pytest.mark.parametrize("name", ["Group", "group"])
def test_groups_go_by_their_types_or_in_lower_case(read, name):
    assert read(f"{name} {{ x: 1 }}").hex() == "63080164"


def test_extensions_by_full_name(schema, parsed):
    text = '[p.ext]: 1 [ p . exts ] { i: 1 } [p.exts]: [{}] [p.Scope.inner]: "x"'
    assert parsed(text) == schema.message_class("p.M").FromString(bytes.fromhex("a00601 aa06020801 aa0600 b2060178"))


def test_items_of_a_message_set_by_either_name(read):
    expected = read("[p.Item.item] { x: 5 }", "p.Set")
    assert read("[p.Item] { x: 5 }", "p.Set") == expected
    assert expected.hex() == "0b10041a0208050c"


@pytest.mark.parametrize("value", ['"\\010\\005"', "{ 1: 5 }"])
def test_items_of_a_message_set_by_number(read, value):
    assert read(f"7: {value}", "p.Set").hex() == "0b10071a0208050c"
    assert read(f"7 {{ 7: {value} }}").hex() == "3a043a020805"


def test_any_with_its_payload_written_out(parsed):
    message = parsed('any { [type.googleapis.com/p.M] { s: "x" m { i: 1 } } }')
    assert message.any.type_url == "type.googleapis.com/p.M"
    assert message.any.value.hex() == "12017822020801"


def test_any_in_any_and_plain(parsed):
    inner = "[a.example/google.protobuf.Any]: < [a.example/p.Item] { x: 1 } >"
    message = parsed(f"any {{ {inner} }}")
    assert message.any.value.endswith(b"\x12\x02\x08\x01")
    plain = parsed('any { type_url: "a/b" value: "\\001" }')
    assert (plain.any.type_url, plain.any.value) == ("a/b", b"\x01")


def test_enums_by_name_and_number(parsed):
    message = parsed("e: LESS es: [ZERO, 1, -5, 0x1, ONE]")
    assert message.e == -5
    assert list(message.es) == [0, 1, -5, 1, 1]


@pytest.mark.parametrize(
    "value",
    [
        ": 1",
        ": -1.5",
        ": NAME",
        ": 'a' \"b\"",
        ": [1, 'a', {x: 1}]",
        ": {}",
        " { a: 1 b { [x.y]: 1 [a/b] {} 5: 1 } }",
        "<>",
    ],
)
def test_reserved_names_are_passed_over_with_their_values(read, value):
    assert read(f"gone{value} i: 1; left{value}").hex() == "0801"


def test_a_byte_order_mark_is_passed_over(read):
    assert read("\ufeffi: 1").hex() == "0801"


def test_strings_of_proto2_may_hold_any_bytes(read):
    assert read(r's: "\xff" words: ["a", "\xfe", "b"]').hex() == "1201ff92010161920101fe92010162"


def test_unknown_names_can_be_ignored(read):
    text = "nope: 1 nope { a: [1] } [p.nope] { b: 1 } e: NOPE es: [ONE, NOPE, 77] i: 1"
    assert read(text, ignore_unknown=True).hex() == "08017001"


# --- fields told by number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("1: 5", "0805"),
        ("1: -1", "08ffffffffffffffffff01"),
        ("1: 18446744073709551615", "08ffffffffffffffffff01"),
        ("1: 0x0000000a", "0d0a000000"),
        ("1: 0x000000000000000a", "090a00000000000000"),
        ('1: "a" "b"', "0a026162"),
        ("1 {}", "0a00"),
        ("1: { 2: 1 }", "0a021001"),
        ("1 < 2 < 3: 1 > >", "0b131801140c"),
        ("1: [1, 'a', {}]", "08010a01610a00"),
        ("536870911: 1", "f8ffffff0f01"),
    ],
)
def test_the_form_of_a_value_tells_its_wire_type(text, wire):
    assert TextReader(None, None).read(text.encode()).hex() == wire


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1: 0x123", "8 or 16 digits"),
        ("1: 1.5", "expected an integer"),
        ("1: true", "expected an integer"),
        ("1: 18446744073709551616", "out of range"),
        ("0: 1", "expected the number of a field"),
        ("01: 1", "expected the number of a field"),
        ("536870912: 1", "out of range"),
        ("1 5", "expected :"),
        ("name: 1", "expected the number of a field"),
        ("1 { name: 1 }", "expected the number of a field"),
        ("[p.ext]: 1", "expected the number of a field"),
        ("1 {", "found the end"),
        ("1 { >", "found >"),
    ],
)
def test_fields_told_by_number_in_a_wrong_way(text, says):
    with pytest.raises(EncodeError, match=says):
        TextReader(None, None).read(text.encode())


def test_numbers_in_a_message_whose_type_is_known(read):
    assert read("i: 1 m { 99: 1 i: 2 } 98: 'x' ms { 97 < 1: 1 > }").hex() == (
        "08012205080298060132068b0608018c0692060178"
    )


@pytest.mark.parametrize(("text", "wire"), [("1: 'x'", "0a0178"), ("11: 77", "584d"), ("3: 0x00000001", "1d01000000")])
def test_a_known_field_may_be_told_by_number_where_its_type_refuses_the_value(read, text, wire):
    assert read(text).hex() == wire


@pytest.mark.parametrize(
    ("text", "says"),
    [("1: 5", "field 1 is i"), ("11: 1", "field 11 is e"), ("12 <>", "field 12 is Group"), ("100: 1", r"is \[p.ext\]")],
)
def test_a_field_that_the_schema_has_is_not_told_by_number(refused, text, says):
    assert refused(text, says).column == 1


# --- what is refused, and where ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says", "path", "line", "column"),
    [
        ("i: x", "expected an integer, found x", "i", 1, 4),
        ("m {\n  m {\n    é", "cannot stand here", "m.m", 3, 5),
        ("m {\n  ms { }\n  ms { n: [1,\n  2, 'x'] } }", "expected an integer", "m.ms[1].n[2]", 4, 6),
        ("i: 2147483648", "out of range", "i", 1, 4),
        ("i: 1\ni: 2", "i is set a second time", "i", 2, 1),
        ("m {} m {}", "m is set a second time", "m", 1, 6),
        ("[p.ext]: 1 [p.ext]: 2", "set a second time", "[p.ext]", 1, 12),
        ('word: "a" number: 1', "number and word exclude each other", "number", 1, 11),
        ("m { nmber: 1 }", "p.M has no field nmber", "m.nmber", 1, 5),
        ("[p.nope]: 1", "p.M has no extension p.nope", "[p.nope]", 1, 1),
        ("[p.Item.item] {}", "has no extension", "[p.Item.item]", 1, 1),
        ("e: TWO", "p.E has no value TWO", "e", 1, 4),
        ("e: 2", "p.E is a closed enum, and has no value 2", "e", 1, 4),
        ("e: 'ONE'", "expected a value of p.E", "e", 1, 4),
        ("i 1", "expected :, found 1", "i", 1, 3),
        ("i {}", "expected a value", "i", 1, 3),
        ("i: {}", "expected a value", "i", 1, 4),
        ("m: 1", "expected { or <", "m", 1, 4),
        ("i: [1]", "only a repeated field takes a list", "i", 1, 4),
        ("n [1]", "expected :, found", "n", 1, 3),
        ("n: [1,]", "expected an integer", "n[1]", 1, 7),
        ("n: [1 2]", "expected , or ]", "n[0]", 1, 7),
        ("n: [[1]]", "expected an integer", "n[0]", 1, 5),
        ("m { i: 1", "expected a field or }, found the end of the text", "m", 1, 9),
        ("m { i: 1 >", "expected a field or }, found >", "m", 1, 10),
        ("i: 1 }", "expected a field, found }", "", 1, 6),
        ("i: 1;; u: 1", "expected the name of a field", "", 1, 6),
        ("{}", "expected the name of a field", "", 1, 1),
        ("u: -1", "without a sign", "u", 1, 4),
        ("s: 5", "expected a string", "s", 1, 4),
        ("s: 'a", "does not end", "s", 1, 4),
        ("needy { a: 1 }", "the required field b is missing", "needy", 1, 14),
        ("any { [google.protobuf.Any] {} }", "not the URL of a type", r"any.[google.protobuf.Any]", 1, 7),
        ("any { [a/b.] {} }", "not the URL of a type", "any.[a/b.]", 1, 7),
        ("any { [a/p.Nope] {} }", "no message type p.Nope", "any.[a/p.Nope]", 1, 7),
        ("any { [a/p.M] { i: x } }", "expected an integer", "any.[a/p.M].i", 1, 20),
        ("any { [a/p.M]: 5 }", "expected {", "any.[a/p.M]", 1, 16),
        ("any { [a/p.M] {} [a/p.M] {} }", "has a type already", "any.[a/p.M]", 1, 18),
        ("any { type_url: 'x' [a/p.M] {} }", "has a type already", "any.[a/p.M]", 1, 21),
        ("any { [a/p.M] {} value: 'x' }", "set a second time", "any.value", 1, 18),
        ("any { [a/p.Needy] { a: 1 } }", "required field b", "any.[a/p.Needy]", 1, 26),
        ("[a/p.M] {}", "no extension a/p.M", "[a/p.M]", 1, 1),
        ("gone: [[1]]", "expected a value", "gone", 1, 8),
        ("gone { 1 2 }", "expected :", "gone.1", 1, 10),
        ("gone", "expected :", "gone", 1, 5),
        ("by_number { key: 'x' }", "expected an integer", "by_number[0].key", 1, 18),
        ("counts {} counts { key: 'x' value: 'y' }", "expected an integer", "counts[1].value", 1, 36),
    ],
)
def test_errors_name_the_path_and_the_place(refused, text, says, path, line, column):
    error = refused(text, says.replace("[", r"\["))
    assert (error.path, error.line, error.column) == (path, line, column)


def test_strings_of_proto3_have_to_be_utf_8(compile_proto):
    schema = compile_proto(
        'syntax = "proto3"; package p; message M { string s = 1; bytes b = 2; map<string, string> m = 3; }'
    )
    for text in (r's: "\xff"', r'm { key: "\xff" }', r'm { value: "\xff" }'):
        with pytest.raises(EncodeError, match="not valid UTF-8"):
            TextReader(schema, "p.M").read(text.encode())
    assert TextReader(schema, "p.M").read(rb's: "\xc3\xa9" b: "\xff"').hex() == "0a02c3a91201ff"


def test_open_enums_take_any_number(compile_proto):
    schema = compile_proto('syntax = "proto3"; package p; enum E { ZERO = 0; } message M { E e = 1; }')
    assert TextReader(schema, "p.M").read(b"e: 77").hex() == "084d"


def test_a_text_that_is_not_utf_8_is_refused_at_its_place(schema):
    with pytest.raises(EncodeError, match="not UTF-8") as caught:
        TextReader(schema, "p.M").read("# é\ns: 'é".encode() + b"\xff'")
    assert (caught.value.line, caught.value.column) == (2, 6)


@pytest.mark.parametrize(
    ("text", "hint"), [("cuonts {}", "did you mean counts"), ("GROUP {}", "mean Group"), ("e: ONEE", "mean ONE")]
)
def test_errors_say_what_may_be_meant(refused, text, hint):
    assert hint in refused(text, "has no").hint


# --- hostile texts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", ["m{", "m<", "ms:[{", "gone{", "99{", "99<", "Group{", "by_number{value{", "any{[a/google.protobuf.Any]{"]
)
def test_a_megabyte_of_brackets_is_refused_early(refused, unit):
    error = refused(unit * (MIB // len(unit)), "nested over|has no field")
    assert error.column < 5000


def test_messages_nest_to_the_limit_and_no_deeper(schema, read, refused):
    deep = read("m{" * MAX_DEPTH + "}" * MAX_DEPTH)
    schema.message_class("p.M").FromString(deep)
    refused("m{" * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1), "nested over 100 deep")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("n: 1 " * 50_000, 100_000),
        ("99: 1 " * 50_000, 150_000),
        ("gone: 1 " * 50_000, 0),
        ("counts { key: 'a' value: 1 } " * 10_000, 7),
        ("s: " + "'a'" * 100_000, 100_004),
        ("# \n" * 100_000, 0),
    ],
    ids=["values", "numbers", "reserved", "one key", "pieces", "comments"],
)
def test_long_texts_are_read_whole(read, text, size):
    assert len(read(text)) == size


def test_a_long_name_is_cut_off_in_the_error(refused):
    assert len(str(refused("x" * MIB + ": 1", "has no field"))) < 1000
    assert len(str(refused("any { [a/" + "x" * MIB + "] {} }", "no message type"))) < 1000
