"""What the kernels use of the `cython` module, doing nothing: for an interpreter where Cython is not installed.

Type checkers read this module instead of the real one (which is not typed), so a C type is the Python type that it
stands for. Extend it when a kernel needs more.
"""

from __future__ import annotations

import builtins
import typing
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

compiled: bool = False

# One name to a line: only so does mypy take them for types.
bint = builtins.bool
char = builtins.int
uchar = builtins.int
short = builtins.int
ushort = builtins.int
int = builtins.int
uint = builtins.int
long = builtins.int
ulong = builtins.int
longlong = builtins.int
ulonglong = builtins.int
Py_ssize_t = builtins.int
size_t = builtins.int
double = builtins.float
p_char = builtins.bytes
p_uchar = builtins.bytes


def _same(item: _T) -> _T:
    return item


cclass = _same
cfunc = _same
ccall = _same
final = _same
inline = _same


def _switch(_value: bool) -> Callable[[_T], _T]:
    return _same


boundscheck = _switch
wraparound = _switch
cdivision = _switch
initializedcheck = _switch


def freelist(_count: int) -> Callable[[_T], _T]:
    return _same


def locals(**_types: Any) -> Callable[[_T], _T]:
    return _same


def returns(_type: Any) -> Callable[[_T], _T]:
    return _same


def exceptval(_value: Any = None, *, check: bool = True) -> Callable[[_T], _T]:
    return _same


def declare(_type: type[_T], value: Any = None, *, visibility: str = "private") -> _T:
    """At module level a C variable with its value; in the body of a `cclass` an attribute that Python may see."""
    return typing.cast(_T, value)


def cast(_type: type[_T], value: Any) -> _T:
    """In C an unchecked view of `value` as the type, here the value itself."""
    return value  # type: ignore[no-any-return]
