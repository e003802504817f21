"""Which calls and messages are wanted."""

from __future__ import annotations

from fnmatch import fnmatchcase


class Selection:
    """By call number and by a glob over the method."""

    def __init__(self, call: int | None = None, method: str | None = None) -> None:
        self._call = call
        self._method = method.removeprefix("/") if method is not None else None
        self.taken = 0
        """How many were taken so far."""

    def takes(self, call: int, method: str | None) -> bool:
        """Whether a message of this call and method is wanted."""
        if self._call is not None and call != self._call:
            return False
        if self._method is not None and not matches(self._method, method):
            return False
        self.taken += 1
        return True

    def describe(self) -> str:
        """What is wanted, in words; empty where that is everything."""
        parts = [
            f"call {self._call}" if self._call is not None else "",
            f"a method like {self._method}" if self._method is not None else "",
        ]
        return " and ".join(filter(None, parts))


def matches(glob: str, method: str | None) -> bool:
    """Whether a method (`/pkg.Svc/Method`) is of the form that a user wrote: with a slash or with dots only, whole or
    from any of its names on (`Svc/Method`, `Method`)."""
    if method is None:
        return False
    name = method.removeprefix("/")
    dotted = name.replace("/", ".")
    return any((fnmatchcase(name, glob), fnmatchcase(dotted, glob), fnmatchcase(dotted, f"*.{glob.replace('/', '.')}")))
