"""Which header fields of a captured call are sent again.

The invariant: no credential of the capture is sent unless that is asked for, and what is not sent can be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

from inspector.client.settings import Metadata
from inspector.model.call import Header

_OF_THE_TRANSPORT = frozenset(
    ("content-type", "te", "user-agent", "content-length", "host", "accept-encoding", "connection", "keep-alive",
     "proxy-connection", "transfer-encoding", "upgrade")
)  # fmt: skip

_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[ -~]*")

CREDENTIAL, TRANSPORT, DROPPED, UNSENDABLE = "credential", "transport", "dropped", "unsendable"
"""Why a field is left out. `unsendable` has a name or a value that the capture lacks, or that gRPC does not carry."""


def is_transport(name: str) -> bool:
    """Whether whoever makes a call sends this field of its own: what HTTP/2 and gRPC themselves say."""
    return name.startswith((":", "grpc-")) or name in _OF_THE_TRANSPORT


class HeaderEdits(NamedTuple):
    """What becomes of header fields. `set` replaces those of the same names, `drop` are globs over names;
    `is_credential` judges a name."""

    is_credential: Callable[[str], bool]
    set: Metadata = ()
    drop: tuple[str, ...] = ()
    keep_credentials: bool = False

    def apply(self, fields: tuple[Header, ...]) -> tuple[Metadata, list[tuple[str, str]]]:
        """The metadata to send, and what is left out of `fields`, each with the reason."""
        replaced = {name.lower() for name, _ in self.set}
        kept: list[tuple[str, str | bytes]] = []
        left: list[tuple[str, str]] = []
        for name, value in fields:
            if name in replaced:
                continue
            reason = self._reason(name, value)
            if reason is not None:
                left.append((reason, name or "(not in the capture)"))
            elif name is not None and value is not None:
                kept.append((name, value))
        return (*kept, *self.set), left

    def _reason(self, name: str | None, value: str | None) -> str | None:
        if name is None:
            return UNSENDABLE
        if is_transport(name):
            return TRANSPORT
        if any(fnmatchcase(name, glob.lower()) for glob in self.drop):
            return DROPPED
        if self.is_credential(name) and not self.keep_credentials:
            return CREDENTIAL
        return None if value is not None and _NAME.fullmatch(name) and _VALUE.fullmatch(value) else UNSENDABLE
