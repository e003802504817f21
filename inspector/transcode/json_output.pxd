"""JSON text in a growing buffer, in the form that `json_text.dumps` (orjson) gives it.

A writer takes the place to write at and returns the place behind; NULL says that it cannot (memory, the bound on the
output, bytes that are no text), and that nothing of the output counts. A place is good until the next `reserve`, which
may move the buffer, so what has to last is kept as a distance from `begin`.

Invariant: behind the place that `reserve` returns there are the bytes asked for and SLACK more, so that short texts
are copied in whole words of which the end is overwritten later.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

ctypedef unsigned char uchar

cdef extern from "<charconv>" namespace "std" nogil:
    enum errc "std::errc":
        pass
    enum chars_format "std::chars_format":
        scientific "std::chars_format::scientific"
        fixed "std::chars_format::fixed"
    struct to_chars_result "std::to_chars_result":
        char* ptr
    struct from_chars_result "std::from_chars_result":
        const char* ptr
    to_chars_result to_chars(char* first, char* last, double value, chars_format form)
    to_chars_result single_to_chars "std::to_chars"(char* first, char* last, float value, chars_format form)
    to_chars_result to_digits "std::to_chars"(char* first, char* last, double value, chars_format form, int precision)
    from_chars_result from_chars(const char* first, const char* last, float& value)

cdef extern from * nogil:
    int leading_zeros "__builtin_clzll"(unsigned long long word)
    int lowest_bit "__builtin_ctzll"(unsigned long long word)
    bint unlikely(bint condition)
    bint likely(bint condition)
    uchar* REFUSED "((unsigned char *) 0)"  # NULL as the type that it stands for in an expression

cdef enum:
    SLACK = 64
    LONGEST_NUMBER = 32  # bytes, quotes and a comma with them
    LONG_TEXT = 1 << 16
    LARGE_BUFFER = 1 << 22  # from here large pages pay

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* content, Py_ssize_t size) noexcept
    int resize_bytes "_PyBytes_Resize"(PyObject** bytes, Py_ssize_t size) noexcept
    char* PyBytes_AS_STRING(PyObject* bytes) noexcept
    void PyErr_Clear() noexcept
    void Py_CLEAR(PyObject* owned) noexcept

cdef extern from * nogil:
    """
    #include <cstdint>
    #if __has_include(<sys/mman.h>)
    #include <sys/mman.h>
    #endif
    /* Memory that is written for the first time comes a page at a time: with large pages that takes a third of the time.
       (Advice only: where there are none, nothing changes.) */
    static inline void ask_for_large_pages(unsigned char *begin, size_t size) {
    #ifdef MADV_HUGEPAGE
        const uintptr_t page = 1 << 21, first = ((uintptr_t) begin + page - 1) / page * page;
        const uintptr_t last = ((uintptr_t) begin + size) / page * page;
        if (first < last) madvise((void *) first, last - first, MADV_HUGEPAGE);
    #else
        (void) begin; (void) size;
    #endif
    }
    """
    void ask_for_large_pages(uchar* begin, size_t size)

cdef struct Output:
    PyObject* bytes  # a bytes object that nobody else has, so that it can be given away as it is; or NULL
    uchar* begin  # of its content
    uchar* limit  # SLACK bytes before the end of the buffer
    size_t most  # bytes that the output may have
    bint has_unseen  # perhaps a character that does not show itself, or U+FFFD


cdef inline uchar* reserve(Output* out, uchar* place, size_t size) noexcept nogil:
    """Makes room for `size` bytes."""
    if likely(<size_t> (out.limit - place) >= size):
        return place
    return _grow(out, place, size)


cdef inline uchar* _grow(Output* out, uchar* place, size_t size) noexcept nogil:
    cdef size_t used = place - out.begin
    if size > out.most or used > out.most - size or not resize(out, 2 * used + size):
        return NULL
    return out.begin + used


cdef inline bint resize(Output* out, size_t room) noexcept with gil:
    """Makes room for so many bytes in all. False where memory runs out: then there is no buffer any more.

    (A large one is not copied: its pages move, and those that were never written take no memory.)
    """
    if out.bytes == NULL:
        out.bytes = new_bytes(NULL, room + SLACK)
    else:
        resize_bytes(&out.bytes, room + SLACK)
    if out.bytes == NULL:
        PyErr_Clear()
        out.begin = out.limit = NULL
        return False
    out.begin = <uchar*> PyBytes_AS_STRING(out.bytes)
    out.limit = out.begin + room
    if room >= LARGE_BUFFER:
        ask_for_large_pages(out.begin, room)
    return True


cdef inline void drop(Output* out) noexcept:
    """Gives the buffer back."""
    Py_CLEAR(out.bytes)
    out.begin = out.limit = NULL


cdef inline bytes finish(Output* out, uchar* end):
    """What was written. A short text is copied, and the buffer stays; a long one goes with its buffer."""
    cdef Py_ssize_t size = end - out.begin
    cdef object text
    if size < LONG_TEXT:
        return PyBytes_FromStringAndSize(<char*> out.begin, size)
    if resize_bytes(&out.bytes, size) != 0:
        out.begin = out.limit = NULL
        raise MemoryError
    text = <object> out.bytes
    drop(out)
    return text


cdef inline uchar* put(uchar* place, uchar character) noexcept nogil:
    place[0] = character
    return place + 1


cdef inline uchar* put_padded(uchar* place, const uchar* text, size_t size) noexcept nogil:
    """Copies a text that has 16 bytes behind it to a place that has them too."""
    memcpy(place, text, 16)
    if size > 16:
        memcpy(place + 16, text + 16, size - 16)
    return place + size


# --- integers --------------------------------------------------------------------------------------------------------

cdef extern from *:
    """
    #if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "numbers are read as they lie in memory: little-endian, as on the wire"
    #endif
    static const uint64_t ASCII_ZEROS = 0x3030303030303030u;
    static const uint64_t TWO_PAIRS = 0x0000007F0000007Fu, FOUR_DIGITS = 0x000F000F000F000Fu;  /* masks of lanes */
    static const char digit_pairs[] =
        "0001020304050607080910111213141516171819" "2021222324252627282930313233343536373839"
        "4041424344454647484950515253545556575859" "6061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    """
    const char* digit_pairs
    const uint64_t ASCII_ZEROS, TWO_PAIRS, FOUR_DIGITS


