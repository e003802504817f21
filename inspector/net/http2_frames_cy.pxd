# What `http2_frames_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)


cdef class FrameReader:
    cdef object _buffer, _finder, _direction, _stream, _missing
    cdef bint _holds, _end_stream, _start
    cdef Py_ssize_t _longest, _left

    cdef bint is_between_frames(self) noexcept
    cdef object _read(self, object chunk, list events)
    cdef Py_ssize_t _read_data(
        self, int direction, bytes data, Py_ssize_t at, long long offset, long long packet, object time, list events
    )
    cdef _emit_data(self, bytes data, long long offset, long long packet, object time, list events)
