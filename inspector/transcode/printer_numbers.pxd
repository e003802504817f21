"""Numbers and names of enums from the wire to JSON.

Invariant: between reading and writing a number is 64 bits as `as_kind` has them, of which all are 0 where it is the
default of a field without presence (and -0.0 is not).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from inspector.transcode.json_output cimport (
    LONGEST_NUMBER,
    REFUSED,
    put,
    put_double,
    put_padded,
    put_signed,
    put_single,
    put_unsigned,
    reserve,
    uchar,
)
from inspector.transcode.printer_types cimport (
    BOOL,
    DOUBLE,
    ENUM,
    FIXED32,
    FIXED64,
    FLOAT,
    Field,
    INT32,
    NULL_VALUE,
    SFIXED32,
    SINT32,
    SINT64,
    Text,
    UINT32,
    UINT64,
    find_text,
)
from inspector.transcode.printer_walk cimport Walk
from inspector.transcode.wire_input cimport I64, Place, VARINT, read_fixed32, read_fixed64, read_varint


cdef inline bint read_number(uint32_t wire_type, Place* at, Place end, uint64_t* value) noexcept nogil:
    cdef uint32_t narrow
    if wire_type == VARINT:
        return read_varint(at, end, value)
    if wire_type == I64:
        return read_fixed64(at, end, value)
    if not read_fixed32(at, end, &narrow):
        return False
    value[0] = narrow
    return True


cdef inline uint64_t as_kind(uint8_t kind, uint64_t value) noexcept nogil:
    """What of a number on the wire the field holds: signed numbers as 64 bits."""
    if kind == INT32 or kind == ENUM or kind == SFIXED32 or kind == NULL_VALUE:
        return <uint64_t> <int64_t> <int32_t> <uint32_t> value
    if kind == UINT32:
        return <uint32_t> value
    if kind == BOOL:
        return value != 0
    if kind == SINT32:
        value = <uint32_t> value
        return <uint64_t> <int64_t> <int32_t> <uint32_t> ((value >> 1) ^ (0 - (value & 1)))
    if kind == SINT64:
        return (value >> 1) ^ (0 - (value & 1))
    return value


cdef inline uchar* put_number(Walk* walk, const Field* field, uint64_t value, uchar* place) noexcept nogil:
    """A number as `as_kind` has it; makes room for itself, and for a key of a number."""
    cdef uint8_t kind = field.kind
    cdef double wide
    cdef float single
    cdef uint32_t narrow
    if kind == ENUM:
        return put_enum(walk, field, <int32_t> <int64_t> value, place)
    place = reserve(&walk.out, place, LONGEST_NUMBER)
    if place == NULL:
        return NULL
    if kind == FLOAT:
        narrow = <uint32_t> value
        memcpy(&single, &narrow, 4)
        return put_single(place, single)
    if kind == DOUBLE:
        memcpy(&wide, &value, 8)
        return put_double(place, wide)
    if kind == INT32 or kind == SINT32 or kind == SFIXED32:
        return put_signed(place, <int64_t> value)
    if kind == UINT32 or kind == FIXED32:
        return put_unsigned(place, value)
    if kind == BOOL:
        memcpy(place, b"true" if value else b"fals", 4)
        if value:
            return place + 4
        return put(place + 4, c"e")
    if kind == NULL_VALUE:
        memcpy(place, b"null", 4)
        return place + 4
    place = put(place, c'"')
    if kind == UINT64 or kind == FIXED64:
        place = put_unsigned(place, value)
    else:
        place = put_signed(place, <int64_t> value)
    return put(place, c'"')


cdef inline uchar* put_enum(Walk* walk, const Field* field, int32_t number, uchar* place) noexcept nogil:
    """The name of a number, or itself."""
    cdef const Text* text = find_text(field.enum, number)
    if text == NULL:
        place = reserve(&walk.out, place, LONGEST_NUMBER)
        return REFUSED if place == NULL else put_signed(place, number)
    place = reserve(&walk.out, place, text.size)
    return REFUSED if place == NULL else put_padded(place, text.bytes, text.size)


cdef inline bint is_unknown_number(const Field* field, uint64_t value) noexcept nogil:
    """Whether a number is unknown to the field's closed enum, and so an unknown field."""
    return (
        field.kind == ENUM
        and field.enum.is_closed
        and find_text(field.enum, <int32_t> <uint32_t> value) == NULL
    )
