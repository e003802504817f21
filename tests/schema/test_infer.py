import re
from pathlib import Path

import pytest
from google.protobuf import any_pb2, timestamp_pb2, unknown_fields
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import fill, schemas

from inspector import session
from inspector.errors import InputError
from inspector.model.call import Message as Record
from inspector.schema import Schema
from inspector.schema import infer as infer_module
from inspector.schema.infer import infer
from inspector.schema.proto_source import to_source
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import scan

SAMPLES = Path(__file__).parent.parent.parent / "samples"
CAPTURES = sorted(path.name for path in SAMPLES.glob("*.pcap*"))


def number(field: int, value: int) -> bytes:
    return tag(field, 0) + varint(value)


def text(field: int, content: str | bytes) -> bytes:
    return length_delimited(field, content.encode() if isinstance(content, str) else content)


def one_file(*messages: bytes, **options) -> FileDescriptorProto:
    [file] = infer(messages, **options).files
    return file


def message_class(file: FileDescriptorProto, name: str = "Message") -> type[Message]:
    pool = DescriptorPool()
    for module in (timestamp_pb2, any_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(name))


def unknown_in(message: Message) -> list[int]:
    """The numbers of unknown fields, nested ones too."""
    found = [field.field_number for field in unknown_fields.UnknownFieldSet(message)]
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                found += unknown_in(inner)
    return found


def fields_of(file: FileDescriptorProto, message: str = "Message") -> dict[int, str]:
    """The fields of a message as its source has them: label, type."""
    source = to_source(file)
    body = re.search(rf"^message {message} {{\n(.*?)^}}", source, re.DOTALL | re.MULTILINE)[1]
    return {int(number): kind for kind, number in re.findall(r"^  ([\w. ]+) \w+ = (\d+)", body, re.MULTILINE)}


# --- the loop: what a sample is inferred from decodes it ---------------------------------------------------------


@pytest.mark.parametrize("name", CAPTURES)
def test_what_is_inferred_from_a_capture_decodes_it(tmp_path, name):
    sample = str(SAMPLES / name)
    inference = infer(session.open(sample).messages())
    for file in inference.files:
        path = tmp_path / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_source(file))
    opened = session.open(sample, schema=Schema.from_source(str(tmp_path)))
    decoded = [opened.decode(message) for message in opened.messages() if message.method and message.data is not None]
    assert decoded
    assert {(each.decoded_by, each.unknown_bytes, each.problem) for each in decoded} == {("schema", 0, None)}


@pytest.mark.parametrize("name", ["predict_request.binpb", "responses.delimited", "stream.grpc"])
def test_what_is_inferred_from_payloads_decodes_them(tmp_path, name):
    sample = str(SAMPLES / "payloads" / name)
    path = tmp_path / "inferred.proto"
    path.write_text(to_source(infer(session.open(sample).messages()).files[0]))
    opened = session.open(sample, schema=Schema.from_source(str(path)), type_name="Message")
    decoded = [opened.decode(message) for message in opened.messages()]
    assert {(each.decoded_by, each.unknown_bytes, each.problem) for each in decoded} == {("schema", 0, None)}


@st.composite
def messages_of_one_type(draw: st.DrawFn) -> list[bytes]:
    resolver = draw(schemas())
    found = []
    for _ in range(draw(st.integers(1, 6))):
        message = resolver.message_class("t.M0")()
        fill(draw, resolver, message, 0)
        found.append(message.SerializeToString())
    return found


@given(messages_of_one_type())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_messages_of_random_schemas_are_decoded_by_what_is_inferred_from_them(messages):
    file = one_file(*messages)
    cls = message_class(file)
    assert [unknown_in(cls.FromString(data)) for data in messages] == [[]] * len(messages)
    assert to_source(file)


# --- fields ------------------------------------------------------------------------------------------------------


