"""The user's cache folder: what took long to work out, kept from one process to the next as files of bytes.

It is `$INSPECTOR_CACHE`, else `inspector` in `$XDG_CACHE_HOME`, `~/.cache` or (macOS) `~/Library/Caches`; where
INSPECTOR_CACHE is empty or `off` there is none. Entries lie in it as KIND/KEY.cache, the oldest used are removed first.
`user_folder` tells what holds of it.
"""

from __future__ import annotations

from inspector.limits import MAX_CACHE_BYTES, MAX_CACHE_ENTRIES
from inspector.user_folder import Part, UserFolder

_CACHE = UserFolder("INSPECTOR_CACHE", "XDG_CACHE_HOME", "~/.cache", "~/Library/Caches", ".cache")

folder = _CACHE.place
path = _CACHE.path
read = _CACHE.read
forget = _CACHE.forget


def write(kind: str, key: str, *parts: Part) -> None:
    """Keeps an entry, whose bytes may come in several parts, in place of the one that was there. Then removes the
    oldest used where there are more than limits.MAX_CACHE_ENTRIES or MAX_CACHE_BYTES."""
    _CACHE.write(kind, key, parts, most_entries=MAX_CACHE_ENTRIES, most_bytes=MAX_CACHE_BYTES)
