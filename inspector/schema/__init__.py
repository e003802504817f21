"""Schemas: message and method types by name, from descriptor sets, .proto files and generated Python modules.

`Schema` is loaded when it is first used (PEP 562): it takes the Python part of the protobuf runtime with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspector.schema.schema import Schema

__all__ = ["Schema"]


def __getattr__(name: str) -> object:
    if name != "Schema":
        raise AttributeError(f"module 'inspector.schema' has no attribute {name!r}")
    from inspector.schema.schema import Schema  # noqa: PLC0415  # see above

    return Schema
