"""Where the files of a serialized FileDescriptorSet lie. (Needs nothing of the runtime, which takes time to load.)"""

from __future__ import annotations

from collections.abc import Iterator

from inspector.errors import SchemaError

_FILE_TAG = 0x0A
"""Field 1, length-delimited: the only field that a FileDescriptorSet has."""

_MAX_VARINT = 10
"""Bytes of a varint (64 bits)."""

NOT_A_SET = "this is not a descriptor set"
SET_HINT = "make one with `protoc --include_imports --descriptor_set_out=FILE`, or `buf build -o FILE.binpb`"


def file_spans(data: bytes, label: str) -> Iterator[tuple[int, int]]:
    """Start and end of each file. Raises SchemaError with the offset where the bytes are damaged, or are none."""
    if not data:
        raise SchemaError("the file is empty", where=label, hint=SET_HINT)
    if data[0] != _FILE_TAG:
        raise SchemaError(NOT_A_SET, where=label, hint=_hint_for(data))
    position, size = 0, len(data)
    while position < size:
        if data[position] != _FILE_TAG:
            raise damage("unexpected bytes between files", position, label)
        length, start = _read_varint(data, position + 1, label)
        if start + length > size:
            raise damage(f"a file of {length} bytes begins here, but only {size - start} are left", position, label)
        position = start + length
        yield start, position


def _read_varint(data: bytes, position: int, label: str) -> tuple[int, int]:
    """The value, and the position after it."""
    value = 0
    for index, byte in enumerate(data[position : position + _MAX_VARINT]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise damage("the length of a file is cut off or too long", position, label)


def damage(message: str, offset: int, label: str) -> SchemaError:
    hint = "the descriptor set is damaged or cut off: make it anew" if offset else SET_HINT
    return SchemaError(f"{NOT_A_SET if not offset else 'damaged descriptor set'}: {message}", hint=hint,
                       where=f"{label}: offset {offset}")  # fmt: skip


def _hint_for(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        return "it is compressed with gzip: decompress it first"
    if data.lstrip()[:1] in (b"{", b"["):
        return "it looks like JSON: a buf image must be binary, `buf build -o FILE.binpb`"
    if b"syntax" in data[:4096] or b"message " in data[:4096]:
        return "if this is protobuf source, its name must end in .proto"
    return SET_HINT
