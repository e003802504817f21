"""An input that is open: its calls and messages by number, and its messages as trees of fields. No toolkit in it.

Calls are numbered from 1; messages that belong to none are those of call 0.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path, PurePath

from inspector import session
from inspector.errors import InspectorError
from inspector.index.capture_index import CaptureIndex
from inspector.model.call import Call, Message
from inspector.schema import Schema
from inspector.session import DecodedMessage
from inspector.sources.registry import BINLOG, GRPC, GRPC_WEB
from inspector.transcode.tree import FieldTree
from inspector.tui import private_files
from inspector.views.call_order import CallOrder, Find
from inspector.views.journal import Journal
from inspector.views.problem_count import ProblemCount
from inspector.views.schema_facts import Inferred, inferred
from inspector.views.where import Where

MOST_INFERRED_TYPES = 64
"""Types that are kept as they were inferred."""

STANDALONE = 0
"""The number of the call that messages without a call belong to."""


class Document:
    """Raises InputError where the input cannot be opened."""

    def __init__(
        self,
        path: str,
        *,
        schema: Schema | None = None,
        kind: str | None = None,
        type_name: str | None = None,
        hints: Mapping[str, str] = session.NO_HINTS,
        sources: Sequence[str] = (),
        import_paths: Sequence[str] = (),
    ) -> None:
        """`sources` and `import_paths` are where the schema came from, for commands that name it again."""
        self.path = path
        self.name = "standard input" if path == "-" else PurePath(path).name
        """What to call it."""
        self.problem: str | None = None
        """What keeps it from being read any more: another program changed the file."""
        self.sources, self.import_paths = tuple(sources), tuple(import_paths)
        self.kind = kind
        self.type_name = type_name
        self.session = session.open(path, schema=schema, kind=kind, type_name=type_name, hints=hints)
        self.index: CaptureIndex = self.session.index()
        self.order = CallOrder(self.index)
        self.journal = Journal()
        self.journal.add(f"opened, read by the schema {' '.join(self.sources)}" if self.sources else "opened")
        self.problems = ProblemCount(self.index)
        self.added: tuple[str, ...] = ()
        """The sources of schemas that were added since it was opened."""
        self.reading = threading.Lock()
        """Held while a thread reads it to its end: who closes it waits for that."""
        self.is_closed = False
        self.stop_input: Callable[[], object] | None = None
        """Ends what comes from a pipe, for who reads it would wait for more."""
        self.private_file: Path | None = None
        """A copy that is removed with it: what was pasted has no file of its own."""
        self._inferred: dict[object, Inferred | None] = {}
        self.filters: list[str] = []
        """Those that were used, the last one at the end."""

    @property
    def schema(self) -> Schema | None:
        return self.session.schema

    def use_schema(self, schema: Schema | None) -> None:
        """Reads messages by another schema from now on. Raises SchemaError where that lacks the type that is named."""
        self.session = self.session.using(schema, self.type_name)

    def add_schema(self, schema: Schema, sources: Sequence[str], import_paths: Sequence[str]) -> None:
        """The same, of a schema that has those `sources` too."""
        self.use_schema(schema)
        self.sources = tuple(dict.fromkeys((*self.sources, *sources)))
        self.import_paths = tuple(dict.fromkeys((*self.import_paths, *import_paths)))
        self.added = tuple(dict.fromkeys((*self.added, *sources)))

    def inferred(self, message: Message) -> Inferred | None:
        """The type of the messages of its method and direction as a few of them show it; None where that takes long."""
        hints = self.hints_of(message)
        key = message.method, message.direction, tuple(hints.items())
        if key not in self._inferred:
            for oldest in list(self._inferred)[: -MOST_INFERRED_TYPES + 1]:
                del self._inferred[oldest]
            sample = self.session.sample_of(message) or [message.data or b""]
            self._inferred[key] = inferred(sample, hints, message.method, message.direction)
        return self._inferred[key]

    def close(self) -> None:
        self.is_closed = True
        self.index.close()
        self.session.close()
        if self.private_file is not None:
            private_files.remove(self.private_file)

    def hints_of(self, message: Message) -> dict[str, str]:
        """How fields of a message are read in the place of a guess: by path, those of the command line too."""
        return dict(self.session.hints_of(message))

    def read_as(self, message: Message, path: str, kind: str | None) -> None:
        """Reads a field as a kind in all messages of the method and direction; None: as it is guessed."""
        hints = dict(self.session.own_hints_of(message))
        hints.pop(path, None)
        self.session.give_hints(message, hints if kind is None else {**hints, path: kind})

    # --- what is in it -------------------------------------------------------------------------------------------

    @cached_property
    def has_calls(self) -> bool:
        """Whether it holds calls, not just messages."""
        return self.session.source.is_capture

    @cached_property
    def has_frames(self) -> bool:
        """Whether its messages came in gRPC frames. Those of a binary log stand in its entries."""
        source = self.session.source
        return source.name in (GRPC.name, GRPC_WEB.name) or (source.is_capture and source.name != BINLOG.name)

    def call(self, number: int) -> Call | None:
        """A call that has ended; None for one that has not."""
        try:
            return self.index.call(number) if number else None
        except IndexError:
            return None
        except InspectorError as error:
            self.problem = str(error)
            return None

    def call_at(self, row: int) -> Call:
        """The call in a row of the index. Raises IndexError where there is none, or none that can be read any more."""
        try:
            return self.index.call_at(row)
        except InspectorError as error:
            self.problem = str(error)
            raise IndexError(f"row {row} cannot be read") from error

    def message_count(self, number: int) -> int:
        try:
            return self.index.message_count(number)
        except IndexError:
            return 0
        except InspectorError as error:
            self.problem = str(error)
            return 0

    def message(self, number: int, place: int) -> Message | None:
        """None where there is none, or where it cannot be read any more: `problem` then says why."""
        try:
            return self.index.message_at(number, place)
        except IndexError:
            return None
        except InspectorError as error:
            self.problem = str(error)
            return None

    def decode_all(self, number: int) -> list[DecodedMessage]:
        """The messages of a call."""
        places = range(self.message_count(number))
        return [self.decode(message) for place in places if (message := self.message(number, place)) is not None]

    def decode(self, message: Message) -> DecodedMessage:
        return self.session.decode(message)

    def finder(self, where: Where) -> Find:
        """Finds the calls that match, in another thread."""
        session = self.session.for_thread()
        return partial(where.find, self.index, session)

    def tree(self, message: Message) -> FieldTree:
        """The fields of a message, by the schema or guessed."""
        type_name = self.session.type_of(message)
        return FieldTree(
            message.data if message.data is not None else message.wire,
            resolver=self.schema,
            type_name=type_name,
            hints=self.session.hints_of(message),
        )
