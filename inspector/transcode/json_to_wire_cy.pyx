# cython: boundscheck=False, wraparound=False, cdivision=True
"""JSON text straight to the wire format, without a Python object for each field: the fast way of `encode`.

It follows ProtoJSON (https://protobuf.dev/programming-guides/json/) as `message_writers` does, and gives the same
bytes or none: whatever is not plainly right (an unknown key, a key twice, a number out of range, half of a surrogate
pair, two members of a oneof, messages nested over the limit) it does not judge. The exact path then reads the text
anew, and has the last word. That costs what was read so far, which is at most the text, once.

Fields are written in the order of the text. Where that is not the order of their numbers, they are put into it at the
end of the object that they stand in.

For threads: the interpreter's lock is released while a long text is read. An encoder may be used by several threads,
on free-threaded Python too; what is read belongs to the call, types are added under a lock and then stay as they are
(see `wire_types`).
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

cimport cython

from inspector.transcode.grown cimport Grown
from inspector.transcode.json_cursor cimport Cursor, at_byte, next_item, skip_space, take, take_plain, take_word
from inspector.transcode.json_scalars cimport is_zero, write_key, write_scalar
from inspector.transcode.json_well_known cimport write_mask, write_span
from inspector.transcode.wire_output cimport (
    Output, close_length, hinted, open_length, put_bytes, put_varint, set_hint, varint_size,
)
from inspector.transcode.wire_types cimport (
    ANY, DURATION, ENUM, Enum, Field, IMPLICIT, MAP, MASK, MESSAGE, Name, Names, OPAQUE, ORDINARY, PACKED, PADDING,
    PRESENT, REPEATED, SOLE, START_SIZE, STOP_SIZE, TIMESTAMP, Type, UNSUPPORTED, VALUE, hashed, is_set, read_name, set_flag,
)

from threading import RLock

from inspector.limits import MAX_DEPTH

cdef int _MAX_DEPTH = MAX_DEPTH

cdef Py_ssize_t _LONG_TEXT = 4096
"""Bytes from which on it pays to release the lock."""

cdef uint32_t _LONGEST_PROBE = 256
"""Names that may be in the way of one in a table. (Of a million names that nobody has chosen for it, less than 100 are.)"""

cdef size_t _FIRST_ROOM = 64 * 1024
"""Bytes that the output is given at first, at most: what follows in the text may be other messages."""


ctypedef void* Place


cdef extern from *:
    """
    #include <algorithm>

    /* Where a field stands in the output. */
    struct Piece {
        uint32_t order;
        size_t start, end;
        bool operator<(const Piece &other) const { return order < other.order; }
    };

    template <class Item> inline void sort_items(Item *items, size_t count) noexcept { std::sort(items, items + count); }

    /* What one call has to itself. */
    struct Walk {
        Cursor json;
        Output out;
        Grown<Piece> pieces;      /* fields of the objects that are open */
        Grown<uint64_t> keys;     /* hashes of the keys of the maps that are open */
        Grown<char> scratch;
        void *encoder;
    };
    """
    cdef struct Piece:
        uint32_t order
        size_t start
        size_t end

    void sort_items[Item](Item* items, size_t count) noexcept nogil

    cdef cppclass Walk:
        Cursor json
        Output out
        Grown[Piece] pieces
        Grown[uint64_t] keys
        Grown[char] scratch
        void* encoder


# --- messages ----------------------------------------------------------------------------------------------------

cdef bint write_body(Walk* walk, Type* type, int depth) noexcept nogil:
    """The content of a message that lies so deep."""
    if not is_set(&type.is_loaded):
        load(walk, type)
    if type.shape == ORDINARY:
        return take(&walk.json, b"{") and write_members(walk, type, depth, True)
    if type.shape == SOLE:
        return write_field(walk, &type.fields[0], depth)
    if type.shape == VALUE:
        return write_value(walk, type, depth)
    if type.shape == TIMESTAMP or type.shape == DURATION:
        return write_span(&walk.json, &walk.out, type, type.shape == TIMESTAMP)
    if type.shape == MASK:
        return write_mask(&walk.json, &walk.out, type)
    return type.shape == ANY and write_any(walk, type, depth)


cdef bint write_members(Walk* walk, Type* type, int depth, bint first) noexcept nogil:
    """The fields of an object that is open; `first` where none has been read of it."""
    cdef Cursor* json = &walk.json
    cdef size_t base = walk.pieces.size
    cdef uint32_t* hint = &type.first
    cdef uint32_t last = 0, required = 0
    cdef uint64_t oneofs = 0
    cdef bint ascending = True
    cdef int more = 1
    cdef int32_t found
    cdef Piece piece
    cdef const Field* field
    skip_space(json)
    if first and take(json, b"}"):
        more = 0
    while more:
        found = read_name(json, &type.names, hint)
        if found < 0:
            return False
        hint = &type.names.items[found].following
        field = &type.fields[type.names.items[found].value]
        skip_space(json)
        if not take(json, b":"):
            return False
        skip_space(json)
        piece.order, piece.start = field.order, walk.out.size
        if at_byte(json, b"n") and not field.takes_null:
            if not take_word(json, b"null", 4):
                return False
        elif not write_field(walk, field, depth):
            return False
        piece.end = walk.out.size
        if piece.end > piece.start:
            required += field.is_required
            if field.oneof >= 0:
                if oneofs >> field.oneof & 1:
                    return False
                oneofs |= 1ULL << field.oneof
        if not walk.pieces.push(piece):
            return False
        ascending = ascending and field.order > last
        last = field.order
        more = next_item(json, b"}")
        if more < 0:
            return False
    if required != type.required or not (ascending or put_in_order(walk, base)):
        return False
    walk.pieces.size = base
    return True


cdef bint put_in_order(Walk* walk, size_t base) noexcept nogil:
    """Moves the fields of an object to where their numbers have them. False where one is there twice."""
    cdef Piece* pieces = walk.pieces.items + base
    cdef size_t count = walk.pieces.size - base
    cdef size_t start = pieces[0].start
    cdef size_t size = walk.out.size - start
    cdef size_t index, at = 0
    if not walk.scratch.room(size + 1):  # so that it is somewhere, though nothing was written
        return False
    memcpy(walk.scratch.items, walk.out.items + start, size)
    sort_items(pieces, count)
    for index in range(count):
        if index and pieces[index].order == pieces[index - 1].order:
            return False
        size = pieces[index].end - pieces[index].start
        memcpy(walk.out.items + start + at, walk.scratch.items + pieces[index].start - start, size)
        at += size
    return True


cdef bint write_field(Walk* walk, const Field* field, int depth) noexcept nogil:
    """A field, from its value in JSON."""
    cdef Output* out = &walk.out
    cdef size_t start, value
    if field.form == IMPLICIT:
        start = out.size
        if field.kind == UNSUPPORTED or not put_start(out, field):
            return False
        value = out.size
        if not write_scalar(&walk.json, out, field):
            return False
        if is_zero(out.items + value, field):
            out.size = start
        return True
    if field.form == PRESENT:
        return write_one(walk, field, depth)
    if field.form == MAP:
        return write_map(walk, field, depth)
    return field.kind != UNSUPPORTED and write_list(walk, field, depth)


cdef inline bint put_start(Output* out, const Field* field) noexcept nogil:
    if not out.room(START_SIZE):
        return False
    memcpy(out.items + out.size, field.start, START_SIZE)
    out.size += field.start_size
    return True


cdef inline bint write_one(Walk* walk, const Field* field, int depth) noexcept nogil:
    """A value with its tag."""
    if field.kind == MESSAGE:
        return write_message(walk, field, depth)
    return field.kind != UNSUPPORTED and put_start(&walk.out, field) and write_scalar(&walk.json, &walk.out, field)


cdef inline bint close_field(Output* out, const Field* field, size_t content, size_t reserved) noexcept nogil:
    cdef size_t size = out.size - content
    if varint_size(size) != reserved:
        set_hint(<uint8_t*>&field.length_size, <uint8_t>varint_size(size))
    return close_length(out, content, reserved)


cdef bint write_message(Walk* walk, const Field* field, int depth) noexcept nogil:
    cdef Output* out = &walk.out
    cdef size_t reserved = hinted(&field.length_size) if field.has_length else 0
    cdef size_t content
    if depth >= _MAX_DEPTH or not put_start(out, field) or not open_length(out, reserved):
        return False
    content = out.size
    if not write_body(walk, field.type, depth + 1):
        return False
    if field.has_length and not close_field(out, field, content, reserved):
        return False
    return field.stop_size == 0 or put_bytes(out, field.stop, field.stop_size)


cdef bint write_list(Walk* walk, const Field* field, int depth) noexcept nogil:
    """An array, packed or not."""
    cdef Cursor* json = &walk.json
    cdef Output* out = &walk.out
    cdef size_t reserved = hinted(&field.length_size)
    cdef size_t content = 0
    cdef bint packed = field.form == PACKED
    cdef int more = 1
    if not take(json, b"["):
        return False
    skip_space(json)
    if take(json, b"]"):
        return True
    if packed:
        if not put_start(out, field) or not open_length(out, reserved):
            return False
        content = out.size
    while more > 0:
        if not (write_scalar(json, out, field) if packed else write_one(walk, field, depth)):
            return False
        more = next_item(json, b"]")
    return more == 0 and (not packed or close_field(out, field, content, reserved))


# --- maps --------------------------------------------------------------------------------------------------------

cdef bint write_map(Walk* walk, const Field* field, int depth) noexcept nogil:
    """An object of keys and values, in its order."""
    cdef Cursor* json = &walk.json
    cdef size_t base = walk.keys.size
    cdef int more = 1
    if not take(json, b"{"):
        return False
    skip_space(json)
    if take(json, b"}"):
        return True
    if depth >= _MAX_DEPTH or field.kind == UNSUPPORTED:
        return False
    while more > 0:
        if not write_entry(walk, field, depth + 1):
            return False
        more = next_item(json, b"}")
    return more == 0 and are_different(walk, base)


cdef inline bint write_entry(Walk* walk, const Field* field, int depth) noexcept nogil:
    cdef Cursor* json = &walk.json
    cdef Output* out = &walk.out
    cdef size_t reserved = hinted(&field.length_size)
    cdef size_t content, key
    if not put_start(out, field) or not open_length(out, reserved):
        return False
    content = out.size
    if not put_start(out, field.key):
        return False
    key = out.size
    if not write_key(json, out, field.key) or not walk.keys.push(hashed(out.items + key, out.size - key)):
        return False
    skip_space(json)
    if not take(json, b":"):
        return False
    skip_space(json)
    return write_one(walk, field.value, depth) and close_field(out, field, content, reserved)


cdef bint are_different(Walk* walk, size_t base) noexcept nogil:
    """Whether the keys of a map differ, which is sure where their hashes do."""
    cdef uint64_t* keys = walk.keys.items + base
    cdef size_t count = walk.keys.size - base
    cdef size_t index
    sort_items(keys, count)
    for index in range(1, count):
        if keys[index] == keys[index - 1]:
            return False
    walk.keys.size = base
    return True


# --- Value, Any --------------------------------------------------------------------------------------------------

cdef bint write_value(Walk* walk, Type* type, int depth) noexcept nogil:
    """A google.protobuf.Value: the field that the JSON value asks for."""
    cdef Cursor* json = &walk.json
    cdef char byte
    cdef int index
    if json.at >= json.end:
        return False
    byte = json.at[0]
    if byte == b'"':
        index = 2
    elif byte == b"{":
        index = 4
    elif byte == b"[":
        index = 5
    elif byte == b"t" or byte == b"f":
        index = 3
    else:
        index = 0 if byte == b"n" else 1
    return write_field(walk, &type.fields[index], depth)


cdef bint write_any(Walk* walk, Type* type, int depth) noexcept nogil:
    """A google.protobuf.Any that begins with the name of its type, if the schema has it."""
    cdef Cursor* json = &walk.json
    cdef Output* out = &walk.out
    cdef const Field* content_field = &type.fields[1]
    cdef const char* url
    cdef size_t size, reserved, content, start
    cdef Type* inner
    if depth >= _MAX_DEPTH or not take(json, b"{"):
        return False
    skip_space(json)
    if take(json, b"}"):
        return True
    if not take_word(json, b'"@type"', 7):
        return False
    skip_space(json)
    if not take(json, b":"):
        return False
    skip_space(json)
    if not take_plain(json, &url, &size) or size == 0:
        return False
    inner = find_type(walk, url, size)
    if inner == NULL or not (put_start(out, &type.fields[0]) and put_varint(out, size) and put_bytes(out, url, size)):
        return False
    start = out.size
    reserved = hinted(&content_field.length_size)
    if not put_start(out, content_field) or not open_length(out, reserved):
        return False
    content = out.size
    if not write_content(walk, inner, depth + 1):
        return False
    if out.size == content:
        out.size = start
        return True
    return close_field(out, content_field, content, reserved)


cdef bint write_content(Walk* walk, Type* type, int depth) noexcept nogil:
    """What follows the name of the type in an Any: its fields, or the field `value` of a type with its own form."""
    cdef Cursor* json = &walk.json
    cdef int more = next_item(json, b"}")
    if not is_set(&type.is_loaded):
        load(walk, type)
    if type.shape == ORDINARY:
        if more == 0:
            return type.required == 0
        return more == 1 and write_members(walk, type, depth, False)
    if more != 1 or not take_word(json, b'"value"', 7):
        return False
    skip_space(json)
    if not take(json, b":"):
        return False
    skip_space(json)
    return write_body(walk, type, depth) and next_item(json, b"}") == 0


# --- types -------------------------------------------------------------------------------------------------------

cdef void load(Walk* walk, Type* type) noexcept with gil:
    """Makes the table of a type that is met for the first time."""
    (<WireEncoder>walk.encoder).load(type)


cdef Type* find_type(Walk* walk, const char* url, size_t size) noexcept with gil:
    """The type that the URL in an Any names; NULL where the schema has none."""
    return (<WireEncoder>walk.encoder).find_type(url[:size])


cdef void free_names(Names* names) noexcept:
    free(names.items)
    free(names.slots)
    free(names.texts)


cdef void free_field(Field* field) noexcept:
    """What a field has to itself."""
    if field.enum != NULL:
        free_names(&field.enum.names)
        free(field.enum.numbers)
        free(field.enum)
    if field.key != NULL:
        free_field(field.key)
        free(field.key)
    if field.value != NULL:
        free_field(field.value)
        free(field.value)


cdef void free_type(Type* type) noexcept:
    cdef uint32_t index
    for index in range(type.count):
        free_field(&type.fields[index])
    free(type.fields)
    free_names(&type.names)
    free(type)


cdef void* cleared(size_t count, size_t size) except NULL:
    cdef void* made = calloc(count if count else 1, size)
    if made == NULL:
        raise MemoryError
    return made


cdef int fill_names(Names* names, list rows) except -1:
    """Rows of a name and a number. The name that follows in the list is expected to follow in texts. Raises ValueError
    for names that were chosen to meet in the table."""
    cdef uint32_t slots = 4
    cdef uint32_t index, slot, probes
    cdef char* text
    cdef bytes name
    cdef Name* item
    while slots < 2 * <uint32_t>len(rows):
        slots *= 2
    names.items = <Name*>cleared(len(rows), sizeof(Name))
    names.slots = <int32_t*>cleared(slots, sizeof(int32_t))
    names.texts = text = <char*>cleared(sum([len(name) + 1 + PADDING for name, _ in rows]), 1)
    names.mask = slots - 1
    for index in range(slots):
        names.slots[index] = -1
    for index in range(len(rows)):
        name = rows[index][0]
        item = &names.items[index]
        item.text = text
        item.size = len(name) + 1
        item.hash = hashed(PyBytes_AS_STRING(name), len(name))
        item.value = rows[index][1]
        item.following = index + 1
        memcpy(text, PyBytes_AS_STRING(name), len(name))
        text[len(name)] = b'"'
        text += item.size + PADDING
        slot = <uint32_t>item.hash & names.mask
        probes = 0
        while names.slots[slot] >= 0:
            slot = (slot + 1) & names.mask
            probes += 1
            if probes > _LONGEST_PROBE:
                raise ValueError("names of which too many have the same hash")
        names.slots[slot] = index
    names.count = len(rows)
    return 0


cdef int fill_enum(Enum* enum, object row) except -1:
    cdef uint32_t index
    fill_names(&enum.names, list(row.names.items()))
    enum.is_null = row.is_null
    enum.is_closed = row.closed is not None
    if row.closed is not None:
        enum.numbers = <int32_t*>cleared(len(row.closed), sizeof(int32_t))
        for index in range(len(row.closed)):
            enum.numbers[index] = row.closed[index]
        enum.count = len(row.closed)
    return 0


@cython.final
cdef class WireEncoder:
    """Types of a schema, loaded when they are first met, and what writes messages of them."""

    cdef object _describe
    cdef object _find
    cdef object _lock  # of threads that load types
    cdef dict _places  # types by descriptor, as numbers
    cdef object _interrupt
    cdef Grown[Place] _types

    def __cinit__(self, describe, find):
        self._describe = describe
        self._find = find
        self._lock = RLock()
        self._places = {}

    def __dealloc__(self):
        cdef size_t index
        for index in range(self._types.size):
            free_type(<Type*>self._types.items[index])

    def read(self, descriptor, bytes text not None, Py_ssize_t start=0):
        """The message that the JSON document at an offset stands for, and the offset of what follows behind it and
        white space. None where the exact path has to look."""
        cdef Walk walk
        cdef Type* type = self.type_of(descriptor)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(text)
        cdef bint written
        if not 0 <= start <= size:
            raise ValueError("an offset outside of the text")
        walk.encoder = <void*>self
        walk.json.at = PyBytes_AS_STRING(text) + start
        walk.json.end = PyBytes_AS_STRING(text) + size
        if size - start > _LONG_TEXT:
            with nogil:
                written = write_document(&walk, type)
        else:
            written = write_document(&walk, type)
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt
        if not written:
            return None
        return (
            PyBytes_FromStringAndSize(walk.out.items, walk.out.size),
            walk.json.at - <const char*>PyBytes_AS_STRING(text),
        )

    cdef Type* type_of(self, descriptor) except NULL:
        """The place of a type, loaded or not."""
        cdef Type* type
        place = self._places.get(descriptor)
        if place is not None:
            return <Type*><size_t>place
        with self._lock:
            place = self._places.get(descriptor)
            if place is not None:
                return <Type*><size_t>place
            type = <Type*>cleared(1, sizeof(Type))
            if not self._types.push(type):
                free(type)
                raise MemoryError
            type.descriptor = <void*>descriptor  # kept by the key
            self._places[descriptor] = <size_t>type
        return type

    cdef void load(self, Type* type) noexcept:
        try:
            row = self._describe(<object>type.descriptor)
            with self._lock:
                if not is_set(&type.is_loaded):
                    self.fill(type, row)
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError, MemoryError):
            type.shape = OPAQUE  # damaged, as the exact path finds out
            set_flag(&type.is_loaded)
        except BaseException as error:
            self._interrupt = error

    cdef Type* find_type(self, bytes url) noexcept:
        try:
            descriptor = self._find(url.decode().rpartition("/")[2])
            if descriptor is not None:
                return self.type_of(descriptor)
        except BaseException as error:
            self._interrupt = error
        return NULL

    cdef int fill(self, Type* type, row) except -1:
        cdef uint32_t index
        type.fields = <Field*>cleared(len(row.fields), sizeof(Field))
        type.count = len(row.fields)
        type.required = 0  # an interrupt may have ended an earlier attempt
        for index in range(type.count):
            self.fill_field(&type.fields[index], row.fields[index])
            type.required += type.fields[index].is_required
        fill_names(&type.names, row.names)
        type.shape = row.shape
        set_flag(&type.is_loaded)
        return 0

    cdef int fill_field(self, Field* field, row) except -1:
        cdef bytes start = row.start, stop = row.stop
        field.order, field.kind, field.form = row.order, row.kind, row.form
        if len(start) > START_SIZE or len(stop) > STOP_SIZE:
            raise ValueError("a tag of so many bytes")
        memcpy(field.start, PyBytes_AS_STRING(start), len(start))
        memcpy(field.stop, PyBytes_AS_STRING(stop), len(stop))
        field.start_size, field.stop_size = len(start), len(stop)
        field.has_length, field.width, field.length_size = row.has_length, row.width, 1
        field.oneof, field.takes_null, field.is_required = row.oneof, row.takes_null, row.is_required
        if row.message is not None:
            field.type = self.type_of(row.message)
        if row.enum is not None:
            field.enum = <Enum*>cleared(1, sizeof(Enum))
            fill_enum(field.enum, row.enum)
        if row.key is not None:
            field.key = <Field*>cleared(1, sizeof(Field))
            field.value = <Field*>cleared(1, sizeof(Field))
            self.fill_field(field.key, row.key)
            self.fill_field(field.value, row.value)
        return 0


cdef bint write_document(Walk* walk, Type* type) noexcept nogil:
    cdef size_t likely = <size_t>(walk.json.end - walk.json.at) // 2 + 64
    if not walk.out.room(likely if likely < _FIRST_ROOM else _FIRST_ROOM):
        return False
    skip_space(&walk.json)
    if not write_body(walk, type, 0):
        return False
    skip_space(&walk.json)
    return True
