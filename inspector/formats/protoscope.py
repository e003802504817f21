"""Protoscope (https://github.com/protocolbuffers/protoscope): the wire format as text, to look at and to edit.

Every byte string has a text, and the text gives that byte string again. See `protoscope_reader`, `protoscope_writer`.
"""

from __future__ import annotations

from inspector.formats.protoscope_reader import read
from inspector.formats.protoscope_writer import write

__all__ = ["read", "write"]
