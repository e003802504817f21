"""`--request FILE` of `call`: a saved request, of which the command line overrides what it says itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspector.cli.connect_options import ConnectOptions
from inspector.client import metadata
from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings

if TYPE_CHECKING:
    from inspector.views.written_request import WrittenRequest


def read(path: str, target: str | None, method: str | None) -> WrittenRequest:
    """The request in a file, with another target or method where one is given. Raises InspectorError."""
    from inspector.views.request_file import read_file  # noqa: PLC0415  # few calls are of a file

    request = read_file(Path(path))
    return request._replace(target=target or request.target, method=method or request.method)


def over(request: WrittenRequest, connect: ConnectOptions, given: dict[str, Any]) -> ConnectOptions:
    """The options of the connection, with what the request says where they say nothing; so is `given`."""
    given["max_time"] = given["max_time"] or request.timeout
    given["max_msg_sz"] = given["max_msg_sz"] or (
        request.max_message if request.max_message != DEFAULT_MAX_MESSAGE else None
    )
    given["compress"] = given["compress"] or (request.compress if request.compress != "identity" else None)
    if not given["schemas"]:
        given |= {"schemas": request.sources, "import_paths": (*given["import_paths"], *request.import_paths)}
    defaults = ConnectSettings()
    says = {name: value for name, value in request.connect._asdict().items() if value != getattr(defaults, name)}
    added = {name: value for name, value in says.items() if getattr(connect, name, None) is None}
    return connect._replace(**added, rpc_headers=(*_headers(request, connect), *connect.rpc_headers))


def _headers(request: WrittenRequest, connect: ConnectOptions) -> list[str]:
    """The header fields that the options do not name, as they would."""
    named = {name for name, _ in metadata.parse((*connect.headers, *connect.rpc_headers))}
    lines = [f"{field.name}: {field.value}" for field in request.metadata if field.is_enabled]
    fields = [metadata.parse((line,), environment=os.environ) for line in lines]
    return [f"{name}: {value!s}" for each in fields for name, value in each if name not in named]
