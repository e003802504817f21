"""Real payloads with their schema: what `benchmarks/guess.py` judges. The same on every run with the same packages.

- descriptors: FileDescriptorProtos of the .proto files that installed packages ship, comments and places included,
  and of the generated modules of packages that ship no sources;
- ONNX: the models and tensors by which the package onnx tests its backends;
- OTLP: traces, metrics and logs about the files of installed packages: their names, sizes, digests, first bytes;
- samples: the calls in `samples/`;
- kept back, so not looked at while the judgement was tuned: TensorBoard's descriptors and histograms of numbers that
  are at hand, and the models and tensors of ONNX's tests of single operators.
"""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import uuid
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackagePath, distribution
from importlib.resources import files
from itertools import islice, pairwise
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

import google.type
import numpy
import onnx
import onnx.backend.test
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.unknown_fields import UnknownFieldSet
from grpc_tools import protoc
from onnx.backend.test.case.node import collect_testcases
from onnx.numpy_helper import from_array
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import histogram

import inspector
from inspector.schema import Schema

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"
PACKAGES_WITHOUT_SOURCES = ("opentelemetry.proto", "onnx", "grpc_channelz", "grpc_reflection")
MEASURED = ("protobuf", "grpcio", "grpcio-tools", "googleapis-common-protos", "onnx", "opentelemetry-proto", "numpy")
SMALL = 200_000
"""Files over this size are left out: they hold more of the same."""

START = 1_790_000_000_000_000_000


class Payloads(NamedTuple):
    """Messages of one type that belong together."""

    source: str
    descriptor: Descriptor
    messages: list[bytes]
    is_kept_back: bool = False


def payloads() -> Iterator[Payloads]:
    """All of them, by source and type."""
    yield Payloads(
        "descriptors",
        descriptor_pb2.FileDescriptorProto.DESCRIPTOR,
        [*_sources(), *_modules(*PACKAGES_WITHOUT_SOURCES)],
    )
    yield from _onnx()
    yield from _otlp()
    yield from _samples()
    yield from _kept_back()


# --- descriptors -------------------------------------------------------------------------------------------------


def _sources() -> Iterator[bytes]:
    """Descriptors of .proto files, with comments and places."""
    common = Path(google.type.__path__[0]).parents[1]  # `google` itself is spread over folders
    include = Path(str(files("grpc_tools"))) / "_proto"
    ours = ROOT / "protos"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "all.binpb"
        found = [
            (base, sorted(base.glob(f"{top}/**/*.proto")))
            for base, top in ((common, "google"), (include, "*"), (ours, "*"))
        ]
        names = [str(path.relative_to(base)) for base, paths in found for path in paths]
        paths = [f"-I{base}" for base in (include, common, ours)]
        command = ["protoc", *paths, f"--descriptor_set_out={target}", "--include_source_info", *names]
        if protoc.main(command):
            raise SystemExit("protoc refused the .proto files")
        read = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    for file in read.file:
        yield file.SerializeToString()


def _modules(*packages: str) -> Iterator[bytes]:
    for name in packages:
        for module in _pb2_modules(name):
            descriptor: Any = getattr(module, "DESCRIPTOR", None)
            if descriptor is not None:
                yield descriptor.serialized_pb


def _pb2_modules(package: str) -> Iterator[Any]:
    found = importlib.import_module(package)
    for info in sorted(pkgutil.walk_packages(found.__path__, package + "."), key=lambda info: info.name):
        if info.name.endswith("_pb2"):
            yield importlib.import_module(info.name)


# --- ONNX --------------------------------------------------------------------------------------------------------


def _onnx() -> Iterator[Payloads]:
    base = Path(onnx.backend.test.__file__).parent / "data"
    models = [path.read_bytes() for path in sorted(base.rglob("*.onnx")) if path.stat().st_size < SMALL]
    yield Payloads("ONNX models", onnx.ModelProto.DESCRIPTOR, models)
    tensors = (path.read_bytes() for path in sorted(base.rglob("*.pb")) if path.stat().st_size < SMALL)
    yield Payloads("ONNX tensors", onnx.TensorProto.DESCRIPTOR, [data for data in tensors if _is_tensor(data)])


def _is_tensor(data: bytes) -> bool:
    """Some of the files hold sequences or optionals: a tensor comes back as it is."""
    tensor = onnx.TensorProto.FromString(data)
    return not UnknownFieldSet(tensor) and tensor.data_type != 0


# --- OTLP --------------------------------------------------------------------------------------------------------


class _File(NamedTuple):
    package: str
    version: str
    path: PackagePath
    size: int
    digest: bytes
    head: bytes


@cache
def _files(package: str) -> list[_File]:
    found = distribution(package)
    return [
        _File(package, found.version, path, path.size or 0, _digest(path), _head(path))
        for path in islice(sorted(path for path in found.files or () if path.hash), 0, 400, 4)
    ]


def _digest(path: PackagePath) -> bytes:
    value = path.hash.value if path.hash else ""
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _head(path: PackagePath) -> bytes:
    with open(path.locate(), "rb") as file:
        return file.read(48)


def _otlp() -> Iterator[Payloads]:
    lists = [_files(package) for package in MEASURED]
    yield _encoded("OTLP traces", [_traces(found) for found in lists])
    yield _encoded("OTLP metrics", [_metrics(found) for found in lists])
    yield _encoded("OTLP logs", [_logs(found) for found in lists])


def _encoded(source: str, messages: list[Any]) -> Payloads:
    return Payloads(source, messages[0].DESCRIPTOR, [message.SerializeToString() for message in messages])


def _attributes(**values: object) -> list[KeyValue]:
    return [KeyValue(key=key.replace("_", "."), value=_any_value(value)) for key, value in values.items()]


