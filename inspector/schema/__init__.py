"""Schemas: message and method types by name, from descriptor sets, .proto files and generated Python modules."""

from __future__ import annotations

from inspector.schema.schema import Schema

__all__ = ["Schema"]
