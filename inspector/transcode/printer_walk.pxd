"""The state of a walk from wire to JSON, and how its parts reach what stands above them.

Parts that are nested (a map in a message, a message in a map) need each other, and files need each other in one
direction only: so the way up is by the pointers in `Walk`.

Invariant: `entries` and `spans` are stacks; who pushes pops, where the whole walk is not given up.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from inspector.transcode.grown cimport Grown
from inspector.transcode.json_output cimport Output, put, reserve, uchar
from inspector.transcode.printer_types cimport Field, MessageType
from inspector.transcode.wire_input cimport Place, skip_value


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
    size_t gone_over  # bytes gone over once more, as fields were out of order
    size_t most_gone_over
    size_t most_noted  # bytes of `spans`, and of `entries`
    int most_depth
    bint is_strict
    Grown[Span]* spans
    Grown[Entry]* entries
    void* owner
    MessageType* (*load)(void* owner, int index) noexcept nogil
    MessageType* (*load_payload)(void* owner, const uchar* url, size_t size) noexcept nogil
    bint (*has_extension)(void* owner, int index, uint32_t number) noexcept nogil
    uchar* (*put_content)(Walk* walk, Field* field, Place at, size_t size, int depth, uchar* place) noexcept nogil
    uchar* (*put_members)(
        Walk* walk, MessageType* type, Place at, Place end, uint32_t group, int depth, uchar* place
    ) noexcept nogil


cdef inline MessageType* type_of(Walk* walk, Field* field) noexcept nogil:
    """The type of a field's messages, loaded when it is first needed; NULL where it is not for the kernel."""
    if field.type == NULL:
        field.type = walk.load(walk.owner, field.type_index)
    return field.type


cdef inline bint go_over(Walk* walk, size_t size) noexcept nogil:
    """Counts bytes that are gone over once more. False where they are out of proportion: each level of messages that
    nest may go over all that is in it."""
    walk.gone_over += size
    return walk.gone_over <= walk.most_gone_over


cdef inline bint note_span(Walk* walk, Span span) noexcept nogil:
    """Keeps a field in mind. False where that takes too much memory."""
    return walk.spans.size * sizeof(Span) < walk.most_noted and walk.spans.push(span)


cdef inline bint note_entry(Walk* walk, Entry entry) noexcept nogil:
    """The same of an entry of a map."""
    return walk.entries.size * sizeof(Entry) < walk.most_noted and walk.entries.push(entry)


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


cdef inline bint skip_unknown(Walk* walk, Place start, Place* at, Place end, uint32_t tag, int depth) noexcept nogil:
    """Counts a field that the type does not have."""
    if not skip_value(at, end, tag, walk.most_depth - depth):
        return False
    walk.unknown += at[0] - start
    return True
