"""A payload that comes as text: hexadecimal, base64, a dump, JSON or protoscope, as people paste it."""

from __future__ import annotations

from typing import NamedTuple

from inspector.errors import InputError, InspectorError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion, Format
from inspector.limits import MAX_PASTED
from inspector.sources import registry as sources
from inspector.sources.payloads import holds_binary, tell
from inspector.wire.encode import varint


class Pasted(NamedTuple):
    """`form` is that of the text, `data` what it stands for, `kind` what that is: a kind of input."""

    form: str
    kind: str
    data: bytes

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f"{self.form}: {self.kind}, {len(self.data):,} bytes"


def recognised(text: bytes, conversion: Conversion = Conversion()) -> Pasted:  # noqa: B008
    """What a text stands for; the conversion says by which type fields have names. Raises InspectorError for one that
    is no payload, or longer than MAX_PASTED."""
    if len(text) > MAX_PASTED:
        raise InputError(f"it has over {MAX_PASTED:,} bytes", hint="inspector tui opens it as a file")
    if not text.strip():
        raise InputError("there is nothing yet", hint="hexadecimal, base64, a hex dump, JSON or protoscope")
    form = _form(text)
    messages = list(form.read(text, conversion))
    if holds_binary(form):
        data = b"".join(messages)
        found = sources.detect(data, whole=True)
        return Pasted(form.name, "message" if found is None else found.name, data)
    if len(messages) == 1:
        return Pasted(form.name, "message", messages[0])
    return Pasted(form.name, "delimited", b"".join(varint(len(each)) + each for each in messages))


def _form(text: bytes) -> Format:
    """The form by the content; a text that tells none may be protoscope."""
    try:
        told = tell(text, "", "")
    except InspectorError as unknown:
        protoscope = formats.find("protoscope")
        try:
            list(protoscope.read(text, Conversion()))
        except InspectorError:
            raise InputError(
                "it is neither hexadecimal nor base64, JSON or protoscope",
                hint="a file in another form: inspector convert",
            ) from unknown
        return protoscope
    if isinstance(told, Format):
        return told
    raise InputError("it is binary", hint="inspector tui opens it as a file")
