"""A request as somebody wrote it, in a file or as a command: its messages are text until a schema says what it means.

Invariant: to read one runs nothing and connects nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings
from inspector.errors import InputError
from inspector.formats.base import Conversion
from inspector.schema import Schema
from inspector.views.copy_as import variable_for
from inspector.views.secrets import is_secret

MOST_MESSAGES = 10_000
"""Messages of one request that was written: nobody writes more."""

_SCHEME = re.compile(r"(?i)\A(?:bearer|basic|digest|negotiate|token|apikey) +")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")

Encode = Callable[[Conversion], Iterator[bytes]]
"""The messages as they are on the wire. Raises InspectorError with their places."""


def no_messages(conversion: Conversion) -> Iterator[bytes]:
    return iter(())


class WrittenField(NamedTuple):
    """A header field; one that is not enabled is kept, and not sent. `${NAME}` in its value is a variable of the
    environment."""

    name: str
    value: str
    is_enabled: bool = True


class WrittenRequest(NamedTuple):
    """`target` is an address or `@name` of a profile, or nothing where none is said; `timeout` is in seconds. `sources`
    and `import_paths` say where the schema is; without them it is that of the target. `notes` tell what was left out.
    """

    method: str
    target: str = ""
    connect: ConnectSettings = ConnectSettings()
    metadata: tuple[WrittenField, ...] = ()
    timeout: float | None = None
    compress: str = "identity"
    max_message: int = DEFAULT_MAX_MESSAGE
    encode: Encode = no_messages
    sources: tuple[str, ...] = ()
    import_paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def messages(self, schema: Schema | None) -> tuple[bytes, ...]:
        """Its messages, as they are on the wire. Raises InspectorError for those that the type does not take, and for
        more than `MOST_MESSAGES`."""
        found = schema.find_method(self.method) if schema is not None else None
        conversion = Conversion(schema, found.input_type.full_name if found is not None else None)
        messages: list[bytes] = []
        for each in self.encode(conversion):
            if len(messages) == MOST_MESSAGES:
                raise InputError(f"a request of more than {MOST_MESSAGES:,} messages")
            messages.append(each)
        return tuple(messages)


def without_secrets(fields: tuple[WrittenField, ...]) -> tuple[WrittenField, ...]:
    """The fields, of which credentials are left to variables of the environment."""
    return tuple(
        field._replace(value=f"${{{variable_for(field.name)}}}")
        if is_secret(field.name) and not _is_reference(field.value)
        else field
        for field in fields
    )


def _is_reference(value: str) -> bool:
    """Whether a value is all in the environment, but for the scheme of an authorization."""
    return not _REFERENCE.sub("", _SCHEME.sub("", value, count=1)).strip() or not value.strip()