def _any_value(value: Any) -> AnyValue:
    made = AnyValue()
    if isinstance(value, list):
        made.array_value.values.extend(map(_any_value, value))
        return made
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}
    setattr(made, kinds[type(value)], value)
    return made


def _ids(path: PackagePath) -> tuple[bytes, bytes]:
    """Ids of 16 and 8 bytes that look random and are the same on every run."""
    return uuid.uuid5(uuid.NAMESPACE_URL, str(path)).bytes, uuid.uuid5(uuid.NAMESPACE_OID, str(path)).bytes[:8]


def _resource(message: Any, file: _File) -> None:
    message.resource.attributes.extend(
        _attributes(service_name=file.package, service_version=file.version, telemetry_sdk_language="python")
    )


def _traces(found: list[_File]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    _resource(resource, found[0])
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "package.files", "1.2.0"
    for index, file in enumerate(found):
        trace, span = _ids(file.path)
        start = START + index * 1_234_567
        scope.spans.add(
            trace_id=trace,
            span_id=span,
            parent_span_id=_ids(found[index // 4].path)[1],
            name=f"read {file.path.name}",
            kind=1,
            start_time_unix_nano=start,
            end_time_unix_nano=start + file.size * 13,
            attributes=_attributes(
                file_path=str(file.path), file_size=file.size, file_digest=file.digest, file_head=file.head,
                file_parts=list(file.path.parts), file_hidden=file.path.name.startswith("."),
            ),
        )  # fmt: skip
    return request


_BOUNDS = [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0]
"""The default bounds of OpenTelemetry's histograms."""


def _metrics(found: list[_File]) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    _resource(resource, found[0])
    metrics = resource.scope_metrics.add().metrics
    by_suffix: dict[str, list[int]] = {}
    for file in found:
        by_suffix.setdefault(file.path.suffix or "none", []).append(file.size)
    plain = metrics.add(name="file.size", description="Sizes of files.", unit="kBy")
    growing = metrics.add(name="file.size.growing", unit="By")
    total = metrics.add(name="file.total", unit="By")
    for suffix, sizes in by_suffix.items():
        common = {"attributes": _attributes(file_suffix=suffix), "time_unix_nano": START, "count": len(sizes)}
        plain.histogram.data_points.add(
            sum=sum(sizes) / 1000, bucket_counts=_buckets(sizes), explicit_bounds=_BOUNDS, **common
        )
        point = growing.exponential_histogram.data_points.add(sum=float(sum(sizes)), scale=2, **common)
        places = [round(4 * log2(size)) for size in sizes if size]
        point.positive.offset = min(places, default=0)
        point.positive.bucket_counts.extend(
            places.count(place) for place in range(min(places, default=0), max(places, default=0) + 1)
        )
        total.sum.data_points.add(as_int=sum(sizes), time_unix_nano=START, attributes=_attributes(file_suffix=suffix))
    return request


def _buckets(sizes: list[int]) -> list[int]:
    edges = [float("-inf"), *_BOUNDS, float("inf")]
    return [sum(low < size / 1000 <= high for size in sizes) for low, high in pairwise(edges)]


def _logs(found: list[_File]) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    _resource(resource, found[0])
    records = resource.scope_logs.add().log_records
    for index, file in enumerate(found):
        trace, span = _ids(file.path)
        record = records.add(time_unix_nano=START + index * 999_983, severity_number=9 + index % 2 * 4, trace_id=trace)
        record.severity_text = "INFO" if index % 2 == 0 else "WARN"
        record.span_id = span
        record.body.string_value = f"{file.path}: {file.size} bytes, sha256 {file.digest.hex()}"
        record.attributes.extend(_attributes(log_iostream="stdout", code_lineno=index, code_filepath=str(file.path)))
    return request


# --- samples -----------------------------------------------------------------------------------------------------


def _samples() -> Iterator[Payloads]:
    schema = Schema.from_files(SAMPLES / "vision.binpb")
    found: dict[str, dict[bytes, None]] = {}
    for path in sorted(SAMPLES.glob("*.pcapng")):
        session = inspector.open(path, schema=schema)
        for message in session.messages():
            type_name = session.decode(message).type_name
            if type_name and message.data and len(message.data) < SMALL:
                found.setdefault(type_name, {})[message.data] = None
    for type_name, messages in found.items():
        yield Payloads("samples", schema.message(type_name), list(messages))


# --- kept back ---------------------------------------------------------------------------------------------------


def _kept_back() -> Iterator[Payloads]:
    descriptors = list(_modules("tensorboardX"))
    yield Payloads("TensorBoard", descriptor_pb2.FileDescriptorProto.DESCRIPTOR, descriptors, is_kept_back=True)
    summaries = [_histogram(package) for package in MEASURED]
    yield Payloads("TensorBoard", Summary.DESCRIPTOR, summaries, is_kept_back=True)
    with warnings.catch_warnings(action="ignore"):  # of numpy: infinities are among the cases
        cases = [case for case in collect_testcases(None) if case.model is not None][::3]
    models = [case.model.SerializeToString() for case in cases]
    yield Payloads("ONNX operators", onnx.ModelProto.DESCRIPTOR, models, is_kept_back=True)
    arrays = [array for case in cases for inputs, _ in case.data_sets or () for array in inputs]
    tensors = [from_array(array).SerializeToString() for array in arrays if isinstance(array, numpy.ndarray)]
    yield Payloads("ONNX operators", onnx.TensorProto.DESCRIPTOR, tensors, is_kept_back=True)


def _histogram(package: str) -> bytes:
    sizes = numpy.array([file.size for file in _files(package)], dtype=float)
    made: bytes = histogram(f"sizes/{package}", numpy.log2(sizes + 1), bins="auto").SerializeToString()
    return made
