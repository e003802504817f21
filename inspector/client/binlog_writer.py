"""Writes binary logs of gRPC (proposal A16), entry by entry, as grpc-go writes them: each behind its length in four
bytes.

Invariant: when `write` returns, the system has the entries whole, so that whatever ends this process does not take them
with it; a log is only for who wrote it (mode 0600), and nothing is written through a link or over a file unasked.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from inspector.errors import InputError
from inspector.model.call import Header, Status
from inspector.net.metadata_cy import binary_value
from inspector.sources import binlog_entry as log
from inspector.sources.binlog_frames import FIXED, FIXED_SIZE, framing_of
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import LEN, VARINT

Mode = Literal["new", "append", "force"]
"""What becomes of a file that is there: it is an error, it is added to, it is replaced."""

Parts = Sequence[bytes]
"""The bytes of an entry, in parts: those of a message are not copied."""

# --- entries -----------------------------------------------------------------------------------------------------

_OMITTED = frozenset(("lb-token", "te", "content-type", "content-encoding", "user-agent"))
_KEPT = "grpc-trace-bin"

_TIME, _CALL, _SEQUENCE = tag(log.TIMESTAMP, LEN), tag(log.CALL_ID, VARINT), tag(log.SEQUENCE, VARINT)
_KINDS = {
    kind: tag(log.TYPE, VARINT) + varint(kind) + tag(log.LOGGER, VARINT) + varint(log.CLIENT_LOGGER)
    for kind in range(log.CLIENT_HEADER, log.CANCEL + 1)
}
_SECONDS, _NANOS = tag(1, VARINT), tag(2, VARINT)
_MESSAGE, _LENGTH, _DATA = tag(log.MESSAGE_PAYLOAD, LEN), tag(1, VARINT), tag(2, LEN)
_IS_TRUNCATED = tag(log.TRUNCATED, VARINT) + varint(1)

MOST_REMEMBERED = 512
"""Header fields of which the bytes are remembered: most come again with each call."""

LONGEST_REMEMBERED = 256

_fields: dict[Header, bytes] = {}


def entry(
    kind: int, call: int, sequence: int, time: int, payload: bytes = b"", *, truncated: bool = False, peer: bytes = b""
) -> Parts:
    """An entry that is no message. `time` is in nanoseconds since the epoch, `payload` the field with its tag, `peer`
    what `address` gives. The logger is the client: on that side a log may have a status that no server sent."""
    body = b"".join((_head(kind, call, sequence, time), payload, _IS_TRUNCATED if truncated else b"", peer))
    return (len(body).to_bytes(FIXED_SIZE, "big") + body,)


def message(kind: int, call: int, sequence: int, time: int, data: bytes, length: int) -> Parts:
    """An entry with a message of that length, of which the log keeps `data`."""
    front = _LENGTH + varint(length) if length else b""
    if data:
        front += _DATA + varint(len(data))
    head = b"".join((_head(kind, call, sequence, time), _MESSAGE, varint(len(front) + len(data)), front))
    tail = _IS_TRUNCATED if len(data) < length else b""
    size = len(head) + len(data) + len(tail)
    return size.to_bytes(FIXED_SIZE, "big") + head, data, tail


def _head(kind: int, call: int, sequence: int, time: int) -> bytes:
    seconds, nanos = divmod(time, log.NANO)
    stamp = b"".join((_SECONDS, varint(seconds), _NANOS, varint(nanos)))
    return b"".join((_TIME, varint(len(stamp)), stamp, _CALL, varint(call), _SEQUENCE, varint(sequence), _KINDS[kind]))


def client_header(fields: Iterable[Header], method: str, authority: str | None, timeout: int | None) -> bytes:
    """The payload of a CLIENT_HEADER. `timeout` is in nanoseconds; texts have a character for each octet."""
    parts = [_metadata(fields), length_delimited(2, method.encode("latin-1", "replace"))]
    if authority is not None:
        parts.append(length_delimited(3, authority.encode("latin-1", "replace")))
    if timeout is not None:
        seconds, nanos = divmod(timeout, log.NANO)
        parts.append(length_delimited(4, b"".join((_SECONDS, varint(seconds), _NANOS, varint(nanos)))))
    return length_delimited(log.CLIENT_HEADER_PAYLOAD, b"".join(parts))


def server_header(fields: Iterable[Header]) -> bytes:
    """The payload of a SERVER_HEADER."""
    return length_delimited(log.SERVER_HEADER_PAYLOAD, _metadata(fields))


def trailer(fields: Iterable[Header], status: Status) -> bytes:
    """The payload of a SERVER_TRAILER."""
    parts = [_metadata(fields)]
    if status.code:
        parts.append(tag(2, VARINT) + varint(status.code))
    if status.message:
        parts.append(length_delimited(3, status.message.encode("utf-8", "replace")))
    if status.details:
        parts.append(length_delimited(4, status.details))
    return length_delimited(log.TRAILER_PAYLOAD, b"".join(parts))


def address(host: str, port: int | None) -> bytes:
    """A peer: an IP address with its port, or (`port` None) the path of a unix socket."""
    if port is None:
        return length_delimited(log.PEER, _LENGTH + varint(log.UNIX) + length_delimited(2, os.fsencode(host)))
    version = ipaddress.ip_address(host.partition("%")[0]).version
    kind = log.IPV4 if version == 4 else log.IPV6
    text = length_delimited(2, host.partition("%")[0].encode())
    return length_delimited(log.PEER, b"".join((_LENGTH, varint(kind), text, tag(3, VARINT), varint(port))))


def _metadata(fields: Iterable[Header]) -> bytes:
    """What of header fields is the application's, as A16 has it; `-bin` values as the octets that they stand for."""
    found = []
    for field in fields:
        known = _fields.get(field)
        if known is None:
            if len(_fields) >= MOST_REMEMBERED:
                _fields.clear()
            known = _pairs(field)
            if len(known) <= LONGEST_REMEMBERED:
                _fields[field] = known
        found.append(known)
    content = b"".join(found)
    return length_delimited(1, content) if content else b""


