"""Where things are, and the corpus of the tests put on the path."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "benchmarks" / "data"
SCHEMA = ROOT / "samples" / "vision.binpb"

sys.path.insert(0, str(ROOT / "tests"))
