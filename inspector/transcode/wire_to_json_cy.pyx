# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Message bytes straight to JSON text: a walk over the wire that writes as it goes, with no Python object per field.

The text is that of `dumps(JsonPrinter(...).to_value(message))`, byte for byte. What the kernel knows of a type it gets
from `json_tables` when a message of the type first comes. The usual message has its fields in ascending order, each
singular field once, and is written in one pass; where the order differs, the fields of that message are collected and
sorted first, and its type is remembered for it. Where wire order is not all that matters (a message field twice, two
members of a oneof), where the bytes are damaged, and in all that is rare and intricate, the kernel gives up the
whole message: None, and the exact way is taken.

Threads: the GIL is released while a message of RELEASE_SIZE or more is walked. A WireToJson serves one message at a
time; one that is busy in another thread gives None.

Invariant: every read is within the span of the message that is walked, every write within what was reserved.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy
from libcpp.algorithm cimport sort

from inspector.transcode cimport json_output
from inspector.transcode.json_output cimport (
    LONGEST_NUMBER,
    Output,
    REFUSED,
    likely,
    put,
    put_base64,
    put_double,
    put_padded,
    put_signed,
    put_single,
    put_text,
    put_unsigned,
    put_eight,
    put_filled,
    reserve,
    uchar,
    unlikely,
)
from inspector.transcode.wire_input cimport (
    EGROUP,
    I32,
    I64,
    LEN,
    Place,
    SGROUP,
    VARINT,
    read_fixed32,
    read_fixed64,
    read_length,
    read_tag,
    read_varint,
    skip_value,
)

from inspector import limits
from inspector.transcode import json_tables, well_known
from inspector.transcode.json_text import dumps

json_output.exponent_has_plus = b"+" in dumps(1e16)

cdef int MAX_DEPTH = limits.MAX_DEPTH
cdef size_t MOST_GROWTH = limits.MAX_JSON_GROWTH
cdef size_t KEPT_BUFFER = 1 << 20
cdef int64_t FIRST_SECOND = well_known.FIRST_SECOND
cdef int64_t LAST_SECOND = well_known.LAST_SECOND
cdef int64_t LONGEST_DURATION = well_known.LONGEST_DURATION
cdef Py_ssize_t RELEASE_SIZE = 4096


# --- what is known of types ------------------------------------------------------------------------------------------

cdef enum Kind:  # FieldDescriptorProto.Type, and NULL of json_tables
    DOUBLE = 1
    FLOAT = 2
    INT64 = 3
    UINT64 = 4
    INT32 = 5
    FIXED64 = 6
    FIXED32 = 7
    BOOL = 8
    STRING = 9
    GROUP = 10
    MESSAGE = 11
    BYTES = 12
    UINT32 = 13
    ENUM = 14
    SFIXED32 = 15
    SFIXED64 = 16
    SINT32 = 17
    SINT64 = 18
    NULL_VALUE = 19

cdef enum Form:
    PLAIN
    ANY
    DURATION
    FIELD_MASK
    LIST_VALUE
    STRUCT
    TIMESTAMP
    VALUE
    WRAPPER

cdef enum Label:
    SINGULAR
    REPEATED
    MAP

cdef dict FORMS = {
    "": PLAIN,
    "google.protobuf.Any": ANY,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.FieldMask": FIELD_MASK,
    "google.protobuf.ListValue": LIST_VALUE,
    "google.protobuf.Struct": STRUCT,
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Value": VALUE,
    json_tables.WRAPPER: WRAPPER,
}

cdef struct Text:
    uchar* bytes  # with 16 more behind
    size_t size

cdef struct EnumTexts:
    bint is_closed
    int count
    int zero  # place of the number 0; of the `run` numbers from there each is one more than the last
    int run
    int32_t* numbers  # ascending
    Text* texts

cdef struct Field:
    uint32_t number
    uint8_t kind
    uint8_t label
    uint8_t wire_type
    bint is_packable
    bint is_extension
    bint is_implicit  # without presence: not printed where it is zero
    int oneof
    int default
    Text key
    int type_index
    MessageType* type  # NULL until first needed
    EnumTexts* enum

cdef struct MessageType:
    Form form
    int index
    bint is_extendable
    bint is_unordered  # messages of it came with fields out of order
    int field_count
    int default_count
    Field* fields  # ascending
    uint32_t direct_size
    uint16_t* direct  # 1 + the place of the field with a small number, or 0
    Text* defaults

