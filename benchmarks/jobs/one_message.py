"""One message of 20 MB from bytes to JSON, against buf and protoc."""

from __future__ import annotations

from collections.abc import Iterator

import inputs
import peers
from measure import Command
from report import Figure

from jobs.effort import Effort
from jobs.pairs import compared


def large(effort: Effort) -> Iterator[Figure]:
    """`inspector convert` against `buf convert` and against `protoc --decode`, which writes the text format."""
    megabytes = max(1, round(20 * effort.scale))
    message, schema = inputs.message(megabytes), inputs.schema_of(inputs.PREDICTIONS)
    ours = Command(
        [*peers.INSPECTOR, "convert", str(message), "-s", str(schema), "-t", inputs.PREDICTIONS, "--from", "binary",
         "--to", "json"]
    )  # fmt: skip
    buf = Command(
        [*peers.BUF, "convert", f"{schema}#format=binpb", f"--type={inputs.PREDICTIONS}",
         f"--from={message}#format=binpb", "--to=-#format=json"]
    )  # fmt: skip
    decode = Command([*peers.PROTOC, f"--descriptor_set_in={schema}", f"--decode={inputs.PREDICTIONS}"], message)
    job = f"binary to JSON, {megabytes} MB"
    yield compared(job, "buf convert", ours, buf, 15, effort)
    yield compared(job, "protoc --decode", ours, decode, 8, effort)
