"""One message of 1 kB with a schema of 230 kB: what counts is how soon a program is ready."""

from __future__ import annotations

from collections.abc import Iterator

import inputs
import peers
from measure import Command
from report import Figure

from jobs.effort import Effort
from jobs.pairs import compared

TYPE = "vision.v1.PredictResponse"


def measure(effort: Effort) -> Iterator[Figure]:
    """`inspector convert` against `buf convert`."""
    message, schema = inputs.prediction(), inputs.schema_of_230_kb()
    ours = Command([*peers.INSPECTOR, "convert", str(message), "-s", str(schema), "-t", TYPE, "--from", "binary"])
    buf = Command(
        [*peers.BUF, "convert", f"{schema}#format=binpb", f"--type={TYPE}", f"--from={message}#format=binpb",
         "--to=-#format=json"]
    )  # fmt: skip
    more = effort._replace(runs=4 * effort.runs)
    job = f"binary to JSON, 1 kB, descriptor set of {schema.stat().st_size // 1000} kB"
    yield compared(job, "buf convert", ours, buf, 1, more)
