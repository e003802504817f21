"""JSON values as YAML in block style.

A string is quoted where a reader of YAML 1.1 or 1.2 might take it for something else; what is not printable becomes an
escape. Text of several lines stands as a literal block where it comes back the same.

Invariant: `yaml_reader` makes the same value of what is written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from inspector.wire.json_value import JsonValue

_STEP = "  "

_WORDS = frozenset({"y", "yes", "n", "no", "true", "false", "on", "off", "null"})
"""What YAML 1.1 takes for something else than a string, in any case. All else of the kind begins with no letter."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}

_LONGEST_KEY = 900
"""Characters of a key with its quotes, before it needs the explicit form: parsers look 1,024 ahead."""

_EXPONENT = re.compile(r"^(-?[0-9]+)e")


class Noted(dict[str, JsonValue]):
    """A mapping with lines of comment before its keys, and at its end. The lines must be printable."""

    def __init__(
        self, value: Mapping[str, JsonValue], notes: Mapping[str, Sequence[str]], ending: Sequence[str] = ()
    ) -> None:
        super().__init__(value)
        self.notes = notes
        self.ending = ending


def dumps(value: JsonValue) -> str:
    """A value as a document, which ends in a newline. Recursion is as deep as the value, which is bounded where
    messages become values."""
    out: list[str] = []
    if isinstance(value, dict | list) and value:
        _collection(out, value, "", "")
    else:
        out.append(f"{_scalar(value)}\n")
        _ending(out, value, "")
    return "".join(out)


def _collection(out: list[str], value: JsonValue, first: str, indent: str) -> None:
    """Writes a collection that is not empty: its first line begins with `first`, all others with `indent`."""
    if isinstance(value, dict):
        noted = value if isinstance(value, Noted) else None
        for key, item in value.items():
            if noted is not None:
                first = _comments(out, noted.notes.get(key, ()), first, indent)
            name = quoted(key)
            if len(name) > _LONGEST_KEY:
                out.append(f"{first}? {name}\n{indent}:")
            else:
                out.append(f"{first}{name}:")
            _item(out, item, indent, "\n" + indent + _STEP)
            first = indent
        _ending(out, value, indent)
    elif isinstance(value, list):
        for item in value:
            out.append(f"{first}-")
            _item(out, item, indent, " ")
            first = indent


def _comments(out: list[str], lines: Iterable[str], first: str, indent: str) -> str:
    """Writes comments, the first behind what leads to the collection; returns how the next line begins."""
    for line in lines:
        out.append(f"{first}# {line}\n")
        first = indent
    return first


def _ending(out: list[str], value: JsonValue, indent: str) -> None:
    if isinstance(value, Noted):
        _comments(out, value.ending, indent, indent)


def _item(out: list[str], value: JsonValue, indent: str, start: str) -> None:
    """Writes a value behind its key or dash; `start` leads to the first line of a collection."""
    if isinstance(value, dict | list) and value:
        _collection(out, value, start, indent + _STEP)
    elif isinstance(value, str) and _fits_literal(value):
        _literal(out, value, indent + _STEP)
    else:
        out.append(f" {_scalar(value)}\n")
        _ending(out, value, indent + _STEP)


def _fits_literal(text: str) -> bool:
    """Whether a literal block brings the text back: several lines, none of only blanks, no escapes needed."""
    if "\n" not in text or text[0] in " \n\t" or text.endswith("\n\n"):
        return False
    lines = text.split("\n")
    return all(line.isprintable() and (not line or not line.isspace()) for line in lines)


def _literal(out: list[str], text: str, indent: str) -> None:
    out.append(" |\n" if text.endswith("\n") else " |-\n")
    for line in text.removesuffix("\n").split("\n"):
        out.append(f"{indent}{line}\n" if line else "\n")


def _scalar(value: JsonValue) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    # YAML 1.1 has no floats without a point.
    return _EXPONENT.sub(r"\1.0e", repr(value)) if isinstance(value, float) else str(value)


def quoted(text: str) -> str:
    """A string, in double quotes unless it is safe without."""
    if _is_plain(text):
        return text
    return '"' + "".join(_ESCAPES.get(each) or (each if each.isprintable() else _escape(each)) for each in text) + '"'


def _is_plain(text: str) -> bool:
    if not text or not (text[0].isalpha() or text[0] in "_/") or not text.isprintable():
        return False
    if text[-1] in " :" or ": " in text or " #" in text:
        return False
    return text.casefold() not in _WORDS


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
