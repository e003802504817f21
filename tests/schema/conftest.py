from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes a file beneath the test's folder, and returns its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def write_set(write):
    """Writes FileDescriptorProtos as a descriptor set, and returns its path."""

    def write_files(name: str, *files) -> Path:
        return write(name, b"".join(b"\x0a" + varint(len(each)) + each for each in map(serialized, files)))

    return write_files


def serialized(file) -> bytes:
    return file if isinstance(file, bytes) else file.SerializeToString()


def varint(value: int) -> bytes:
    return bytes((value & 0x7F | 0x80, *varint(value >> 7))) if value >= 0x80 else bytes((value,))