cdef inline uchar* put_unsigned(uchar* place, uint64_t value) noexcept nogil:
    """Decimal digits; room for LONGEST_NUMBER is there."""
    cdef uint64_t digits
    cdef int zeros
    if value < 10:
        return put(place, 48 + <uchar> value)
    if value < 100:
        memcpy(place, digit_pairs + 2 * value, 2)
        return place + 2
    if value >= 100_000_000:
        return put_eight(put_unsigned(place, value // 100_000_000), value % 100_000_000)
    digits = eight_digits(value)
    zeros = lowest_bit(digits) >> 3
    digits = (digits | ASCII_ZEROS) >> 8 * zeros
    memcpy(place, &digits, 8)
    return place + (8 - zeros)


cdef inline uint64_t eight_digits(uint64_t value) noexcept nogil:
    """The decimal digits of a number below 10^8, one a byte, the first one lowest.

    Halves of the number are parted, then halves of those, in all lanes at once; the quotients are by multiplication.
    """
    cdef uint64_t fours = value // 10_000 | value % 10_000 << 32
    cdef uint64_t hundreds = (fours * 10_486 >> 20) & TWO_PAIRS
    cdef uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16
    cdef uint64_t tens = (pairs * 103 >> 10) & FOUR_DIGITS
    return tens | (pairs - 10 * tens) << 8


cdef inline uchar* put_eight(uchar* place, uint64_t value) noexcept nogil:
    """A number below 10^8, zeros in front."""
    cdef uint64_t digits = eight_digits(value) | ASCII_ZEROS
    memcpy(place, &digits, 8)
    return place + 8


cdef inline uchar* put_filled(uchar* place, uint64_t value, int size) noexcept nogil:
    """A number below 10^8 as `size` digits, zeros in front."""
    cdef uint64_t digits = (eight_digits(value) | ASCII_ZEROS) >> 8 * (8 - size)
    memcpy(place, &digits, 8)
    return place + size


cdef inline uchar* put_after_point(uchar* place, uint64_t value) noexcept nogil:
    """Eight decimals without the zeros at their end; not all of them are zero."""
    cdef uint64_t digits = eight_digits(value)
    cdef int size = 8 - (leading_zeros(digits) >> 3)
    digits |= ASCII_ZEROS
    memcpy(place, &digits, 8)
    return place + size


cdef inline uchar* put_signed(uchar* place, int64_t value) noexcept nogil:
    if value < 0:
        return put_unsigned(put(place, c"-"), 0 - <uint64_t> value)
    return put_unsigned(place, <uint64_t> value)


# --- floating point --------------------------------------------------------------------------------------------------

cdef extern from *:
    """
    static int exponent_has_plus = -1;  /* releases of orjson differ: 1e+16, 1e16; negative until it was asked */
    static const double LEAST_FIXED = 1e-5, MOST_FIXED = 1e16, EXACT_DOUBLE = 9007199254740992.0;
    static const double LEAST_DECIMAL = 1e-2, MOST_DECIMAL = 1e6, NEAR_TIE = 0.499999;
    static const double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    static const uint64_t whole_powers[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000u, 100000000000u,
        1000000000000u, 10000000000000u, 100000000000000u
    };
    static const double EXACT_SINGLE = 16777216.0, LEAST_NORMAL_SINGLE = 1.17549435082228750797e-38;
    """
    int exponent_has_plus
    const double powers_of_ten[15]
    const uint64_t whole_powers[15]
    const double LEAST_DECIMAL, MOST_DECIMAL, NEAR_TIE
    const double LEAST_FIXED, MOST_FIXED, EXACT_DOUBLE, EXACT_SINGLE, LEAST_NORMAL_SINGLE


cdef inline uchar* put_not_finite(uchar* place, double value) noexcept nogil:
    if value != value:
        memcpy(place, b'"NaN"', 5)
        return place + 5
    if value > 0:
        memcpy(place, b'"Infinity"', 10)
        return place + 10
    memcpy(place, b'"-Infinity"', 11)
    return place + 11


cdef inline uchar* put_double(uchar* place, double value) noexcept nogil:
    """The shortest text of a double that is read back as the same; a string where JSON has no number."""
    cdef double size = -value if value < 0 else value
    if size < EXACT_DOUBLE and <double> <int64_t> value == value:
        return _put_whole(place, value)
    if not size <= 1.7976931348623157e308:
        return put_not_finite(place, value)
    if LEAST_FIXED <= size < EXACT_DOUBLE:
        return <uchar*> to_chars(<char*> place, <char*> place + LONGEST_NUMBER, value, fixed).ptr
    return _put_parts(place, <uchar*> to_chars(<char*> place, <char*> place + LONGEST_NUMBER, value, scientific).ptr)


cdef inline uchar* put_single(uchar* place, float value) noexcept nogil:
    """The same of a float, with the digits of `wire.floats.shortest_float`."""
    cdef double size = -value if value < 0 else value
    cdef uint32_t bits
    cdef uchar* end
    if size < EXACT_SINGLE and <float> <int32_t> value == value:
        return _put_whole(place, value)
    if not size <= 3.4028234663852886e38:
        return put_not_finite(place, value)
    if LEAST_DECIMAL <= size < MOST_DECIMAL:
        end = _put_decimal(place, value, size)
        if likely(end != NULL):
            return end
    memcpy(&bits, &value, 4)
    if bits & 0x7FFFFF == 0 or size < LEAST_NORMAL_SINGLE:
        return _put_uneven_single(place, value)
    if LEAST_FIXED <= size < EXACT_SINGLE:
        return <uchar*> single_to_chars(<char*> place, <char*> place + LONGEST_NUMBER, value, fixed).ptr
    return _put_parts(
        place, <uchar*> single_to_chars(<char*> place, <char*> place + LONGEST_NUMBER, value, scientific).ptr
    )


cdef inline uchar* _put_decimal(uchar* place, float value, double size) noexcept nogil:
    """A float of 0.01 to 1e6 by arithmetic, which is faster than by text; NULL where that is not sure to be right.

    Seven digits to nine are tried, as `wire.floats` does, which has the reasons. `size` is the magnitude.
    """
    cdef uint64_t whole = <uint64_t> size
    cdef int decimals = 7
    cdef uint64_t digits
    while whole >= whole_powers[7 - decimals]:
        decimals -= 1
    if size < 0.1:
        decimals = 8
    digits = _tell(size, decimals)
    if digits == 0 and decimals < 8:
        decimals += 1
        digits = _tell(size, decimals)
    if digits == 0:
        return NULL
    if value < 0:
        place = put(place, c"-")
    digits = (digits - whole * whole_powers[decimals]) * whole_powers[8 - decimals]
    return put_after_point(put(put_unsigned(place, whole), c"."), digits)


cdef inline uint64_t _tell(double size, int decimals) noexcept nogil:
    """A float times a power of ten as the integer from which it is read back; 0 where there is none, or it is not sure.

    Where it ends in 1 or 9, one digit less may do too.
    """
    cdef double scaled = size * powers_of_ten[decimals]
    cdef uint64_t digits = <uint64_t> (scaled + 0.5)
    cdef double rounded = scaled - <double> digits
    cdef uint64_t less
    if rounded > NEAR_TIE or rounded < -NEAR_TIE:
        return 0
    if digits < 10_000_000 and digits % 10 in (1, 9):
        less = digits - 1 if digits % 10 == 1 else digits + 1
        if <float> (<double> less / powers_of_ten[decimals]) == <float> size:
            return less
    return digits if <float> (<double> digits / powers_of_ten[decimals]) == <float> size else 0


cdef inline uchar* _put_whole(uchar* place, double value) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    if bits >> 63:
        place = put(place, c"-")
        value = -value
    place = put_unsigned(place, <uint64_t> value)
    memcpy(place, b".0", 2)
    return place + 2


cdef inline uchar* _put_uneven_single(uchar* place, float value) noexcept nogil:
    """A float whose neighbours are not equally far (a power of two), or that has less than six digits of its own.

    There the shortest text need not be the nearest one of its length, which is what we print: as many digits as it
    takes, six at least.
    """
    cdef char* text = <char*> place
    cdef char* end = text
    cdef float back = 0
    cdef int digits
    for digits in range(6, 10):
        end = to_digits(text, text + LONGEST_NUMBER, value, scientific, digits - 1).ptr
        from_chars(text, end, back)
        if back == value:
            break
    return _put_parts(place, <uchar*> end)


cdef inline uchar* _put_parts(uchar* place, uchar* end) noexcept nogil:
    """Gives a number that stands at `place` as `-d.ddde-xx` the form of dumps: an exponent only where it is small or
    large, without a zero in front."""
    cdef uchar digits[24]
    cdef uchar* at = place
    cdef int count = 0
    cdef int exponent = 0
    cdef bint small
    if at[0] == c"-":
        at += 1
        place += 1
    while at[0] != c"e":
        if at[0] != c".":
            digits[count] = at[0]
            count += 1
        at += 1
    small = at[1] == c"-"
    at += 2
    while at < end:
        exponent = 10 * exponent + (at[0] - 48)
        at += 1
    while count > 1 and digits[count - 1] == c"0":
        count -= 1
    if small:
        exponent = -exponent
    if -5 <= exponent < 16:
        return _put_fixed(place, digits, count, exponent)
    return _put_scientific(place, digits, count, exponent)


cdef inline uchar* _put_fixed(uchar* place, const uchar* digits, int count, int exponent) noexcept nogil:
    cdef int index
    if exponent < 0:
        memcpy(place, b"0.", 2)
        place += 2
        for index in range(-exponent - 1):
            place = put(place, c"0")
        memcpy(place, digits, count)
        return place + count
    for index in range(max(count, exponent + 2)):
        if index == exponent + 1:
            place = put(place, c".")
        place = put(place, digits[index] if index < count else c"0")
    return place


cdef inline void _learn_exponents() noexcept with gil:
    """(Not before it is needed: orjson takes longer to load than a message to print.)"""
    global exponent_has_plus
    from inspector.transcode.json_text import dumps
    exponent_has_plus = b"+" in dumps(1e16)


cdef inline uchar* _put_scientific(uchar* place, const uchar* digits, int count, int exponent) noexcept nogil:
    place = put(place, digits[0])
    if count > 1:
        place = put(place, c".")
        memcpy(place, digits + 1, count - 1)
        place += count - 1
    place = put(place, c"e")
    if exponent > 0:
        if unlikely(exponent_has_plus < 0):
            _learn_exponents()
        if exponent_has_plus:
            place = put(place, c"+")
    return put_signed(place, exponent)


# --- strings ---------------------------------------------------------------------------------------------------------

cdef enum:
    BLOCK = 32

cdef extern from * nogil:
    """
    static const uint64_t ONES = 0x0101010101010101u, HIGH_BITS = 0x8080808080808080u, SPACES = 0x2020202020202020u;
    static const char hex_digits[] = "0123456789abcdef";
    /* Whether none of BLOCK bytes needs more than a copy (compilers make vector instructions of the loop). */
    static inline bool is_plain_block(const unsigned char *at) {
        unsigned char odd = 0;
        for (int index = 0; index < 32; index++)  /* with 1 more, 127 and what is beyond ASCII are negative, or 0 */
            odd |= ((signed char) (at[index] + 1) < 33) | (at[index] == '"') | (at[index] == '\\\\');
        return !odd;
    }
    static const char short_escapes[] = "\\0\\0\\0\\0\\0\\0\\0\\0btn\\0fr";
    """
    const uint64_t ONES, HIGH_BITS, SPACES
    bint is_plain_block(const uchar* at)
    const char* hex_digits
    const char* short_escapes


cdef inline uint64_t _not_plain(uint64_t word) noexcept nogil:
    """The lowest bit tells the first of eight bytes that is a control character, a quote, a backslash or beyond ASCII.

    (Bits above it may be wrong: the subtractions borrow from the next byte.)
    """
    cdef uint64_t quote = word ^ 0x22 * ONES
    cdef uint64_t backslash = word ^ 0x5C * ONES
    return ((word - SPACES) | (quote - ONES) | (backslash - ONES) | (word + ONES) | word) & HIGH_BITS


cdef inline uchar* put_text(Output* out, uchar* place, const uchar* at, size_t size, const uchar* readable) noexcept nogil:
    """A JSON string. NULL where the bytes are not UTF-8. What is in front of `readable` may be read."""
    cdef const uchar* end = at + size
    cdef const uchar* dense = at  # up to here words are looked at, not blocks
    cdef uint64_t word, special
    cdef size_t left
    place = reserve(out, place, size + 2)
    if place == NULL:
        return NULL
    place = put(place, c'"')
    while at < end:
        left = end - at
        if left >= BLOCK and at >= dense:
            if is_plain_block(at):
                memcpy(place, at, BLOCK)
                at += BLOCK
                place += BLOCK
                continue
            dense = at + BLOCK
        if likely(readable - at >= 8):
            memcpy(&word, at, 8)
        else:
            word = SPACES
            memcpy(&word, at, left if left < 8 else 8)
        memcpy(place, &word, 8)
        special = _not_plain(word)
        if special == 0:
            if left <= 8:
                place += left
                break
            at += 8
            place += 8
            continue
        special = lowest_bit(special) >> 3
        if special >= left:
            place += left
            break
        at += special
        place += special
        if at[0] >= 0x80:
            at = _copy_characters(out, at, end, &place)
            if at == NULL:
                return NULL
        elif at[0] == 127:
            out.has_unseen = True
            place = put(place, 127)
            at += 1
        else:
            place = reserve(out, place, (end - at) + 8)
            if place == NULL:
                return NULL
            place = _put_escape(place, at[0])
            at += 1
    return put(place, c'"')


cdef inline uchar* _put_escape(uchar* place, uchar character) noexcept nogil:
    place = put(place, c"\\")
    if character >= 32:
        return put(place, character)
    if character < 14 and short_escapes[character]:
        return put(place, short_escapes[character])
    memcpy(place, b"u00", 3)
    place[3] = hex_digits[character >> 4]
    place[4] = hex_digits[character & 15]
    return place + 5


cdef inline const uchar* _copy_characters(
    Output* out, const uchar* at, const uchar* end, uchar** place
) noexcept nogil:
    """Copies a run of characters beyond ASCII (Unicode, table 3-7); NULL where one is not well formed."""
    cdef uchar* to = place[0]
    cdef uchar lead
    cdef int size
    while at < end and at[0] >= 0x80:
        lead = at[0]
        if lead < 0xE0:
            size = 2
            if lead < 0xC2 or end - at < 2 or at[1] & 0xC0 != 0x80:
                return NULL
            if (lead == 0xC2 and at[1] < 0xA0) or (lead == 0xD8 and at[1] == 0x9C):  # controls of C1, U+061C
                out.has_unseen = True
        elif lead < 0xF0:
            size = 3
            if end - at < 3 or at[1] & 0xC0 != 0x80 or at[2] & 0xC0 != 0x80:
                return NULL
            if (lead == 0xE0 and at[1] < 0xA0) or (lead == 0xED and at[1] > 0x9F):
                return NULL
            if (lead == 0xE2 and at[1] < 0x82) or (lead == 0xEF and at[1] == 0xBF):  # to U+207F, from U+FFC0
                out.has_unseen = True
            to[2] = at[2]
        else:
            size = 4
            if end - at < 4 or at[1] & 0xC0 != 0x80 or at[2] & 0xC0 != 0x80 or at[3] & 0xC0 != 0x80:
                return NULL
            if lead > 0xF4 or (lead == 0xF0 and at[1] < 0x90) or (lead == 0xF4 and at[1] > 0x8F):
                return NULL
            to[2] = at[2]
            to[3] = at[3]
        to[0] = lead
        to[1] = at[1]
        at += size
        to += size
    place[0] = to
    return at


# --- bytes -----------------------------------------------------------------------------------------------------------

cdef extern from *:
    """
    static const char sixes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    """
    const char* sixes


cdef inline uchar* put_base64(Output* out, uchar* place, const uchar* at, size_t size) noexcept nogil:
    """A JSON string of standard base64, padded."""
    cdef const uchar* end = at + size
    cdef uint32_t three
    place = reserve(out, place, size // 3 * 4 + 6)
    if place == NULL:
        return NULL
    place = put(place, c'"')
    while end - at >= 3:
        three = <uint32_t> at[0] << 16 | <uint32_t> at[1] << 8 | at[2]
        place[0] = sixes[three >> 18]
        place[1] = sixes[three >> 12 & 63]
        place[2] = sixes[three >> 6 & 63]
        place[3] = sixes[three & 63]
        at += 3
        place += 4
    if at < end:
        three = <uint32_t> at[0] << 16 | (<uint32_t> at[1] << 8 if end - at == 2 else 0)
        place[0] = sixes[three >> 18]
        place[1] = sixes[three >> 12 & 63]
        place[2] = sixes[three >> 6 & 63] if end - at == 2 else c"="
        place[3] = c"="
        place += 4
    return put(place, c'"')
