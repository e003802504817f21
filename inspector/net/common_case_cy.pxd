# What `common_case_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)


cdef class SegmentReader:
    cdef readonly bytes flow
    cdef readonly long long seq, ack
    cdef readonly int flags
    cdef readonly Py_ssize_t start, end

    cpdef bint read(self, int link_type, bytes data)
