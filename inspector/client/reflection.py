"""Asking a server for its schema over a channel, and keeping what it said for a while.

Both versions of the protocol are tried, grpc.reflection.v1 and then v1alpha, whatever the first one failed of: servers
and proxies refuse what they do not know in many ways. Invariant: it ends, within limits.MAX_REFLECTION_TIME for each of
them, with a schema or with one SchemaError that says what was tried and what came back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from inspector import __version__, cache, limits
from inspector.client.call import ClientCall
from inspector.client.channel import DEFAULTS, Channel
from inspector.client.events import Ended, ResponseMessage
from inspector.client.settings import ConnectSettings, Metadata
from inspector.client.target import Target
from inspector.errors import ConnectError, SchemaError
from inspector.model.call import Status
from inspector.net import status
from inspector.schema.catalog import Catalog
from inspector.schema.descriptor_set import DescriptorSet, parse_descriptor_set
from inspector.schema.reflection import OK, Reflected, Reflection, status_text

VERSIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")

_KIND = "reflection"
"""Of entries in the cache folder."""

_FORMAT = "1"
"""Another number where what is kept must not be mixed with what was before."""

_NOT_FOUND, _INVALID_ARGUMENT = 5, 3

_DENIED = (status.UNAUTHENTICATED, status.PERMISSION_DENIED)

T = TypeVar("T")


class _Tried(NamedTuple):
    """A version of the protocol, and how it failed."""

    version: str
    status: Status

    def __str__(self) -> str:
        return f"{self.version}: {status_text(self.status.code, self.status.message)}"


def open_reflection(
    address: str,
    *,
    settings: ConnectSettings = DEFAULTS,
    metadata: Metadata = (),
    symbols: Iterable[str] = (),
    use_cache: bool = True,
) -> DescriptorSet:
    """The schema of a server: all its services, or what the symbols need (`pkg.Svc/Method`, `pkg.Svc`, `pkg.Type`).

    One that was asked for within limits.MAX_REFLECTION_AGE seconds comes from the cache folder; its `notes` say so, and
    what is wrong with it. Without `use_cache` the server is asked. Raises SchemaError, ConnectError, InputError.
    """
    target, names = Target.parse(address), tuple(symbols)
    found = cached(target, settings=settings, metadata=metadata, symbols=names) if use_cache else None
    return found or _run(ask(target, settings, metadata=metadata, symbols=names))


async def reflect(channel: Channel, *, metadata: Metadata = (), symbols: Iterable[str] = ()) -> DescriptorSet:
    """Asks over a channel that is open, and keeps the schema for `cached`. Raises SchemaError."""
    names = tuple(symbols)
    reflected = await _reflected(channel, names, metadata)
    if reflected.is_whole:
        _keep(_key(channel.target, channel.settings, metadata, names), reflected)
    return _as_set(reflected.data, channel.target, reflected.problems)


def cached(
    target: Target, *, settings: ConnectSettings = DEFAULTS, metadata: Metadata = (), symbols: Iterable[str] = ()
) -> DescriptorSet | None:
    """The schema that the same server gave for the same settings and headers lately, if all symbols are in it."""
    names = tuple(symbols)
    for asked in dict.fromkeys(((), names)):
        key = _key(target, settings, metadata, asked)
        kept = _read(key)
        if kept is not None:
            age = _age_text(kept.age)
            note = f"schema of {target} from the cache, {age} old; --no-cache asks anew"
            found = _as_set(kept.data, target, (note, *kept.problems))
            if _has_all(found, names):
                return found
    return None


async def ask(
    target: Target, settings: ConnectSettings, *, metadata: Metadata = (), symbols: Sequence[str] = ()
) -> DescriptorSet:
    """Asks over a channel of its own, by gRPC whatever the protocol of the calls is: servers that offer reflection
    mostly speak it too. Raises SchemaError, ConnectError."""
    try:
        async with await Channel.open(target.root, settings.for_grpc()) as channel:
            return await reflect(channel, metadata=metadata, symbols=symbols)
    except (ConnectError, SchemaError) as error:
        if settings.protocol == "grpc":
            raise
        text = f"no schema from the server, which was asked by gRPC (reflection): {error.message}"
        hint = error.hint if isinstance(error, SchemaError) else "-s FILE names the schema without it"
        raise SchemaError(text, where=error.where, hint=hint) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end, in a thread of its own where a loop runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    ended: list[T | BaseException] = []

    def run() -> None:
        try:
            ended.append(asyncio.run(work))
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run, name="inspector-reflection")
    thread.start()
    thread.join()
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0]


# --- the exchange --------------------------------------------------------------------------------------------------


async def _reflected(channel: Channel, symbols: Sequence[str], metadata: Metadata) -> Reflected:
    tried: list[_Tried] = []
    vain: list[SchemaError] = []
    for version in VERSIONS:
        reflection = Reflection(symbols)
        refusal = await _exchange(channel, version, reflection, metadata)
        if refusal is not None:
            tried.append(_Tried(version, refusal))
            continue
        try:
            return reflection.result()
        except SchemaError as error:
            vain.append(error)
    raise _without_files(channel.target, vain[0], tried) if vain else _unavailable(channel.target, tried)


async def _exchange(channel: Channel, version: str, reflection: Reflection, metadata: Metadata) -> Status | None:
    """Collects all there is, over as many streams as it takes; the status where the server does not take part."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.MAX_REFLECTION_TIME
    async with _Connected(channel) as connected:
        while not reflection.is_done:
            left = end - loop.time()
            if left <= 0:
                reflection.break_off(f"it took longer than {limits.MAX_REFLECTION_TIME:g} s")
                break
            try:
                call = await connected.start(f"/{version}.ServerReflection/ServerReflectionInfo", metadata, left)
            except ConnectError as error:
                ended: Status | None = Status(status.UNAVAILABLE, "UNAVAILABLE", str(error), None, "connection")
            else:
                ended = await _converse(call, reflection)
            if ended is not None and not reflection.answers and ended.code not in (_NOT_FOUND, _INVALID_ARGUMENT):
                return ended if ended.code != OK else ended._replace(message="the stream ended without an answer")
            if ended is not None:
                reflection.stream_ended(ended.code, ended.message)
    return None


