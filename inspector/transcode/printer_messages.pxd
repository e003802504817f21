"""Messages and their fields from the wire to JSON: in one pass where fields ascend, else sorted first.

Where wire order is not all that matters (a message field twice, two members of a oneof) the message is refused.

Invariant: a field that is written begins with a comma, of which the first in an object or a list becomes its bracket.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp.algorithm cimport sort

from inspector.transcode.json_output cimport (
    LONGEST_NUMBER,
    REFUSED,
    put,
    put_base64,
    put_padded,
    put_text,
    reserve,
    uchar,
    unlikely,
)
from inspector.transcode.printer_maps cimport put_entries, read_entry
from inspector.transcode.printer_numbers cimport as_kind, is_unknown_number, put_number, read_number
from inspector.transcode.printer_types cimport (
    BYTES,
    ENUM,
    Field,
    GROUP,
    MESSAGE,
    MessageType,
    PLAIN,
    REPEATED,
    SEEN_WORDS,
    SINGULAR,
    STRING,
    find_field,
    is_closed,
)
from inspector.transcode.printer_walk cimport Span, Walk, close_object, go_over, note_span, skip_unknown, type_of
from inspector.transcode.printer_well_known cimport put_special
from inspector.transcode.wire_input cimport (
    EGROUP,
    LEN,
    Place,
    SGROUP,
    read_length,
    read_tag,
    read_varint,
    skip_value,
)


# --- values ----------------------------------------------------------------------------------------------------------

cdef inline uchar* put_content(Walk* walk, Field* field, Place at, size_t size, int depth, uchar* place) noexcept nogil:
    """The value of a LEN field of a kind that is always one."""
    cdef MessageType* type
    if field.kind == STRING:
        return put_text(&walk.out, place, at, size, walk.readable)
    if field.kind == BYTES:
        return put_base64(&walk.out, place, at, size)
    type = type_of(walk, field)
    if type == NULL or depth == walk.most_depth:
        return NULL
    if type.form == PLAIN:
        return put_object(walk, type, at, at + size, 0, depth + 1, place)
    return put_special(walk, type, at, at + size, depth + 1, place)


cdef inline uchar* put_group(Walk* walk, Field* field, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef MessageType* type = type_of(walk, field)
    if type == NULL or depth == walk.most_depth or type.form != PLAIN:
        return NULL
    return put_object(walk, type, at, end, field.number, depth + 1, place)


cdef inline uchar* put_key(Walk* walk, const Field* field, uchar* place) noexcept nogil:
    place = reserve(&walk.out, place, field.key.size + LONGEST_NUMBER)
    return REFUSED if place == NULL else put_padded(place, field.key.bytes, field.key.size)


cdef inline uchar* put_singular(
    Walk* walk, Field* field, Place start, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A field that is not repeated, with its key, or nothing where it is implicit and zero. `start` is its tag."""
    cdef uint64_t value
    cdef size_t size
    if field.wire_type == LEN:
        if not read_length(&at, end, &size):
            return NULL
        if size or not field.is_implicit:
            place = put_key(walk, field, place)
            if place == NULL:
                return NULL
            place = put_content(walk, field, at, size, depth, place)
        walk.at = at + size
        return place
    if unlikely(field.wire_type == SGROUP):
        place = put_key(walk, field, place)
        return REFUSED if place == NULL else put_group(walk, field, at, end, depth, place)
    if not read_number(field.wire_type, &at, end, &value):
        return NULL
    walk.at = at
    value = as_kind(field.kind, value)
    if value == 0 and field.is_implicit:
        return place
    if is_unknown_number(field, value):
        walk.unknown += at - start
        return place
    place = put_key(walk, field, place)
    return REFUSED if place == NULL else put_number(walk, field, value, place)


