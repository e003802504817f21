# What `tcp_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)


cdef class Side:
    cdef bint seen, started, absent, referenced, answered
    cdef str closed
    cdef object initial
    cdef long long seq, next, origin, held_bytes, acked, waived, moved, moved_to, strays_start, strays_end
    cdef int strays
    cdef list pending

    cdef long long position(self, long long seq) noexcept
    cdef start(self, long long seq)
    cdef advance(self, long long count)
    cdef bint is_ahead(self, long long ack) noexcept


cdef class Connection:
    cdef bytes flow
    cdef Side first, second
    cdef int client
    cdef bint mid
    cdef long long number, touched, clock

    cdef Side side(self, int direction)


cdef class Flow:
    cdef Connection connection
    cdef int direction
    cdef long long offset


cdef class TcpReassembler:
    cdef dict _flows, _half_open, _live
    cdef long long _count, _held_bytes

    cdef Flow take_next(self, bytes name, long long seq, long long ack, int flags, long long size, long long packet)
    cdef _hold(self, Connection connection, int direction, object segment, list events)
    cdef bint _is_restart(self, Side side, long long position, long long end)
    cdef _count_held(self, Side side, object segment, int sign)
    cdef _advance(self, Connection connection, list events)
    cdef Py_ssize_t _ready(self, Side side, Side other)
    cdef _emit(self, Connection connection, int direction, Py_ssize_t index, list events)
    cdef _announce(self, Connection connection, long long packet, object time, list events)
    cdef _gap(self, Connection connection, int direction, long long end, object cause, list events)
    cdef _give_up_overdue(self, Connection connection, list events)
    cdef _tell_lost(self, Connection connection, int direction, long long packet, list events)
    cdef bint _is_overdue(self, Connection connection, int direction)
    cdef _skip(self, Connection connection, list events)
    cdef bint _is_stray(self, Connection connection, Side side)
