"""The fuzz targets: each is a file beside this one, `target_NAME.py`, with a `TARGET` in it."""

from __future__ import annotations

import importlib
from pathlib import Path

from fuzz.target import Target

NAMES = sorted(path.stem.removeprefix("target_") for path in Path(__file__).parent.glob("target_*.py"))


def load(name: str) -> Target:
    target: Target = importlib.import_module(f"fuzz.target_{name}").TARGET
    assert target.name == name
    return target
