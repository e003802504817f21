"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A change is judged by the same examples each time; new ones are looked for when the tests run elsewhere.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
