import base64
import gzip
import importlib
import io
import os
import py_compile
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import google.api
import pytest
from google.protobuf import descriptor_pb2, struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc._cython import cygrpc
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import limits
from inspector.errors import InputError, SchemaError
from inspector.schema import Schema, extract_archives
from inspector.schema.extract import extract
from inspector.schema.extract_output import descriptor_set, missing_imports, source_tree

STRUCT = struct_pb2.DESCRIPTOR.serialized_pb
DESCRIPTOR = descriptor_pb2.DESCRIPTOR.serialized_pb
GOOGLE_API = Path(next(iter(google.api.__path__)))


def file(name="shop/item.proto", package="shop", fields=("id", "text"), **more) -> FileDescriptorProto:
    proto = FileDescriptorProto(name=name, package=package, syntax="proto3", **more)
    message = proto.message_type.add(name="Item")
    for number, field in enumerate(fields, 1):
        message.field.add(name=field, number=number, type=5, label=1)
    return proto


SHOP = file().SerializeToString()


def found(*inputs) -> list[tuple[str, bytes]]:
    return [(each.file.name, each.file.SerializeToString()) for each in extract(inputs).descriptors]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


# --- where they are ----------------------------------------------------------------------------------------------


def test_the_descriptors_in_the_shared_library_of_grpc_are_found_and_complete():
    extraction = extract([cygrpc.__file__])
    files = descriptor_set(extraction.files)
    names = [each.name for each in files.file]
    assert {"envoy/service/discovery/v3/ads.proto", "grpc/channelz/v1/channelz.proto"} <= set(names)
    assert missing_imports(files) == []
    assert extraction.problems == ()
    schema = Schema.from_source(cygrpc.__file__)
    assert all(schema.message(name).full_name == name for name in schema.messages())
    stream = schema.method("envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources")
    assert stream.client_streaming
    assert stream.server_streaming


@pytest.mark.parametrize("data", [STRUCT, DESCRIPTOR, SHOP], ids=["struct", "descriptor", "shop"])
@pytest.mark.parametrize(
    "around",
    [
        lambda data: data,
        lambda data: b"\0" * 100 + data + b"\0" * 100,
        lambda data: noise(5000) + data + noise(5000, 2),
        lambda data: b"\x7fELF" + data + data[:40] + b"\0" + data,
        lambda data: data + b"Ruff\nand other strings, as Go has them one behind the other Z\x01z",
        lambda data: (
            FileDescriptorSet(file=[FileDescriptorProto.FromString(data)]).SerializeToString() + b"\x12\x03abc"
        ),
        gzip.compress,
        lambda data: noise(3000) + gzip.compress(data) + noise(3000, 2),
        lambda data: data.decode("latin-1").encode(),
        lambda data: noise(999) + data.decode("latin-1").encode().replace(b"\0", b"\xc0\x80") + b"\0",
    ],
    ids=["bare", "padded", "noise", "twice", "strings", "set", "gzip", "embedded gzip", "wide", "modified UTF-8"],
)
def test_a_descriptor_is_found_among_other_bytes(data, around):
    name = FileDescriptorProto.FromString(data).name
    assert (name, data) in found(around(data))


def test_the_offset_is_where_it_begins():
    [descriptor] = extract([b"\0" * 77 + SHOP + b"\0"]).descriptors
    assert (descriptor.place.offset, descriptor.place.form) == (77, "bytes")


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("literal", f"DESCRIPTOR = pool.AddSerializedFile({STRUCT!r})"),
        ("literal", "serialized_pb=_b('" + "".join(f"\\x{byte:02x}" for byte in STRUCT) + "')"),
        (
            "literal",
            '  "'
            + '" +\n  "'.join(
                "".join(f"\\{byte:03o}" for byte in STRUCT[at : at + 40]) for at in range(0, len(STRUCT), 40)
            )
            + '"\n};',
        ),
        ("numbers", "var rawDesc = []byte{\n" + ", ".join(f"0x{byte:02x}" for byte in STRUCT) + ",\n}"),
        ("numbers", "{" + ",\n".join(f"0x{byte:02x}" for byte in gzip.compress(STRUCT, mtime=0)) + ", }"),
        ("base64", 'fileDesc("' + base64.b64encode(STRUCT).decode().rstrip("=") + '", [])'),
    ],
    ids=["python", "escaped", "java", "go", "go, compressed", "javascript"],
)
def test_a_descriptor_in_source_text_is_found(form, source):
    [descriptor] = extract([f"// text in front\n{source}\n".encode()]).descriptors
    assert descriptor.file.SerializeToString() == STRUCT
    assert descriptor.place.form == form


