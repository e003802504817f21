import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import SchemaError
from inspector.schema.catalog import Catalog
from inspector.schema.descriptor_set import parse_descriptor_set


def source(label, *files):
    data = b"".join(b"\x0a" + bytes((len(each),)) + each for each in (file.SerializeToString() for file in files))
    return parse_descriptor_set(data, label)


def file(name, package, *messages, imports=()):
    proto = FileDescriptorProto(name=name, package=package, dependency=imports)
    for message in messages:
        proto.message_type.add(name=message)
    return proto


def test_a_symbol_belongs_to_the_first_file_that_defines_it():
    one, two = source("1", file("a.proto", "p", "M")), source("2", file("b.proto", "p", "M", "N"))
    catalog = Catalog([one, two])
    assert catalog.defining("p.M") is one.file("a.proto")
    assert catalog.defining("p.N.Nested") is two.file("b.proto")
    assert catalog.defining("p") is None


def test_packages_may_lie_in_each_other_and_be_nameless():
    catalog = Catalog([source("1", file("a", "", "M"), file("b", "M", "N"), file("c", "M.N", "O"))])
    assert [catalog.defining(name).name for name in ("M", "M.N", "M.N.O", "M.X")] == ["a", "b", "c", "a"]


def test_an_import_is_of_the_own_source_first():
    one = source("1", file("common.proto", "p", "M"))
    two = source("2", file("common.proto", "q", "N"), file("user.proto", "q", "U", imports=["common.proto"]))
    catalog = Catalog([one, two])
    assert catalog.imported(two.file("user.proto"), "common.proto") is two.file("common.proto")
    assert catalog.unique_name(two.file("common.proto")) == "common.proto#2"
    assert catalog.unique_name(one.file("common.proto")) == "common.proto"


def test_damaged_text_is_compared_without_a_foreign_exception():
    healthy = file("a.proto", "p", "M")
    healthy.syntax = "proto3"
    damaged = healthy.SerializeToString().replace(b"proto3", b"pr\xffto3")
    one = source("1", healthy)
    two = parse_descriptor_set(b"\x0a" + bytes((len(damaged),)) + damaged, "2")
    with pytest.raises(SchemaError, match="is proto3 in 1 and pr\ufffdto3 in 2"):
        Catalog([one, two]).refuse_conflicts()


def test_copies_of_known_files_are_files_of_a_source_where_no_other_file_needs_them():
    kept, time = (
        file("google/type/date.proto", "google.type", "Date"),
        file("google/protobuf/x.proto", "google.protobuf"),
    )
    code = file("google/rpc/code.proto", "google.rpc")
    status = file("google/rpc/status.proto", "google.rpc", "Status", imports=["google/rpc/code.proto"])
    own = file("own.proto", "own", "M", imports=["google/rpc/status.proto"])

    def own_files(*files):
        return [each.name for each in Catalog([source("1", *files)]).own_files()]

    assert own_files(kept, time, code, status, own) == ["own.proto", "google/type/date.proto"]
    assert own_files(kept, time) == ["google/type/date.proto"]
    assert own_files(time) == ["google/protobuf/x.proto"]
