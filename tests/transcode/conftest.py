"""Schemas for the tests of transcoding: from text, and at random."""

from __future__ import annotations

from collections.abc import Callable

import kernels
import pytest
from hypothesis import strategies as st
from random_schemas import Example, PoolResolver, compile_text, examples


@pytest.fixture(scope="session")
def compile_proto(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PoolResolver]:
    """Compiles the text of a .proto file; `known` adds the well-known types to its schema."""
    return lambda text, known=True: compile_text(text, tmp_path_factory.mktemp("proto"), known=known)


@pytest.fixture(scope="session")
def random_examples() -> st.SearchStrategy[Example]:
    """A strategy: messages of random schemas with every kind of field."""
    return examples()


collect_ignore = (
    ["test_wire_to_json_cy.py"] if kernels.variants("inspector.transcode.wire_to_json_cy") == [kernels.SOURCE] else []
)
"""Where a kernel is not compiled, and need not be, there is nothing to test."""