@pytest.mark.parametrize("before", ["'\\n it isn\\'t ", '"\\n', "'\\n\" + '\\n\" + "])
def test_a_literal_is_found_behind_a_quote_that_has_no_end(before):
    quote = "'" if before.startswith('"') else '"'
    literal = quote + "".join(f"\\x{byte:02x}" for byte in STRUCT) + quote
    assert found(f"x = {before}{literal}\n".encode()) == [("google/protobuf/struct.proto", STRUCT)]


def test_base64_in_utf16_in_pieces_is_found():
    text = base64.b64encode(STRUCT).decode()
    pieces = [text[at : at + 60] for at in range(0, len(text), 60)]
    heap = b"".join(bytes((len(piece) * 2 + 1,)) + piece.encode("utf-16-le") + b"\0" for piece in pieces)
    assert found(b"MZ\0\0" + noise(500) + heap + noise(500, 2)) == [("google/protobuf/struct.proto", STRUCT)]


def test_a_descriptor_in_a_java_class_is_joined_from_its_strings():
    def constant(data: bytes) -> bytes:
        text = data.decode("latin-1").encode().replace(b"\0", b"\xc0\x80")
        return b"\x01" + struct.pack(">H", len(text)) + text + b"\x08\0\x01"

    constants = [b"\x07\0\x02", constant(b"Code"), b"\x05" + bytes(8)]
    constants += [constant(DESCRIPTOR[at : at + 4000]) for at in range(0, len(DESCRIPTOR), 4000)]
    count = 1 + 1 + 2 + 2 + 2 * (len(constants) - 3)
    java = b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", count) + b"".join(constants) + noise(100)
    assert found(java) == [("google/protobuf/descriptor.proto", DESCRIPTOR)]


def test_generated_modules_are_read_as_source_and_as_bytecode(tmp_path):
    module = GOOGLE_API / "http_pb2.py"
    expected = importlib.import_module("google.api.http_pb2").DESCRIPTOR.serialized_pb
    compiled = tmp_path / "http_pb2.pyc"
    py_compile.compile(str(module), str(compiled), doraise=True)
    assert found(str(module)) == found(str(compiled)) == [("google/api/http.proto", expected)]


def test_a_folder_of_generated_modules_is_searched_whole():
    extraction = extract([GOOGLE_API])
    modules = list(GOOGLE_API.glob("*_pb2.py"))
    assert len(extraction.files) == len(modules) > 20
    assert extraction.problems == ()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "member"),
    [
        (zipped(readme=b"text", lib=noise(500) + SHOP), "lib"),
        (tarred(readme=b"text", lib=SHOP), "lib"),
        (gzip.compress(tarred(lib=SHOP), mtime=0), "gzip!lib"),
        (zipped(jar=zipped(lib=SHOP)), "jar!lib"),
        (b"\x7fELF" + noise(3000) + zipped(lib=SHOP), "lib"),
    ],
    ids=["zip", "tar", "tar.gz", "zip in zip", "zip at the end of a program"],
)
def test_archives_are_opened(write, archive, member):
    path = write("archive.bin", archive)
    [descriptor] = extract([path]).descriptors
    assert (descriptor.file.name, descriptor.place.path, descriptor.place.member) == (
        "shop/item.proto",
        str(path),
        member,
    )


