# What `http2_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)

from inspector.net.hpack_cy cimport HpackDecoder
from inspector.net.http2_frames_cy cimport FrameReader


cdef class Half:
    cdef bint known
    cdef FrameReader reader
    cdef HpackDecoder decoder
    cdef list block
    cdef object block_frame
    cdef long long block_size, table_limit


cdef class Http2Connection:
    cdef readonly str verdict
    cdef readonly int client
    cdef readonly bint is_tls, is_http1
    cdef object problem
    cdef bint _found, _late
    cdef list _held, _prefixes
    cdef long long _seen, _looks, _next_look
    cdef Half _first, _second

    cdef tuple decode_block(
        self, int direction, Half half, bint tells_client, bytes data, Py_ssize_t start, Py_ssize_t end,
        long long offset, long long packet
    )
    cdef Half ready_half(self, int direction)
    cdef Half _first_half(self, int direction, object event)
    cdef Half _set_half(self, int direction, bint known)
    cdef _feed_half(self, object event, list events)
    cdef _feed_frame(self, int direction, Half half, object frame, list events)
    cdef _begin_block(self, int direction, Half half, object frame, list events)
    cdef _continue_block(self, int direction, Half half, object frame, list events)
    cdef _end_block(self, int direction, Half half, object frame, bytes block, list events)
    cdef _learn_client(self, int direction, tuple fields)