cdef enum:
    MAX_DIRECT = 1024
    MAX_FIELDS = 60_000
    SEEN_WORDS = 4  # json_tables.MAX_IMPLICIT bits


cdef inline Field* find_field(const MessageType* type, uint32_t number) noexcept nogil:
    cdef int low, high, middle
    if number < type.direct_size:
        if type.direct[number] == 0:
            return NULL
        return &type.fields[type.direct[number] - 1]
    low = 0
    high = type.field_count
    while low < high:
        middle = (low + high) >> 1
        if type.fields[middle].number < number:
            low = middle + 1
        else:
            high = middle
    if low == type.field_count or type.fields[low].number != number:
        return NULL
    return &type.fields[low]


cdef const Text* find_text(const EnumTexts* enum, int32_t number) noexcept nogil:
    """The name of an enum's number, or NULL."""
    cdef int low, high, middle
    if 0 <= number < enum.run:
        return &enum.texts[enum.zero + number]
    low = 0
    high = enum.count
    while low < high:
        middle = (low + high) >> 1
        if enum.numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    if low == enum.count or enum.numbers[low] != number:
        return NULL
    return &enum.texts[low]


# --- the walk --------------------------------------------------------------------------------------------------------

cdef struct Span:  # a field on the wire; `value` is behind its tag
    uint32_t number
    uint8_t wire_type
    uint8_t tag_size
    Place value

cdef struct Entry:  # of a map; `value` is behind its tag, NULL where there is none
    Place key
    size_t key_size
    uint64_t number  # a key that is no string, made so that they sort
    Place value
    Place end
    bint is_text

cdef struct Walk:
    Output out
    Place at  # behind the value that was written last
    Place readable  # end of the whole message
    uint64_t unknown
    bint is_strict
    Span* spans
    size_t span_count
    size_t span_room
    Entry* entries
    size_t entry_count
    size_t entry_room
    void* owner


cdef bint span_is_less(const Span& one, const Span& other) noexcept nogil:
    return one.number < other.number or (one.number == other.number and one.value < other.value)


cdef bint entry_is_less(const Entry& one, const Entry& other) noexcept nogil:
    cdef int order = compare_keys(&one, &other)
    return order < 0 or (order == 0 and one.end < other.end)


cdef int compare_keys(const Entry* one, const Entry* other) noexcept nogil:
    cdef int order
    cdef size_t shorter
    if not one.is_text:
        return (one.number > other.number) - (one.number < other.number)
    shorter = min(one.key_size, other.key_size)
    order = memcmp(one.key, other.key, shorter) if shorter else 0
    return order if order else (one.key_size > other.key_size) - (one.key_size < other.key_size)


cdef bint push_span(Walk* walk, Span span) noexcept nogil:
    cdef void* moved
    if walk.span_count == walk.span_room:
        moved = realloc(walk.spans, (2 * walk.span_room + 64) * sizeof(Span))
        if moved == NULL:
            return False
        walk.spans = <Span*> moved
        walk.span_room = 2 * walk.span_room + 64
    walk.spans[walk.span_count] = span
    walk.span_count += 1
    return True


cdef bint push_entry(Walk* walk, Entry entry) noexcept nogil:
    cdef void* moved
    if walk.entry_count == walk.entry_room:
        moved = realloc(walk.entries, (2 * walk.entry_room + 64) * sizeof(Entry))
        if moved == NULL:
            return False
        walk.entries = <Entry*> moved
        walk.entry_room = 2 * walk.entry_room + 64
    walk.entries[walk.entry_count] = entry
    walk.entry_count += 1
    return True


cdef MessageType* type_of(Walk* walk, Field* field) noexcept nogil:
    """The type of a field's messages, loaded when it is first needed; NULL where it is not for the kernel."""
    if field.type == NULL:
        field.type = load_type(walk, field.type_index)
    return field.type


cdef MessageType* load_type(Walk* walk, int index) noexcept with gil:
    return (<WireToJson> walk.owner).load(index)


cdef MessageType* payload_type(Walk* walk, const uchar* url, size_t size) noexcept with gil:
    return (<WireToJson> walk.owner).load_payload(url[:size])


cdef bint is_extension(Walk* walk, const MessageType* type, uint32_t number) noexcept with gil:
    return (<WireToJson> walk.owner).has_extension(type.index, number)


# --- numbers ---------------------------------------------------------------------------------------------------------

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


