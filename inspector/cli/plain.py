"""`inspector convert FILE.binpb -s SET -t TYPE`, perhaps with `--from binary` and `--to json`: the plainest form of it.

Half of the time of such a run is loading click and the Python part of the protobuf runtime, which are needed where
there is something to tell. So it is tried without both: where command line, schema and message are plain there is a
text, and in all other cases None, nothing is written, and the run begins in the usual way.

Invariant: a text is that of the usual way, which would say nothing else.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence

from inspector import limits
from inspector.schema.plain_set import NotPlain, PlainSet

_OPTIONS = {
    "-s": "schema",
    "--schema": "schema",
    "--proto": "schema",
    "--protoset": "schema",
    "-t": "type",
    "--type": "type",
    "--from": "form",
    "--to": "to",
}

_SETS = (".binpb", ".protoset", ".desc", ".pb", ".bin")

_REPLACEMENT = "\ufffd".encode()


def plain_text(words: Sequence[str]) -> bytes | None:
    """The text of a plain run of `convert` with these arguments, without the end of its line."""
    if os.name != "posix" or "_INSPECTOR_COMPLETE" in os.environ:
        return None
    told = _told(words)
    if told is None or told.get("form", "binary") != "binary" or told.get("to", "json") != "json":
        return None
    if not told.keys() >= {"input", "schema", "type"} or sys.stdout is None or sys.stdout.isatty():
        return None
    try:
        return _converted(told, told["type"].removeprefix("."))
    except (NotPlain, OSError, ValueError, MemoryError):
        return None


def _told(words: Sequence[str]) -> dict[str, str] | None:
    """What each word is for; None where that takes more than to look it up."""
    told: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name, has_value, value = word.partition("=")
            key = _OPTIONS.get(name)
            value = value if has_value else next(rest, "")
        elif word.startswith("-"):
            key, value = _OPTIONS.get(word), next(rest, "")
        else:
            key, value = "input", word
        if key is None or key in told or not value or value.startswith("-"):
            return None
        told[key] = value
    return told


def _converted(told: dict[str, str], type_name: str) -> bytes | None:
    from inspector.transcode.decode import MessageDecoder  # noqa: PLC0415  # a run that is not plain may do without
    from inspector.views.safe_text import safe_json  # noqa: PLC0415

    decoder = MessageDecoder(PlainSet(_set(told["schema"])))
    decoded = decoder.decode_plain(type_name, _message(told["input"], "form" in told))
    if decoded is None or decoded.unknown_bytes:
        return None
    if decoded.is_seen:
        return decoded.json
    return None if _REPLACEMENT in decoded.json else safe_json(decoded.json)


def _set(source: str) -> bytes:
    """A descriptor set that is known by its name."""
    if ":" in source or not source.endswith(_SETS):
        raise NotPlain
    return _content(source, limits.MAX_SCHEMA)


def _message(path: str, is_binary: bool) -> bytes:
    """A message that is known to be binary: it is said, or its name tells, and it is not compressed."""
    if is_binary:
        return _content(path, limits.MAX_SINGLE_MESSAGE)
    from inspector.formats.registry import BINARY  # noqa: PLC0415  # as above
    from inspector.sources.gunzip import MAGIC  # noqa: PLC0415

    data = _content(path, limits.MAX_SINGLE_MESSAGE)
    if not path.lower().endswith(BINARY.suffixes) or data.startswith(MAGIC):
        raise NotPlain
    return data


def _content(path: str, most: int) -> bytes:
    """All bytes of a file. Raises NotPlain where it is no file, or is empty, or has more."""
    with open(path, "rb", buffering=0) as file:
        told = os.fstat(file.fileno())
        if not stat.S_ISREG(told.st_mode) or not 0 < told.st_size <= most:
            raise NotPlain
        data = file.read(told.st_size)
    if len(data) != told.st_size:
        raise NotPlain
    return data
