"""Message types as the kernel from wire to JSON has them: what `json_tables` tells of them, laid out for C.

Invariant: once loaded a type does not change, save for what is only a hint: whether its fields come in order, and the
types of its fields, which are the same whenever they are set.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

from inspector.transcode.json_output cimport uchar


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


cdef inline const Text* find_text(const EnumTexts* enum, int32_t number) noexcept nogil:
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


cdef inline bint is_closed(const Field* field) noexcept nogil:
    return field.kind == ENUM and field.enum.is_closed