def test_a_library_without_descriptors_has_none():
    extraction = extract([noise(300_000), b"\n" * 10_000, b"\n\x05a.proto\n" * 100, os.__file__])
    assert (extraction.descriptors, extraction.problems) == ((), ())
    assert extraction.searched == 4


# --- versions and damage -----------------------------------------------------------------------------------------


def test_a_descriptor_that_is_cut_off_gives_way_to_the_whole_one():
    commented = file()
    commented.source_code_info.location.add(span=[1, 2, 3])
    data = SHOP[:-8] + b"\0" + SHOP + b"\0" + commented.SerializeToString()
    assert len(found(data)) == 1
    assert extract([data]).problems == ()


def test_a_descriptor_that_the_bytes_end_in_is_said_to_be_cut_off():
    extraction = extract([b"\0" + DESCRIPTOR[: len(DESCRIPTOR) // 2]])
    [problem] = extraction.problems
    assert (problem.code, problem.offset) == ("cut_off", 1)
    assert extraction.files[0].message_type[0].name == "FileDescriptorSet"


def test_two_versions_are_kept_apart_and_the_larger_is_chosen():
    small, large = file(fields=["id"]), file(fields=["number", "text"])
    extraction = extract([small.SerializeToString() + b"\0" + large.SerializeToString()])
    assert [(each.file, each.chosen) for each in extraction.descriptors] == [(large, True), (small, False)]
    assert extraction.files == [large]
    assert [problem.code for problem in extraction.problems] == ["versions"]


def test_a_damaged_member_costs_only_itself():
    archive = bytearray(zipped(first=SHOP, second=file("b.proto").SerializeToString()))
    archive[40] ^= 0xFF
    extraction = extract([bytes(archive)])
    assert [each.name for each in extraction.files] == ["b.proto"]
    [problem] = extraction.problems
    assert problem.code == "unpack"
    assert "first" in problem.message


def test_a_damaged_archive_is_a_problem():
    for data in (zipped(lib=SHOP)[:-30], gzip.compress(SHOP)[:-12], tarred(lib=SHOP)[:600]):
        assert {problem.code for problem in extract([data]).problems} <= {"unpack", "cut_off"}
        assert extract([data]).problems


def test_a_bomb_is_unpacked_no_further_than_the_limit(monkeypatch):
    monkeypatch.setattr(extract_archives, "MAX_UNPACKED_MEMBER", 1 << 20)
    bomb = zipped(**{f"zeros{number}": bytes(3 << 20) for number in range(3)}, lib=SHOP)
    extraction = extract([bomb, gzip.compress(bytes(3 << 20))])
    assert [each.name for each in extraction.files] == ["shop/item.proto"]
    assert [problem.code for problem in extraction.problems] == ["unpack"] * 4
    assert extraction.searched_bytes < 6 << 20


def test_all_that_is_unpacked_is_bounded_too():
    budget = extract_archives.Budget(size=1 << 20)
    sizes = [
        len(each.content)
        for each in extract_archives.members(zipped(a=bytes(700_000), b=bytes(700_000), c=b"x"), budget)
    ]
    assert sizes == [700_000, (1 << 20) - 700_000, 0]


def test_archives_in_archives_end_at_the_limit():
    data = SHOP
    for _ in range(limits.MAX_NESTED_ARCHIVES + 1):
        data = zipped(inner=data)
    extraction = extract([data])
    assert extraction.descriptors == ()
    assert [problem.code for problem in extraction.problems] == ["limit"]


def test_a_missing_file_is_an_error():
    with pytest.raises(InputError, match="No such file"):
        extract(["/nowhere/at/all"])


@pytest.mark.parametrize(
    "data",
    [
        b"\n\x07a.proto" * 100_000,
        b"\n\x07a.proto\x1a\x01b" * 60_000,
        b"".join(b"\n\x07a.proto\x22\xff\xff" + bytes((number & 127,)) for number in range(60_000)),
        b"\x1f\x8b\x08" * 300_000,
        b'"\\n' * 300_000,
        b"'\\n" + b"\\" * 500_000,
        b"'\\n\\" * 260_000,
        b'"\\n"\\\'' * 200_000,
        b"0x0a," * 200_000,
        b"C\0h\0" * 200_000,
        b"PK\x03\x04" * 200_000,
        b"\xca\xfe\xba\xbe\0\0\0\x34\xff\xff" + b"\x01\0\0" * 200_000,
    ],
    ids=[
        "names",
        "imports",
        "lengths",
        "gzip",
        "literals",
        "backslashes",
        "quotes",
        "joined",
        "numbers",
        "utf16",
        "zip",
        "class",
    ],
)
def test_hostile_bytes_are_searched_to_their_end(data):
    assert len(extract([data]).descriptors) <= 1


@given(st.binary(max_size=300), st.integers(0, len(SHOP)), st.binary(max_size=3))
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_never_raise(data, at, change):
    for each in (
        data,
        SHOP[:at] + change + SHOP[at + len(change) :],
        SHOP[:at] + change + data,
        gzip.compress(SHOP)[:at] + data,
    ):
        for descriptor in extract([each]).descriptors:
            assert descriptor.file.name


# --- what becomes of them ----------------------------------------------------------------------------------------


def test_a_set_has_imports_first_and_known_ones_added():
    top = file("top.proto", dependency=["b.proto", "google/protobuf/any.proto", "gone.proto"])
    b = file("b.proto", "b", dependency=["a.proto"])
    a = file("a.proto", "a", dependency=["b.proto"])
    files = descriptor_set([top, b, a])
    assert [each.name for each in files.file] == ["a.proto", "b.proto", "google/protobuf/any.proto", "top.proto"]
    assert missing_imports(files) == ["gone.proto"]


def test_a_long_chain_of_imports_is_put_in_order():
    chain = [file(f"f{number}.proto", f"p{number}", dependency=[f"f{number + 1}.proto"]) for number in range(3_000)]
    assert [each.name for each in descriptor_set(chain).file] == [each.name for each in reversed(chain)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("shop/v1/item.proto", "shop/v1/item.proto"),
        ("../../etc/passwd.proto", "_/_/etc/passwd.proto"),
        ("/etc/cron.d/evil.proto", "etc/cron.d/evil.proto"),
        ("C:\\windows\\x.proto", "C_/windows/x.proto"),
        ("a\n\x1b[2Jb", "a__[2Jb.proto"),
        ("-rf.proto", "_rf.proto"),
        ("x" * 5000, "x" * 200 + ".proto"),
    ],
)
def test_paths_of_a_tree_stay_in_it(name, path):
    [source] = source_tree([file(name)])
    assert source.path == path


def test_files_of_one_path_are_told_apart():
    sources = list(source_tree([file("a:.proto", "a"), file("a?.proto", "b"), file("A_.proto", "c")]))
    assert [each.path for each in sources] == ["a_.proto", "a__2.proto", "A__3.proto"]


def test_what_cannot_be_source_says_why():
    odd = file(package="shop")
    odd.message_type[0].nested_type.add(name="not a name")
    [source] = source_tree([odd])
    assert isinstance(source.error, SchemaError)


# --- as a schema source ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("program", b"\x7fELF" + noise(500) + SHOP + b"\0"),
        ("lib.jar", zipped(lib=SHOP)),
        ("set.binpb.gz", gzip.compress(FileDescriptorSet(file=[file()]).SerializeToString(), mtime=0)),
        ("item_pb2.py", f"x = {SHOP!r}".encode()),
        ("core.dmp", noise(100) + SHOP),
    ],
)
def test_programs_and_packages_are_schema_sources(write, name, content):
    schema = Schema.from_source(str(write(name, content)))
    assert [field.name for field in schema.message("shop.Item").fields] == ["id", "text"]


def test_a_program_without_descriptors_is_refused_as_a_schema(write):
    with pytest.raises(SchemaError, match="no descriptors are in it") as caught:
        Schema.from_source(str(write("program", b"\x7fELF" + noise(500))))
    assert "lite runtime" in str(caught.value)
