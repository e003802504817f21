"""Pieces of the wire format written into a buffer that grows: the counterpart of `inspector.wire.encode` in C++.

Functions give False where memory runs out. What follows a length is written before the length is known: room is kept
for as many bytes as the last length of the field took, and where that was wrong the content is moved.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from inspector.transcode.grown cimport Grown


cdef extern from *:
    """
    #include <cstdint>
    #include <cstdlib>
    #include <cstring>

    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "numbers are copied as they lie in memory: little-endian, as on the wire"
    #endif

    typedef Grown<char> Output;

    /* What is only a guess may be written by several threads. */
    template <class Number> inline Number hinted(const Number *hint) { return __atomic_load_n(hint, __ATOMIC_RELAXED); }
    template <class Number> inline void set_hint(Number *hint, Number value) {
        __atomic_store_n(hint, value, __ATOMIC_RELAXED);
    }
    """
    cdef cppclass Output:
        char* items
        size_t size
        size_t capacity
        bint room(size_t more) noexcept nogil

    Number hinted[Number](const Number* hint) noexcept nogil
    void set_hint[Number](Number* hint, Number value) noexcept nogil

    int __builtin_clzll(unsigned long long) noexcept nogil


cdef enum:
    LONGEST_VARINT = 10


cdef inline size_t varint_size(uint64_t value) noexcept nogil:
    return <size_t>((9 * (63 - __builtin_clzll(value | 1)) + 73) // 64)


cdef inline void append_varint(Output* out, uint64_t value) noexcept nogil:
    """Where there is room for it."""
    cdef uint8_t* at = <uint8_t*>(out.items + out.size)
    while value >= 0x80:
        at[0] = <uint8_t>(value | 0x80)
        at += 1
        value >>= 7
    at[0] = <uint8_t>value
    out.size = <size_t>(<char*>at + 1 - out.items)


cdef inline bint put_varint(Output* out, uint64_t value) noexcept nogil:
    if not out.room(LONGEST_VARINT):
        return False
    append_varint(out, value)
    return True


cdef inline bint put_fixed32(Output* out, uint32_t value) noexcept nogil:
    if not out.room(4):
        return False
    memcpy(out.items + out.size, &value, 4)
    out.size += 4
    return True


cdef inline bint put_fixed64(Output* out, uint64_t value) noexcept nogil:
    if not out.room(8):
        return False
    memcpy(out.items + out.size, &value, 8)
    out.size += 8
    return True


cdef inline bint put_bytes(Output* out, const char* content, size_t size) noexcept nogil:
    if not out.room(size):
        return False
    memcpy(out.items + out.size, content, size)
    out.size += size
    return True


cdef inline bint open_length(Output* out, size_t reserved) noexcept nogil:
    if not out.room(reserved):
        return False
    out.size += reserved
    return True


cdef inline bint close_length(Output* out, size_t content, size_t reserved) noexcept nogil:
    """Writes the length of what stands behind the offset `content`, before which so many bytes were kept for it."""
    cdef size_t size = out.size - content
    cdef size_t needed = varint_size(size)
    cdef size_t end = out.size
    if needed != reserved:
        if not out.room(needed):
            return False
        memmove(out.items + content - reserved + needed, out.items + content, size)
        end = end - reserved + needed
    out.size = content - reserved
    append_varint(out, size)
    out.size = end
    return True
