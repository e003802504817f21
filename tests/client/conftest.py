"""A server with every kind of door, and its schema."""

from __future__ import annotations

import pytest
from command import SCHEMA

import inspector


@pytest.fixture
def server(doors):
    """Where the server of `tests/conftest.py` listens."""
    return doors


@pytest.fixture(scope="session")
def schema():
    return inspector.Schema.from_files(SCHEMA)
