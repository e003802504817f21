"""Scalar values of ProtoJSON as they are on the wire: `inspector.transcode.scalar_readers` for the common forms.

What a reader takes gives the bytes that the reader there gives; what it does not is False, and left to that one.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from inspector.transcode.json_cursor cimport (
    Cursor, Integer, at_byte, read_integer, read_real, read_string, scan_integer, take, take_plain, take_word,
)
from inspector.transcode.wire_output cimport LONGEST_VARINT, Output, append_varint, put_fixed32, put_fixed64, put_varint
from inspector.transcode.wire_types cimport (
    BOOL, BYTES, DOUBLE, ENUM, Enum, FIXED32, FIXED64, FLOAT, Field, INT32, INT64, SFIXED32, SFIXED64, SINT32, SINT64,
    STRING, UINT32, UINT64, find_name,
)


cdef extern from *:
    """
    static const double INFINITE = __builtin_inf();
    static const double NOT_A_NUMBER = __builtin_nan("");

    /* The value of each digit of base64, in both alphabets; 64 for what is none. */
    struct Base64Digits {
        uint8_t values[256];
        constexpr Base64Digits() : values() {
            for (int byte = 0; byte < 256; byte++) values[byte] = 64;
            for (int index = 0; index < 26; index++) {
                values['A' + index] = uint8_t(index);
                values['a' + index] = uint8_t(26 + index);
            }
            for (int index = 0; index < 10; index++) values['0' + index] = uint8_t(52 + index);
            values['+'] = values['-'] = 62;
            values['/'] = values['_'] = 63;
        }
    };
    static constexpr Base64Digits BASE64;
    """
    double INFINITE, NOT_A_NUMBER
    const uint8_t* BASE64_VALUES "BASE64.values"


cdef enum:
    _NO_DIGIT = 64


# --- integers ----------------------------------------------------------------------------------------------------

cdef inline bint to_signed(const Integer* number, uint64_t most, int64_t* made) noexcept nogil:
    """A signed integer up to `most`, or below it, one lower."""
    if number.magnitude > most + number.negative:
        return False
    made[0] = <int64_t>(0 - number.magnitude if number.negative else number.magnitude)
    return True


cdef inline bint is_unsigned(const Integer* number, uint64_t most) noexcept nogil:
    return number.magnitude <= most and not (number.negative and number.magnitude)


cdef inline uint64_t zigzag(int64_t value) noexcept nogil:
    return (<uint64_t>value << 1) ^ <uint64_t>(value >> 63)


cdef inline bint write_integer(Cursor* json, Output* out, int kind) noexcept nogil:
    cdef Integer number
    cdef int64_t value = 0
    if not read_integer(json, &number):
        return False
    if kind == INT32 or kind == SINT32 or kind == SFIXED32:
        if not to_signed(&number, 0x7FFFFFFF, &value):
            return False
    elif kind == INT64 or kind == SINT64 or kind == SFIXED64:
        if not to_signed(&number, 0x7FFFFFFFFFFFFFFFULL, &value):
            return False
    elif not is_unsigned(&number, 0xFFFFFFFF if kind == UINT32 or kind == FIXED32 else 0xFFFFFFFFFFFFFFFFULL):
        return False
    else:
        value = <int64_t>number.magnitude
    if kind == SFIXED32 or kind == FIXED32:
        return put_fixed32(out, <uint32_t>value)
    if kind == SFIXED64 or kind == FIXED64:
        return put_fixed64(out, <uint64_t>value)
    return put_varint(out, zigzag(value) if kind == SINT32 or kind == SINT64 else <uint64_t>value)


# --- real numbers ------------------------------------------------------------------------------------------------

cdef inline bint not_finite(Cursor* json, double* made) noexcept nogil:
    if take_word(json, b'"NaN"', 5):
        made[0] = NOT_A_NUMBER
    elif take_word(json, b'"Infinity"', 10):
        made[0] = INFINITE
    elif take_word(json, b'"-Infinity"', 11):
        made[0] = -INFINITE
    else:
        return False
    return True


cdef inline bint write_double(Cursor* json, Output* out) noexcept nogil:
    cdef double value = 0
    cdef uint64_t bits
    if not read_real(json, &value) and not not_finite(json, &value):
        return False
    memcpy(&bits, &value, 8)
    return put_fixed64(out, bits)


cdef inline bint write_float(Cursor* json, Output* out) noexcept nogil:
    """Rounded twice, to double and then to float, as everyone does."""
    cdef double value = 0
    cdef float narrow
    cdef uint32_t bits
    if read_real(json, &value):
        if not -3.4028235677973366e38 < value < 3.4028235677973366e38:  # half a step beyond the largest
            return False
    elif not not_finite(json, &value):
        return False
    narrow = <float>value
    memcpy(&bits, &narrow, 4)
    return put_fixed32(out, bits)


# --- bool, bytes, enums ------------------------------------------------------------------------------------------

cdef inline bint write_bool(Cursor* json, Output* out) noexcept nogil:
    if take_word(json, b"true", 4):
        return put_varint(out, 1)
    return take_word(json, b"false", 5) and put_varint(out, 0)


cdef inline bint write_bool_key(Cursor* json, Output* out) noexcept nogil:
    if take_word(json, b'"true"', 6):
        return put_varint(out, 1)
    return take_word(json, b'"false"', 7) and put_varint(out, 0)


cdef inline bint decode_base64(const uint8_t* text, size_t digits, uint8_t* made) noexcept nogil:
    """Digits without padding. Bits beyond the last byte are dropped."""
    cdef uint32_t word
    cdef uint8_t seen = 0
    cdef uint8_t first, second, third, fourth
    while digits >= 4:
        first, second = BASE64_VALUES[text[0]], BASE64_VALUES[text[1]]
        third, fourth = BASE64_VALUES[text[2]], BASE64_VALUES[text[3]]
        seen |= first | second | third | fourth
        word = <uint32_t>first << 18 | <uint32_t>second << 12 | <uint32_t>third << 6 | fourth
        made[0], made[1], made[2] = <uint8_t>(word >> 16), <uint8_t>(word >> 8), <uint8_t>word
        text += 4
        made += 3
        digits -= 4
    if digits:
        first, second = BASE64_VALUES[text[0]], BASE64_VALUES[text[1]]
        seen |= first | second
        made[0] = <uint8_t>(first << 2 | second >> 4)
        if digits == 3:
            third = BASE64_VALUES[text[2]]
            seen |= third
            made[1] = <uint8_t>(second << 4 | third >> 2)
    return seen < _NO_DIGIT


cdef inline bint write_base64(Cursor* json, Output* out) noexcept nogil:
    cdef const char* text
    cdef const char* quote
    cdef size_t size, digits, padding, content
    if not take(json, b'"'):
        return False
    text = json.at
    quote = <const char*>memchr(text, b'"', <size_t>(json.end - text))
    if quote == NULL:
        return False
    size = digits = <size_t>(quote - text)
    while digits and size - digits < 3 and text[digits - 1] == b"=":
        digits -= 1
    padding = size - digits
    if digits % 4 == 1 or (padding and (digits + padding) % 4) or padding > 2:
        return False
    content = digits // 4 * 3 + (digits % 4) * 3 // 4
    if not out.room(LONGEST_VARINT + content):
        return False
    append_varint(out, content)
    if not decode_base64(<const uint8_t*>text, digits, <uint8_t*>(out.items + out.size)):
        return False
    out.size += content
    json.at = quote + 1
    return True


cdef inline bint is_value(const Enum* enum, int32_t number) noexcept nogil:
    """Whether a closed enum has the number, by halving."""
    cdef uint32_t low = 0, high = enum.count, middle
    while low < high:
        middle = low + (high - low) // 2
        if enum.numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low < enum.count and enum.numbers[low] == number


cdef inline bint write_enum(Cursor* json, Output* out, const Enum* enum) noexcept nogil:
    cdef Integer number
    cdef const char* text
    cdef const char* end
    cdef size_t size
    cdef int32_t found
    cdef int64_t value = 0
    if at_byte(json, b'"'):
        if not take_plain(json, &text, &size):
            return False
        found = find_name(&enum.names, text, size)
        if found >= 0:
            return put_varint(out, <uint64_t><int64_t>enum.names.items[found].value)
        end = scan_integer(text, text + size, &number, True)
        if end != text + size:
            return False
    elif enum.is_null and take_word(json, b"null", 4):
        return put_varint(out, 0)
    elif not read_integer(json, &number):
        return False
    if not to_signed(&number, 0x7FFFFFFF, &value) or (enum.is_closed and not is_value(enum, <int32_t>value)):
        return False
    return put_varint(out, <uint64_t>value)


# --- by kind -----------------------------------------------------------------------------------------------------

cdef inline bint write_scalar(Cursor* json, Output* out, const Field* field) noexcept nogil:
    """What follows the tag."""
    cdef int kind = field.kind
    if kind == STRING:
        return read_string(json, out)
    if kind == DOUBLE:
        return write_double(json, out)
    if kind == FLOAT:
        return write_float(json, out)
    if kind == BOOL:
        return write_bool(json, out)
    if kind == ENUM:
        return write_enum(json, out, field.enum)
    if kind == BYTES:
        return write_base64(json, out)
    return write_integer(json, out, kind)


cdef inline bint write_key(Cursor* json, Output* out, const Field* field) noexcept nogil:
    """Of a map: a string, whatever it holds."""
    if not at_byte(json, b'"'):
        return False
    return write_bool_key(json, out) if field.kind == BOOL else write_scalar(json, out, field)


cdef inline bint is_zero(const char* value, const Field* field) noexcept nogil:
    """Whether what follows the tag is zero: a number, or a length. No varint is longer than it has to be."""
    cdef uint64_t bits = 0
    if field.width:
        memcpy(&bits, value, field.width)
        return bits == 0
    return value[0] == 0
