"""A call as a command or a snippet that makes it again.

Invariant: a shell that reads a command passes on each value as the call had it; what the call had as a credential is
taken from the environment, unless secrets are shown.
"""

from __future__ import annotations

import base64
import os
import pprint
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import orjson

from inspector.errors import InspectorError
from inspector.model.call import Call
from inspector.session import DecodedMessage
from inspector.sources.framing import frame
from inspector.views.safe_text import safe_json
from inspector.views.secrets import is_secret

if TYPE_CHECKING:
    from inspector.schema import Schema

LONGEST_ARGUMENT = 100_000
"""Bytes of data put into a command line. Linux takes 128 KiB for one argument; more comes from a here-document."""

_END = "END_OF_DATA"
"""Ends a here-document: no line of JSON or base64 is this."""

_OF_THE_TRANSPORT = frozenset(
    ("content-type", "te", "user-agent", "content-length", "host", "accept-encoding", "connection", "grpc-timeout",
     "grpc-encoding", "grpc-accept-encoding", "grpc-message-type")
)  # fmt: skip
"""Header fields that whoever makes the call sends of their own."""

_VALUE = re.compile(r"[\x20-\x7e]*")


class Field(NamedTuple):
    """A header field to be sent. Where `variable` is set its value stands in the environment, under that name."""

    name: str
    value: str
    variable: str | None

    @property
    def reference(self) -> str:
        """Stands for what is in the environment; empty where nothing is."""
        return f"${{{self.variable}}}" if self.variable else ""


class Request(NamedTuple):
    """What a call asked: where, what, and with which metadata.

    `target` is `host:port` or `unix:PATH`; `seconds` the deadline; `sources` and `import_paths` are where the schema
    comes from, `file` is the one in it that has the method, `response_type` that of the answers; `left_out` tells of
    header fields that cannot be sent again.
    """

    target: str
    is_tls: bool
    authority: str | None
    method: str
    metadata: tuple[Field, ...]
    seconds: float | None
    encoding: str
    messages: tuple[DecodedMessage, ...]
    sources: tuple[str, ...]
    import_paths: tuple[str, ...]
    left_out: int
    file: str | None
    response_type: str | None

    @property
    def unix_path(self) -> str | None:
        """The path of a unix socket; None where the target is none."""
        return self.target.removeprefix("unix:") if self.target.startswith("unix:") else None

    @property
    def is_typed(self) -> bool:
        """Whether the schema has its messages, so that their JSON can be sent."""
        return all(each.type_name is not None for each in self.messages)


def request_of(
    call: Call,
    messages: Sequence[DecodedMessage],
    sources: Sequence[str] = (),
    import_paths: Sequence[str] = (),
    *,
    schema: Schema | None = None,
    show_secrets: bool = False,
) -> Request:
    """What a call asked. `sources` is what `schema` is from. Raises InspectorError where the capture does not hold all
    of it."""
    if call.method is None:
        raise InspectorError(f"the method of call {call.number} is not in the capture", hint=_OTHER)
    requests = _whole_requests(call, messages)
    fields = [field for field in call.request_headers if not _is_transport(field[0])]
    known = [(name, value) for name, value in fields if name is not None and value is not None]
    metadata = tuple(_field(name, value, show_secrets) for name, value in known if _VALUE.fullmatch(value))
    headers = dict(call.request_headers)
    target = call.server or call.authority
    if not target:
        raise InspectorError(f"the server of call {call.number} is not in the capture", hint=_OTHER)
    method = schema.find_method(call.method) if schema is not None else None
    return Request(
        target,
        headers.get(":scheme") == "https",
        call.authority if call.authority != target else None,
        call.method.removeprefix("/"),
        metadata,
        None if call.deadline is None else call.deadline / 1e9,
        headers.get("grpc-encoding") or "identity",
        requests,
        tuple(sources),
        tuple(import_paths),
        len(fields) - len(metadata),
        method.containing_service.file.name if method is not None else None,
        method.output_type.full_name if method is not None else None,
    )


def _whole_requests(call: Call, messages: Sequence[DecodedMessage]) -> tuple[DecodedMessage, ...]:
    requests = tuple(each for each in messages if each.message.direction == "request")
    for each in requests:
        if each.problem is not None:
            text = f"request {each.message.index} of call {call.number} cannot be sent again: {each.problem.message}"
            raise InspectorError(text, hint=_OTHER)
    if len(requests) != call.requests:
        raise InspectorError(f"not all requests of call {call.number} are in the capture", hint=_OTHER)
    return requests


_OTHER = "choose another call"


