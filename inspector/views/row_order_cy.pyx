# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rows in the order of their keys, a million in some 50 ms, and without the GIL: screens go on meanwhile.

Threads: functions without state. What they are given must not change its size meanwhile, which buffers in use do not.

Invariant: each row is below the number of keys, which is looked at before anything is sorted.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef struct Entry:
    uint64_t key
    uint32_t row

cdef enum:
    DIGITS = 8  # of a key, a byte each


def sort_rows(const int64_t[::1] keys, uint32_t[::1] rows, bint descending):
    """Sorts rows in place; those of equal keys stay as they stand. Raises IndexError for a row without a key."""
    cdef Py_ssize_t count = rows.shape[0]
    _check(keys, rows)
    if count < 2:
        return
    cdef Entry* entries = <Entry*>malloc(2 * count * sizeof(Entry))
    if entries == NULL:
        raise MemoryError
    with nogil:
        _load(&keys[0], &rows[0], count, descending, entries)
        _sort(entries, entries + count, count, &rows[0])
    free(entries)


def merge_rows(
    const int64_t[::1] keys, const uint32_t[::1] first, const uint32_t[::1] second, uint32_t[::1] out, bint descending
):
    """Merges two runs of rows that are sorted into `out`; of equal keys those of the first run come first. Raises
    IndexError for a row without a key, or where `out` is not as long as both."""
    _check(keys, first)
    _check(keys, second)
    if out.shape[0] != first.shape[0] + second.shape[0]:
        raise IndexError("there is no room for both")
    with nogil:
        _merge(keys, first, second, out, descending)


cdef void _check(const int64_t[::1] keys, const uint32_t[::1] rows) except *:
    cdef Py_ssize_t at
    cdef uint32_t most = 0
    with nogil:
        for at in range(rows.shape[0]):
            if rows[at] > most:
                most = rows[at]
    if rows.shape[0] and most >= keys.shape[0]:
        raise IndexError("a row has no key")


cdef inline uint64_t _ordered(int64_t key, bint descending) noexcept nogil:
    """A key as a number without a sign that comes in the same order, or in the opposite one."""
    cdef uint64_t bits = <uint64_t>key ^ (<uint64_t>1 << 63)
    return ~bits if descending else bits


cdef void _load(
    const int64_t* keys, const uint32_t* rows, Py_ssize_t count, bint descending, Entry* entries
) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(count):
        entries[at].key = _ordered(keys[rows[at]], descending)
        entries[at].row = rows[at]


cdef void _sort(Entry* entries, Entry* other, Py_ssize_t count, uint32_t* out) noexcept nogil:
    """Sorts by one digit after the other, the last first; a digit that all keys share is passed over."""
    cdef Py_ssize_t[256] starts
    cdef Py_ssize_t at, sum, size
    cdef int digit, value
    cdef Entry* spare
    for digit in range(DIGITS):
        memset(starts, 0, sizeof(starts))
        for at in range(count):
            starts[entries[at].key >> 8 * digit & 0xFF] += 1
        if starts[entries[0].key >> 8 * digit & 0xFF] == count:
            continue
        sum = 0
        for value in range(256):
            size = starts[value]
            starts[value] = sum
            sum += size
        for at in range(count):
            value = entries[at].key >> 8 * digit & 0xFF
            other[starts[value]] = entries[at]
            starts[value] += 1
        spare = entries
        entries = other
        other = spare
    for at in range(count):
        out[at] = entries[at].row


cdef void _merge(
    const int64_t[::1] keys, const uint32_t[::1] first, const uint32_t[::1] second, uint32_t[::1] out, bint descending
) noexcept nogil:
    cdef Py_ssize_t left = 0, right = 0, at
    for at in range(out.shape[0]):
        if right == second.shape[0] or (
            left < first.shape[0]
            and _ordered(keys[first[left]], descending) <= _ordered(keys[second[right]], descending)
        ):
            out[at] = first[left]
            left += 1
        else:
            out[at] = second[right]
            right += 1
