"""Each fuzz target over its seeds, and over the inputs that once failed it (`regressions/TARGET/`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.targets import NAMES, load

REGRESSIONS = Path(__file__).parent / "regressions"
INPUTS = sorted(path for path in REGRESSIONS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_that_once_failed_does_so_no_more(path):
    load(path.parent.name).run(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_seeds_reach_what_they_are_for(name):
    target = load(name)
    seeds = list(target.seeds())
    assert all(len(seed) <= target.longest for seed in seeds)
    assert len({repr(target.run(seed)) for seed in seeds}) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_nothing_at_all_is_an_input_too(name):
    load(name).run(b"")
