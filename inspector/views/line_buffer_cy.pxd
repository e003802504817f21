# What `line_buffer_cy.py` shares with other kernels, as C sees it. (What the attributes mean is told there.)


cdef extern from "Python.h":
    Py_UCS4 PyUnicode_MAX_CHAR_VALUE(object text)


cdef class LineBuffer:
    cdef bytearray _text
    cdef char *_target
    cdef Py_ssize_t size, _room
    cdef long long _second
    cdef bytes _second_text

    cdef bytearray text(self)
    cdef _grow(self, Py_ssize_t count)
    cdef put(self, bytes piece)
    cdef put_again(self, Py_ssize_t start, Py_ssize_t end)
    cdef put_text(self, str value)
    cdef bint put_plain(self, bytes before, str value, bytes after)
    cdef put_safe(self, bytes json)
    cdef put_digits(self, long long number, Py_ssize_t count)
    cdef put_number(self, long long number)
    cdef put_time(self, object nanoseconds)
    cdef put_seconds(self, object nanoseconds)
