import threading

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import SchemaError
from inspector.schema import Schema

STRING, MESSAGE = 9, 11


def file(name, *imports, message=None, uses=None):
    proto = FileDescriptorProto(name=f"{name}.proto", package="p", syntax="proto3")
    proto.dependency.extend(f"{each}.proto" for each in imports)
    made = proto.message_type.add(name=message or name.upper())
    if uses:
        made.field.add(name="used", number=1, type=MESSAGE, label=1, type_name=uses)
    return proto


def test_only_what_is_needed_is_built(write_set):
    schema = Schema.from_files(write_set("set.pb", file("a"), file("b", "a", uses=".p.A"), file("c", uses=".p.Gone")))
    assert schema.message("p.B").fields_by_name["used"].message_type is schema.message("p.A")
    with pytest.raises(SchemaError, match=r"set\.pb: c\.proto: the file is not valid: couldn't resolve name"):
        schema.message("p.C")


def test_a_missing_import_that_is_not_used_is_dropped(write_set):
    schema = Schema.from_files(write_set("set.pb", file("a", "validate/validate", "b", uses=".p.B"), file("b")))
    assert schema.message("p.A").fields_by_name["used"].message_type.name == "B"


def test_a_missing_import_that_is_used_is_named(write_set):
    schema = Schema.from_files(write_set("set.pb", file("a", "money", uses=".q.Money"), file("b", "a", uses=".p.A")))
    for name in ("p.A", "p.B", "p.A"):
        with pytest.raises(SchemaError, match=r"a\.proto: it imports money\.proto, .* uses q\.Money .*-s") as caught:
            schema.find_message(name)
    assert "--include_imports" in caught.value.hint


def test_an_import_may_be_in_another_source_under_another_name(write_set):
    one, two = write_set("1.pb", file("a", "proto/b", uses=".p.B")), write_set("2.pb", file("b"))
    assert Schema.from_files(one, two).message("p.A").fields_by_name["used"].message_type.name == "B"


@pytest.mark.parametrize("imports", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_cycle_of_imports_is_refused(write_set, imports):
    schema = Schema.from_files(write_set("set.pb", *(file(name, target) for name, target in imports.items())))
    with pytest.raises(SchemaError, match=r"imports go in a circle: [abc]\.proto imports"):
        schema.find_message("p.A")


def test_ten_thousand_files_that_import_each_other_in_a_row(write_set):
    files = [file("f0"), *(file(f"f{n}", f"f{n - 1}", uses=f".p.F{n - 1}") for n in range(1, 10_000))]
    schema = Schema.from_files(write_set("set.pb", *reversed(files)))
    assert schema.message("p.F9999").name == "F9999"


def test_services_with_equally_named_files_live_side_by_side(write_set):
    one, two = file("service", message="One"), file("service", message="Two")
    user = file("user", "service", uses=".p.Two")
    schema = Schema.from_files(write_set("1.pb", one), write_set("2.pb", two, user))
    assert schema.message("p.User".upper().replace("P.", "p.")).fields_by_name["used"].message_type.name == "Two"
    assert schema.message("p.One").name == "One"


@pytest.mark.parametrize("name", ["x..y", "1x", "a b", "p.\n"])
def test_invalid_names_are_refused_when_built(write_set, name):
    proto = FileDescriptorProto(name="a.proto", package=name, syntax="proto3")
    proto.message_type.add(name="M")
    schema = Schema.from_files(write_set("set.pb", proto))
    with pytest.raises(SchemaError, match="not valid") as caught:
        schema.find_message(schema.messages()[0])
    assert str(caught.value).isprintable()


def test_extensions_come_with_the_message_they_extend(write):
    base = write("base.proto", 'syntax = "proto2"; package e; message Base { extensions 100 to 200; }')
    text = """syntax = "proto2"; package x; import "base.proto";
        message In { optional e.Base b = 1; extend e.Base { optional In in = 101; } }"""
    more = write("more.proto", text + " extend e.Base { optional string note = 100; }")
    schema = Schema.from_protos(base, more)
    message = schema.message_class("e.Base").FromString(b"\xa2\x06\x02hi")
    assert [(field.full_name, value) for field, value in message.ListFields()] == [("x.note", "hi")]


def test_an_extension_that_cannot_be_built_does_no_harm(write_set):
    base = FileDescriptorProto(name="base.proto", package="p")
    base.message_type.add(name="Base").extension_range.add(start=100, end=200)
    broken = FileDescriptorProto(name="broken.proto", package="p", dependency=["base.proto", "gone.proto"])
    broken.extension.add(name="x", number=100, type=MESSAGE, label=1, type_name=".q.Gone", extendee=".p.Base")
    assert Schema.from_files(write_set("set.pb", base, broken)).message("p.Base").name == "Base"


def test_the_pool_loads_by_itself(write_set):
    schema = Schema.from_files(write_set("set.pb", file("a"), file("b", "a", uses=".p.A")))
    assert schema.pool.FindFileByName("b.proto").dependencies[0].name == "a.proto"
    assert schema.pool.FindMessageTypeByName("p.A") is schema.message("p.A")
    for find in (schema.pool.FindFileByName, schema.pool.FindMessageTypeByName):
        with pytest.raises(KeyError):
            find("p.Nothing")


def test_several_threads_may_look_up(write_set):
    schema = Schema.from_files(write_set("set.pb", *(file(f"f{n}", *([f"f{n - 1}"] if n else [])) for n in range(300))))
    failures = []

    def look_up(numbers):
        try:
            assert all(schema.message(f"p.F{n}").name == f"F{n}" for n in numbers)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=look_up, args=(range(start, 300, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
