"""Binary logs, written with the protobuf runtime by the definition in gRPC proposal A16; independent of the reader."""

from __future__ import annotations

import struct

from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory, timestamp_pb2
from google.protobuf.internal.encoder import _VarintBytes

START = 1_790_000_000_000_000_000
MILLISECOND = 1_000_000

CLIENT_HEADER, SERVER_HEADER, CLIENT_MESSAGE, SERVER_MESSAGE, HALF_CLOSE, TRAILER, CANCEL = range(1, 8)
CLIENT, SERVER = 1, 2

_FIELDS = {
    "GrpcLogEntry": (
        ("timestamp", 1, ".google.protobuf.Timestamp"),
        ("call_id", 2, "uint64"),
        ("sequence_id_within_call", 3, "uint64"),
        ("type", 4, "int32"),  # the enums as numbers: the wire is the same
        ("logger", 5, "int32"),
        ("client_header", 6, "ClientHeader"),
        ("server_header", 7, "ServerHeader"),
        ("message", 8, "Message"),
        ("trailer", 9, "Trailer"),
        ("payload_truncated", 10, "bool"),
        ("peer", 11, "Address"),
    ),
    "ClientHeader": (
        ("metadata", 1, "Metadata"),
        ("method_name", 2, "string"),
        ("authority", 3, "string"),
        ("timeout", 4, ".google.protobuf.Duration"),
    ),
    "ServerHeader": (("metadata", 1, "Metadata"),),
    "Trailer": (
        ("metadata", 1, "Metadata"),
        ("status_code", 2, "uint32"),
        ("status_message", 3, "string"),
        ("status_details", 4, "bytes"),
    ),
    "Message": (("length", 1, "uint32"), ("data", 2, "bytes")),
    "Metadata": (("entry", 1, "*MetadataEntry"),),
    "MetadataEntry": (("key", 1, "string"), ("value", 2, "bytes")),
    "Address": (("type", 1, "int32"), ("address", 2, "string"), ("ip_port", 3, "uint32")),
}


def _entry_class():
    package = "grpc.binarylog.v1"
    file = descriptor_pb2.FileDescriptorProto(name="binarylog.proto", package=package, syntax="proto3")
    file.dependency.extend((timestamp_pb2.DESCRIPTOR.name, duration_pb2.DESCRIPTOR.name))
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            kind = kind.removeprefix("*")
            if kind.islower() and "." not in kind:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
            else:
                field.type = kinds.TYPE_MESSAGE
                field.type_name = kind if kind.startswith(".") else f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    for known in (timestamp_pb2, duration_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.GrpcLogEntry"))


GrpcLogEntry = _entry_class()


def entry(kind, call=1, sequence=0, time=0, logger=CLIENT, **fields):
    """An entry, `time` in milliseconds since START; None for one without."""
    made = GrpcLogEntry(call_id=call, sequence_id_within_call=sequence, type=kind, logger=logger, **fields)
    if time is not None:
        made.timestamp.seconds, made.timestamp.nanos = divmod(START + time * MILLISECOND, 1_000_000_000)
    return made


def metadata(*pairs):
    return {"entry": [{"key": key, "value": value} for key, value in pairs]}


def header(method="/pkg.Svc/Do", *pairs, **fields):
    """What a CLIENT_HEADER has."""
    more = {name: fields.pop(name) for name in ("peer", "payload_truncated") if name in fields}
    return {"client_header": {"method_name": method, "metadata": metadata(*pairs)} | fields} | more


def body(data, length=None, **fields):
    """What a message has."""
    return {"message": {"length": len(data) if length is None else length, "data": data}} | fields


def unary(call=1, request=b"\x08\x05", response=b"\x08\x06", method="/pkg.Svc/Do", logger=CLIENT, time=0):
    """The entries of a call as a client logs it."""
    steps = (
        (CLIENT_HEADER, header(method, authority="example.com")),
        (CLIENT_MESSAGE, body(request)),
        (HALF_CLOSE, {}),
        (SERVER_HEADER, {"server_header": {"metadata": metadata()}}),
        (SERVER_MESSAGE, body(response)),
        (TRAILER, {"trailer": {"status_code": 0}}),
    )
    return [
        entry(kind, call, number, time + number, logger, **fields) for number, (kind, fields) in enumerate(steps, 1)
    ]


def fixed(entries):
    """A log as grpc-go writes it."""
    return b"".join(struct.pack(">I", len(data)) + data for data in map(_bytes, entries))


def varint(entries):
    """A log as grpc-java writes it."""
    return b"".join(_VarintBytes(len(data)) + data for data in map(_bytes, entries))


def _bytes(made):
    return made if isinstance(made, bytes) else made.SerializeToString()


def split(log):
    """The entries of a log with lengths of four bytes."""
    at, found = 0, []
    while at < len(log):
        end = at + 4 + int.from_bytes(log[at : at + 4], "big")
        assert end <= len(log)
        found.append(GrpcLogEntry.FromString(log[at + 4 : end]))
        at = end
    return found