def _pairs(field: Header) -> bytes:
    """One field; none for what gRPC and HTTP/2 sent for themselves, several where values of a `-bin` were joined."""
    name, value = field
    if name is None or value is None or name.startswith(":") or name in _OMITTED:
        return b""
    if name.startswith("grpc-") and name != _KEPT:
        return b""
    octets = value.encode("latin-1", "replace")
    values = [octets]
    if name.endswith("-bin"):
        # After a zero byte come the octets themselves (grpc proposal G1), else they are in base64.
        parts = [] if octets.startswith(b"\0") else [binary_value(part) for part in value.split(",")]
        values = [part for part in parts if part is not None] or [octets.removeprefix(b"\0")]
    key = length_delimited(1, name.encode("latin-1", "replace"))
    return b"".join(length_delimited(1, key + (length_delimited(2, each) if each else b"")) for each in values)


# --- files -------------------------------------------------------------------------------------------------------


class FileLimits(NamedTuple):
    """How large a log may grow: bytes of a file, after which the next begins (None: no limit), and how many files are
    kept (None: all)."""

    file_size: int | None = None
    files: int | None = None


UNLIMITED = FileLimits()


class BinlogFile:
    """A log in one file, or in parts: FILE, FILE.1, FILE.2, ..., the newest last. `-` is standard output."""

    def __init__(
        self,
        path: str,
        mode: Mode = "new",
        limits: FileLimits = UNLIMITED,
        repeat: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        """`repeat` gives the headers of the calls that go on, when another file begins. Raises InputError."""
        self.path = path
        self.written = 0
        self._limits = limits
        self._repeat = repeat
        self._part = 0
        self._size = 0
        if path == "-":
            self._descriptor = os.dup(1)
            self._limits = UNLIMITED
            return
        parts = _parts_of(path)
        if mode == "append":
            self._part = max(parts, default=0)
            self._descriptor = self._open_to_append()
            return
        if mode == "force":
            for part in parts:
                _remove(_name(path, part))
        elif limits.file_size is not None and max(parts, default=0):
            raise _is_there(_name(path, max(parts)))
        self._descriptor = _create(path)

    def write(self, entries: Iterable[Parts]) -> None:
        """Writes entries. Raises InputError where the system refuses."""
        batch = [part for parts in entries for part in parts]
        size = sum(map(len, batch))
        try:
            if self._limits.file_size is not None and self._size and self._size + size > self._limits.file_size:
                self._begin_part()
            _write_all(self._descriptor, batch)
        except OSError as error:
            raise InputError(f"the log cannot be written: {error.strerror}", where=self.path) from None
        self._size += size
        self.written += size

    def close(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _begin_part(self) -> None:
        """Goes on in the next file, which by itself can be understood."""
        self._part += 1
        descriptor = _create(_name(self.path, self._part))
        self.close()
        self._descriptor = descriptor
        if self._limits.files is not None and self._part >= self._limits.files:
            _remove(_name(self.path, self._part - self._limits.files))
        opening = list(self._repeat())
        _write_all(descriptor, opening)
        self._size = sum(map(len, opening))

    def _open_to_append(self) -> int:
        path = _name(self.path, self._part)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return _create(path)
        except OSError as error:
            raise _refused(path, error) from None
        found = os.fstat(descriptor)
        head = os.pread(descriptor, 65_536, 0) if stat.S_ISREG(found.st_mode) else b"\0"
        if head and framing_of(head, whole=len(head) == found.st_size) != FIXED:
            os.close(descriptor)
            raise InputError("this is no log of the kind that is written here", where=path, hint="name another file")
        with contextlib.suppress(OSError):  # of a file of another user
            os.fchmod(descriptor, 0o600)
        self._size = found.st_size
        return descriptor


def _name(path: str, part: int) -> str:
    return f"{path}.{part}" if part else path


def _parts_of(path: str) -> list[int]:
    """The numbers of the files of a log that are there; 0 is the one without a number."""
    folder, base = os.path.split(path)
    pattern = re.compile(re.escape(base) + r"(?:\.([1-9][0-9]{0,8}))?")
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    return [int(match[1] or 0) for match in map(pattern.fullmatch, names) if match]


def _create(path: str) -> int:
    """A file that was not there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:
        raise _is_there(path) from None
    except (OSError, ValueError) as error:
        raise _refused(path, error) from None


def _remove(path: str) -> None:
    """Removes a file, if it is one. Raises InputError for what is none."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise InputError("this is no regular file, and is not overwritten", where=path, hint="name another file")
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, error) from None


def _is_there(path: str) -> InputError:
    if os.path.islink(path):
        return InputError("this is a link, and is not followed", where=path, hint="name the file itself")
    if os.path.isdir(path):
        return InputError("this is a directory", where=path, hint="name a file in it")
    return InputError("this is there already", where=path, hint="--append adds to it, --force overwrites it")


def _refused(path: str, error: Exception) -> InputError:
    if os.path.islink(path) or os.path.isdir(path):
        return _is_there(path)
    return InputError(f"cannot be written: {getattr(error, 'strerror', None) or error}", where=path)


_MOST_PARTS = 512
"""Parts written at once: systems take 1,024."""


def _write_all(descriptor: int, parts: Sequence[bytes]) -> None:
    """Writes all bytes. Raises OSError."""
    for first in range(0, len(parts), _MOST_PARTS):
        views = [memoryview(part) for part in parts[first : first + _MOST_PARTS]]
        while views:
            written = os.writev(descriptor, views)
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if written:
                views[0] = views[0][written:]
