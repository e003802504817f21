"""Damage as data: a problem belongs to the record it was found in."""

from __future__ import annotations

from typing import NamedTuple

NORMAL = frozenset(
    (
        "hpack_unknown", "started_late", "message_skipped", "grpc_web_trailers", "wire_type", "utf8_unverified",
        "payload_truncated",
    )
)  # fmt: skip
"""Codes of what is worth saying, but not damage: mostly what a capture that starts in mid-connection shows."""


class Problem(NamedTuple):
    """Something wrong in the input that cost only what it says.

    `code` is a stable word for programs, `message` one line for people. `packet` is the number of the packet (from 1)
    and `offset` a byte offset, in what the message names; either may be None.
    """

    code: str
    message: str
    packet: int | None = None
    offset: int | None = None

    @property
    def is_damage(self) -> bool:
        return self.code not in NORMAL
