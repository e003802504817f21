"""Well-known types from the wire to the forms of their own that they have in JSON (`well_known`).

Invariant: what the exact way would refuse, or might print otherwise, is refused here.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from inspector.transcode.json_output cimport (
    LONGEST_NUMBER,
    REFUSED,
    put,
    put_eight,
    put_filled,
    put_text,
    put_unsigned,
    reserve,
    uchar,
)
from inspector.transcode.printer_maps cimport put_entries, read_entry
from inspector.transcode.printer_numbers cimport as_kind, put_number, read_number
from inspector.transcode.printer_types cimport (
    DOUBLE,
    DURATION,
    ENUM,
    FIELD_MASK,
    Field,
    INT32,
    LIST_VALUE,
    MessageType,
    NULL_VALUE,
    PLAIN,
    STRUCT,
    TIMESTAMP,
    VALUE,
    WRAPPER,
    find_field,
)
from inspector.transcode.printer_walk cimport Walk, close_object, skip_unknown, type_of
from inspector.transcode.wire_input cimport LEN, Place, read_length, read_tag, read_varint


cdef extern from *:
    """
    static int64_t FIRST_SECOND, LAST_SECOND, LONGEST_DURATION;  /* of `well_known`; the kernel sets them */
    """
    int64_t FIRST_SECOND, LAST_SECOND, LONGEST_DURATION


cdef inline uchar* put_message(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A message in its form."""
    cdef size_t start = place - walk.out.begin
    if depth > walk.most_depth:
        return NULL
    if type.form != PLAIN:
        return put_special(walk, type, at, end, depth, place)
    place = walk.put_members(walk, type, at, end, 0, depth, place)
    return REFUSED if place == NULL else close_object(walk, start, place)


