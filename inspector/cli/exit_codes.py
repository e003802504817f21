"""Exit codes (docs/commands.md)."""

FAILED = 1
USAGE = 2
DAMAGED = 3
"""Done, but some of the input was damaged or could not be decoded; all the rest was printed."""
CANCELLED = 130
"""Ctrl-C, as shells tell it."""
DIFFERENT = 1
"""`diff`: the two differ."""
