"""Files that the jobs read, made when they are missing or older than what makes them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import corpus
import google.type
import paths
import traffic
from grpc_tools import protoc

PREDICTIONS = "corpus.v1.Predictions"


def made(name: str, make: Callable[[Path], object]) -> Path:
    """`benchmarks/data/NAME`."""
    paths.DATA.mkdir(exist_ok=True)
    path = paths.DATA / name
    if not path.exists() or path.stat().st_mtime < _newest_source():
        unfinished = path.with_suffix(".unfinished")
        make(unfinished)
        os.replace(unfinished, path)
    return path


def _newest_source() -> float:
    sources = (Path(__file__), Path(traffic.__file__), *Path(corpus.__file__).parent.rglob("*.py"))
    return max(path.stat().st_mtime for path in sources)


def capture(calls: int, *, labels: int = 28, kind: traffic.Kind = traffic.GRPC_CORE) -> Path:
    """A capture of so many unary calls."""
    return made(
        f"{kind}-{calls}-{labels}.pcapng", lambda path: traffic.write_capture(path, calls, labels=labels, kind=kind)
    )


def message(megabytes: int) -> Path:
    """One message of so many MB, of the type PREDICTIONS."""
    large = corpus.large(megabytes * corpus.MEGABYTE)
    return made(f"message-{megabytes}.binpb", lambda path: path.write_bytes(large.messages[0]))


def prediction() -> Path:
    """One message of 1 kB, of the type vision.v1.PredictResponse."""
    return made("prediction.binpb", lambda path: path.write_bytes(corpus.shape("prediction").messages[0]))


def schema_of(*type_names: str) -> Path:
    """A descriptor set with these types alone and what they need."""
    return made(f"{'-'.join(type_names)}.desc", lambda path: path.write_bytes(corpus.descriptor_set(*type_names)))


def schema_of_230_kb() -> Path:
    """The descriptor set of the corpus, the project's protos and some of Google's, with places and comments."""
    return made("schema-230.desc", _compile_all)


def _compile_all(target: Path) -> None:
    common = Path(google.type.__path__[0]).parents[1]  # `google` itself is spread over folders
    include = Path(str(protoc.__file__)).parent / "_proto"
    bases = (*corpus.PROTOS, common)
    names = [str(path.relative_to(base)) for base in corpus.PROTOS for path in sorted(base.rglob("*.proto"))]
    names += [str(path.relative_to(common)) for path in sorted(common.glob("google/type/[a-o]*.proto"))]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "all.desc"
        command = ["protoc", *(f"-I{base}" for base in (*bases, include)), f"--descriptor_set_out={written}"]
        if protoc.main([*command, "--include_imports", "--include_source_info", *names]):
            raise SystemExit("protoc refused the .proto files")
        target.write_bytes(written.read_bytes())


def large_requests(requests: Callable[[], Iterable[tuple[str, bytes]]], name: str) -> Path:
    """A capture of calls with requests that are large, by the paths of their methods."""
    return made(f"{name}.pcapng", lambda path: traffic.write_requests(path, requests()))
