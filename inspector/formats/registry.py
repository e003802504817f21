"""The formats that there are.

To add one: write its module, with the functions `read` and `write`, name it here and add it to `FORMATS`. A module is
imported when it reads or writes. Other distributions add theirs by an entry point in the group
`inspector.formats` that names a `Format`.
"""

from __future__ import annotations

from inspector.deferred import deferred
from inspector.errors import InputError
from inspector.formats.base import Format


def _format(name: str, *suffixes: str, is_text: bool = True, separator: bytes | None = None) -> Format:
    module = f"inspector.formats.{name}"
    return Format(name, deferred(module, "read"), deferred(module, "write"), suffixes, is_text, separator)


BINARY = _format("binary", ".binpb", ".pb", ".bin", ".protobin", ".message", is_text=False)
JSON = _format("json", ".json", ".ndjson", ".jsonl", separator=b"")
TEXT = _format("text", ".txtpb", ".textproto", ".pbtxt", ".prototxt", ".textpb", ".text")
YAML = _format("yaml", ".yaml", ".yml", separator=b"---\n")
PROTOSCOPE = _format("protoscope", ".protoscope", ".pbscope")
HEX = _format("hex", ".hex")
BASE64 = _format("base64", ".b64", ".base64")

FORMATS: tuple[Format, ...] = (BINARY, JSON, TEXT, YAML, PROTOSCOPE, HEX, BASE64)

ENTRY_POINTS = "inspector.formats"


def names() -> list[str]:
    """Names of all formats that are built in."""
    return [each.name for each in FORMATS]


def find(name: str) -> Format:
    """The format of that name. Raises InputError where there is none."""
    for each in FORMATS:
        if each.name == name:
            return each
    for each in _installed(name):
        if each.name == name:
            return each
    raise InputError(f"there is no format named {name!r}", hint=f"known are {', '.join(names())}")


def by_suffix(path: str) -> Format | None:
    """The format that the name of a file tells, or None."""
    return next((each for each in FORMATS if path.lower().endswith(each.suffixes)), None)


def _installed(name: str) -> list[Format]:
    from importlib import metadata  # noqa: PLC0415  # takes as long to load as all the rest here, and is rarely needed

    return [entry.load() for entry in metadata.entry_points(group=ENTRY_POINTS, name=name)]