def _is_transport(name: str | None) -> bool:
    return name is not None and (name.startswith(":") or name in _OF_THE_TRANSPORT)


def _field(name: str, value: str, show_secrets: bool) -> Field:
    is_hidden = is_secret(name) and not show_secrets
    return Field(name, value, variable_for(name) if is_hidden else None)


def variable_for(name: str) -> str:
    """The variable of the environment that holds a header field."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
    return f"_{word}" if word[:1].isdigit() else word


def as_inspector(request: Request) -> str:
    """A command line of this program. Messages of which the schema knows nothing are told as bytes."""
    options = [_option("-s", each) for each in request.sources] if request.is_typed else []
    options += [_option("-I", each) for each in request.import_paths] if request.is_typed else []
    return _command("inspector call", "--", [*options, *_connection(request, "--"), *_forms(request)], request)


def _forms(request: Request) -> Iterator[str]:
    if request.encoding != "identity":
        yield _option("--compress", request.encoding)
    if not request.is_typed:
        yield "--from base64" if _is_bare(request) else "--from delimited+base64"


def _is_bare(request: Request) -> bool:
    """Whether the bytes of the one message can stand alone: no data at all may be no message, too."""
    return len(request.messages) == 1 and bool(request.messages[0].message.data)


def as_grpcurl(request: Request) -> str:
    """A command line of grpcurl. Raises InspectorError where no schema tells the fields by name."""
    if not request.is_typed:
        raise InspectorError("grpcurl needs the messages by name, and no schema tells them", hint="name one with -s")
    options = [option for each in request.sources for option in _grpcurl_source(each, request.file)]
    options += [_option("-import-path", each) for each in request.import_paths]
    return _command("grpcurl", "-", [*options, *_connection(request, "-")], request)


def _grpcurl_source(source: str, file: str | None) -> Iterator[str]:
    """A source as grpcurl takes it, which finds imports from where it is told only, and asks the server by itself."""
    if source.startswith(("python:", "grpc://", "grpcs://", "unix:", "@")):
        return
    if file is not None and (source.endswith(f"/{file}") or os.path.isdir(source)):
        yield _option("-import-path", source.removesuffix(f"/{file}"))
        yield _option("-proto", file)
    else:
        yield _option("-proto" if source.endswith(".proto") else "-protoset", source)


def _connection(request: Request, dash: str) -> Iterator[str]:
    if not request.is_tls:
        yield f"{dash}plaintext"
    if request.authority:
        yield _option(f"{dash}authority", request.authority)
    if request.seconds is not None:
        yield _option(f"{dash}max-time", f"{request.seconds:g}")
    if any(field.variable for field in request.metadata):
        yield f"{dash}expand-headers"


def _command(program: str, dash: str, options: list[str], request: Request) -> str:
    are_expanded = any(field.variable for field in request.metadata)
    options += [_option("-H", f"{field.name}: {_expanded(field, are_expanded)}") for field in request.metadata]
    data = _data(request)
    is_long = len(data) > LONGEST_ARGUMENT
    if request.messages:
        options.append("-d @" if is_long else _option("-d", data))
    is_flag = dash == "-" and request.unix_path is not None
    options += ["-unix"] if is_flag else []
    target = request.unix_path or "" if is_flag else request.target
    options.append(f"{shlex.quote(target)} {shlex.quote(request.method)}")
    here = f" <<'{_END}'\n{data}\n{_END}" if is_long else ""
    return _lines([program, *options]) + here


def _expanded(field: Field, are_expanded: bool) -> str:
    """The value as `--expand-headers` reads it, where that is given."""
    if field.variable:
        return field.reference
    if are_expanded and "${" in field.value:
        raise InspectorError(f"the header {field.name} holds ${{, which would be expanded", hint="--show-secrets")
    return field.value


def _data(request: Request) -> str:
    """The messages in one text."""
    if request.is_typed:
        return "\n".join(safe_json(each.json).decode() for each in request.messages)
    contents = [each.message.data or b"" for each in request.messages]
    framing = "none" if _is_bare(request) else "delimited"
    return base64.b64encode(b"".join(frame(framing, each) for each in contents)).decode()


def as_curl(request: Request) -> str:
    """curl, of which the answer is read by this program. It sends all messages at once."""
    frames = b"".join(_frame(each) for each in request.messages)
    scheme, http2 = ("https", "--http2") if request.is_tls else ("http", "--http2-prior-knowledge")
    fields = [("content-type", "application/grpc"), ("te", "trailers")]
    if request.encoding != "identity":
        fields.append(("grpc-encoding", request.encoding))
    if request.seconds is not None:
        fields.append(("grpc-timeout", f"{round(request.seconds * 1000)}m"))
    if request.authority:
        fields.append(("host", request.authority))
    options = [http2, "-sS", "-D /dev/stderr", *(_option("-H", f"{name}: {value}") for name, value in fields)]
    options += [_curl_header(field) for field in request.metadata]
    host = "localhost" if request.unix_path else request.target
    options += [_option("--unix-socket", request.unix_path)] if request.unix_path else []
    options += ["--data-binary @-", shlex.quote(f"{scheme}://{host}/{request.method}")]
    schema = [_option("-s", each) for each in request.sources] + [_option("-I", each) for each in request.import_paths]
    schema += [_option("-t", request.response_type)] if request.response_type else []
    text = base64.b64encode(frames).decode()
    source = f"printf %s {text or repr('')}" if len(text) <= LONGEST_ARGUMENT else f"cat <<'{_END}'"
    here = "" if len(text) <= LONGEST_ARGUMENT else f"\n{text}\n{_END}"
    reader = " ".join(["inspector decode --from grpc", *schema, "-"])
    return f"{{ {source}{here}\n}} | base64 -d | {_lines(['curl', *options])} | {reader}"


def _frame(decoded: DecodedMessage) -> bytes:
    message = decoded.message
    is_compressed = message.encoding != "identity" and message.wire != message.data
    return bytes([is_compressed]) + len(message.wire).to_bytes(4, "big") + message.wire


def _curl_header(field: Field) -> str:
    if field.variable is None:
        return _option("-H", f"{field.name}: {field.value}")
    return f'-H "{field.name}: ${field.variable}"'


def as_json(request: Request) -> str:
    """A record: target, method, metadata, deadline in seconds, messages."""
    row = {
        "target": request.target,
        "plaintext": not request.is_tls,
        "authority": request.authority,
        "method": request.method,
        "metadata": [[each.name, each.reference or each.value] for each in request.metadata],
        "timeout": request.seconds,
        "compress": request.encoding,
        "messages" if request.is_typed else "messages_base64": [_value(request, each) for each in request.messages],
    }
    return safe_json(orjson.dumps(row, option=orjson.OPT_INDENT_2)).decode()


def _value(request: Request, decoded: DecodedMessage) -> object:
    return orjson.Fragment(decoded.json) if request.is_typed else base64.b64encode(decoded.message.data or b"").decode()


def as_python(request: Request) -> str:
    """A program over this library."""
    has_variables = any(field.variable for field in request.metadata)
    lines = ["import os\n\n"] if has_variables else []
    lines.append("import inspector\n\n")
    settings = [repr(request.target)]
    settings += [] if request.is_tls else ["plaintext=True"]
    settings += [f"authority={request.authority!r}"] if request.authority else []
    if request.is_typed and request.sources:
        lines.append(f"schema = inspector.Schema.from_sources({[*request.sources]!r}, {[*request.import_paths]!r})\n")
        settings.append("schema=schema")
    arguments = [repr(request.method), _python_messages(request)]
    if request.metadata:
        pairs = "\n".join(f"    ({field.name!r}, {_python_value(field)})," for field in request.metadata)
        arguments.append(f"metadata=[\n{pairs}\n]")
    arguments += [f"timeout={request.seconds:g}"] if request.seconds is not None else []
    arguments += [f"compress={request.encoding!r}"] if request.encoding != "identity" else []
    body = "".join(f"{each},\n" for each in arguments)
    lines += [
        f"with inspector.Client({', '.join(settings)}) as client:\n",
        f"    answer = client.call(\n{_indented(body, 8)}    )\n",
        "    for message in answer.messages:\n        print(message)\n",
    ]
    return "".join(lines).removesuffix("\n")


def _python_value(field: Field) -> str:
    return repr(field.value) if field.variable is None else f'os.environ["{field.variable}"]'


def _python_messages(request: Request) -> str:
    values = [orjson.loads(each.json) if request.is_typed else each.message.data for each in request.messages]
    return pprint.pformat(values[0] if len(values) == 1 else values, width=100, sort_dicts=False)


def _indented(text: str, columns: int) -> str:
    return "".join(f"{' ' * columns}{line}" for line in text.splitlines(keepends=True))


def _option(name: str, value: str) -> str:
    return f"{name} {shlex.quote(value)}"


def _lines(parts: Sequence[str]) -> str:
    return " \\\n  ".join(parts)


FORMS: dict[str, Callable[[Request], str]] = {
    "inspector": as_inspector,
    "grpcurl": as_grpcurl,
    "curl": as_curl,
    "python": as_python,
    "json": as_json,
}