cdef inline uchar* put_elements(
    Walk* walk, Field* field, uint32_t wire_type, Place start, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """The elements that a record of a repeated field holds, a comma before each."""
    cdef uint64_t value
    cdef size_t size
    if wire_type == LEN:
        if not read_length(&at, end, &size):
            return NULL
        if field.wire_type != LEN:
            place = put_packed(walk, field, at, at + size, place)
        else:
            place = reserve(&walk.out, place, 1)
            if place == NULL:
                return NULL
            place = put_content(walk, field, at, size, depth, put(place, c","))
        walk.at = at + size
        return place
    if wire_type == SGROUP:
        place = reserve(&walk.out, place, 1)
        return REFUSED if place == NULL else put_group(walk, field, at, end, depth, put(place, c","))
    if not read_number(wire_type, &at, end, &value):
        return NULL
    walk.at = at
    value = as_kind(field.kind, value)
    if is_unknown_number(field, value):
        walk.unknown += at - start
        return place
    place = reserve(&walk.out, place, 1)
    return REFUSED if place == NULL else put_number(walk, field, value, put(place, c","))


cdef inline uchar* put_packed(Walk* walk, Field* field, Place at, Place end, uchar* place) noexcept nogil:
    cdef uint64_t value
    cdef Place start
    while at < end:
        start = at
        if not read_number(field.wire_type, &at, end, &value):
            return NULL
        value = as_kind(field.kind, value)
        if is_unknown_number(field, value):
            walk.unknown += at - start
            continue
        place = reserve(&walk.out, place, 1)
        if place == NULL:
            return NULL
        place = put_number(walk, field, value, put(place, c","))
        if place == NULL:
            return NULL
    return place


cdef inline uchar* close_list(
    Walk* walk, const Field* field, size_t opened, size_t start, uchar* place
) noexcept nogil:
    """Ends a list whose elements begin at `start`, each with a comma; without any its key, at `opened`, goes too.

    (The runtime lists an extension without elements in some cases, which are left to it.)
    """
    if <size_t> (place - walk.out.begin) == start:
        return REFUSED if field.is_extension else walk.out.begin + opened
    walk.out.begin[start] = c"["
    place = reserve(&walk.out, place, 1)
    return REFUSED if place == NULL else put(place, c"]")


# --- messages --------------------------------------------------------------------------------------------------------

cdef inline uchar* put_object(
    Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
) noexcept nogil:
    """A plain message. `group` is its number where an end tag closes it, else 0."""
    cdef size_t start = place - walk.out.begin
    place = put_members(walk, type, at, end, group, depth, place)
    return REFUSED if place == NULL else close_object(walk, start, place)


cdef inline bint fits(const Field* field, uint32_t wire_type) noexcept nogil:
    return field.wire_type == wire_type or (wire_type == LEN and field.is_packable)


cdef inline uchar* put_members(
    Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
) noexcept nogil:
    """The fields of a message that are set, a comma before each. In one pass where their numbers ascend."""
    cdef size_t begun = place - walk.out.begin
    cdef uint64_t unknown = walk.unknown
    cdef Place first = at
    cdef Place start
    cdef uint32_t tag
    cdef uint32_t last = 0
    cdef uint64_t oneofs = 0
    cdef uint64_t[SEEN_WORDS] seen
    cdef Field* field
    cdef size_t here
    if type.is_unordered:
        return put_sorted(walk, type, at, end, group, depth, place)
    if type.default_count:
        seen[0] = seen[1] = seen[2] = seen[3] = 0
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        field = find_field(type, tag >> 3)
        if unlikely(field == NULL or not fits(field, tag & 7)):
            if tag & 7 == EGROUP:
                if tag >> 3 != group:
                    return NULL
                group = 0
                break
            if field == NULL and type.is_extendable and walk.has_extension(walk.owner, type.index, tag >> 3):
                return NULL
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if unlikely(field.number <= last):
            type.is_unordered = True
            walk.unknown = unknown
            if not go_over(walk, at - first):
                return NULL
            return put_sorted(walk, type, first, end, group, depth, walk.out.begin + begun)
        last = field.number
        here = place - walk.out.begin
        if field.label == SINGULAR:
            if field.oneof >= 0 and not enter_oneof(walk, field, at, end, &oneofs):
                return NULL
            place = put_singular(walk, field, start, at, end, depth, place)
        elif field.label == REPEATED:
            place = put_list(walk, field, start, tag, at, end, depth, place)
        else:
            place = put_map(walk, field, tag, at, end, depth, place)
        if place == NULL:
            return NULL
        at = walk.at
        if field.default >= 0 and <size_t> (place - walk.out.begin) != here:
            seen[field.default >> 6] |= <uint64_t> 1 << (field.default & 63)
    if group:
        return NULL
    walk.at = at
    return put_defaults(walk, type, seen, place) if type.default_count else place


cdef inline bint enter_oneof(Walk* walk, const Field* field, Place at, Place end, uint64_t* seen) noexcept nogil:
    """False at a second member of a oneof: it clears the first. (A number that is unknown does not count.)"""
    cdef uint64_t value = 0
    if field.kind == ENUM and field.enum.is_closed:
        if not read_varint(&at, end, &value) or is_unknown_number(field, value):
            return False
    if seen[0] >> field.oneof & 1:
        return False
    seen[0] |= <uint64_t> 1 << field.oneof
    return True


cdef inline uchar* put_list(
    Walk* walk, Field* field, Place start, uint32_t tag, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A run of a repeated field. `tag` is its first one, `at` the place behind."""
    cdef size_t opened = place - walk.out.begin
    cdef size_t begun
    place = put_key(walk, field, place)
    if place == NULL:
        return NULL
    begun = place - walk.out.begin
    while True:
        place = put_elements(walk, field, tag & 7, start, at, end, depth, place)
        if place == NULL:
            return NULL
        start = at = walk.at
        if at >= end or not read_tag(&at, end, &tag) or tag >> 3 != field.number or not fits(field, tag & 7):
            break
    walk.at = start
    return close_list(walk, field, opened, begun, place)


cdef inline uchar* put_map(
    Walk* walk, Field* field, uint32_t tag, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A run of entries of a map."""
    cdef MessageType* type = type_of(walk, field)
    cdef size_t first = walk.entries.size
    cdef uint32_t wanted = tag
    cdef size_t size
    cdef Place start
    if type == NULL or depth + 1 > walk.most_depth:
        return NULL
    while True:
        if not read_length(&at, end, &size) or not read_entry(walk, type, at, at + size):
            return NULL
        start = at = at + size
        if at >= end or not read_tag(&at, end, &tag) or tag != wanted:
            break
    place = put_key(walk, field, place)
    if place == NULL:
        return NULL
    place = put_entries(walk, type, first, depth + 1, place)
    walk.at = start
    return place


cdef inline uchar* put_defaults(Walk* walk, const MessageType* type, const uint64_t* seen, uchar* place) noexcept nogil:
    cdef int index
    for index in range(type.default_count):
        if seen[index >> 6] >> (index & 63) & 1:
            continue
        place = reserve(&walk.out, place, type.defaults[index].size)
        if place == NULL:
            return NULL
        place = put_padded(place, type.defaults[index].bytes, type.defaults[index].size)
    return place


# --- messages whose fields are not in order --------------------------------------------------------------------------

cdef inline bint span_is_less(const Span& one, const Span& other) noexcept nogil:
    return one.number < other.number or (one.number == other.number and one.value < other.value)


cdef inline uchar* put_sorted(
    Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
) noexcept nogil:
    """The same as `put_members` in two passes: the fields are collected, and sorted by their numbers."""
    cdef size_t first = walk.spans.size
    cdef size_t index = first
    cdef size_t last, here
    cdef uint64_t oneofs = 0
    cdef uint64_t[SEEN_WORDS] seen
    cdef Field* field
    if not collect_spans(walk, type, &at, end, group, depth):
        return NULL
    seen[0] = seen[1] = seen[2] = seen[3] = 0
    sort(walk.spans.items + first, walk.spans.items + walk.spans.size, &span_is_less)
    while index < walk.spans.size:
        field = find_field(type, walk.spans.items[index].number)
        last = index + 1
        while last < walk.spans.size and walk.spans.items[last].number == field.number:
            last += 1
        here = place - walk.out.begin
        if field.label == SINGULAR:
            if field.oneof >= 0 and not enter_oneof(walk, field, walk.spans.items[index].value, end, &oneofs):
                return NULL
            place = put_last(walk, field, index, last, end, depth, place)
        elif field.label == REPEATED:
            place = put_joined(walk, field, index, last, end, depth, place)
        else:
            place = put_joined_map(walk, field, index, last, end, depth, place)
        if place == NULL:
            return NULL
        if field.default >= 0 and <size_t> (place - walk.out.begin) != here:
            seen[field.default >> 6] |= <uint64_t> 1 << (field.default & 63)
        index = last
    walk.spans.size = first
    walk.at = at
    return put_defaults(walk, type, seen, place) if type.default_count else place


cdef inline bint collect_spans(
    Walk* walk, const MessageType* type, Place* at, Place end, uint32_t group, int depth
) noexcept nogil:
    cdef Place start
    cdef Span span
    cdef uint32_t tag
    cdef const Field* field
    while at[0] < end:
        start = at[0]
        if not read_tag(at, end, &tag):
            return False
        if tag & 7 == EGROUP:
            return tag >> 3 == group and group != 0
        field = find_field(type, tag >> 3)
        if field == NULL or not fits(field, tag & 7):
            if field == NULL and type.is_extendable and walk.has_extension(walk.owner, type.index, tag >> 3):
                return False
            if not skip_unknown(walk, start, at, end, tag, depth):
                return False
            continue
        span.number = tag >> 3
        span.wire_type = tag & 7
        span.tag_size = <uint8_t> (at[0] - start)
        span.value = at[0]
        if not skip_value(at, end, tag, walk.most_depth - depth) or not note_span(walk, span):
            return False
        if tag & 7 == SGROUP and not go_over(walk, at[0] - span.value):
            return False
    return group == 0


cdef inline uchar* put_last(
    Walk* walk, Field* field, size_t index, size_t last, Place end, int depth, uchar* place
) noexcept nogil:
    """Of several values of a singular field the last one. All are written, as all have to be sound."""
    cdef size_t begun = place - walk.out.begin
    cdef Span span
    if last - index > 1 and (field.kind == MESSAGE or field.kind == GROUP or is_closed(field)):
        return NULL
    while index < last:
        span = walk.spans.items[index]
        place = put_singular(
            walk, field, span.value - span.tag_size, span.value, end, depth, walk.out.begin + begun
        )
        if place == NULL:
            return NULL
        index += 1
    return place



cdef inline uchar* put_joined(
    Walk* walk, Field* field, size_t index, size_t last, Place end, int depth, uchar* place
) noexcept nogil:
    """All runs of a repeated field as one list."""
    cdef size_t opened = place - walk.out.begin
    cdef size_t begun
    cdef Span span
    place = put_key(walk, field, place)
    if place == NULL:
        return NULL
    begun = place - walk.out.begin
    while index < last:
        span = walk.spans.items[index]
        place = put_elements(
            walk, field, span.wire_type, span.value - span.tag_size, span.value, end, depth, place
        )
        if place == NULL:
            return NULL
        index += 1
    return close_list(walk, field, opened, begun, place)


cdef inline uchar* put_joined_map(
    Walk* walk, Field* field, size_t index, size_t last, Place end, int depth, uchar* place
) noexcept nogil:
    """All runs of a map as one object."""
    cdef MessageType* type = type_of(walk, field)
    cdef size_t first = walk.entries.size
    cdef Place at
    cdef size_t size
    if type == NULL or depth + 1 > walk.most_depth:
        return NULL
    while index < last:
        at = walk.spans.items[index].value
        if not read_length(&at, end, &size) or not read_entry(walk, type, at, at + size):
            return NULL
        index += 1
    place = put_key(walk, field, place)
    return REFUSED if place == NULL else put_entries(walk, type, first, depth + 1, place)
