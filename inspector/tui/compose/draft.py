"""A request that is to be sent, as a record: what the composer starts from and gives back. No toolkit in it.

Invariant: a draft of a captured call holds no credential of the capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from inspector.client.replay_headers import CREDENTIAL, UNSENDABLE, HeaderEdits
from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings
from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.net.compression import ENCODINGS
from inspector.views.secrets import is_secret


class MetadataRow(NamedTuple):
    """A header field; one that is not enabled is kept, and not sent. `${NAME}` in a value is a variable of the
    environment. Of a name in `-bin` the value is base64."""

    name: str = ""
    value: str = ""
    is_enabled: bool = True


class Captured(NamedTuple):
    """The call that a draft was made of, with what it was answered."""

    call: Call
    answers: tuple[Message, ...]


class Draft(NamedTuple):
    """`method` is `pkg.Svc/Method`, `messages` are bytes of the wire. `target` is an address or `@name` of a profile,
    whose settings hold where those here are the default ones. `deadline` is in seconds.

    `notes` tell what was not taken over, `origin` where it comes from; `sources` and `import_paths` say where the
    schema is, if the request itself does.
    """

    method: str = ""
    messages: tuple[bytes, ...] = ()
    target: str = ""
    connect: ConnectSettings = ConnectSettings()
    metadata: tuple[MetadataRow, ...] = ()
    deadline: float | None = None
    compress: str = "identity"
    max_message: int = DEFAULT_MAX_MESSAGE
    notes: tuple[str, ...] = ()
    origin: Captured | None = None
    sources: tuple[str, ...] = ()
    import_paths: tuple[str, ...] = ()


def draft_of(call: Call, messages: Iterable[Message], *, target: str | None = None) -> Draft:
    """A captured call as a draft; `target` stands for the server that it went to. Raises InspectorError where its
    method or a request is not in the capture."""
    if call.method is None:
        raise InspectorError(f"the method of call {call.number} is not in the capture", hint="choose another call")
    held = list(messages)
    requests = [each for each in held if each.direction == "request"]
    metadata, left = HeaderEdits(is_secret).apply(call.request_headers)
    rows = [MetadataRow(name, value if isinstance(value, str) else "") for name, value in metadata]
    return Draft(
        call.method.removeprefix("/"),
        tuple(_data(each, call.number) for each in requests),
        target or _target(call),
        metadata=tuple(rows),
        deadline=None if call.deadline is None else call.deadline / 1e9,
        compress=_encoding(requests),
        notes=tuple(_notes(call, requests, left)),
        origin=Captured(call, tuple(each for each in held if each.direction == "response")),
    )


def _data(message: Message, number: int) -> bytes:
    if message.data is None:
        reason = message.problem.message if message.problem is not None else "it is not whole"
        raise InspectorError(f"request {message.index} of call {number} cannot be read: {reason}")
    return message.data


def _target(call: Call) -> str:
    scheme = dict(call.request_headers).get(":scheme")
    return f"grpc://{call.server}" if scheme == "http" else f"grpcs://{call.server}" if scheme else call.server


def _encoding(requests: Sequence[Message]) -> str:
    used = next((each.encoding for each in requests if each.encoding != "identity"), "identity")
    return used if used in ENCODINGS else "identity"


def _notes(call: Call, requests: Sequence[Message], left: Sequence[tuple[str, str]]) -> Iterable[str]:
    for reason, text in ((CREDENTIAL, "credentials are not taken over"), (UNSENDABLE, "not whole in the capture")):
        names = [name for why, name in left if why == reason and not name.startswith(":")]
        if names:
            yield f"{text}: {', '.join(names)}"
    if len(requests) != call.requests:
        yield f"{call.requests - len(requests)} requests are not in the capture"
