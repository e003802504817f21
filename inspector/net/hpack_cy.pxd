# What `hpack_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)


cdef class Entry:
    cdef tuple field
    cdef Py_ssize_t name_size, size
    cdef bint is_used


cdef class HpackDecoder:
    cdef readonly Py_ssize_t unknown
    cdef readonly bint truncated, has_octets
    cdef list _entries, _fields
    cdef Py_ssize_t _first, _held, _capacity, _limit, _start, _end, _at, _room, _octets
    cdef bint _complete
    cdef dict _known, _kept
    cdef long long _changes
    cdef bytes _block
    cdef bytearray _scratch

    cdef tuple decode_part(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    cdef tuple _decode(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    cdef _change(self)
    cdef _representation(self, Py_ssize_t octet)
    cdef _indexed(self)
    cdef Entry _literal(self, Py_ssize_t prefix)
    cdef _resize(self)
    cdef _emit(self, Entry entry)
    cdef Entry _entry(self, Py_ssize_t index)
    cdef _insert(self, Entry entry)
    cdef _evict(self)
    cdef Py_ssize_t _integer(self, Py_ssize_t prefix)
    cdef Py_ssize_t _long_integer(self, Py_ssize_t value)
    cdef str _string(self)
    cdef bytes _huffman(self, Py_ssize_t at, Py_ssize_t end)
    cdef list _release(self)
    cdef _damaged(self, str code, str message)
