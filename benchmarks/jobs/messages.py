"""Messages of each shape of the corpus to JSON and back, against `json_format`, within one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import corpus
import measure
from corpus import Shape
from google.protobuf import json_format
from report import Figure

from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from jobs.effort import Effort

Body = Callable[[], object]


def decoding(effort: Effort) -> Iterator[Figure]:
    """`decode_json` against parsing and `MessageToJson`; for the prediction also against parsing alone."""
    pairs = {shape: (_our_decoding(shape), _their_decoding(shape)) for shape in _shapes(effort)}
    yield from _against(pairs, "json_format.MessageToJson", 50, 10, effort)
    shape = corpus.shape("prediction")
    parse: Any = corpus.schema().message_class(shape.type_name).FromString
    times = measure.functions(_our_decoding(shape), _for_each(parse, shape.messages), effort.samples)
    yield _figure(shape, "FromString alone (upb)", times, 2)


def encoding(effort: Effort) -> Iterator[Figure]:
    """`encode_json` against `Parse` and serializing."""
    pairs = {shape: (_our_encoding(shape), _their_encoding(shape)) for shape in _shapes(effort)}
    yield from _against(pairs, "json_format.Parse", 30, 8, effort)


def _shapes(effort: Effort) -> list[Shape]:
    return [*corpus.shapes(), corpus.large(max(1, round(20 * effort.scale)) * corpus.MEGABYTE)]


def _against(
    pairs: dict[Shape, tuple[Body, Body]], peer: str, wanted_on_average: float, wanted: float, effort: Effort
) -> Iterator[Figure]:
    ratios = []
    for shape, (ours, theirs) in pairs.items():
        times = measure.functions(ours, theirs, effort.samples if shape.size < corpus.MEGABYTE else 1)
        ratios.append(times.ratio)
        yield _figure(shape, peer, times, wanted)
    mean = prod(ratios) ** (1 / len(ratios))
    yield Figure("geometric mean of the shapes", peer, "", "", mean, wanted_on_average, "×")


def _figure(shape: Shape, peer: str, times: measure.Times, wanted: float) -> Figure:
    ours, theirs = (f"{shape.size / taken / 1e6:,.1f} MB/s" for taken in times)
    size = "" if len(shape.messages) == 1 else f" ({shape.size / len(shape.messages) / 1000:.0f} kB)"
    return Figure(f"{shape.name}{size}", peer, ours, theirs, times.ratio, wanted, "×")


def _our_decoding(shape: Shape) -> Body:
    return _for_each(partial(MessageDecoder(corpus.schema()).decode_json, shape.type_name), shape.messages)


def _their_decoding(shape: Shape) -> Body:
    kind, pool = corpus.schema().message_class(shape.type_name), corpus.schema().pool
    return _for_each(
        lambda data: json_format.MessageToJson(kind.FromString(data), descriptor_pool=pool), shape.messages
    )


def _our_encoding(shape: Shape) -> Body:
    return _for_each(partial(MessageEncoder(corpus.schema()).encode_json, shape.type_name), _texts(shape))


def _their_encoding(shape: Shape) -> Body:
    kind, pool = corpus.schema().message_class(shape.type_name), corpus.schema().pool
    return _for_each(
        lambda text: json_format.Parse(text, kind(), descriptor_pool=pool).SerializeToString(), _texts(shape)
    )


def _texts(shape: Shape) -> list[bytes]:
    decoder = MessageDecoder(corpus.schema())
    return [decoder.decode_json(shape.type_name, data).json for data in shape.messages]


def _for_each(convert: Callable[[bytes], object], inputs: Sequence[bytes]) -> Body:
    """All of them once; no result is kept while the next is made."""

    def body() -> None:
        for given in inputs:
            convert(given)

    return body
