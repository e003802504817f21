"""Messages that stand by themselves, out of an input in any form: binary, framed, or one of the text formats.

What the form is, the caller says, or the name of the file, or its content does.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from inspector import limits
from inspector.errors import DecodeError, EncodeError, InputError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion, Format
from inspector.formats.position import BOM
from inspector.formats.registry import BASE64, BINARY, HEX, JSON
from inspector.model.call import Message
from inspector.sources import registry as sources
from inspector.sources.base import Source
from inspector.sources.dump import undump
from inspector.sources.input import HEAD_SIZE, Input
from inspector.sources.registry import MESSAGE

_HEX = re.compile(rb"(?:\s*(?:0[xX])?[0-9a-fA-F]{2})+\s*")
_HEX_DUMP = re.compile(rb"\s*[0-9a-fA-F]{7,8}(?:: ?|  )[0-9a-fA-F]{2}")
_BASE64 = re.compile(rb"\s*+[\w+/-]{4,}+(?:[^\S\n]*+\n\s*+[\w+/-]++)*+\s*+={0,2}+\s*+", re.ASCII)
"""Base64, perhaps wrapped over lines. (Words with spaces between them are words.)"""

_JSON = re.compile(rb'\s*+(?:\[\s*+)?\{\s*+["}]')
"""An object, or an array of them."""


def forms() -> list[str]:
    """All that `--from` may name: formats, and kinds of inputs that hold bare messages."""
    return [*formats.names(), *(source.name for source in sources.SOURCES if not source.is_capture)]


def read_payload(path: str, form: str | None, conversion: Conversion) -> bytes:
    """The one message of an input (`-` is standard input). Raises InspectorError, also where there are more or none."""
    messages = read_payloads(path, form, conversion)
    first = next(messages, None)
    if first is None:
        raise InputError("there is no message in it", where=name_of(path))
    if next(messages, None) is not None:
        raise InputError("it holds more than one message", where=name_of(path), hint="inspector decode shows them all")
    return first


def read_payloads(path: str, form: str | None, conversion: Conversion) -> Iterator[bytes]:
    """The messages of an input, as they are on the wire. Raises InspectorError."""
    with naming(path):
        data = read_whole(path, form)
        yield from messages_of(data, form, conversion, name=path)


def messages_of(data: bytes, form: str | None, conversion: Conversion, *, name: str = "") -> Iterator[bytes]:
    """The messages that these bytes hold; `name` is that of the file that they are from. Raises InspectorError."""
    form, _, dump = (form or "").partition("+")
    data = undump(dump, data) if dump else data
    told = tell(data, form, name)
    return told.read(data, conversion) if isinstance(told, Format) else _framed(told, data)


def tell(data: bytes, form: str, name: str) -> Format | Source:
    """What form a payload has: the one that is named, or that its file name or its content tells."""
    if form:
        return _named(form.partition("+")[0])
    name = name.removesuffix(".gz")
    return formats.by_suffix(name) or _source_by_suffix(name) or _told(data)


def holds_binary(told: Format | Source) -> bool:
    """Whether what was told is the wire format, or a dump of it, rather than something that people write."""
    return isinstance(told, Source) or told in (BINARY, HEX, BASE64)


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Errors within say which input they are about."""
    try:
        yield
    except (InputError, DecodeError, EncodeError) as error:
        error.where = ", ".join(dict.fromkeys(filter(None, (name_of(path), error.where))))
        raise


def read_whole(path: str, form: str | None = None) -> bytes:
    """All bytes of a file or of standard input, decompressed where they are gzip, unless they are said to be binary.
    Raises InputError."""
    with Input(path, "message", gunzip=form != BINARY.name) as opened:
        data = opened.content(limits.MAX_SINGLE_MESSAGE)
        if data is None:
            data = _joined(opened.pieces())
        if opened.problem is not None:
            raise InputError(opened.problem.message)
    return data


def _joined(pieces: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > limits.MAX_SINGLE_MESSAGE:
            raise InputError(f"it has over {limits.MAX_SINGLE_MESSAGE} bytes")
    return b"".join(parts)


def name_of(path: str) -> str:
    """What an input is called in messages."""
    return "standard input" if path == "-" else path


def _named(form: str) -> Format | Source:
    if form in (source.name for source in sources.SOURCES):
        return _refusing_captures(sources.find(form))
    return formats.find(form)


def _source_by_suffix(name: str) -> Source | None:
    found = sources.by_suffix(name)
    return found[0] if found and not found[0].is_capture else None


def _told(data: bytes) -> Format | Source:
    """The form by the content. Text that is JSON or hex seldom is a message as well; base64 may be one by chance.
    Nothing at all is a message without fields."""
    if not data:
        return BINARY
    text = data.removeprefix(BOM)
    if _JSON.match(text):
        return JSON
    if _HEX.fullmatch(text) or _HEX_DUMP.match(text):
        return HEX
    found = sources.detect(data[:HEAD_SIZE], whole=len(data) <= HEAD_SIZE)
    if found is not None:
        return _refusing_captures(found)
    if _BASE64.fullmatch(text) and _holds_message(text):
        return BASE64
    if _is_text(text):
        raise InputError("this is text, and its format is not plain", hint=f"name it with --from: {', '.join(forms())}")
    return MESSAGE


def _holds_message(text: bytes) -> bool:
    """Whether what looks like base64 stands for the bytes of a message, and is not a word."""
    try:
        return MESSAGE.detect(b"".join(BASE64.read(text, Conversion())), True)
    except EncodeError:
        return False


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _refusing_captures(source: Source) -> Source:
    if source.is_capture:
        hint = "inspector decode reads it; with --raw its records have the bytes of each message, in base64"
        raise InputError(f"this is a capture ({source.name})", hint=hint)
    return source


def _framed(source: Source, data: bytes) -> Iterator[bytes]:
    parser = source.open()
    for event in [*parser.feed(data), *parser.close()]:
        problem = event.problem if isinstance(event, Message) else event
        if problem is not None and getattr(problem, "is_damage", False):
            raise DecodeError(problem.message, code=problem.code, offset=problem.offset)  # type: ignore[union-attr]
        if isinstance(event, Message) and event.data is not None:
            yield event.data
