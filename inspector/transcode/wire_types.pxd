"""Types of a schema as the kernel of JSON to bytes has them: what `wire_tables` tells of them, laid out for C.

Once loaded, a type does not change, save for hints: which name followed another one, how long a length was. They are
guesses that are checked, so that it does no harm if threads write over each other's.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from libcpp cimport bool

from inspector.transcode.json_cursor cimport Cursor, load64, scan_text
from inspector.transcode.wire_output cimport hinted, set_hint


cdef extern from *:
    """
    /* Set once what the flag tells of is there to be read. */
    static inline bool is_set(const int *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0; }
    static inline void set_flag(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_RELEASE); }
    """
    bint is_set(const int* flag) noexcept nogil
    void set_flag(int* flag) noexcept nogil


cdef enum Kind:
    """Numbers of FieldDescriptorProto.Type in descriptor.proto; UNSUPPORTED is left to the exact path."""
    UNSUPPORTED, DOUBLE, FLOAT, INT64, UINT64, INT32, FIXED64, FIXED32, BOOL, STRING, GROUP, MESSAGE, BYTES, UINT32
    ENUM, SFIXED32, SFIXED64, SINT32, SINT64


cdef enum Form:
    """As `wire_tables.Form`."""
    PRESENT, IMPLICIT, REPEATED, PACKED, MAP


cdef enum Shape:
    """As `wire_tables.Shape`."""
    OPAQUE, ORDINARY, SOLE, VALUE, TIMESTAMP, DURATION, MASK, ANY


cdef enum:
    START_SIZE = 16
    STOP_SIZE = 8
    PADDING = 8


cdef struct Name:
    const char* text  # with the quote that closes it, and PADDING
    uint64_t hash
    uint32_t size  # with the quote
    int32_t value  # an index of fields, or the number of an enum value
    uint32_t following  # a hint


cdef struct Names:
    Name* items
    int32_t* slots  # by hash; -1 is a free one
    char* texts
    uint32_t count
    uint32_t mask


cdef struct Enum:
    Names names
    int32_t* numbers  # those that a closed enum has, in ascending order
    uint32_t count
    bint is_closed
    bint is_null


cdef struct Field:
    char start[START_SIZE]  # tag, or what stands for it
    char stop[STOP_SIZE]
    uint32_t order
    uint8_t start_size
    uint8_t stop_size
    uint8_t kind
    uint8_t form
    uint8_t width  # of a fixed number, else 0
    uint8_t length_size  # a hint
    bint has_length
    bint takes_null
    bint is_required
    int oneof  # its bit, or -1
    Type* type
    Enum* enum
    Field* key
    Field* value


cdef struct Type:
    int is_loaded
    int shape
    void* descriptor
    Field* fields
    uint32_t count
    uint32_t required
    uint32_t first  # a hint
    Names names


cdef inline uint64_t hashed(const char* text, size_t size) noexcept nogil:
    """Of names from the schema and the text alike; a name of the text that meets others is compared with few."""
    cdef uint64_t made = size * 0x9E3779B97F4A7C15ULL
    cdef uint64_t word
    while size >= 8:
        made = (made ^ load64(text)) * 0x9E3779B97F4A7C15ULL
        made ^= made >> 32
        text += 8
        size -= 8
    word = 0
    memcpy(&word, text, size)
    made = (made ^ word) * 0x9E3779B97F4A7C15ULL
    return made ^ made >> 32


cdef inline int32_t find_name(const Names* names, const char* text, size_t size) noexcept nogil:
    """The index of a name; -1 where there is none."""
    cdef uint64_t hash = hashed(text, size)
    cdef uint32_t slot = <uint32_t>hash & names.mask
    cdef const Name* name
    cdef int32_t index
    while True:
        index = names.slots[slot]
        if index < 0:
            return -1
        name = &names.items[index]
        if name.hash == hash and name.size == size + 1 and memcmp(name.text, text, size) == 0:
            return index
        slot = (slot + 1) & names.mask


cdef inline bint begins_with(const char* at, const char* end, const Name* name) noexcept nogil:
    cdef uint32_t size = name.size
    cdef const char* text = name.text
    cdef uint64_t differing
    if <size_t>(end - at) < size + PADDING:
        return <size_t>(end - at) >= size and memcmp(at, text, size) == 0
    while size > 8:
        if load64(at) != load64(text):
            return False
        at += 8
        text += 8
        size -= 8
    differing = load64(at) ^ load64(text)
    return differing << (64 - 8 * size) == 0


cdef inline int32_t read_name(Cursor* json, const Names* names, uint32_t* hint) noexcept nogil:
    """The index of the name that stands in the text, behind which the cursor then is; -1 for none that is known.

    Objects mostly have their fields in the same order, so that the name which came here last is tried first.
    """
    cdef uint32_t guess = hinted(hint)
    cdef const char* start
    cdef const char* at
    cdef int32_t found
    if json.at >= json.end or json.at[0] != b'"' or names.count == 0:
        return -1
    start = json.at + 1
    if guess < names.count and begins_with(start, json.end, &names.items[guess]):
        json.at = start + names.items[guess].size
        return <int32_t>guess
    at = scan_text(start, json.end)
    if at == NULL or at[0] != b'"':
        return -1
    found = find_name(names, start, <size_t>(at - start))
    if found >= 0:
        set_hint(hint, <uint32_t>found)
        json.at = at + 1
    return found
