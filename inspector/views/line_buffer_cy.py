"""Lines of JSON, written one behind the other into one buffer, as a batch of records is printed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from inspector.model.packet import Time
from inspector.views.safe_text import safe_json
from inspector.views.times import date_and_time, timestamp

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if not TYPE_CHECKING and cython.compiled:
    from cython.cimports.cpython.bytearray import PyByteArray_AS_STRING, PyByteArray_Resize
    from cython.cimports.cpython.unicode import PyUnicode_DATA
    from cython.cimports.libc.string import memcpy

_SECOND = cython.declare(cython.longlong, 1_000_000_000)
_FAR = 1 << 62
"""Times and durations below this fit the integers of C: until the year 2116."""


@cython.final
@cython.cclass
class LineBuffer:
    """Text that grows at its end. (Compiled, bytes are copied into place: to append to a `bytearray` takes longer.)"""

    def __init__(self, expected: int = 0) -> None:
        """With room for as many bytes as are expected."""
        self._text: bytearray = bytearray()
        self._target: cython.p_char = b""  # where it is, and how many bytes it has (both only compiled)
        self._room = 0
        self.size = 0
        self._second = -1  # the last one that was written, and its text
        self._second_text: bytes = b""
        if cython.compiled and expected:
            self._grow(expected)

    @cython.cfunc
    def text(self) -> bytearray:
        """All that was written, without a copy: nothing more can be written then."""
        if cython.compiled:
            PyByteArray_Resize(self._text, self.size)  # type: ignore[name-defined]
            self._room = 0
            self._target = b""
        return self._text

    @cython.cfunc
    def _grow(self, count: cython.Py_ssize_t) -> None:
        """Makes room for so many bytes more, and as many as there are already. (Compiled only.)"""
        room: cython.Py_ssize_t = 2 * self._room + count + 4096
        PyByteArray_Resize(self._text, room)  # type: ignore[name-defined]  # what is new is not set to zeros
        self._room = room
        self._target = PyByteArray_AS_STRING(self._text)  # type: ignore[name-defined]

    @cython.cfunc
    def put(self, piece: bytes) -> None:
        if not cython.compiled:
            self._text += piece
            self.size += len(piece)
            return
        count: cython.Py_ssize_t = len(piece)
        if self.size + count > self._room:
            self._grow(count)
        source: cython.p_char = piece
        memcpy(self._target + self.size, source, count)  # type: ignore[name-defined, operator]
        self.size += count

    @cython.cfunc
    def put_again(self, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        """What stands from `start` to `end` of the text."""
        if start < 0 or end < start or end > self.size:
            raise IndexError("out of bounds")
        count: cython.Py_ssize_t = end - start
        if not cython.compiled:
            self._text += self._text[start:end]
            self.size += count
            return
        if self.size + count > self._room:
            self._grow(count)
        memcpy(self._target + self.size, self._target + start, count)  # type: ignore[name-defined, operator]
        self.size += count

    @cython.cfunc
    def put_text(self, value: str | None) -> None:
        """Text, or null, as JSON."""
        if value is None:
            self.put(b"null")
        elif not self.put_plain(b'"', value, b'"'):
            self.put(json_bytes(value))

    @cython.cfunc
    def put_plain(self, before: bytes, value: str, after: bytes) -> cython.bint:
        """Text that is the same in JSON, as nearly all is: printable ASCII without quotes and backslashes. False for
        any other, of which nothing is written."""
        if not cython.compiled:
            if not (value.isascii() and value.isprintable()) or '"' in value or "\\" in value:
                return False
            self.put(before + value.encode() + after)
            return True
        if PyUnicode_MAX_CHAR_VALUE(value) > 127:  # type: ignore[name-defined]  # noqa: F821  # declared in the .pxd
            return False
        source: cython.p_uchar = cython.cast(cython.p_uchar, PyUnicode_DATA(value))  # type: ignore[name-defined]
        count: cython.Py_ssize_t = len(value)
        if not _is_plain(source, count):
            return False
        self.put(before)
        if self.size + count > self._room:
            self._grow(count)
        memcpy(self._target + self.size, source, count)  # type: ignore[name-defined, operator]
        self.size += count
        self.put(after)
        return True

    @cython.cfunc
    def put_safe(self, json: bytes) -> None:
        """JSON text, with nothing in it that would move a terminal."""
        self.put(json if _is_safe(json) else safe_json(json))

    @cython.cfunc
    @cython.cdivision(True)
    def put_digits(self, number: cython.longlong, count: cython.Py_ssize_t) -> None:
        """The last `count` digits of a number, zeros in front where it has fewer."""
        if not cython.compiled:
            self._text += b"%0*d" % (count, number)
            self.size += count
            return
        if self.size + count > self._room:
            self._grow(count)
        target: cython.p_char = self._target
        at: cython.Py_ssize_t = self.size + count
        while at > self.size:
            at -= 1
            target[at] = 48 + number % 10  # type: ignore[index]
            number //= 10
        self.size += count

    @cython.cfunc
    @cython.cdivision(True)
    def put_number(self, number: cython.longlong) -> None:
        """A number that is not negative."""
        count: cython.Py_ssize_t = 1
        rest: cython.longlong = number // 10
        while rest:
            count += 1
            rest //= 10
        self.put_digits(number, count)

    @cython.cfunc
    def put_time(self, nanoseconds: Time) -> None:
        """As `views.times.timestamp` gives it."""
        if nanoseconds is None or not 0 <= nanoseconds < _FAR:
            self.put(json_bytes(timestamp(nanoseconds)))
            return
        whole: cython.longlong = nanoseconds
        second: cython.longlong = whole // _SECOND
        if second != self._second:
            self._second, self._second_text = second, f'"{date_and_time(second)}.'.encode()
        self.put(self._second_text)
        self.put_digits(whole % _SECOND, 9)
        self.put(b'Z"')

    @cython.cfunc
    @cython.cdivision(True)
    def put_seconds(self, nanoseconds: Time) -> None:
        """Nanoseconds as seconds, all digits, none that say nothing: 1500000 is 0.0015."""
        if nanoseconds is None or not 0 <= nanoseconds < _FAR:
            self.put(b"null" if nanoseconds is None else repr(nanoseconds / 1_000_000_000).encode())
            return
        whole: cython.longlong = nanoseconds
        fraction: cython.longlong = whole % _SECOND
        count: cython.Py_ssize_t = 9
        if fraction % 1_000_000 == 0:  # so that fewer digits are looked at one by one
            fraction //= 1_000_000
            count = 3
        elif fraction % 1_000 == 0:
            fraction //= 1_000
            count = 6
        while count > 1 and fraction % 10 == 0:
            fraction //= 10
            count -= 1
        self.put_number(whole // _SECOND)
        self.put(b".")
        self.put_digits(fraction, count)


def json_bytes(value: object) -> bytes:
    """A value as JSON text that is safe to show."""
    return safe_json(orjson.dumps(value))


@cython.cfunc
@cython.exceptval(check=False)
def _is_plain(octets: cython.p_uchar, count: cython.Py_ssize_t) -> cython.bint:
    """Whether JSON has nothing to escape in this ASCII, nor a terminal to do. (No branches, so that compilers look at
    many octets at once.)"""
    odd: cython.uchar = 0
    at: cython.Py_ssize_t
    for at in range(count):
        octet: cython.uchar = octets[at]
        odd |= (octet < 0x20) | (octet == 0x22) | (octet == 0x5C) | (octet == 0x7F)
    return odd == 0


@cython.cfunc
def _is_safe(json: bytes) -> cython.bint:
    """Whether nothing in JSON text begins as what `safe_json` looks for."""
    if not cython.compiled:
        return json.isascii() and b"\x7f" not in json
    octets: cython.p_uchar = json
    octet: cython.uchar
    next_octet: cython.uchar
    at: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = len(json)
    while at < size:
        octet = octets[at]
        at += 1
        if octet < 0x7F:
            continue
        if octet == 0x7F:
            return False
        if octet == 0xC2 or octet == 0xD8 or octet == 0xE2:
            next_octet = octets[at] if at < size else 0
            if octet == 0xE2:
                if next_octet == 0x80 or next_octet == 0x81:
                    return False
            elif next_octet < 0xA0:
                return False
    return True
