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
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport SIZE_MAX, int32_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free

from inspector.transcode cimport printer_well_known
from inspector.transcode.grown cimport Grown
from inspector.transcode.json_output cimport drop, finish, reserve, uchar
from inspector.transcode.printer_messages cimport put_content, put_members
from inspector.transcode.printer_types cimport (
    ANY,
    BYTES,
    DOUBLE,
    DURATION,
    ENUM,
    EnumTexts,
    FIELD_MASK,
    FIXED32,
    FIXED64,
    FLOAT,
    Field,
    GROUP,
    LIST_VALUE,
    MAP,
    MAX_DIRECT,
    MAX_FIELDS,
    MESSAGE,
    MessageType,
    PLAIN,
    REPEATED,
    SFIXED32,
    SFIXED64,
    SINGULAR,
    STRING,
    STRUCT,
    TIMESTAMP,
    Text,
    VALUE,
    WRAPPER,
)
from inspector.transcode.printer_walk cimport Entry, Span, Walk
from inspector.transcode.printer_well_known cimport put_message
from inspector.transcode.wire_input cimport I32, I64, LEN, Place, SGROUP, VARINT

from inspector import limits
from inspector.transcode import json_tables, well_known

printer_well_known.FIRST_SECOND = well_known.FIRST_SECOND
printer_well_known.LAST_SECOND = well_known.LAST_SECOND
printer_well_known.LONGEST_DURATION = well_known.LONGEST_DURATION

cdef size_t MOST_GROWTH = limits.MAX_JSON_GROWTH
cdef size_t MOST_NOTED = limits.MAX_JSON_NOTES
cdef Py_ssize_t LONGEST_KEPT_URL = 256
cdef size_t KEPT_BUFFER = 1 << 20
cdef Py_ssize_t FIRST_GROWTH = 1 << 26
cdef Py_ssize_t RELEASE_SIZE = 4096

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


cdef MessageType* load_type(void* owner, int index) noexcept with gil:
    return (<WireToJson> owner).load(index)


cdef MessageType* load_payload(void* owner, const uchar* url, size_t size) noexcept with gil:
    return (<WireToJson> owner).load_payload(url[:size])


cdef bint has_extension(void* owner, int index, uint32_t number) noexcept with gil:
    return (<WireToJson> owner).has_extension(index, number)


cdef extern from "<atomic>" namespace "std" nogil:
    cdef cppclass atomic_bool "std::atomic<bool>":
        bint exchange(bint value)
        void store(bint value)


cdef class WireToJson:
    """Writes messages of the types in `tables` (a `JsonTables`) as JSON.

    `unknown_bytes` counts those of the message written last, `has_unseen` tells whether a character that does not show
    itself, or U+FFFD, may be in its text (False is sure). With `strict` all that has no form in JSON is left to
    the exact way, which refuses it.
    """

    cdef object _tables
    cdef list _types  # of _LoadedType or None, by index
    cdef dict _by_index
    cdef dict _enums
    cdef dict _payloads
    cdef object _raised
    cdef Walk _walk
    cdef Grown[Span] _spans
    cdef Grown[Entry] _entries
    cdef atomic_bool _is_busy
    cdef readonly unsigned long long unknown_bytes
    cdef readonly bint has_unseen
    cdef bint _has_unseen_names

    def __cinit__(self):
        self._is_busy.store(False)
        self._walk.owner = <void*> self
        self._walk.load = load_type
        self._walk.load_payload = load_payload
        self._walk.has_extension = has_extension
        self._walk.put_content = put_content
        self._walk.put_members = put_members
        self._walk.most_depth = limits.MAX_DEPTH
        self._walk.spans = &self._spans
        self._walk.entries = &self._entries

    def __init__(self, tables, *, bint strict=False):
        self._tables = tables
        self._by_index = {}
        self._enums = {}
        self._payloads = {}
        self._walk.is_strict = strict

    def __dealloc__(self):
        drop(&self._walk.out)

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
        self.has_unseen = self._walk.out.has_unseen
        return finish(&self._walk.out, end)

    cdef uchar* _begin(self, Place at, Py_ssize_t size) noexcept:
        """Makes the walk ready; the place to write at, or NULL where there is no memory."""
        cdef Walk* walk = &self._walk
        walk.readable = at + size
        walk.unknown = 0
        walk.out.has_unseen = self._has_unseen_names
        self._spans.size = self._entries.size = 0
        walk.gone_over = 0
        walk.most_gone_over = 8 * (<size_t> size + 8192)
        walk.most_noted = MOST_NOTED
        walk.out.most = min(<size_t> size + 4096, SIZE_MAX // 4 // MOST_GROWTH) * MOST_GROWTH
        return reserve(&walk.out, walk.out.begin, size + min(2 * size, FIRST_GROWTH) + 256)

    cdef void _trim(self) noexcept:
        """Gives back what a large message took."""
        cdef Walk* walk = &self._walk
        if walk.out.limit - walk.out.begin > <Py_ssize_t> KEPT_BUFFER:
            drop(&walk.out)
        self._spans.trim(KEPT_BUFFER // sizeof(Span))
        self._entries.trim(KEPT_BUFFER // sizeof(Entry))

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
        if not all(is_seen(field.key) for field in record.fields):
            self._has_unseen_names = self._walk.out.has_unseen = True
        return _LoadedType(index, record, enums)

    cdef _LoadedEnum _enum(self, int index):
        if index not in self._enums:
            record = self._tables.enum_record(index)
            if not all(map(is_seen, record.texts.values())):
                self._has_unseen_names = self._walk.out.has_unseen = True
            self._enums[index] = _LoadedEnum(record)
        return self._enums[index]

    cdef MessageType* load_payload(self, bytes url) noexcept:
        """The type that an Any names. (Only short names of types that there are are kept: they cannot fill the memory.)"""
        try:
            index = self._payloads.get(url)
            if index is None:
                index = self._tables.payload_index(url)
                if index < 0:
                    return NULL
                if len(self._payloads) < 4096 and len(url) <= LONGEST_KEPT_URL:
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


def is_seen(bytes text):
    """Whether a name is sure to hold no character that does not show itself."""
    return text.isascii() and b"\x7f" not in text


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