cdef uchar* put_enum(Walk* walk, const Field* field, int32_t number, uchar* place) noexcept nogil:
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


# --- values ----------------------------------------------------------------------------------------------------------

cdef uchar* put_content(Walk* walk, Field* field, Place at, size_t size, int depth, uchar* place) noexcept nogil:
    """The value of a LEN field of a kind that is always one."""
    cdef MessageType* type
    if field.kind == STRING:
        return put_text(&walk.out, place, at, size, walk.readable)
    if field.kind == BYTES:
        return put_base64(&walk.out, place, at, size)
    type = type_of(walk, field)
    if type == NULL or depth == MAX_DEPTH:
        return NULL
    if type.form == PLAIN:
        return put_object(walk, type, at, at + size, 0, depth + 1, place)
    return put_special(walk, type, at, at + size, depth + 1, place)


cdef uchar* put_group(Walk* walk, Field* field, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef MessageType* type = type_of(walk, field)
    if type == NULL or depth == MAX_DEPTH or type.form != PLAIN:
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


cdef uchar* put_elements(
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


cdef uchar* put_packed(Walk* walk, Field* field, Place at, Place end, uchar* place) noexcept nogil:
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


cdef inline uchar* close_object(Walk* walk, size_t start, uchar* place) noexcept nogil:
    """Ends an object whose members begin at `start`, each with a comma."""
    place = reserve(&walk.out, place, 2)
    if place == NULL:
        return NULL
    if <size_t> (place - walk.out.begin) == start:
        place = put(place, c"{")
    else:
        walk.out.begin[start] = c"{"
    return put(place, c"}")


# --- maps ------------------------------------------------------------------------------------------------------------

cdef bint read_entry(Walk* walk, const MessageType* type, Place at, Place end) noexcept nogil:
    """Notes an entry of a map. False where it is not plain: an unknown field drops the entry, messages merge."""
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
        elif tag == (2 << 3 | value.wire_type) and (entry.value == NULL or value.wire_type != LEN):
            entry.value = at
            if not skip_value(&at, end, tag, 0):
                return False
        else:
            return False
    return push_entry(walk, entry)


cdef inline uint64_t key_order(uint8_t kind, uint64_t value) noexcept nogil:
    """A number for which unsigned order is the order of the keys."""
    if kind == UINT64 or kind == FIXED64 or kind == UINT32 or kind == FIXED32 or kind == BOOL:
        return value
    return value ^ <uint64_t> 1 << 63


cdef uchar* put_map_key(Walk* walk, const Field* key, const Entry* entry, uchar* place) noexcept nogil:
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


cdef uchar* put_map_value(Walk* walk, Field* field, const Entry* entry, int depth, uchar* place) noexcept nogil:
    cdef Place at = entry.value
    cdef uint64_t number = 0
    cdef size_t size = 0
    if field.wire_type == LEN:
        if at == NULL:
            at = entry.end
        elif not read_length(&at, entry.end, &size):
            return NULL
        return put_content(walk, field, at, size, depth, place)
    if field.wire_type == SGROUP or (at != NULL and not read_number(field.wire_type, &at, entry.end, &number)):
        return NULL
    number = as_kind(field.kind, number)
    if is_unknown_number(field, number):
        return NULL
    return put_number(walk, field, number, place)


cdef uchar* put_entries(Walk* walk, const MessageType* type, size_t first, int depth, uchar* place) noexcept nogil:
    """The entries from `first` on, by key; of those with the same key the last one counts."""
    cdef size_t start = place - walk.out.begin
    cdef size_t index = first
    cdef size_t here
    cdef uint64_t unknown = walk.unknown
    cdef Entry entry
    sort(walk.entries + first, walk.entries + walk.entry_count, &entry_is_less)
    while index < walk.entry_count:
        entry = walk.entries[index]
        here = place - walk.out.begin
        unknown = walk.unknown
        place = put_map_key(walk, &type.fields[0], &entry, place)
        if place == NULL:
            return NULL
        place = put_map_value(walk, &type.fields[1], &entry, depth, place)
        if place == NULL:
            return NULL
        index += 1
        if index < walk.entry_count and compare_keys(&entry, &walk.entries[index]) == 0:
            if walk.unknown != unknown:
                return NULL
            place = walk.out.begin + here
    walk.entry_count = first
    return close_object(walk, start, place)


# --- messages --------------------------------------------------------------------------------------------------------

cdef inline uchar* put_object(
    Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
) noexcept nogil:
    """A plain message. `group` is its number where an end tag closes it, else 0."""
    cdef size_t start = place - walk.out.begin
    place = put_members(walk, type, at, end, group, depth, place)
    return REFUSED if place == NULL else close_object(walk, start, place)


cdef uchar* put_message(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
    """A message in its form."""
    if depth > MAX_DEPTH:
        return NULL
    if type.form == PLAIN:
        return put_object(walk, type, at, end, 0, depth, place)
    return put_special(walk, type, at, end, depth, place)


cdef uchar* put_special(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
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


cdef inline bint skip_unknown(Walk* walk, Place start, Place* at, Place end, uint32_t tag, int depth) noexcept nogil:
    """Counts a field that the type does not have."""
    if not skip_value(at, end, tag, MAX_DEPTH - depth):
        return False
    walk.unknown += at[0] - start
    return True


cdef inline bint fits(const Field* field, uint32_t wire_type) noexcept nogil:
    return field.wire_type == wire_type or (wire_type == LEN and field.is_packable)


cdef uchar* put_members(
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
            if field == NULL and type.is_extendable and is_extension(walk, type, tag >> 3):
                return NULL
            if not skip_unknown(walk, start, &at, end, tag, depth):
                return NULL
            continue
        if unlikely(field.number <= last):
            type.is_unordered = True
            walk.unknown = unknown
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


cdef bint enter_oneof(Walk* walk, const Field* field, Place at, Place end, uint64_t* seen) noexcept nogil:
    """False at a second member of a oneof: it clears the first. (A number that is unknown does not count.)"""
    cdef uint64_t value = 0
    if field.kind == ENUM and field.enum.is_closed:
        if not read_varint(&at, end, &value) or is_unknown_number(field, value):
            return False
    if seen[0] >> field.oneof & 1:
        return False
    seen[0] |= <uint64_t> 1 << field.oneof
    return True


cdef uchar* put_list(
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


cdef uchar* put_map(
    Walk* walk, Field* field, uint32_t tag, Place at, Place end, int depth, uchar* place
) noexcept nogil:
    """A run of entries of a map."""
    cdef MessageType* type = type_of(walk, field)
    cdef size_t first = walk.entry_count
    cdef uint32_t wanted = tag
    cdef size_t size
    cdef Place start
    if type == NULL or depth + 1 > MAX_DEPTH:
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


cdef uchar* put_defaults(Walk* walk, const MessageType* type, const uint64_t* seen, uchar* place) noexcept nogil:
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

cdef uchar* put_sorted(
    Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
) noexcept nogil:
    """The same as `put_members` in two passes: the fields are collected, and sorted by their numbers."""
    cdef size_t first = walk.span_count
    cdef size_t index = first
    cdef size_t last, here
    cdef uint64_t oneofs = 0
    cdef uint64_t[SEEN_WORDS] seen
    cdef Field* field
    if not collect_spans(walk, type, &at, end, group, depth):
        return NULL
    seen[0] = seen[1] = seen[2] = seen[3] = 0
    sort(walk.spans + first, walk.spans + walk.span_count, &span_is_less)
    while index < walk.span_count:
        field = find_field(type, walk.spans[index].number)
        last = index + 1
        while last < walk.span_count and walk.spans[last].number == field.number:
            last += 1
        here = place - walk.out.begin
        if field.label == SINGULAR:
            if field.oneof >= 0 and not enter_oneof(walk, field, walk.spans[index].value, end, &oneofs):
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
    walk.span_count = first
    walk.at = at
    return put_defaults(walk, type, seen, place) if type.default_count else place


cdef bint collect_spans(
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
            if field == NULL and type.is_extendable and is_extension(walk, type, tag >> 3):
                return False
            if not skip_unknown(walk, start, at, end, tag, depth):
                return False
            continue
        span.number = tag >> 3
        span.wire_type = tag & 7
        span.tag_size = <uint8_t> (at[0] - start)
        span.value = at[0]
        if not skip_value(at, end, tag, MAX_DEPTH - depth) or not push_span(walk, span):
            return False
    return group == 0


cdef uchar* put_last(
    Walk* walk, Field* field, size_t index, size_t last, Place end, int depth, uchar* place
) noexcept nogil:
    """Of several values of a singular field the last one. All are written, as all have to be sound."""
    cdef size_t begun = place - walk.out.begin
    cdef Span span
    if last - index > 1 and (field.kind == MESSAGE or field.kind == GROUP or is_closed(field)):
        return NULL
    while index < last:
        span = walk.spans[index]
        place = put_singular(
            walk, field, span.value - span.tag_size, span.value, end, depth, walk.out.begin + begun
        )
        if place == NULL:
            return NULL
        index += 1
    return place


cdef inline bint is_closed(const Field* field) noexcept nogil:
    return field.kind == ENUM and field.enum.is_closed


cdef uchar* put_joined(
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
        span = walk.spans[index]
        place = put_elements(
            walk, field, span.wire_type, span.value - span.tag_size, span.value, end, depth, place
        )
        if place == NULL:
            return NULL
        index += 1
    return close_list(walk, field, opened, begun, place)


cdef uchar* put_joined_map(
    Walk* walk, Field* field, size_t index, size_t last, Place end, int depth, uchar* place
) noexcept nogil:
    """All runs of a map as one object."""
    cdef MessageType* type = type_of(walk, field)
    cdef size_t first = walk.entry_count
    cdef Place at
    cdef size_t size
    if type == NULL or depth + 1 > MAX_DEPTH:
        return NULL
    while index < last:
        at = walk.spans[index].value
        if not read_length(&at, end, &size) or not read_entry(walk, type, at, at + size):
            return NULL
        index += 1
    place = put_key(walk, field, place)
    return REFUSED if place == NULL else put_entries(walk, type, first, depth + 1, place)


# --- well-known types ------------------------------------------------------------------------------------------------

cdef bint read_time(Walk* walk, Place at, Place end, int depth, int64_t* seconds, int64_t* nanos) noexcept nogil:
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


cdef uchar* put_timestamp(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
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


cdef uchar* put_duration(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
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


cdef uchar* put_wrapper(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
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
        return put_content(walk, field, end if value_at == NULL else value_at, size, depth, place)
    return put_number(walk, field, as_kind(field.kind, value), place)


cdef uchar* put_field_mask(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
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


cdef uchar* put_path(Place at, Place end, uchar* place) noexcept nogil:
    """A path in lowerCamelCase; NULL where it would not come back the same, or is not plain ASCII."""
    while at < end:
        if at[0] == c"_":
            at += 1
            if at == end or not c"a" <= at[0] <= c"z":
                return NULL
            place = put(place, at[0] - 32)
        elif at[0] < 32 or at[0] >= 0x80 or at[0] == c'"' or at[0] == c"\\" or c"A" <= at[0] <= c"Z":
            return NULL
        else:
            place = put(place, at[0])
        at += 1
    return place


cdef uchar* put_struct(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
    cdef MessageType* entry = type_of(walk, &type.fields[0])
    cdef size_t first = walk.entry_count
    cdef Place start
    cdef uint32_t tag
    cdef size_t size
    if entry == NULL or depth + 1 > MAX_DEPTH:
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


cdef uchar* put_list_value(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
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


cdef uchar* put_value(Walk* walk, MessageType* type, Place at, Place end, int depth, uchar* place) noexcept nogil:
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
        return put_content(walk, field, value_at, size, depth, place)
    return put_number(walk, field, as_kind(field.kind, value), place)


cdef uchar* put_any(Walk* walk, Place at, Place end, int depth, uchar* place) noexcept nogil:
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
    type = payload_type(walk, url, url_size)
    if type == NULL:
        return NULL
    return put_payload(walk, type, url, url_size, payload if payload_size else end, payload_size, depth + 1, place)


cdef uchar* put_payload(
    Walk* walk, MessageType* type, Place url, size_t url_size, Place at, size_t size, int depth, uchar* place
) noexcept nogil:
    cdef bint is_plain = type.form == PLAIN
    if depth > MAX_DEPTH:
        return NULL
    place = reserve(&walk.out, place, 9)
    if place == NULL:
        return NULL
    memcpy(place, b'{"@type":', 9)
    place = put_text(&walk.out, place + 9, url, url_size, walk.readable)
    if place == NULL:
        return NULL
    if is_plain:
        place = put_members(walk, type, at, at + size, 0, depth, place)
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


# --- the kernel ------------------------------------------------------------------------------------------------------

cdef extern from "<atomic>" namespace "std" nogil:
    cdef cppclass atomic_bool "std::atomic<bool>":
        bint exchange(bint value)
        void store(bint value)


cdef class WireToJson:
    """Writes messages of the types in `tables` (a `JsonTables`) as JSON.

    `unknown_bytes` counts those of the message written last. With `strict` all that has no form in JSON is left to
    the exact way, which refuses it.
    """

    cdef object _tables
    cdef list _types  # of _LoadedType or None, by index
    cdef dict _by_index
    cdef dict _enums
    cdef dict _payloads
    cdef object _raised
    cdef Walk _walk
    cdef atomic_bool _is_busy
    cdef readonly unsigned long long unknown_bytes

    def __cinit__(self):
        self._is_busy.store(False)
        self._walk.owner = <void*> self

    def __init__(self, tables, *, bint strict=False):
        self._tables = tables
        self._by_index = {}
        self._enums = {}
        self._payloads = {}
        self._walk.is_strict = strict

    def __dealloc__(self):
        free(self._walk.out.begin)
        free(self._walk.spans)
        free(self._walk.entries)

    def write(self, int index, bytes data not None):
        """The JSON of a message of the type with this index, or None where it is left to the exact way."""
        if self._is_busy.exchange(True):
            return None
        try:
            return self._write(index, data)
        finally:
            self._trim()
            self._is_busy.store(False)

    cdef object _write(self, int index, bytes data):
        cdef Place at = <Place> PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        cdef MessageType* type = self.load(index)
        cdef uchar* end = NULL
        if type != NULL and size >> 31 == 0:
            end = self._begin(at, size)
        if end != NULL and size >= RELEASE_SIZE:
            with nogil:
                end = put_message(&self._walk, type, at, at + size, 0, end)
        elif end != NULL:
            end = put_message(&self._walk, type, at, at + size, 0, end)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if end == NULL:
            return None
        self.unknown_bytes = self._walk.unknown
        return PyBytes_FromStringAndSize(<char*> self._walk.out.begin, end - self._walk.out.begin)

    cdef uchar* _begin(self, Place at, Py_ssize_t size) noexcept:
        """Makes the walk ready; the place to write at, or NULL where there is no memory."""
        cdef Walk* walk = &self._walk
        walk.readable = at + size
        walk.unknown = 0
        walk.span_count = walk.entry_count = 0
        walk.out.most = (<size_t> size + 4096) * MOST_GROWTH
        return reserve(&walk.out, walk.out.begin, 3 * size + 256)

    cdef void _trim(self) noexcept:
        """Gives back what a large message took."""
        cdef Walk* walk = &self._walk
        if walk.out.limit - walk.out.begin > <Py_ssize_t> KEPT_BUFFER:
            free(walk.out.begin)
            walk.out.begin = walk.out.limit = NULL
        if walk.span_room * sizeof(Span) > KEPT_BUFFER:
            free(walk.spans)
            walk.spans = NULL
            walk.span_room = 0
        if walk.entry_room * sizeof(Entry) > KEPT_BUFFER:
            free(walk.entries)
            walk.entries = NULL
            walk.entry_room = 0

    # --- what the walk asks for, in the middle of it: none of it may raise -------------------------------------------

    cdef MessageType* load(self, int index) noexcept:
        try:
            if index not in self._by_index:
                record = self._tables.type_record(index)
                self._by_index[index] = None if record is None else self._loaded(index, record)
            loaded = self._by_index[index]
            if loaded is None:
                return NULL
            return &(<_LoadedType> loaded).type
        except Exception:
            return NULL  # the exact way will tell
        except BaseException as raised:
            self._raised = raised
            return NULL

    cdef _LoadedType _loaded(self, int index, record):
        enums = [None if field.enum < 0 else self._enum(field.enum) for field in record.fields]
        return _LoadedType(index, record, enums)

    cdef _LoadedEnum _enum(self, int index):
        if index not in self._enums:
            self._enums[index] = _LoadedEnum(self._tables.enum_record(index))
        return self._enums[index]

    cdef MessageType* load_payload(self, bytes url) noexcept:
        """The type that an Any names. (Only types that there are are kept, so that urls cannot fill the memory.)"""
        try:
            index = self._payloads.get(url)
            if index is None:
                index = self._tables.payload_index(url)
                if index < 0:
                    return NULL
                if len(self._payloads) < 4096:
                    self._payloads[url] = index
            return self.load(index)
        except Exception:
            return NULL
        except BaseException as raised:
            self._raised = raised
            return NULL

    cdef bint has_extension(self, int index, int number) noexcept:
        try:
            return self._tables.has_extension(index, number)
        except Exception:
            return True
        except BaseException as raised:
            self._raised = raised
            return True


@cython.final
cdef class _LoadedEnum:
    cdef EnumTexts enum
    cdef list _kept

    def __cinit__(self, record):
        cdef int place
        ordered = sorted(record.texts.items())
        self._kept = [text + bytes(16) for _, text in ordered]
        self.enum.is_closed = record.is_closed
        self.enum.count = len(ordered)
        self.enum.numbers = <int32_t*> calloc(len(ordered) + 1, sizeof(int32_t))
        self.enum.texts = <Text*> calloc(len(ordered) + 1, sizeof(Text))
        if self.enum.numbers == NULL or self.enum.texts == NULL:
            raise MemoryError
        for place, (number, text) in enumerate(ordered):
            self.enum.numbers[place] = number
            set_text(&self.enum.texts[place], self._kept[place])
            if number == 0:
                self.enum.zero = place
            if number >= 0 and number == place - self.enum.zero and self.enum.numbers[self.enum.zero] == 0:
                self.enum.run = number + 1

    def __dealloc__(self):
        free(self.enum.numbers)
        free(self.enum.texts)


@cython.final
cdef class _LoadedType:
    cdef MessageType type
    cdef list _kept

    def __cinit__(self, int index, record, list enums):
        cdef int count = len(record.fields)
        cdef int defaults = len(record.defaults)
        if count > MAX_FIELDS:
            raise ValueError("too many fields")
        self.type.fields = <Field*> calloc(count + 1, sizeof(Field))
        self.type.defaults = <Text*> calloc(defaults + 1, sizeof(Text))
        if self.type.fields == NULL or self.type.defaults == NULL:
            raise MemoryError
        self._kept = [enums]
        self.type.index = index
        self.type.form = FORMS[record.form]
        self.type.is_extendable = record.is_extendable
        self.type.field_count = count
        self.type.default_count = defaults
        for place, text in enumerate(record.defaults):
            set_text(&self.type.defaults[place], self._padded(text))
        for place, (field, enum) in enumerate(zip(record.fields, enums, strict=True)):
            self._set_field(&self.type.fields[place], field, enum)
        self._index_fields()

    def __dealloc__(self):
        free(self.type.fields)
        free(self.type.defaults)
        free(self.type.direct)

    cdef bytes _padded(self, bytes text):
        padded = text + bytes(16)
        self._kept.append(padded)
        return padded

    cdef int _set_field(self, Field* field, record, enum) except -1:
        field.number = record.number
        field.kind = record.kind
        field.label = MAP if record.is_map else REPEATED if record.is_repeated else SINGULAR
        field.wire_type = wire_type_of(field.kind)
        field.is_packable = field.label == REPEATED and field.wire_type in (VARINT, I32, I64)
        field.is_implicit = field.label == SINGULAR and not record.has_presence
        field.is_extension = record.is_extension
        field.oneof = record.oneof
        field.default = record.default
        field.type_index = record.type
        set_text(&field.key, self._padded(record.key))
        if field.kind == ENUM:
            field.enum = &(<_LoadedEnum> enum).enum
        return 0

    cdef int _index_fields(self) except -1:
        cdef int place
        cdef uint32_t size = 0
        for place in range(self.type.field_count):
            if self.type.fields[place].number < MAX_DIRECT:
                size = self.type.fields[place].number + 1
        self.type.direct = <uint16_t*> calloc(size + 1, sizeof(uint16_t))
        if self.type.direct == NULL:
            raise MemoryError
        for place in range(self.type.field_count):
            if self.type.fields[place].number < size:
                self.type.direct[self.type.fields[place].number] = place + 1
        self.type.direct_size = size
        return 0


cdef uint8_t wire_type_of(uint8_t kind) noexcept:
    if kind in (DOUBLE, FIXED64, SFIXED64):
        return I64
    if kind in (FLOAT, FIXED32, SFIXED32):
        return I32
    if kind in (STRING, MESSAGE, BYTES):
        return LEN
    return SGROUP if kind == GROUP else VARINT


cdef void set_text(Text* text, bytes padded) noexcept:
    """`padded` has 16 bytes behind the text, and outlives it."""
    text.bytes = <uchar*> PyBytes_AS_STRING(padded)
    text.size = PyBytes_GET_SIZE(padded) - 16
