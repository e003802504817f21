import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.schema import Schema
from inspector.schema.wellknown import AlwaysKnown


@pytest.mark.parametrize(
    "name",
    [
        "google.protobuf.Any",
        "google.protobuf.FieldDescriptorProto.Type",
        "google.protobuf.compiler.CodeGeneratorRequest",
        "google.rpc.BadRequest.FieldViolation",
        "google.rpc.Status",
        "google.rpc.context.AttributeContext",
        "google.api.HttpRule",
        "google.type.Money",
        "google.longrunning.Operation",
        "google.logging.type.HttpRequest",
    ],
)
def test_google_types_need_no_source(name):
    found = Schema.empty().find_message(name)
    assert (found is None) == name.endswith(".Type")
    assert found is None or found.full_name == name


def test_google_services_need_no_source():
    assert Schema.empty().method("google.longrunning.Operations/GetOperation").output_type.name == "Operation"


def test_they_are_not_listed():
    assert Schema.empty().messages() == Schema.empty().services() == Schema.empty().files() == []


def test_a_file_has_one_entry_under_both_of_its_names():
    known = AlwaysKnown()
    assert known.file("google/longrunning/operations.proto") is known.file("google/longrunning/operations_proto.proto")


@pytest.mark.parametrize("name", ["google/api/nothing.proto", "google/api/../rpc/status.proto", "os.proto", "x", ""])
def test_other_files_are_not_there(name):
    assert AlwaysKnown().file(name) is None


def test_the_copy_in_a_source_wins_and_what_it_lacks_is_added(write_set):
    old = FileDescriptorProto(name="google/rpc/error_details.proto", package="google.rpc", syntax="proto3")
    old.message_type.add(name="RetryInfo").field.add(name="old", number=1, type=9, label=1)
    schema = Schema.from_files(write_set("set.pb", old))
    assert [field.name for field in schema.message("google.rpc.RetryInfo").fields] == ["old"]
    assert schema.message("google.rpc.BadRequest").fields_by_name["field_violations"].number == 1
    assert schema.messages() == ["google.rpc.RetryInfo"]


def test_the_pool_loads_what_json_format_looks_for():
    schema = Schema.empty()
    message = schema.message_class("google.protobuf.Any")()
    message.type_url, message.value = "type.googleapis.com/google.rpc.RequestInfo", b"\x0a\x01x"
    printed = json_format.MessageToDict(message, descriptor_pool=schema.pool)
    assert printed == {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "x"}