async def _converse(call: ClientCall, reflection: Reflection) -> Status | None:
    """Asks and listens until nothing is left to be asked (None), or the stream has ended."""
    try:
        while True:
            async with asyncio.timeout(limits.REFLECTION_PATIENCE):
                while (question := reflection.next_question()) is not None:
                    await call.send(question.SerializeToString())
                if reflection.is_done:
                    await call.end()
                    return None
                event = await anext(call)
            if isinstance(event, ResponseMessage):
                reflection.receive(event.data)
            elif isinstance(event, Ended):
                return event.status
    except TimeoutError:
        call.cancel()
        message = f"no answer within {limits.REFLECTION_PATIENCE:g} s"
        return Status(status.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", message, None, "client")


class _Connected:
    """The channel that was given, and after it failed another one to the same server."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._own: Channel | None = None

    async def __aenter__(self) -> _Connected:
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._own is not None:
            await self._own.close()

    async def start(self, path: str, metadata: Metadata, timeout: float) -> ClientCall:
        """Raises ConnectError, InputError."""
        channel = self._own or self._channel
        if channel.failure is not None:
            if self._own is not None:
                await self._own.close()
            self._own = None
            channel = self._own = await Channel.open(channel.target, channel.settings)
        return channel.start(path, metadata=metadata, timeout=timeout, max_message=limits.MAX_REFLECTED_BYTES)


def _without_files(target: Target, error: SchemaError, tried: Sequence[_Tried]) -> SchemaError:
    """The error of a version that was answered, but without any file; and how another one failed."""
    also = f" (also tried {'; '.join(map(str, tried))})" if tried else ""
    return SchemaError(f"{error.message}{also}", where=str(target), hint=error.hint)


def _unavailable(target: Target, tried: Sequence[_Tried]) -> SchemaError:
    codes = {each.status.code for each in tried}
    message, hint = "reflection failed", "-s FILE names the schema without it"
    if codes == {status.UNIMPLEMENTED}:
        message = "the server does not offer reflection"
    elif codes & set(_DENIED):
        message = "the server refuses reflection"
        hint = f"--reflect-header 'authorization: ...', or reflect-headers of a profile, sends credentials; {hint}"
    elif codes == {status.DEADLINE_EXCEEDED}:
        message = "the server does not answer to reflection"
    return SchemaError(f"{message} (tried {'; '.join(map(str, tried))})", where=str(target), hint=hint)


# --- what is kept --------------------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """A schema, what is wrong with it, and how many seconds ago it came."""

    data: bytes
    problems: tuple[str, ...]
    age: float


def _as_set(data: bytes, target: Target, notes: tuple[str, ...]) -> DescriptorSet:
    return parse_descriptor_set(data, str(target), notes=notes, gives_way=True)


def _has_all(found: DescriptorSet, symbols: Iterable[str]) -> bool:
    """Whether all symbols are in it; of a method or a nested type, what it is in."""
    catalog = Catalog((found,))
    names = (symbol.removeprefix("/").partition("/")[0].removeprefix(".") for symbol in symbols)
    return all(catalog.defining(name) or catalog.defining(name.rpartition(".")[0]) for name in names)


def _key(target: Target, settings: ConnectSettings, metadata: Metadata, symbols: Sequence[str]) -> str:
    """Stands for the server, the way to it, and what it was told and asked. (Credentials are not to be read off it: it
    is a digest of all of them together.)"""
    way = settings.for_grpc()._replace(connect_timeout=0.0, keepalive_time=None, keepalive_timeout=0.0)
    parts = (_FORMAT, __version__, target.root, way, metadata, tuple(symbols))
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _keep(key: str, reflected: Reflected) -> None:
    head = json.dumps({"time": time.time(), "problems": reflected.problems}).encode()
    length = len(head).to_bytes(4, "big")
    checksum = hashlib.sha256(length + head + reflected.data).digest()
    cache.write(_KIND, key, checksum, length, head, reflected.data)


def _read(key: str) -> _Kept | None:
    """The entry, if there is one, it is whole, and not too old."""
    entry = cache.read(_KIND, key) or b""
    checksum, body = entry[:32], entry[32:]
    if hashlib.sha256(body).digest() != checksum:
        return None
    size = 4 + int.from_bytes(body[:4], "big")
    head = json.loads(body[4:size])
    age = time.time() - head["time"]
    if not 0 <= age <= limits.MAX_REFLECTION_AGE:
        return None
    return _Kept(body[size:], tuple(head["problems"]), age)


def _age_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
