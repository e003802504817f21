# What `calls_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)

from inspector.net.http2_cy cimport Half, Http2Connection


cdef class CallCounter:
    cdef readonly long long calls, held, other_streams
    cdef long long _compressed, _decompressed, _at_once


cdef class _Way:
    cdef tuple headers
    cdef object encoding, deframer, foreign
    cdef long long count, size, held
    cdef bint ended, lost


cdef class _OpenCall:
    cdef object started, method, authority, deadline, status, ended_at, foreign
    cdef long long number, stream, http_status
    cdef str protocol
    cdef bint may_be_reset
    cdef bint late, knows_deadline, is_grpc, hides_status
    cdef tuple trailers
    cdef _Way first, second
    cdef list problems
    cdef long long more_problems, unknown_fields

    cdef _Way way(self, int direction)


cdef class _Asked:
    cdef tuple fields
    cdef object method, authority, deadline, encoding
    cdef str protocol
    cdef bint is_grpc
    cdef Py_ssize_t timeout_at

    cdef take(self, _OpenCall call, _Way way)
    cdef bint give(self, _OpenCall call, _Way way, tuple fields)


cdef class ConnectionCalls:
    cdef readonly int sides_ended
    cdef _Asked _asked
    cdef _OpenCall _recent
    cdef tuple _answered, _ok_trailers
    cdef object _answered_encoding
    cdef long long _answered_status
    cdef object _connection, _last_accepted
    cdef list _closed_order
    cdef Py_ssize_t _closed_first
    cdef tuple _sides
    cdef Http2Connection _http2
    cdef CallCounter _counter
    cdef dict _open, _readable
    cdef set _closed
    cdef bint _with_messages
    cdef int _out_of_step

    cdef bint _is_request(self, int direction) noexcept
    cdef _Way _request(self, _OpenCall call)
    cdef _Way _response(self, _OpenCall call)
    cdef feed_part(
        self, int direction, long long offset, bytes data, Py_ssize_t start, Py_ssize_t end, long long packet,
        object time, list events
    )
    cdef Py_ssize_t _read_frames(
        self, Half half, int direction, long long base, bytes data, Py_ssize_t at, Py_ssize_t end,
        long long packet, object time, list events
    )
    cdef _feed_rare(self, object event, list events)
    cdef _feed_restart(self, object event, list events)
    cdef _feed_headers(self, object event, list events)
    cdef _take_headers(
        self, int direction, long long stream, tuple fields, bint end, long long unknown, object problem,
        long long packet, object time, list events
    )
    cdef _OpenCall _find(self, long long stream)
    cdef _OpenCall _begin(self, long long stream, object time, list events, bint late)
    cdef _number(self, _OpenCall call)
    cdef _take_request_headers(self, _OpenCall call, tuple fields, bint whole, long long packet)
    cdef _take_response_headers(self, _OpenCall call, tuple fields, bint whole, bint end, object time)
    cdef _take_trailers(self, _OpenCall call, tuple fields, object time, bint first)
    cdef _conclude_from_http(self, _OpenCall call)
    cdef _conclude_from_end(self, _OpenCall call, _Way response)
    cdef _feed_body(self, object event, list events)
    cdef _take_data(
        self, int direction, long long stream, bint ends, bytes data, Py_ssize_t start, Py_ssize_t end,
        long long offset, long long packet, object time, list events
    )
    cdef _OpenCall _call_of_data(self, int direction, long long stream, long long packet, object time, list events)
    cdef bint _has_messages(self, _OpenCall call, int direction)
    cdef _deframe(self, _OpenCall call, int direction, object event, list events)
    cdef bint _take_whole(
        self, _OpenCall call, int direction, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset,
        long long packet, object time, list events
    )
    cdef _account(self, _Way way, object deframer, long long packet)
    cdef _take_message(self, _OpenCall call, int direction, object raw, list events)
    cdef tuple _decompress(self, str encoding, object raw)
    cdef _take_trailer_frame(self, _OpenCall call, int direction, _Way way, object raw)
    cdef _end_way(self, _OpenCall call, int direction, long long packet, object time, list events)
    cdef _flush_way(self, _OpenCall call, int direction, long long packet, object time, str why, list events)
    cdef _drop_deframer(self, _Way way)
    cdef _feed_reset(self, object event, list events)
    cdef bint _is_refused(self, _OpenCall call)
    cdef _feed_end(self, object event, list events)
    cdef _feed_loss(self, object event, list events)
    cdef _finish(self, _OpenCall call, long long packet, object time, list events, str why=*)
    cdef _remember_closed(self, long long stream)
    cdef object _call_record(self, _OpenCall call)
