"""Maps from the wire to JSON: entries are noted first, then written in the order of their keys.

Invariant: of entries with the same key the last one on the wire counts, and all of them are sound.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp
from libcpp.algorithm cimport sort

from inspector.transcode.json_output cimport LONGEST_NUMBER, REFUSED, put, put_text, reserve, uchar
from inspector.transcode.printer_numbers cimport as_kind, is_unknown_number, put_number, read_number
from inspector.transcode.printer_types cimport (
    BOOL,
    FIXED32,
    FIXED64,
    Field,
    INT64,
    MessageType,
    SFIXED64,
    SINT64,
    STRING,
    UINT32,
    UINT64,
    is_closed,
)
from inspector.transcode.printer_walk cimport Entry, Walk, close_object, note_entry
from inspector.transcode.wire_input cimport LEN, Place, SGROUP, read_length, read_tag, skip_value


cdef inline bint entry_is_less(const Entry& one, const Entry& other) noexcept nogil:
    cdef int order = compare_keys(&one, &other)
    return order < 0 or (order == 0 and one.end < other.end)


cdef inline int compare_keys(const Entry* one, const Entry* other) noexcept nogil:
    cdef int order
    cdef size_t shorter
    if not one.is_text:
        return (one.number > other.number) - (one.number < other.number)
    shorter = min(one.key_size, other.key_size)
    order = memcmp(one.key, other.key, shorter) if shorter else 0
    return order if order else (one.key_size > other.key_size) - (one.key_size < other.key_size)


cdef inline bint read_entry(Walk* walk, const MessageType* type, Place at, Place end) noexcept nogil:
    """Notes an entry of a map. False where it is not plain: an unknown field drops the entry (and so does a number that
    a closed enum does not have, though another one follows), messages merge."""
    cdef Field* key = &type.fields[0]
    cdef Field* value = &type.fields[1]
    cdef Entry entry
    cdef uint32_t tag
    cdef size_t size
    entry.key = NULL
    entry.key_size = 0
    entry.number = key_order(key.kind, 0)
    entry.value = NULL
    entry.end = end
    entry.is_text = key.kind == STRING
    while at < end:
        if not read_tag(&at, end, &tag):
            return False
        if tag == (1 << 3 | key.wire_type):
            if entry.is_text:
                if entry.key != NULL or not read_length(&at, end, &size):
                    return False
                entry.key = at
                entry.key_size = size
                at += size
            else:
                if not read_number(key.wire_type, &at, end, &entry.number):
                    return False
                entry.number = key_order(key.kind, as_kind(key.kind, entry.number))
        elif tag == (2 << 3 | value.wire_type) and (
            entry.value == NULL or not (value.wire_type == LEN or is_closed(value))
        ):
            entry.value = at
            if not skip_value(&at, end, tag, 0):
                return False
        else:
            return False
    return note_entry(walk, entry)


cdef inline uint64_t key_order(uint8_t kind, uint64_t value) noexcept nogil:
    """A number for which unsigned order is the order of the keys."""
    if kind == UINT64 or kind == FIXED64 or kind == UINT32 or kind == FIXED32 or kind == BOOL:
        return value
    return value ^ <uint64_t> 1 << 63


cdef inline uchar* put_map_key(Walk* walk, const Field* key, const Entry* entry, uchar* place) noexcept nogil:
    cdef uint64_t number = key_order(key.kind, entry.number)
    cdef bint is_quoted = key.kind in (INT64, UINT64, FIXED64, SFIXED64, SINT64)
    place = reserve(&walk.out, place, LONGEST_NUMBER)
    if place == NULL:
        return NULL
    place = put(place, c",")
    if entry.is_text:
        place = put_text(&walk.out, place, entry.key, entry.key_size, walk.readable)
    elif is_quoted:
        place = put_number(walk, key, number, place)
    else:
        place = put_number(walk, key, number, put(place, c'"'))
        place = REFUSED if place == NULL else put(place, c'"')
    if place == NULL:
        return NULL
    place = reserve(&walk.out, place, 1)
    return REFUSED if place == NULL else put(place, c":")


cdef inline uchar* put_map_value(Walk* walk, Field* field, const Entry* entry, int depth, uchar* place) noexcept nogil:
    cdef Place at = entry.value
    cdef uint64_t number = 0
    cdef size_t size = 0
    if field.wire_type == LEN:
        if at == NULL:
            at = entry.end
        elif not read_length(&at, entry.end, &size):
            return NULL
        return walk.put_content(walk, field, at, size, depth, place)
    if field.wire_type == SGROUP or (at != NULL and not read_number(field.wire_type, &at, entry.end, &number)):
        return NULL
    number = as_kind(field.kind, number)
    if is_unknown_number(field, number):
        return NULL
    return put_number(walk, field, number, place)


cdef inline uchar* put_entries(
    Walk* walk, const MessageType* type, size_t first, int depth, uchar* place
) noexcept nogil:
    """The entries from `first` on, by key; of those with the same key the last one counts."""
    cdef size_t start = place - walk.out.begin
    cdef size_t index = first
    cdef size_t here
    cdef uint64_t unknown = walk.unknown
    cdef Entry entry
    sort(walk.entries.items + first, walk.entries.items + walk.entries.size, &entry_is_less)
    while index < walk.entries.size:
        entry = walk.entries.items[index]
        here = place - walk.out.begin
        unknown = walk.unknown
        place = put_map_key(walk, &type.fields[0], &entry, place)
        if place == NULL:
            return NULL
        place = put_map_value(walk, &type.fields[1], &entry, depth, place)
        if place == NULL:
            return NULL
        index += 1
        if index < walk.entries.size and compare_keys(&entry, &walk.entries.items[index]) == 0:
            if walk.unknown != unknown:
                return NULL
            place = walk.out.begin + here
    walk.entries.size = first
    return close_object(walk, start, place)
