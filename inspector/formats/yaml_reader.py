"""YAML text as JSON values. The parser is PyYAML's; what its scalars and collections mean is told by `yaml_scalars` and
`yaml_builder`. Where something is wrong in a value, its place is found by building it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from inspector.errors import EncodeError
from inspector.formats.yaml_builder import YamlBuilder, place_of_mark
from inspector.schema.wording import one_line
from inspector.transcode.refusal import Place, Step
from inspector.transcode.source_text import decode_utf8, place_of
from inspector.wire.json_value import JsonValue

Parser = type[Any]

PARSER: Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML was built with it. The two differ only in what they still take of invalid YAML."""

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no YAML text holds (chapter 5.1)."""


class Document(NamedTuple):
    """A value, and which document of the text it is, counted from 0."""

    value: JsonValue
    number: int


class YamlSource:
    """A text of one or several YAML documents."""

    def __init__(self, data: bytes, parser: Parser = PARSER) -> None:
        """Raises EncodeError where the bytes are not UTF-8, or hold characters that YAML forbids."""
        self._text = decode_utf8(data)
        self._parser = parser
        forbidden = _UNREADABLE.search(self._text)
        if forbidden:
            place = place_of(self._text, forbidden.start())
            message = f"the character U+{ord(forbidden[0]):04X} cannot stand in YAML"
            raise EncodeError(
                message, line=place.line, column=place.column, hint="write it as an escape in double quotes"
            )

    def documents(self) -> Iterator[Document]:
        """Raises EncodeError where the text is not YAML; the documents before come first."""
        builder = YamlBuilder(None)
        for number, value in enumerate(self._values(builder)):
            yield Document(value, number)

    def place(self, document: int, steps: Sequence[Step], at_key: bool) -> Place | None:
        """Where the value at the end of the steps stands, or its key; of what is not there, the value around it."""
        builder = YamlBuilder({})
        for number, value in enumerate(self._values(builder)):
            if number == document:
                return builder.place(value, steps, at_key)
        return None

    def _values(self, builder: YamlBuilder) -> Iterator[JsonValue]:
        try:
            for event in yaml.parse(self._text, Loader=self._parser):
                handle = _HANDLERS.get(type(event))
                if handle is not None:
                    handle(builder, event)
                elif isinstance(event, yaml.DocumentEndEvent):
                    yield builder.take()
        except yaml.MarkedYAMLError as error:
            raise _syntax_error(error) from None
        except yaml.YAMLError as error:
            raise EncodeError(f"not valid YAML: {one_line(str(error))}") from None


_HANDLERS: dict[type[yaml.Event], Callable[[YamlBuilder, Any], None]] = {
    yaml.AliasEvent: YamlBuilder.alias,
    yaml.MappingEndEvent: YamlBuilder.close,
    yaml.MappingStartEvent: YamlBuilder.mapping,
    yaml.ScalarEvent: YamlBuilder.scalar,
    yaml.SequenceEndEvent: YamlBuilder.close,
    yaml.SequenceStartEvent: YamlBuilder.sequence,
}


def _syntax_error(error: yaml.MarkedYAMLError) -> EncodeError:
    reason = ", ".join(filter(None, (error.context, error.problem)))
    mark = error.problem_mark or error.context_mark
    line, column = (None, None) if mark is None else place_of_mark(mark)
    return EncodeError(f"not valid YAML: {one_line(reason)}", line=line, column=column)
