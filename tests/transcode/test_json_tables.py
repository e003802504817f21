"""What the kernel is told of types."""

from __future__ import annotations

import pytest
from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.json_tables import JsonTables
from inspector.transcode.json_text import dumps, quoted
from inspector.transcode.resolver import Resolver


class Types(Resolver):
    def __init__(self, descriptor):
        self._descriptor = descriptor

    def find_message(self, name):
        return self._descriptor


@pytest.mark.parametrize("module", [any_pb2, duration_pb2, field_mask_pb2, timestamp_pb2], ids=lambda it: it.__name__)
def test_well_known_types_of_the_runtime_are_for_the_kernel(module):
    for descriptor in module.DESCRIPTOR.message_types_by_name.values():
        tables = JsonTables(Types(descriptor))
        assert tables.type_record(tables.type_index(descriptor.full_name)).form == descriptor.full_name


@given(st.text(max_size=8) | st.text('ab"\\\x7f\x1f ~', max_size=8))
def test_names_are_quoted_as_all_text_is(text):
    assert quoted(text) == dumps(text)