def test_labels_and_types_are_what_was_seen():
    one = number(1, 5) + text(2, "café") + tag(3, 1) + bytes(6) + b"\xf0\x3f" + text(4, "a") + text(4, "b")
    two = number(1, 7) + text(2, "naïve") + text(5, b"\xff\xfe\x00\x80")
    assert fields_of(one_file(one, two)) == {
        1: "optional int64",
        2: "optional string",
        3: "optional double",
        4: "repeated string",
        5: "optional bytes",
    }


def test_a_string_is_bytes_if_one_of_many_is_not_utf8():
    messages = [text(1, f"this is text number {count}") for count in range(300)]
    assert fields_of(one_file(*messages)) == {1: "optional string"}
    assert fields_of(one_file(*messages, text(1, b"text and \xff"))) == {1: "optional bytes"}


def test_a_message_is_bytes_if_one_of_many_is_none():
    messages = [text(1, number(1, count) + text(2, f"item {count}")) for count in range(300)]
    assert fields_of(one_file(*messages)) == {1: "Message1"}
    file = one_file(*messages, text(1, b"\x08"))
    assert fields_of(file) == {1: "optional bytes"}
    assert len(file.message_type) == 1


def test_numbers_that_come_packed_and_alone_are_a_repeated_field():
    packed = b"".join(varint(count * 300) for count in range(40))
    file = one_file(number(1, 3) + number(1, 4), text(1, packed))
    assert fields_of(file) == {1: "repeated int64"}
    assert len(message_class(file).FromString(text(1, packed) + number(1, 3)).field_1) == 41


def test_a_bool_is_one_only_if_all_are_0_or_1():
    flags = [number(1, count % 2) for count in range(50)]
    hints = {"1": "bool"}
    assert fields_of(one_file(*flags, hints=hints)) == {1: "optional bool"}
    assert fields_of(one_file(*flags, number(1, 2), hints=hints)) == {1: "optional int64"}


def test_hints_decide_what_bytes_allow():
    message = text(3, number(1, 5)) + number(4, 9)
    assert fields_of(one_file(message, hints={"3": "bytes", "4": "sint32"})) == {
        3: "optional bytes",
        4: "optional sint32",
    }
    with pytest.raises(InputError, match="no kind 'nonsense'"):
        infer([message], {"3": "nonsense"})


def test_what_no_field_can_read_is_told():
    file = one_file(number(1, 300) * 3, tag(1, 5) + bytes(4))
    assert fields_of(file) == {1: "repeated int64"}
    assert "once with another wire type, which this field does not read" in to_source(file)


def test_numbers_that_are_reserved_are_left_out_and_told():
    file = one_file(number(1, 5) + number(19_500, 1))
    assert fields_of(file) == {1: "optional int64"}
    assert "// Seen once. 1 fields more were seen, which are reserved or too many." in to_source(file)


def test_groups_need_an_edition():
    file = one_file(b"\x0b" + number(1, 5) + text(2, "text") + b"\x0c")
    assert file.syntax == "editions"
    assert message_class(file).FromString(b"\x0b" + number(1, 5) + b"\x0c").field_1.field_1 == 5


# --- types -------------------------------------------------------------------------------------------------------


def box(x: float, y: float) -> bytes:
    return b"".join(
        tag(field, 5) + bytes(2) + (0x3F80 + int(value)).to_bytes(2, "little") for field, value in ((1, x), (2, y))
    )


def test_messages_that_are_alike_are_of_one_type():
    file = one_file(text(1, box(1, 2)) + text(2, box(3, 4)) + text(3, number(1, 5) + text(2, "other")))
    assert fields_of(file) == {1: "Message1", 2: "Message1", 3: "Message2"}
    assert [message.name for message in file.message_type] == ["Message", "Message1", "Message2"]


def test_a_tree_is_one_type():
    def tree(depth: int) -> bytes:
        inner = text(2, tree(depth - 1)) + text(2, tree(depth - 1)) if depth else b""
        return text(1, f"node {depth}") + inner

    file = one_file(tree(8))
    assert len(file.message_type) == 1
    assert fields_of(file) == {1: "optional string", 2: "repeated Message"}


