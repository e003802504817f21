"""Whether twice the input takes twice the time: each job on one, two, four and eight times as much.

Times are those of the processor, as what else runs on the machine would show in the ratio. (Start-up is part of
them for whole processes, so the ratio may be below two.) One message is read in a process that was forked for it,
so in memory that is new at each size, as it is for a command: within one process, small results take the memory of
earlier ones again and large ones do not, and the kernel's clearing of new memory is a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

import corpus
import inputs
import measure as measuring
from measure import Command
from report import Figure, seconds

from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from jobs.captures import calls, decode
from jobs.effort import Effort

SIZES = (1, 2, 4, 8)
CALLS = 12_500
MEGABYTES = 2
MOST = 2.1


def measure(effort: Effort) -> Iterator[Figure]:
    """The largest ratio of two neighbouring sizes, for each job."""
    number = round(CALLS * effort.scale) or 1
    captures = [inputs.capture(number * size) for size in SIZES]
    total = f"{number:,} to {number * SIZES[-1]:,} calls"
    yield _figure(f"decode: {total}", [_processor_seconds(decode(path), effort) for path in captures])
    yield _figure(f"calls: {total}", [_processor_seconds(calls(path), effort) for path in captures])
    megabytes = max(MEGABYTES * effort.scale, 1)
    total = f"one message of {megabytes:g} to {megabytes * SIZES[-1]:g} MB"
    large = [corpus.large(round(size * megabytes * corpus.MEGABYTE)) for size in SIZES]
    yield _figure(f"bytes to JSON: {total}", _times([_decoding(shape) for shape in large], effort))
    yield _figure(f"JSON to bytes: {total}", _times([_encoding(shape) for shape in large], effort))


def _processor_seconds(command: Command, effort: Effort) -> float:
    runs = range(min(3, effort.runs))
    return median(measuring.run(command).processor_seconds for _ in runs)


def _times(bodies: list[Callable[[], object]], effort: Effort) -> list[float]:
    return [measuring.in_new_memory(body, effort.samples) for body in bodies]


def _decoding(shape: corpus.Shape) -> Callable[[], object]:
    decoder = MessageDecoder(corpus.schema())
    decoder.decode_json(shape.type_name, b"")  # tables of a type are made at its first message
    return lambda: decoder.decode_json(shape.type_name, shape.messages[0])


def _encoding(shape: corpus.Shape) -> Callable[[], object]:
    text = MessageDecoder(corpus.schema()).decode_json(shape.type_name, shape.messages[0]).json
    encoder = MessageEncoder(corpus.schema())
    encoder.encode_json(shape.type_name, b"{}")
    return lambda: encoder.encode_json(shape.type_name, text)


def _figure(job: str, taken: list[float]) -> Figure:
    ratios = [larger / smaller for smaller, larger in pairwise(taken)]
    shown = " ".join(map(seconds, taken))
    return Figure(job, "half of it", shown, "", max(ratios), MOST, "×", at_most=True)
