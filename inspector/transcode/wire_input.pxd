"""Reading tags, numbers and lengths of the wire, each within a bound: what `inspector.wire.scan` does, in C.

Readers move `at` and give False where the bytes end too soon or are damaged; where exactly is for a scan to tell.

Invariant: nothing at or behind `end` is read.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

ctypedef const unsigned char* Place

cdef enum:
    VARINT = 0
    I64 = 1
    LEN = 2
    SGROUP = 3
    EGROUP = 4
    I32 = 5


cdef inline bint read_varint(Place* at, Place end, uint64_t* value) noexcept nogil:
    """Up to ten bytes; what they hold beyond 64 bits is dropped, as the runtime does."""
    cdef Place from_ = at[0]
    if end - from_ >= 2:
        if from_[0] < 0x80:
            value[0] = from_[0]
            at[0] = from_ + 1
            return True
        if from_[1] < 0x80:
            value[0] = (from_[0] & 0x7F) | <uint64_t> from_[1] << 7
            at[0] = from_ + 2
            return True
    return read_long_varint(at, end, value)


cdef inline bint read_long_varint(Place* at, Place end, uint64_t* value) noexcept nogil:
    cdef Place next_ = at[0]
    cdef uint64_t sum_ = 0
    cdef int shift = 0
    while next_ < end and shift < 70:
        sum_ |= <uint64_t> (next_[0] & 0x7F) << shift
        next_ += 1
        if next_[-1] < 0x80:
            at[0] = next_
            value[0] = sum_
            return True
        shift += 7
    return False


cdef inline bint read_tag(Place* at, Place end, uint32_t* tag) noexcept nogil:
    """A tag of at most 32 bits in five bytes; the number 0 is damage."""
    cdef Place from_ = at[0]
    cdef uint64_t value
    if from_ < end and 8 <= from_[0] < 0x80:
        tag[0] = from_[0]
        at[0] = from_ + 1
        return True
    if not read_varint(at, end, &value) or at[0] - from_ > 5 or value >> 32 or value < 8:
        return False
    tag[0] = <uint32_t> value
    return True


cdef inline bint read_length(Place* at, Place end, size_t* length) noexcept nogil:
    """The length of a LEN field, of which the content is there."""
    cdef Place from_ = at[0]
    cdef uint64_t value
    if from_ < end and from_[0] < 0x80:
        at[0] = from_ + 1
        length[0] = from_[0]
        return from_[0] <= end - from_ - 1
    if not read_varint(at, end, &value) or at[0] - from_ > 5 or value > <uint64_t> (end - at[0]) or value >> 31:
        return False
    length[0] = value
    return True


cdef inline bint read_fixed32(Place* at, Place end, uint32_t* value) noexcept nogil:
    if end - at[0] < 4:
        return False
    memcpy(value, at[0], 4)
    at[0] += 4
    return True


cdef inline bint read_fixed64(Place* at, Place end, uint64_t* value) noexcept nogil:
    if end - at[0] < 8:
        return False
    memcpy(value, at[0], 8)
    at[0] += 8
    return True


cdef inline bint skip_value(Place* at, Place end, uint32_t tag, int room) noexcept nogil:
    """Steps over a value. `room` bounds the nesting of groups (at most 100), the first one counted."""
    cdef uint32_t open_groups[100]
    cdef int depth = 0
    cdef uint64_t number
    cdef size_t length
    while True:
        if tag & 7 == VARINT:
            if not read_varint(at, end, &number):
                return False
        elif tag & 7 == LEN:
            if not read_length(at, end, &length):
                return False
            at[0] += length
        elif tag & 7 == I64:
            if not read_fixed64(at, end, &number):
                return False
        elif tag & 7 == I32:
            if not read_fixed32(at, end, <uint32_t*> &number):
                return False
        elif tag & 7 == SGROUP:
            if depth >= room or depth >= 100:
                return False
            open_groups[depth] = tag >> 3
            depth += 1
        elif tag & 7 == EGROUP:
            if depth == 0 or open_groups[depth - 1] != tag >> 3:
                return False
            depth -= 1
        else:
            return False
        if depth == 0:
            return True
        if not read_tag(at, end, &tag):
            return False
