"""What holds for all tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

from hypothesis import settings

# A change is judged by the same examples each time; new ones are looked for when the tests run elsewhere.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

_CACHE = tempfile.mkdtemp(prefix="inspector-tests-")


def pytest_configure():
    """The cache folder of the tests, and of the processes that they start, is not that of the user."""
    os.environ["INSPECTOR_CACHE"] = _CACHE
    # A shell without job control has what it starts in the background ignore Ctrl-C, which processes inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure():
    shutil.rmtree(_CACHE, ignore_errors=True)
