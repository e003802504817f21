"""Descriptors of files that come with the package `protobuf`: messages of proto2, with enums and options."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf import (
    api_pb2,
    descriptor_pb2,
    duration_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)

MODULES = (
    api_pb2, descriptor_pb2, duration_pb2, field_mask_pb2, source_context_pb2, struct_pb2, timestamp_pb2, type_pb2,
    wrappers_pb2,
)  # fmt: skip


def fill(message: Any, source: Random) -> None:
    """A google.protobuf.FileDescriptorSet of some 20 kB, with the place of every symbol in its file."""
    for module in source.sample(MODULES, len(MODULES)):
        file = message.file.add()
        file.MergeFromString(module.DESCRIPTOR.serialized_pb)
        for number, kind in enumerate(file.message_type):
            kind_at = file.source_code_info.location.add(path=[4, number], span=[number * 10, 0, number * 10 + 9, 1])
            kind_at.leading_comments = f' What a {kind.name} is.\n It has {len(kind.field)} "fields".\n'
            for place in range(len(kind.field)):
                file.source_code_info.location.add(path=[4, number, 2, place], span=[number * 10 + place, 2, 40])
