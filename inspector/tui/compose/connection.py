"""What a draft comes to: where it goes, how, and with which header fields."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from inspector.client import metadata, profiles
from inspector.client.settings import DEFAULT_MAX_MESSAGE, CallSettings, ConnectSettings, Metadata
from inspector.client.target import Target
from inspector.errors import InputError
from inspector.tui.compose.draft import Draft, MetadataRow

_DEFAULTS = ConnectSettings()


class Reached(NamedTuple):
    """`sources` and `import_paths` are where the draft, or its profile, says that the schema is."""

    target: Target
    connect: ConnectSettings
    call: CallSettings
    reflect_metadata: Metadata = ()
    sources: tuple[str, ...] = ()
    import_paths: tuple[str, ...] = ()


def reached(draft: Draft) -> Reached:
    """Raises InputError for a target, a setting or a header field that is none, with the row that it is of."""
    if not draft.target.strip():
        raise InputError("there is no target", hint="host:port, grpc://host:port, or @name of inspector.toml")
    profile = profiles.find(draft.target[1:]) if draft.target.startswith("@") else None
    given: dict[str, Any] = dict(profile.settings) if profile else {}
    own = {name: value for name, value in draft.connect._asdict().items() if value != getattr(_DEFAULTS, name)}
    named = {name: given[name.replace("_", "-")] for name in _DEFAULTS._fields if name.replace("_", "-") in given}
    connect = ConnectSettings(**(named | own))
    target = Target.parse(profile.address if profile else draft.target)
    connect.uses_tls(target)
    sent = fields(draft.metadata)
    names = {name for name, _ in sent}
    spoken = metadata.parse((*profile.headers, *profile.rpc_headers), environment=os.environ) if profile else ()
    reflect = metadata.parse((*profile.headers, *profile.reflect_headers), environment=os.environ) if profile else ()
    most = draft.max_message
    call = CallSettings(
        (*(field for field in spoken if field[0] not in names), *sent),
        draft.deadline if draft.deadline is not None else given.get("max-time"),
        given.get("max-msg-sz", most) if most == DEFAULT_MAX_MESSAGE else most,
        draft.compress if draft.compress != "identity" else given.get("compress", "identity"),
    )
    sources, paths = (profile.schema, profile.import_paths) if profile else ((), ())
    if draft.sources:
        sources, paths = draft.sources, draft.import_paths
    return Reached(target, connect, call, reflect, sources, paths)


def fields(rows: Iterable[MetadataRow]) -> Metadata:
    """The header fields that are sent. Raises InputError with the row."""
    found: list[tuple[str, str | bytes]] = []
    for row in rows:
        if row.is_enabled and (row.name or row.value):
            found += metadata.parse((f"{row.name}: {row.value}",), environment=os.environ)
    return tuple(found)
