"""Opening INPUT as the options of a command say. (What is one message by itself is read without a session.)"""

from __future__ import annotations

from collections.abc import Mapping

from inspector import session
from inspector.cli.connect_options import Way, connection
from inspector.cli.schema_sources import load_schema, require_type
from inspector.errors import InspectorError
from inspector.session import JsonOptions, Session


def open_session(
    input_: str,
    schemas: tuple[str, ...] = (),
    import_paths: tuple[str, ...] = (),
    kind: str | None = None,
    type_name: str | None = None,
    options: JsonOptions = JsonOptions(),
    hints: Mapping[str, str] = session.NO_HINTS,
    way: Way = connection,
) -> Session:
    """Opens INPUT as the options of a command say. Raises InspectorError."""
    schema = load_schema(schemas, import_paths, way)
    if type_name is not None and schema is None:
        schema = require_type(schema, type_name)
    return session.open(input_, schema=schema, kind=kind, type_name=type_name, options=options, hints=hints)


def require_calls(session: Session) -> None:
    """Raises InspectorError where the input holds messages but no calls."""
    if not session.source.is_capture:
        text = f"this is of the kind {session.source.name}: it holds messages, not calls"
        raise InspectorError(text, where=session.path, hint="inspector decode shows all of them")
