"""JSON text (RFC 8259), read piece by piece: the common forms only, so that what is taken is taken without a doubt.

Every function that gives False (or NULL) leaves the text to `inspector.transcode.json_source`, which knows what is
wrong, or takes it. Nothing is read at or behind `end`.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from inspector.transcode.wire_output cimport Output, append_varint, close_length, open_length, put_bytes, LONGEST_VARINT


cdef extern from *:
    """
    #include <charconv>
    #include <cstdint>
    #include <cstring>

    struct Cursor { const char *at, *end; };

    /* The correctly rounded value of the text of a number; false where a double has none. */
    static inline bool rounded(const char *from, const char *to, double *made) {
        auto found = std::from_chars(from, to, *made);
        return found.ec == std::errc() && found.ptr == to;
    }

    static inline uint64_t load64(const char *from) {
        uint64_t word;
        std::memcpy(&word, from, 8);
        return word;
    }

    static inline uint64_t has_zero(uint64_t word) {
        return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
    }

    /* The highest bits of bytes of a string that are not plain ASCII; exact up to the first. */
    static inline uint64_t special_bytes(uint64_t word) {
        return has_zero(word ^ 0x2222222222222222u) | has_zero(word ^ 0x5C5C5C5C5C5C5C5Cu) |
               ((word - 0x2020202020202020u) & ~word & 0x8080808080808080u) | (word & 0x8080808080808080u);
    }

    /* By byte: the value of a hexadecimal digit, 16 for none; what a letter behind a backslash means, 0 for nothing. */
    struct Letters {
        uint8_t hex[256];
        char escaped[256];
        constexpr Letters() : hex(), escaped() {
            for (int byte = 0; byte < 256; byte++) hex[byte] = 16;
            for (int index = 0; index < 10; index++) hex['0' + index] = uint8_t(index);
            for (int index = 0; index < 6; index++) hex['a' + index] = hex['A' + index] = uint8_t(10 + index);
            escaped[34] = 34, escaped[92] = 92, escaped['/'] = '/';  /* quote, backslash */
            escaped['b'] = 8, escaped['f'] = 12, escaped['n'] = 10, escaped['r'] = 13, escaped['t'] = 9;
        }
    };
    static constexpr Letters LETTERS;

    static const double POWERS_OF_TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                           1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    """
    cdef struct Cursor:
        const char* at
        const char* end

    bint rounded(const char* start, const char* end, double* made) noexcept nogil
    uint64_t load64(const char* start) noexcept nogil
    uint64_t special_bytes(uint64_t word) noexcept nogil
    const double* POWERS_OF_TEN
    const uint8_t* HEX_VALUES "LETTERS.hex"
    const char* ESCAPED "LETTERS.escaped"
    int __builtin_ctzll(unsigned long long) noexcept nogil


cdef struct Integer:
    uint64_t magnitude
    bint negative


cdef enum:
    _MOST_EXACT_POWER = 22
    _NO_HEX = 16
    _LONGEST_CHARACTER = 4


# --- punctuation -------------------------------------------------------------------------------------------------

cdef inline bint is_space(char byte) noexcept nogil:
    return byte == b" " or byte == b"\n" or byte == b"\r" or byte == b"\t"


cdef inline void skip_space(Cursor* json) noexcept nogil:
    cdef const char* at = json.at
    cdef const char* end = json.end
    if at < end and at[0] > b" ":
        return
    while at < end and is_space(at[0]):
        at += 1
        while end - at >= 8 and load64(at) == 0x2020202020202020ULL:
            at += 8
    json.at = at


cdef inline bint at_byte(const Cursor* json, char byte) noexcept nogil:
    return json.at < json.end and json.at[0] == byte


cdef inline bint take(Cursor* json, char byte) noexcept nogil:
    if not at_byte(json, byte):
        return False
    json.at += 1
    return True


cdef inline bint take_word(Cursor* json, const char* word, size_t size) noexcept nogil:
    """A literal name, such as `true`."""
    cdef size_t index
    if <size_t>(json.end - json.at) < size:
        return False
    for index in range(size):
        if json.at[index] != word[index]:
            return False
    json.at += size
    return True


cdef inline int next_item(Cursor* json, char closing) noexcept nogil:
    """What follows an element: 1 a comma, behind which it then stands, 0 the closing bracket, -1 neither."""
    skip_space(json)
    if take(json, b","):
        skip_space(json)
        return 1
    return 0 if take(json, closing) else -1


# --- numbers -----------------------------------------------------------------------------------------------------

cdef inline const char* scan_digits(const char* at, const char* end, uint64_t* value) noexcept nogil:
    """Adds decimal digits to a value, modulo 2^64."""
    cdef uint64_t made = value[0]
    while at < end and <uint8_t>(at[0] - 48) < 10:
        made = made * 10 + <uint8_t>(at[0] - 48)
        at += 1
    value[0] = made
    return at


cdef inline const char* scan_exponent(const char* at, const char* end, int64_t* exponent) noexcept nogil:
    cdef bint negative = False
    cdef int64_t power = 0
    cdef const char* first
    if at < end and (at[0] == b"-" or at[0] == b"+"):
        negative = at[0] == b"-"
        at += 1
    first = at
    while at < end and <uint8_t>(at[0] - 48) < 10:
        if power < 100_000:
            power = power * 10 + <uint8_t>(at[0] - 48)
        at += 1
    exponent[0] += -power if negative else power
    return at if at > first else NULL


cdef inline const char* scan_real(const char* start, const char* end, double* made) noexcept nogil:
    """The value of a number, correctly rounded, and where its text ends; NULL where it is none.

    Exact without more ado (Clinger, "How to read floating point numbers accurately"): a mantissa below 2^53 and a power
    of ten up to 10^22 are doubles, so that their product or quotient is rounded only once.
    """
    cdef const char* at = start
    cdef bint negative = at < end and at[0] == b"-"
    cdef uint64_t mantissa = 0
    cdef int64_t exponent = 0
    cdef int64_t digits
    cdef const char* first
    cdef double value
    at += negative
    first = at
    at = scan_digits(at, end, &mantissa)
    digits = at - first
    if digits == 0 or (first[0] == b"0" and digits > 1):
        return NULL
    if at < end and at[0] == b".":
        first = at + 1
        at = scan_digits(first, end, &mantissa)
        if at == first:
            return NULL
        exponent = first - at
        digits -= exponent
    if at < end and (at[0] == b"e" or at[0] == b"E"):
        at = scan_exponent(at + 1, end, &exponent)
        if at == NULL:
            return NULL
    if digits > 19 or mantissa > (1ULL << 53) or not -_MOST_EXACT_POWER <= exponent <= _MOST_EXACT_POWER:
        return at if rounded(start, at, made) else NULL
    value = <double>mantissa
    value = value * POWERS_OF_TEN[exponent] if exponent >= 0 else value / POWERS_OF_TEN[-exponent]
    made[0] = -value if negative else value
    return at


cdef inline const char* scan_whole_real(const char* start, const char* end, Integer* made) noexcept nogil:
    """An integer that has a fraction or an exponent, as `1.0` and `1e3`; doubles beyond 2^53 do not tell it."""
    cdef double value = 0
    cdef const char* at = scan_real(start, end, &value)
    if at == NULL or not -9007199254740992.0 < value < 9007199254740992.0:
        return NULL
    made.negative = value < 0
    if made.negative:
        value = -value
    made.magnitude = <uint64_t>value
    return at if <double>made.magnitude == value else NULL


cdef inline const char* scan_integer(const char* start, const char* end, Integer* made, bint plain) noexcept nogil:
    """An integer below 2^64, and where its text ends; `plain` if it may have no fraction or exponent."""
    cdef const char* at = start
    cdef const char* first
    cdef int64_t digits
    made.negative = at < end and at[0] == b"-"
    made.magnitude = 0
    at += made.negative
    first = at
    at = scan_digits(at, end, &made.magnitude)
    digits = at - first
    if at < end and (at[0] == b"." or at[0] == b"e" or at[0] == b"E"):
        if plain:
            return NULL
        return scan_whole_real(start, end, made)
    if digits == 0 or (first[0] == b"0" and digits > 1):
        return NULL
    # Twenty digits that begin with 1 are below 2 * 10^19: if they wrapped around, what is left is below 10^19.
    if digits > 19 and (digits > 20 or first[0] != b"1" or made.magnitude < 10_000_000_000_000_000_000ULL):
        return NULL
    return at


cdef inline bint read_integer(Cursor* json, Integer* made) noexcept nogil:
    """A number or a string that holds one."""
    cdef bint quoted = at_byte(json, b'"')
    cdef const char* at = scan_integer(json.at + quoted, json.end, made, False)
    if at == NULL:
        return False
    json.at = at
    return not quoted or take(json, b'"')


cdef inline bint read_real(Cursor* json, double* made) noexcept nogil:
    """A number or a string that holds one."""
    cdef bint quoted = at_byte(json, b'"')
    cdef const char* at = scan_real(json.at + quoted, json.end, made)
    if at == NULL:
        return False
    json.at = at
    return not quoted or take(json, b'"')


# --- strings -----------------------------------------------------------------------------------------------------

cdef inline bint is_continuation(char byte) noexcept nogil:
    return (<uint8_t>byte & 0xC0) == 0x80


cdef inline const char* skip_character(const char* at, const char* end) noexcept nogil:
    """Behind a character beyond ASCII; NULL where it is not UTF-8 (Unicode, table 3-7)."""
    cdef uint8_t lead = <uint8_t>at[0]
    cdef uint8_t second
    if end - at < 2 or not is_continuation(at[1]):
        return NULL
    second = <uint8_t>at[1]
    if lead < 0xE0:
        return at + 2 if lead >= 0xC2 else NULL
    if end - at < 3 or not is_continuation(at[2]):
        return NULL
    if lead < 0xF0:
        if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F):
            return NULL
        return at + 3
    if end - at < 4 or not is_continuation(at[3]) or lead > 0xF4:
        return NULL
    if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F):
        return NULL
    return at + 4


cdef inline const char* scan_text(const char* at, const char* end) noexcept nogil:
    """Where the text of a string ends: at a quote or a backslash. NULL where it is not sound."""
    cdef uint64_t special
    cdef uint8_t byte
    while True:
        while end - at >= 8:
            special = special_bytes(load64(at))
            if special:
                at += __builtin_ctzll(special) >> 3
                break
            at += 8
        if at >= end:
            return NULL
        byte = <uint8_t>at[0]
        if byte == b'"' or byte == b"\\":
            return at
        if byte < 0x20:
            return NULL
        if byte < 0x80:
            at += 1
            continue
        while byte >= 0x80:
            at = skip_character(at, end)
            if at == NULL or at >= end:
                return NULL
            byte = <uint8_t>at[0]


cdef inline int code_unit(const char* at, const char* end) noexcept nogil:
    """Of the four hexadecimal digits of `\\uXXXX`; -1 where they are none."""
    cdef uint8_t first, second, third, fourth
    if end - at < 4:
        return -1
    first, second = HEX_VALUES[<uint8_t>at[0]], HEX_VALUES[<uint8_t>at[1]]
    third, fourth = HEX_VALUES[<uint8_t>at[2]], HEX_VALUES[<uint8_t>at[3]]
    if (first | second | third | fourth) >= _NO_HEX:
        return -1
    return first << 12 | second << 8 | third << 4 | fourth


cdef inline void append_character(Output* out, uint32_t character) noexcept nogil:
    cdef uint8_t* at = <uint8_t*>(out.items + out.size)
    if character < 0x80:
        at[0] = <uint8_t>character
        out.size += 1
    elif character < 0x800:
        at[0] = <uint8_t>(0xC0 | character >> 6)
        at[1] = <uint8_t>(0x80 | character & 0x3F)
        out.size += 2
    elif character < 0x10000:
        at[0] = <uint8_t>(0xE0 | character >> 12)
        at[1] = <uint8_t>(0x80 | character >> 6 & 0x3F)
        at[2] = <uint8_t>(0x80 | character & 0x3F)
        out.size += 3
    else:
        at[0] = <uint8_t>(0xF0 | character >> 18)
        at[1] = <uint8_t>(0x80 | character >> 12 & 0x3F)
        at[2] = <uint8_t>(0x80 | character >> 6 & 0x3F)
        at[3] = <uint8_t>(0x80 | character & 0x3F)
        out.size += 4


cdef inline const char* unescape_unicode(const char* at, const char* end, Output* out) noexcept nogil:
    """Behind `\\u`: one character, of two halves of a surrogate pair too; NULL for half of one."""
    cdef int unit = code_unit(at, end)
    cdef int low
    if unit < 0 or 0xDC00 <= unit < 0xE000:
        return NULL
    at += 4
    if not 0xD800 <= unit < 0xDC00:
        append_character(out, unit)
        return at
    if end - at < 6 or at[0] != b"\\" or at[1] != b"u":
        return NULL
    low = code_unit(at + 2, end)
    if not 0xDC00 <= low < 0xE000:
        return NULL
    append_character(out, 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00)))
    return at + 6


cdef inline const char* unescape_one(const char* at, const char* end, Output* out) noexcept nogil:
    """Behind the escape that begins at a backslash, appended where there is room for a character; NULL for none."""
    cdef char byte
    if end - at < 2:
        return NULL
    if at[1] == b"u":
        return unescape_unicode(at + 2, end, out)
    byte = ESCAPED[<uint8_t>at[1]]
    if byte == 0:
        return NULL
    out.items[out.size] = byte
    out.size += 1
    return at + 2


cdef inline bint at_quote(const char* at, const char* end) noexcept nogil:
    return at < end and at[0] == b'"'


cdef inline bint unescape(Cursor* json, Output* out) noexcept nogil:
    """The rest of a string with escapes, appended."""
    cdef const char* start = json.at
    cdef const char* end = json.end
    cdef const char* at
    while True:
        at = scan_text(start, end)
        if at == NULL or not out.room(<size_t>(at - start) + _LONGEST_CHARACTER):
            return False
        memcpy(out.items + out.size, start, <size_t>(at - start))
        out.size += <size_t>(at - start)
        while at < end and at[0] == b"\\":
            at = unescape_one(at, end, out)
            if at == NULL or not out.room(_LONGEST_CHARACTER):
                return False
        if at_quote(at, end):
            json.at = at + 1
            return True
        start = at


cdef inline bint read_string(Cursor* json, Output* out) noexcept nogil:
    """The content of a string behind its length."""
    cdef const char* start
    cdef const char* at
    cdef size_t size, content
    if not take(json, b'"'):
        return False
    start = json.at
    at = scan_text(start, json.end)
    if at == NULL:
        return False
    size = <size_t>(at - start)
    if not out.room(size + LONGEST_VARINT):
        return False
    if at[0] == b'"':
        append_varint(out, size)
        memcpy(out.items + out.size, start, size)
        out.size += size
        json.at = at + 1
        return True
    content = out.size + 1
    return open_length(out, 1) and unescape(json, out) and close_length(out, content, 1)


cdef inline bint take_plain(Cursor* json, const char** start, size_t* size) noexcept nogil:
    """A string without escapes, where it lies in the text."""
    cdef const char* at
    if not take(json, b'"'):
        return False
    start[0] = json.at
    at = scan_text(json.at, json.end)
    if at == NULL or at[0] != b'"':
        return False
    size[0] = <size_t>(at - json.at)
    json.at = at + 1
    return True
