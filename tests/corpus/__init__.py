"""Messages of many shapes with their schema, the same on every run: for tests, benchmarks and fuzzing alike.

    for shape in corpus.shapes():
        for data in shape.messages:
            decoder.decode_json(shape.type_name, data)    # of MessageDecoder(corpus.schema())

The types are those of `protos/` beside this file and of the project's `protos/`. A new shape is one more `_Recipe`.

Invariant: the bytes of a shape depend on its name and recipe alone; neither on the other shapes nor on the hash seed.
(The shape `descriptor set` also depends on the release of the package `protobuf`.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message

from corpus import descriptors, known_types, predictions, scalars, structures, telemetry, texts
from inspector.schema import Schema
from inspector.wire.encode import length_delimited

ROOT = Path(__file__).parents[2]
PROTOS = (Path(__file__).with_name("protos"), ROOT / "protos")
"""The folders of the schema: what `-s` takes, each with the other as `-I`."""

MEGABYTE = 1_000_000


class Shape(NamedTuple):
    """Messages of one type, 1 to 100 kB each, as they are on the wire. Each is sound; together they are alike."""

    name: str
    type_name: str
    messages: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of all messages."""
        return sum(map(len, self.messages))


class _Recipe(NamedTuple):
    name: str
    type_name: str
    fill: Callable[[Message, Random], None]
    how_many: int = 16
    made_as: str = ""
    """The type that is filled, where it is another than the one that the reader knows."""
    rewrite: Callable[[Descriptor, bytes], bytes] = lambda descriptor, data: data


_RECIPES = (
    _Recipe("prediction", "vision.v1.PredictResponse", predictions.fill_response, 64),
    _Recipe("OTLP traces", "corpus.v1.TraceExport", telemetry.fill_export, 4),
    _Recipe("packed integers", "corpus.v1.Integers", scalars.fill_integers),
    _Recipe("doubles and floats", "corpus.v1.Numbers", scalars.fill_numbers),
    _Recipe("bytes", "corpus.v1.Blobs", scalars.fill_blobs),
    _Recipe("ASCII strings", "corpus.v1.Texts", texts.fill_ascii),
    _Recipe("Unicode strings", "corpus.v1.Texts", texts.fill_unicode),
    _Recipe("strings with escapes", "corpus.v1.Texts", texts.fill_with_escapes),
    _Recipe("deep nesting", "corpus.v1.Nested", structures.fill_nested),
    _Recipe("maps", "corpus.v1.Maps", structures.fill_maps),
    _Recipe("well-known types", "corpus.v1.WellKnown", known_types.fill),
    _Recipe("descriptor set", "google.protobuf.FileDescriptorSet", descriptors.fill, 4),
    _Recipe("oneofs last", "corpus.v1.Choices", structures.fill_choices, rewrite=structures.oneofs_last),
    _Recipe("unknown fields", "corpus.v1.Known", structures.fill_grown, made_as="corpus.v1.Grown"),
)

NAMES = tuple(recipe.name for recipe in _RECIPES)


@cache
def schema() -> Schema:
    """The types of all shapes."""
    ours, projects = PROTOS
    return Schema.from_protos(ours, import_paths=[projects])


@cache
def shapes() -> tuple[Shape, ...]:
    """Every shape, in the order of `NAMES`; without the large one."""
    return tuple(map(shape, NAMES))


@cache
def shape(name: str) -> Shape:
    """One of `NAMES`."""
    recipe = _RECIPES[NAMES.index(name)]
    source = Random(f"corpus: {name}")
    made_as = schema().message(recipe.made_as or recipe.type_name)
    messages = (recipe.rewrite(made_as, _filled(recipe, made_as, source)) for _ in range(recipe.how_many))
    return Shape(name, recipe.type_name, tuple(messages))


def _filled(recipe: _Recipe, descriptor: Descriptor, source: Random) -> bytes:
    message = schema().message_class(descriptor)()
    recipe.fill(message, source)
    return message.SerializeToString(deterministic=True)


def large(size: int = 20 * MEGABYTE) -> Shape:
    """One message of about so many bytes: predictions after each other."""
    responses = [length_delimited(1, data) for data in shape("prediction").messages]
    rounds = size // sum(map(len, responses))
    return Shape(f"{size // MEGABYTE} MB message", "corpus.v1.Predictions", (b"".join(responses) * rounds,))


def descriptor_set(*type_names: str) -> bytes:
    """The files that define some types and all that these import: a schema for other programs."""
    files: dict[str, FileDescriptorProto] = {}
    for name in type_names or (*(recipe.type_name for recipe in _RECIPES), "corpus.v1.Predictions"):
        _collect(files, schema().message(name).file)
    return FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True)


def _collect(files: dict[str, FileDescriptorProto], file: FileDescriptor) -> None:
    for needed in file.dependencies:
        _collect(files, needed)
    proto = FileDescriptorProto.FromString(file.serialized_pb)
    files.setdefault(file.name, proto)
