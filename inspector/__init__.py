"""inspector: protobuf and gRPC payloads, readable and writable by people.

The public names are loaded when first used (PEP 562), so that `import inspector` stays cheap.
"""

from __future__ import annotations

import importlib
import os

__version__ = "0.1.0"

if os.environ.get("INSPECTOR_COMPILED", "auto") != "auto":
    from inspector import compiled

    compiled.apply_mode()

_HOMES = {
    "AsyncClient": "inspector.client.client",
    "CallError": "inspector.client.answer",
    "Client": "inspector.client.blocking",
    "Difference": "inspector.transcode.compare",
    "Explanation": "inspector.views.explanation",
    "FieldTree": "inspector.transcode.tree",
    "InspectorError": "inspector.errors",
    "Schema": "inspector.schema",
    "Session": "inspector.session",
    "Where": "inspector.views.where",
    "convert": "inspector.payload",
    "decode": "inspector.payload",
    "diff": "inspector.payload",
    "encode": "inspector.payload",
    "explain": "inspector.payload",
    "guess": "inspector.wire.guess",
    "infer": "inspector.payload",
    "is_compiled": "inspector.compiled",
    "open": "inspector.session",
    "scan": "inspector.wire.scan",
    "template": "inspector.payload",
}

__all__ = [
    "AsyncClient",
    "CallError",
    "Client",
    "Difference",
    "Explanation",
    "FieldTree",
    "InspectorError",
    "Schema",
    "Session",
    "Where",
    "__version__",
    "convert",
    "decode",
    "diff",
    "encode",
    "explain",
    "guess",
    "infer",
    "is_compiled",
    "open",
    "scan",
    "template",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'inspector' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
