"""The bytes of an input - a file or standard input, perhaps gzip-compressed or dumped as text - and what kind it is."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from inspector import limits
from inspector.errors import InputError
from inspector.model.problem import Problem
from inspector.sources.base import Source
from inspector.sources.dump import undump
from inspector.sources.gunzip import MAGIC as GZIP_MAGIC
from inspector.sources.gunzip import Gunzip
from inspector.sources.registry import SOURCES, by_suffix, detect, find, kinds

HEAD_SIZE = 64 * limits.KIB
"""Bytes by which the kind of an input is told."""


class Input:
    """An open input. Raises InputError where it cannot be opened, is empty, or is of no kind that can be read."""

    def __init__(self, path: str, kind: str | None = None, *, gunzip: bool = True) -> None:
        self.problem: Problem | None = None
        """What is wrong with the compression of the input, known when it was read to its end."""
        self._name = "standard input" if path == "-" else path
        kind, _, form = (kind or "").partition("+")
        self._is_stdin = path == "-"
        self._stream = _open(path)
        try:
            if form:
                text = self._stream.read()
                self.close()
                self._is_stdin = False
                self._stream = io.BytesIO(undump(form, text))
            self._whole = False
            self._head, opened = self._read_head(kind)
            self._gunzip = Gunzip() if gunzip and self._head.startswith(GZIP_MAGIC) else None
            self.source = self._named(kind, opened) if kind else self._detect(opened)
        except InputError as error:
            self.close()
            error.where = error.where or self._name
            raise
        except OSError as error:
            self.close()
            raise InputError(_reason(error), where=self._name) from None

    def __enter__(self) -> Input:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if not self._is_stdin:
            self._stream.close()

    @property
    def is_plain(self) -> bool:
        """Whether its bytes are those of a file as they stand there: neither decompressed nor a dump."""
        return self._gunzip is None and isinstance(self._stream, io.BufferedReader) and not self._is_stdin

    def content(self, most: int) -> bytes | None:
        """All bytes that a plain file has now, read at once, which saves two copies; None where it is not plain, or has
        more than `most`, or where its size is not known."""
        if not self.is_plain or not self._stream.seekable():
            return None
        size = os.fstat(self._stream.fileno()).st_size
        if not 0 < size <= most:
            return None
        try:
            self._stream.seek(0)
            return self._stream.read(size)
        except OSError as error:
            raise InputError(_reason(error), where=self._name) from None

    def pieces(self) -> Iterator[bytes]:
        """All bytes, decompressed."""
        for data in self._raw_pieces():
            if self._gunzip is None:
                yield data
            else:
                yield from self._gunzip.feed(data)
        if self._gunzip is not None:
            self._gunzip.close()
            self.problem = self._gunzip.problem

    def _raw_pieces(self) -> Iterator[bytes]:
        data = self._head
        while data:
            yield data
            data = b"" if self._whole else self._read()

    def _read(self) -> bytes:
        """Some bytes: of a pipe what its writer has written so far."""
        try:
            return self._stream.read1(limits.READ_SIZE)  # type: ignore[attr-defined, no-any-return]
        except OSError as error:
            raise InputError(_reason(error), where=self._name) from None

    def _read_head(self, kind: str) -> tuple[bytes, bytes]:
        """As many bytes as it takes to tell the kind, and the same decompressed. Raises InputError for none.

        A capture tells at once, so that a pipe can be followed.
        """
        head = opened = b""
        gunzip = Gunzip()
        fed = 0
        while len(head) < HEAD_SIZE and len(opened) < HEAD_SIZE:
            data = self._read()
            if not data:
                self._whole = True
                break
            head += data
            if len(head) < len(GZIP_MAGIC):
                continue
            if head.startswith(GZIP_MAGIC):
                for piece in gunzip.feed(head[fed:]):
                    opened += piece
                    if len(opened) >= HEAD_SIZE:
                        break
                fed = len(head)
            else:
                opened = head
            if kind or _is_capture(opened):
                break
        opened = opened or (b"" if fed else head)
        if not opened and not kind:
            gunzip.close()
            raise InputError(
                gunzip.problem.message if gunzip.problem else "the input is empty", hint="nothing to decode"
            )
        return head, opened

    def _named(self, kind: str, head: bytes) -> Source:
        """The kind that the user named. What begins with a magic number is held to it."""
        source = find(kind)
        if source.has_magic and not source.detect(head, False):
            found = detect(head, whole=False)
            hint = f"it looks like {found.name}" if found else "leave out --from to have it detected"
            raise InputError(f"this is not {kind}", hint=hint)
        return source

    def _detect(self, head: bytes) -> Source:
        name = self._name.removesuffix(".gz")
        source = detect(head, whole=self._whole and len(head) < HEAD_SIZE, name=name) or _damaged(head, name)
        if source is None:
            raise _refused(head)
        return source


def _damaged(head: bytes, name: str) -> Source | None:
    """What a file of messages is by its name, where its content does not tell; what is wrong shows when it is read."""
    if _is_text(head) or any(head.startswith(signature) for signature, _, _ in _SIGNATURES):
        return None
    return next((source for source in by_suffix(name) if not source.is_capture), None)


def _is_capture(head: bytes) -> bool:
    return any(source.is_capture and source.detect(head, False) for source in SOURCES)


def _open(path: str) -> BinaryIO:
    if path == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed", where="standard input")
        return sys.stdin.buffer
    if os.path.isdir(path):
        raise InputError("this is a directory", where=path, hint="name a capture or payload file in it")
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise InputError(_reason(error), where=path) from None


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"cannot be read: {text}"


_ELSE = "name a capture (pcap, pcapng) or a file of protobuf messages"

# First bytes of files that people pass by mistake -> what they are, and what to do.
_SIGNATURES = (
    (b"\x89PNG", "a PNG image", _ELSE),
    (b"\xff\xd8\xff", "a JPEG image", _ELSE),
    (b"%PDF", "a PDF document", _ELSE),
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"\x7fELF", "a program", _ELSE),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data", "decompress it first: zstd -d"),
    (b"BZh", "bzip2-compressed data", "decompress it first: bunzip2"),
    (b"\xfd7zXZ", "xz-compressed data", "decompress it first: unxz"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data", "decompress it first: unlz4"),
)

# The same of captures in other forms -> the program that makes them.
_OTHER_CAPTURES = (
    (b"snoop\0\0\0", "snoop"),
    (b"GMBU", "Microsoft Network Monitor"),
    (b"RTSS", "Microsoft Network Monitor"),
    (b"TRSNIFF data", "Sniffer"),
)


def _refused(head: bytes) -> InputError:
    """What to say of an input of no kind that is read."""
    for signature, program in _OTHER_CAPTURES:
        if head.startswith(signature):
            text = f"this is a capture of {program}, a form of captures that is not read"
            return InputError(text, hint="Wireshark's editcap makes a pcapng file of it")
    what, advice = _told_apart(head)
    return InputError(f"{what}, not a capture and not protobuf", hint=advice)


def _told_apart(head: bytes) -> tuple[str, str]:
    for signature, description, advice in _SIGNATURES:
        if head.startswith(signature):
            return f"this is {description}", advice
    if _is_text(head):
        return "this is text", "a dump of binary data is read with --from message+hex or --from message+base64"
    return "the kind of this input is not known", f"name its kind with --from, one of {', '.join(kinds())}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)
