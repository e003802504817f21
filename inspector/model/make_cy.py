"""Makes the named tuples of the capture path.

A named tuple's own constructor is a Python function, and `tuple.__new__`, which goes round it, still packs and unpacks
its arguments. Compiled, this fills the new tuple directly: there are fifteen of them to a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if not TYPE_CHECKING and cython.compiled:
    from cython.cimports.cpython.ref import Py_INCREF
    from cython.cimports.cpython.tuple import PyTuple_SET_ITEM
    from cython.cimports.cpython.type import PyType_GenericAlloc

Record = TypeVar("Record", bound=tuple[Any, ...])


@cython.ccall
def make(kind: type[Record], values: tuple[Any, ...]) -> Record:
    """A record of that kind, a named tuple class, with these values: as many as it has fields, in their order."""
    if not cython.compiled:
        return tuple.__new__(kind, values)
    if not issubclass(kind, tuple):
        raise TypeError("records are named tuples")
    count: cython.Py_ssize_t = len(values)
    made = PyType_GenericAlloc(kind, count)  # type: ignore[name-defined]
    index: cython.Py_ssize_t
    for index in range(count):
        value = values[index]
        Py_INCREF(value)  # type: ignore[name-defined]  # the tuple takes over a reference
        PyTuple_SET_ITEM(made, index, value)  # type: ignore[name-defined]
    return made  # type: ignore[no-any-return]


if not cython.compiled:
    make = tuple.__new__  # type: ignore[assignment]  # the same, without a call between