def test_a_chain_is_one_type():
    chain = number(1, 1)
    for _ in range(60):
        chain = text(1, chain)
    file = one_file(text(1, number(2, 5) + text(3, "list")) + text(3, "x") + number(2, 1))
    assert len(file.message_type) <= 2
    assert len(one_file(chain).message_type) < 8


def test_types_that_only_seem_alike_are_told_apart_again():
    alike = text(1, number(1, 5) + text(2, "a name") + text(3, number(1, 1) + text(2, "deep")))
    other = text(2, number(1, 5) + text(2, "b name") + tag(3, 5) + bytes(4))
    messages = [alike, text(2, number(1, 6) + text(2, "c name")), other]
    cls = message_class(one_file(*messages))
    assert [unknown_in(cls.FromString(each)) for each in messages] == [[], [], []]


def test_timestamps_are_recognised_where_they_are_evident():
    stamp = timestamp_pb2.Timestamp(seconds=1_764_000_000, nanos=123_456_789).SerializeToString()
    whole = timestamp_pb2.Timestamp(seconds=1_764_000_001).SerializeToString()
    file = one_file(text(1, stamp), text(1, whole))
    assert fields_of(file) == {1: "google.protobuf.Timestamp"}
    assert list(file.dependency) == ["google/protobuf/timestamp.proto"]
    assert fields_of(one_file(text(1, whole) * 2)) == {1: "repeated Message1"}
    assert fields_of(one_file(text(1, number(1, 5) + number(2, 123_456)))) == {1: "Message1"}


def test_any_is_recognised_where_its_types_are_always_known():
    def status(url: str) -> bytes:
        detail = any_pb2.Any(
            type_url=url, value=error_details_pb2.RetryInfo().SerializeToString() or b"\x0a\x02\x08\x05"
        )
        return status_pb2.Status(code=3, message="not now", details=[detail]).SerializeToString()

    known, other = status("type.googleapis.com/google.rpc.RetryInfo"), status("type.googleapis.com/shop.v1.Own")
    assert fields_of(one_file(known))[3] == "google.protobuf.Any"
    assert fields_of(one_file(known, other))[3] == "Message1"


def test_maps_are_only_suspected():
    entries = b"".join(
        text(1, text(1, key) + number(2, value)) for key, value in (("red", 1), ("green", 2), ("blue", 3))
    )
    assert "May be a map" in to_source(one_file(entries))
    assert "May be a map" not in to_source(one_file(entries + entries))


# --- names, methods, comments ------------------------------------------------------------------------------------


def record(method: str | None, direction: str | None, data: bytes | None, index: int = 0, call: int = 1) -> Record:
    return Record(call, index, direction, method, None, "identity", data, data or b"", None, ())


def test_groups_may_be_entries_of_a_map_too():
    entries = [tag(4, 3) + number(1, key) + text(2, "abc") + tag(4, 4) for key in (1, 2, 3)]
    assert "May be a map: no key comes twice in a message." in to_source(one_file(b"".join(entries)))


def test_methods_and_their_messages_are_named_by_their_paths():
    calls = [
        record("/shop.v1.Shop/Watch", "request", number(1, 5)),
        record("/shop.v1.Shop/Watch", "response", text(1, "first")),
        record("/shop.v1.Shop/Watch", "response", text(1, "second"), 1),
        record("/shop.v1.Shop/Buy", "request", text(2, "x y z"), 1),
        record("/shop.v1.Other/Buy", "request", number(1, 5)),
    ]
    [file] = infer(calls).files
    assert (file.package, file.name) == ("shop.v1", "shop/v1/inferred.proto")
    methods = {f"{service.name}.{method.name}": method for service in file.service for method in service.method}
    assert {name: (each.input_type, each.output_type) for name, each in methods.items()} == {
        "Shop.Watch": (".shop.v1.WatchRequest", ".shop.v1.WatchResponse"),
        "Shop.Buy": (".shop.v1.BuyRequest", ".shop.v1.BuyResponse"),
        "Other.Buy": (".shop.v1.OtherBuyRequest", ".shop.v1.OtherBuyResponse"),
    }
    streams = {name: (each.client_streaming, each.server_streaming) for name, each in methods.items()}
    assert streams == {"Shop.Watch": (False, True), "Shop.Buy": (True, False), "Other.Buy": (False, False)}
    assert "// Not seen.\nmessage BuyResponse {}" in to_source(file)


