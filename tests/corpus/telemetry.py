"""Traces of a web shop: what an exporter of OpenTelemetry sends every few seconds."""

from __future__ import annotations

from random import Random
from typing import Any

START = 1_790_000_000_000_000_000
ROUTES = ("/cart", "/cart/{item}", "/checkout", "/orders/{order}", "/search", "/stock/{article}/reservations")
SERVICES = ("shop-frontend", "orders", "stock", "payment-gateway")


def fill_export(message: Any, source: Random) -> None:
    """A corpus.v1.TraceExport of some 15 kB: two services, 25 spans each."""
    for service in source.sample(SERVICES, 2):
        resource = message.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.30.0")
        _attributes(
            resource.resource.attributes,
            {"service.name": service, "service.instance.id": f"{service}-{source.randrange(100)}", "host.arch": "amd64",
             "process.pid": source.randrange(1, 65_536), "process.command_args": ["serve", "--port", "8080"]},
        )  # fmt: skip
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "shop.instrumentation", "2.4.1"
        trace = source.randbytes(16)
        for number in range(25):
            _span(scope.spans.add(trace_id=trace), number, source)


def _span(span: Any, number: int, source: Random) -> None:
    route = source.choice(ROUTES)
    span.span_id, span.parent_span_id = source.randbytes(8), source.randbytes(8)
    span.name, span.kind = f"GET {route}", source.randrange(1, 6)
    span.start_time_unix_nano = START + number * 1_234_567
    span.end_time_unix_nano = span.start_time_unix_nano + source.randrange(10_000_000)
    span.flags = 257
    failed = source.random() < 0.1
    _attributes(
        span.attributes,
        {"http.route": route, "http.response.status_code": 500 if failed else 200, "client.cached": not failed,
         "server.load": round(source.random(), 3), "url.path": f"{route}?page={number}"},
    )  # fmt: skip
    if failed:
        span.status.code, span.status.message = 2, "deadline exceeded while waiting for stock"
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
        _attributes(event.attributes, {"exception.type": "TimeoutError", "exception.escaped": True})
    if number % 5 == 0:
        span.links.add(trace_id=source.randbytes(16), span_id=source.randbytes(8), flags=1)


_MEMBERS = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}


def _attributes(target: Any, values: dict[str, object]) -> None:
    for key, value in values.items():
        _any_value(target.add(key=key).value, value)


def _any_value(target: Any, value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _any_value(target.array_value.values.add(), item)
    else:
        setattr(target, _MEMBERS[type(value)], value)
