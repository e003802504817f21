"""The formats that there are.

To add one: write its module, add it to `FORMATS`. Other distributions add theirs by an entry point in the group
`inspector.formats` that names a `Format`.
"""

from __future__ import annotations

from importlib import metadata

from inspector.errors import InputError
from inspector.formats.base import Format
from inspector.formats.base64 import BASE64
from inspector.formats.binary import BINARY
from inspector.formats.hex import HEX
from inspector.formats.json import JSON
from inspector.formats.protoscope import PROTOSCOPE
from inspector.formats.text import TEXT
from inspector.formats.yaml import YAML

FORMATS: tuple[Format, ...] = (BINARY, JSON, TEXT, YAML, PROTOSCOPE, HEX, BASE64)

ENTRY_POINTS = "inspector.formats"


def names() -> list[str]:
    """Names of all formats that are built in."""
    return [each.name for each in FORMATS]


def find(name: str) -> Format:
    """The format of that name. Raises InputError where there is none."""
    for each in (*FORMATS, *_installed(name)):
        if each.name == name:
            return each
    raise InputError(f"there is no format named {name!r}", hint=f"known are {', '.join(names())}")


def by_suffix(path: str) -> Format | None:
    """The format that the name of a file tells, or None."""
    return next((each for each in FORMATS if path.lower().endswith(each.suffixes)), None)


def _installed(name: str) -> list[Format]:
    return [entry.load() for entry in metadata.entry_points(group=ENTRY_POINTS, name=name)]
