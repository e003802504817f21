"""Functions by the names of their modules, which are imported when the functions are called: what a registry lists
costs nothing until it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def deferred(module: str, name: str) -> Callable[..., Any]:
    """What calls the function (or class) of that name in the module."""

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **named)

    return call
