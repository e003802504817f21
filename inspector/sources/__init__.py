"""What input may be, one kind per file. Each is told by its first bytes or named by the user (`--from KIND`)."""

from __future__ import annotations

from inspector.sources.registry import SOURCES, kinds

__all__ = ["SOURCES", "kinds"]