cdef inline uchar* put_special(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A message of a type that has a form of its own."""
    if type.form == TIMESTAMP:
        return put_timestamp(walk, at, end, depth, place)
    if type.form == DURATION:
        return put_duration(walk, at, end, depth, place)
    if type.form == WRAPPER:
        return put_wrapper(walk, type, at, end, depth, place)
    if type.form == STRUCT:
        return put_struct(walk, type, at, end, depth, place)
    if type.form == VALUE:
        return put_value(walk, type, at, end, depth, place)
    if type.form == LIST_VALUE:
        return put_list_value(walk, type, at, end, depth, place)
    if type.form == FIELD_MASK:
        return put_field_mask(walk, at, end, depth, place)
    return put_any(walk, at, end, depth, place)


cdef inline bint read_time(Walk* walk, Place at, Place end, int depth, int64_t* seconds, int64_t* nanos) noexcept nogil:
    cdef Place start
    cdef uint32_t tag
    cdef uint64_t value
    seconds[0] = nanos[0] = 0
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return False
        if tag == 8 or tag == 16:
            if not read_varint(&at, end, &value):
                return False
            if tag == 8:
                seconds[0] = <int64_t> value
            else:
                nanos[0] = <int32_t> <uint32_t> value
        elif not skip_unknown(walk, start, &at, end, tag, depth):
            return False
    return True


cdef inline uchar* put_fraction(uchar* place, uint32_t nanos) noexcept nogil:
    if nanos == 0:
        return place
    place = put(place, c".")
    if nanos % 1_000:
        return put_eight(put(place, 48 + nanos // 100_000_000), nanos % 100_000_000)
    if nanos % 1_000_000:
        return put_filled(place, nanos // 1_000, 6)
    return put_filled(place, nanos // 1_000_000, 3)


cdef inline uchar* put_timestamp(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef int64_t seconds, nanos
    cdef uint32_t days, rest, era, year, month
    if not read_time(walk, at, end, depth, &seconds, &nanos):
        return NULL
    if not (FIRST_SECOND <= seconds <= LAST_SECOND and 0 <= nanos < 1_000_000_000):
        return NULL
    place = reserve(&walk.out, place, LONGEST_NUMBER)
    if place == NULL:
        return NULL
    # Days are counted from 0000-03-01, so that a leap day ends its year, its century and its era of 400 years.
    seconds += <int64_t> 719_468 * 86_400
    days = <uint32_t> (seconds // 86_400)
    rest = <uint32_t> (seconds % 86_400)
    era = days // 146_097
    days = days % 146_097
    year = (days - days // 1_460 + days // 36_524 - days // 146_096) // 365
    days -= 365 * year + year // 4 - year // 100
    month = (5 * days + 2) // 153
    days -= (153 * month + 2) // 5
    year += 400 * era + (month >= 10)
    place = put_filled(put(place, c'"'), year, 4)
    place = put_filled(put(place, c"-"), month + 3 if month < 10 else month - 9, 2)
    place = put_filled(put(place, c"-"), days + 1, 2)
    place = put_filled(put(place, c"T"), rest // 3_600, 2)
    place = put_filled(put(place, c":"), rest // 60 % 60, 2)
    place = put_filled(put(place, c":"), rest % 60, 2)
    place = put_fraction(place, <uint32_t> nanos)
    return put(put(place, c"Z"), c'"')


cdef inline uchar* put_duration(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef int64_t seconds, nanos
    cdef bint is_negative
    if not read_time(walk, at, end, depth, &seconds, &nanos):
        return NULL
    if not (-LONGEST_DURATION <= seconds <= LONGEST_DURATION and -1_000_000_000 < nanos < 1_000_000_000):
        return NULL
    is_negative = seconds < 0 or nanos < 0
    if is_negative and (seconds > 0 or nanos > 0):
        return NULL
    place = reserve(&walk.out, place, LONGEST_NUMBER)
    if place == NULL:
        return NULL
    place = put(place, c'"')
    if is_negative:
        place = put(place, c"-")
        seconds = -seconds
        nanos = -nanos
    place = put_fraction(put_unsigned(place, <uint64_t> seconds), <uint32_t> nanos)
    return put(put(place, c"s"), c'"')


cdef inline uchar* put_wrapper(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    cdef Field* field = &type.fields[0]
    cdef Place value_at = NULL
    cdef Place start
    cdef uint32_t tag
    cdef uint64_t value = 0
    cdef size_t size = 0
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if tag != (1 << 3 | field.wire_type):
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
        elif field.wire_type == LEN:
            if value_at != NULL or not read_length(&at, end, &size):
                return NULL
            value_at = at
            at += size
        elif not read_number(field.wire_type, &at, end, &value):
            return NULL
    if field.wire_type == LEN:
        return walk.put_content(walk, field, end if value_at == NULL else value_at, size, depth, place)
    return put_number(walk, field, as_kind(field.kind, value), place)


cdef inline uchar* put_field_mask(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef Place start
    cdef uint32_t tag
    cdef size_t size
    cdef bint is_first = True
    place = reserve(&walk.out, place, (end - at) + 2)
    if place == NULL:
        return NULL
    place = put(place, c'"')
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if tag != (1 << 3 | LEN):
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if not read_length(&at, end, &size):
            return NULL
        if not is_first:
            place = put(place, c",")
        is_first = False
        place = put_path(at, at + size, place)
        if place == NULL:
            return NULL
        at += size
    return put(place, c'"')


cdef inline uchar* put_path(Place at, Place end, uchar* place) noexcept nogil:
    """A path in lowerCamelCase; NULL where it would not come back the same, or is not plain ASCII."""
    while at < end:
        if at[0] == c"_":
            at += 1
            if at == end or not c"a" <= at[0] <= c"z":
                return NULL
            place = put(place, at[0] - 32)
        elif at[0] < 32 or at[0] >= 0x7F or at[0] == c'"' or at[0] == c"\\" or c"A" <= at[0] <= c"Z":
            return NULL
        else:
            place = put(place, at[0])
        at += 1
    return place


cdef inline uchar* put_struct(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    cdef MessageType* entry = type_of(walk, &type.fields[0])
    cdef size_t first = walk.entries.size
    cdef Place start
    cdef uint32_t tag
    cdef size_t size
    if entry == NULL or depth + 1 > walk.most_depth:
        return NULL
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if tag != (1 << 3 | LEN):
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if not read_length(&at, end, &size) or not read_entry(walk, entry, at, at + size):
            return NULL
        at += size
    return put_entries(walk, entry, first, depth + 1, place)


cdef inline uchar* put_list_value(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    cdef MessageType* value = type_of(walk, &type.fields[0])
    cdef size_t begun = place - walk.out.begin
    cdef Place start
    cdef uint32_t tag
    cdef size_t size
    if value == NULL:
        return NULL
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if tag != (1 << 3 | LEN):
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if not read_length(&at, end, &size):
            return NULL
        place = reserve(&walk.out, place, 1)
        if place == NULL:
            return NULL
        place = put_message(walk, value, at, at + size, depth + 1, put(place, c","))
        if place == NULL:
            return NULL
        at += size
    place = reserve(&walk.out, place, 2)
    if place == NULL:
        return NULL
    if <size_t> (place - walk.out.begin) == begun:
        place = put(place, c"[")
    else:
        walk.out.begin[begun] = c"["
    return put(place, c"]")


cdef inline uchar* put_value(
    Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A google.protobuf.Value; only one member of its oneof, and that once."""
    cdef Field* field = NULL
    cdef Place value_at = end
    cdef Place start
    cdef uint32_t tag
    cdef uint64_t value = 0
    cdef size_t size = 0
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if find_field(type, tag >> 3) == NULL or find_field(type, tag >> 3).wire_type != tag & 7:
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if field != NULL:
            return NULL
        field = find_field(type, tag >> 3)
        if tag & 7 != LEN:
            if not read_number(tag & 7, &at, end, &value):
                return NULL
            continue
        if not read_length(&at, end, &size):
            return NULL
        value_at = at
        at += size
    if field == NULL or field.kind == NULL_VALUE or field.kind == ENUM or field.kind == INT32:
        place = reserve(&walk.out, place, 4)
        if place == NULL:
            return NULL
        memcpy(place, b"null", 4)
        return place + 4
    if field.kind == DOUBLE and walk.is_strict and (value >> 52) & 0x7FF == 0x7FF:
        return NULL
    if field.wire_type == LEN:
        return walk.put_content(walk, field, value_at, size, depth, place)
    return put_number(walk, field, as_kind(field.kind, value), place)


cdef inline uchar* put_any(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef Place url = NULL
    cdef Place payload = NULL
    cdef Place start
    cdef uint32_t tag
    cdef size_t size
    cdef size_t url_size = 0
    cdef size_t payload_size = 0
    cdef MessageType* type
    while at < end:
        start = at
        if not read_tag(&at, end, &tag):
            return NULL
        if tag != (1 << 3 | LEN) and tag != (2 << 3 | LEN):
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if (url if tag >> 3 == 1 else payload) != NULL or not read_length(&at, end, &size):
            return NULL
        if tag >> 3 == 1:
            url = at
            url_size = size
        else:
            payload = at
            payload_size = size
        at += size
    if url_size == 0:
        if payload_size:
            return NULL
        place = reserve(&walk.out, place, 2)
        return REFUSED if place == NULL else put(put(place, c"{"), c"}")
    type = walk.load_payload(walk.owner, url, url_size)
    if type == NULL:
        return NULL
    return put_payload(walk, type, url, url_size, payload if payload_size else end, payload_size, depth + 1, place)


cdef inline uchar* put_payload(
    Walk* walk, MessageType* type, Place url, size_t url_size, Place at, size_t size, int depth, uchar* place
) noexcept nogil:
    cdef bint is_plain = type.form == PLAIN
    if depth > walk.most_depth:
        return NULL
    place = reserve(&walk.out, place, 9)
    if place == NULL:
        return NULL
    memcpy(place, b'{"@type":', 9)
    place = put_text(&walk.out, place + 9, url, url_size, walk.readable)
    if place == NULL:
        return NULL
    if is_plain:
        place = walk.put_members(walk, type, at, at + size, 0, depth, place)
    else:
        place = reserve(&walk.out, place, 9)
        if place == NULL:
            return NULL
        memcpy(place, b',"value":', 9)
        place = put_message(walk, type, at, at + size, depth, place + 9)
    if place == NULL:
        return NULL
    place = reserve(&walk.out, place, 1)
    return REFUSED if place == NULL else put(place, c"}")