def test_each_package_has_a_file_and_the_largest_is_first():
    calls = [record(f"/{name}.S/M", "request", number(1, 5), call=call) for call, name in enumerate(["a", "b", "b"])]
    assert [file.package for file in infer(calls).files] == ["b", "a"]
    assert [file.package for file in infer(calls, package="a").files] == ["a"]
    with pytest.raises(InputError, match="no method of the package c"):
        infer(calls, package="c")


def test_messages_of_methods_that_are_not_known_are_told():
    calls = [
        record("/a.S/M", "request", number(1, 5)),
        record(None, "response", number(9, 5)),
        record("/a.S/M", "response", b"\x08"),
    ]
    inference = infer(calls)
    assert inference.notes == [
        "1 messages are damaged and were left out",
        "1 messages are of methods that are not known, and were left out",
    ]
    lonely = infer([record(None, "request", number(1, 5)), record("/no name/ü", "response", text(1, "x"))])
    assert "message Request" in to_source(lonely.files[0])


def test_bare_messages_are_named_by_the_caller():
    file = one_file(number(1, 5), package="shop.v1", message_name="Item")
    assert (file.package, file.message_type[0].name) == ("shop.v1", "Item")
    for wrong in ({"package": "a b"}, {"package": "a;b"}, {"message_name": "a.b"}, {"message_name": "1"}):
        with pytest.raises(InputError):
            infer([number(1, 5)], **wrong)


def test_only_so_many_messages_are_taken(monkeypatch):
    monkeypatch.setattr(infer_module, "MAX_INFERRED_MESSAGES", 10)
    inference = infer(number(count % 100 + 1, 5) for count in range(1_000_000_000))
    assert len(inference.files[0].message_type[0].field) == 10
    assert inference.notes == ["the schema is inferred from the first 10 messages"]


def test_comments_tell_the_evidence_and_no_long_texts():
    secret = "a-token-of-many-characters-0123456789"
    evil = "*/ \n\x1b[31m; }"
    source = to_source(one_file(number(1, 7) + text(2, secret), number(1, 9) + text(3, evil)))
    assert "// In all 2 messages; values 7, 9" in source
    assert "// In 1 of 2 messages; 37 bytes" in source
    assert secret not in source
    assert r'"*/ \\n\\x1b[31m; }"' in source.replace("\\", "\\\\")
    assert all(line.isprintable() for line in source.split("\n"))


@pytest.mark.parametrize("before", range(5))
def test_a_long_text_of_long_characters_is_counted_and_not_shown(before):
    content = "a" * before + "\N{GRINNING FACE}" * 30
    assert f"In the one message; {before + 120} bytes" in to_source(one_file(text(1, content)))


@pytest.mark.parametrize("messages", [[], [b"\x08"], [b"\xff" * 20]])
def test_without_a_whole_message_there_is_nothing_to_infer(messages):
    with pytest.raises(InputError, match="no whole message"):
        infer(messages)


def test_deep_nesting_is_left_as_bytes_where_no_decoder_goes():
    deep = number(1, 1)
    for _ in range(2_000):
        deep = text(1, deep)
    file = one_file(deep)
    assert message_class(file).FromString(deep)
    assert FileDescriptorSet(file=[file]).SerializeToString()


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x01\x10\x02" * 100_000,
        b"\x0a\x00" * 100_000,
        b"".join(tag(count, 0) + b"\x01" for count in range(1, 20_000)),
        b"".join(text(count, number(count, 1) + number(count + 1, 1)) for count in range(1, 3_000)),
        b"\x0b" * 99 + b"\x0c" * 99,
    ],
    ids=["alternating", "empty", "fields", "types", "groups"],
)
def test_hostile_messages_have_a_schema(data):
    file = one_file(data)
    message = message_class(file).FromString(data)
    assert len(message.ListFields()) == min(1_000, len({field.number for field in scan(data)}))
