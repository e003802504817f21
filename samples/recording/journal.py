"""What server and client saw: the log beside each capture, to check a decoder against."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as _known_details  # noqa: F401  (so that Any can be printed)
from google.rpc import status_pb2

from recording.dumpcap import Trouble

Metadata = Iterable[tuple[str, str | bytes]]

ELIDED = 16_384
"""Longer values are written as their hash: the log of a message of a megabyte stays readable."""


def to_json(message: Message) -> Any:
    """ProtoJSON as `json_format` gives it, with long strings (and bytes, which are base64 here) replaced by a hash."""
    return _elide(json_format.MessageToDict(message))


def _elide(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _elide(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_elide(item) for item in value]
    if isinstance(value, str) and len(value) > ELIDED:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def pairs(metadata: Metadata | None) -> list[list[str]]:
    """Metadata for the log: without what gRPC adds itself, values of `-bin` names in base64."""
    shown = []
    for name, value in metadata or ():
        if name.startswith("grpc-") or name in {"user-agent", "accept-encoding"}:
            continue
        text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
        shown.append([name, text])
    return shown


@dataclass
class Call:
    """One call as the client saw it; messages are added when they are serialized for the wire or read from it."""

    id: str
    method: str
    kind: str
    types: tuple[str, str]
    metadata: list[list[str]]
    deadline: float | None = None
    note: str = ""
    ended_by: str = "trailers"
    path_in_capture: bool = True
    status_in_capture: bool = True
    started_in_capture: bool = True
    complete: bool = True
    encodings: tuple[str, str] = ("identity", "identity")
    requests: list[Message] = field(default_factory=list)
    responses: list[Message] = field(default_factory=list)
    initial: list[list[str]] = field(default_factory=list)
    trailing: list[list[str]] = field(default_factory=list)
    status: dict[str, Any] | None = None
    details: list[Any] = field(default_factory=list)

    def finish(self, code: grpc.StatusCode, message: str, initial: Metadata, trailing: Metadata) -> None:
        """The call is over."""
        trailing = list(trailing)
        self.status = {"code": code.value[0], "name": code.name, "message": message}
        self.initial, self.trailing = pairs(initial), pairs(trailing)
        for name, value in trailing:
            if name == "grpc-status-details-bin":
                status = status_pb2.Status.FromString(value)
                self.details = [to_json(detail) for detail in status.details]

    def to_json(self) -> dict[str, Any]:
        """One entry of the log."""
        return {
            "id": self.id,
            "method": self.method,
            "kind": self.kind,
            "request_type": self.types[0],
            "response_type": self.types[1],
            "status": self.status,
            "details": self.details,
            "deadline": self.deadline,
            "ended_by": self.ended_by,
            "path_in_capture": self.path_in_capture,
            "status_in_capture": self.status_in_capture,
            "started_in_capture": self.started_in_capture,
            "complete": self.complete,
            "request_metadata": self.metadata,
            "initial_metadata": self.initial,
            "trailing_metadata": self.trailing,
            "request_encoding": self.encodings[0],
            "response_encoding": self.encodings[1],
            "request_sizes": [message.ByteSize() for message in self.requests],
            "response_sizes": [message.ByteSize() for message in self.responses],
            "requests": [to_json(message) for message in self.requests],
            "responses": [to_json(message) for message in self.responses],
            "note": self.note,
        }


@dataclass
class Served:
    """One call as the server saw it: its messages, as bytes."""

    requests: list[bytes] = field(default_factory=list)
    responses: list[bytes] = field(default_factory=list)


class Journal:
    """All calls of one capture, from both sides."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._served: dict[str, Served] = {}
        self._paths: set[str] = set()
        self._codes: set[int] = set()
        self._lock = threading.Lock()

    def begin(self, call: Call) -> Call:
        """A client starts a call."""
        with self._lock:
            call.path_in_capture = call.method not in self._paths
            self.calls.append(call)
        return call

    def served(self, request_id: str) -> Served:
        """The server's record of a call."""
        with self._lock:
            return self._served.setdefault(request_id, Served())

    def capture_begins(self) -> None:
        """Forgets what was before: finished calls, and the messages so far of those that go on."""
        self._paths = {call.method for call in self.calls}
        self._codes = {call.status["code"] for call in self.calls if call.status}
        self.calls = [call for call in self.calls if call.status is None]
        for call in self.calls:
            call.requests.clear()
            call.responses.clear()
            call.path_in_capture = call.started_in_capture = False
        self._served.clear()

    def check(self) -> None:
        """Raises if client and server do not agree about a message."""
        for call in self.calls:
            call.status_in_capture = call.status is not None and call.status["code"] not in self._codes
            served = self._served.get(call.id)
            if served is None:
                continue
            _agree(call, "requests", call.requests, served.requests)
            _agree(call, "responses", call.responses, served.responses)

    def write(self, path: Path, captures: Sequence[str], port: int) -> None:
        """Writes the log that belongs to some captures."""
        calls = [call.to_json() for call in self.calls]
        log = {"captures": list(captures), "server_port": port, "calls": calls}
        path.write_text(json.dumps(log, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _agree(call: Call, what: str, client: list[Message], server: list[bytes]) -> None:
    types = [type(message) for message in client]
    if len(client) != len(server) or any(t.FromString(b) != m for t, b, m in zip(types, server, client, strict=True)):
        raise Trouble(f"{call.id}: client and server saw different {what}: {len(client)} and {len(server)}")
