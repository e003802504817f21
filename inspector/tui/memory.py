"""What the allocator does with large pieces of memory."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of glibc's mallopt."""

LARGE = 256 * 1024
"""Bytes from which on a piece goes back to the system when it is let go."""


def give_back_large() -> None:
    """Has large pieces go back to the system at once. glibc keeps pieces of a size that was let go before, up to 32 MB:
    lists of a million calls that grow in several threads then leave holes, which took as much as the lists."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another library of C, which has no such thing
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)
