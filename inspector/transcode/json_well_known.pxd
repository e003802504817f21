"""Times, durations and field masks, which ProtoJSON has as strings: `well_known_readers` for what is sound.

Days are counted by eras of 400 years, which repeat exactly (Hinnant, "chrono-compatible low-level date algorithms").
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from inspector.transcode.json_cursor cimport Cursor, take_plain
from inspector.transcode.wire_output cimport LONGEST_VARINT, Output, append_varint
from inspector.transcode.wire_types cimport START_SIZE, Field, Type


cdef enum:
    _NANO_DIGITS = 9


cdef inline int two_digits(const char* at) noexcept nogil:
    """-1 where they are none."""
    cdef uint8_t tens = <uint8_t>(at[0] - 48), ones = <uint8_t>(at[1] - 48)
    return tens * 10 + ones if tens < 10 and ones < 10 else -1


cdef inline int days_in(int year, int month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef inline int64_t days_since_1970(int year, int month, int day) noexcept nogil:
    cdef int64_t era, of_era, of_year
    year -= month <= 2
    era = year // 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    of_era = (year - era * 400) * 365 + (year - era * 400) // 4 - (year - era * 400) // 100 + of_year
    return era * 146_097 + of_era - 719_468


cdef inline const char* read_nanos(const char* at, const char* end, int32_t* nanos) noexcept nogil:
    """The digits behind a point, of which there are one to nine; NULL for others."""
    cdef int digits = 0
    while at < end and <uint8_t>(at[0] - 48) < 10 and digits < _NANO_DIGITS:
        nanos[0] = nanos[0] * 10 + <uint8_t>(at[0] - 48)
        at += 1
        digits += 1
    if digits == 0:
        return NULL
    while digits < _NANO_DIGITS:
        nanos[0] *= 10
        digits += 1
    return at


cdef inline bint read_offset(const char* at, const char* end, int64_t* seconds) noexcept nogil:
    """What stands at the end of a time: `Z`, or how far from UTC it is."""
    cdef int hours, minutes
    cdef int64_t offset
    if end - at == 1:
        return at[0] == b"Z"
    if end - at != 6 or at[3] != b":" or (at[0] != b"+" and at[0] != b"-"):
        return False
    hours, minutes = two_digits(at + 1), two_digits(at + 4)
    if not (0 <= hours < 24 and 0 <= minutes < 60):
        return False
    offset = hours * 3600 + minutes * 60
    seconds[0] += offset if at[0] == b"-" else -offset
    return True


cdef inline bint read_time(const char* at, const char* end, int64_t* seconds, int32_t* nanos) noexcept nogil:
    cdef int century, year, month, day, hour, minute, second
    if end - at < 20 or at[4] != b"-" or at[7] != b"-" or at[10] != b"T" or at[13] != b":" or at[16] != b":":
        return False
    century, year, month, day = two_digits(at), two_digits(at + 2), two_digits(at + 5), two_digits(at + 8)
    hour, minute, second = two_digits(at + 11), two_digits(at + 14), two_digits(at + 17)
    if century < 0 or year < 0 or century + year == 0 or not 1 <= month <= 12:
        return False
    year += 100 * century
    if not (1 <= day <= days_in(year, month) and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return False
    seconds[0] = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    at += 19
    if at[0] == b".":
        at = read_nanos(at + 1, end, nanos)
        if at == NULL:
            return False
    return read_offset(at, end, seconds) and -62_135_596_800LL <= seconds[0] <= 253_402_300_799LL


cdef inline bint read_duration(const char* at, const char* end, int64_t* seconds, int32_t* nanos) noexcept nogil:
    cdef bint negative = at < end and at[0] == b"-"
    cdef const char* first
    at += negative
    first = at
    while at < end and <uint8_t>(at[0] - 48) < 10 and at - first < 12:
        seconds[0] = seconds[0] * 10 + <uint8_t>(at[0] - 48)
        at += 1
    if at == first or seconds[0] > 315_576_000_000LL:
        return False
    if at < end and at[0] == b".":
        at = read_nanos(at + 1, end, nanos)
        if at == NULL:
            return False
    if negative:
        seconds[0] = -seconds[0]
        nanos[0] = -nanos[0]
    return end - at == 1 and at[0] == b"s"


cdef inline void append_number(Output* out, const Field* field, int64_t value) noexcept nogil:
    """A field without presence, where there is room."""
    if value:
        memcpy(out.items + out.size, field.start, START_SIZE)
        out.size += field.start_size
        append_varint(out, <uint64_t>value)


cdef inline bint write_span(Cursor* json, Output* out, const Type* type, bint is_time) noexcept nogil:
    """A Timestamp or a Duration: seconds and nanoseconds."""
    cdef const char* text
    cdef size_t size
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    if not take_plain(json, &text, &size) or not out.room(2 * (START_SIZE + LONGEST_VARINT)):
        return False
    if is_time:
        if not read_time(text, text + size, &seconds, &nanos):
            return False
    elif not read_duration(text, text + size, &seconds, &nanos):
        return False
    append_number(out, &type.fields[0], seconds)
    append_number(out, &type.fields[1], nanos)
    return True


cdef inline bint append_path(Output* out, const Field* field, const char* path, const char* end) noexcept nogil:
    """In snake_case. False for an underscore, which would not come back."""
    cdef size_t capitals = 0
    cdef const char* at = path
    while at < end:
        if at[0] == b"_":
            return False
        capitals += b"A" <= at[0] <= b"Z"
        at += 1
    if not out.room(START_SIZE + LONGEST_VARINT + <size_t>(end - path) + capitals):
        return False
    memcpy(out.items + out.size, field.start, START_SIZE)
    out.size += field.start_size
    append_varint(out, <size_t>(end - path) + capitals)
    while path < end:
        if b"A" <= path[0] <= b"Z":
            out.items[out.size] = b"_"
            out.size += 1
        out.items[out.size] = path[0] | 0x20 if b"A" <= path[0] <= b"Z" else path[0]
        out.size += 1
        path += 1
    return True


cdef inline bint write_mask(Cursor* json, Output* out, const Type* type) noexcept nogil:
    cdef const char* path
    cdef const char* end
    cdef const char* at
    cdef size_t size
    if not take_plain(json, &path, &size):
        return False
    end = path + size
    while path <= end and size:
        at = path
        while at < end and at[0] != b",":
            at += 1
        if not append_path(out, &type.fields[0], path, at):
            return False
        path = at + 1
    return True
