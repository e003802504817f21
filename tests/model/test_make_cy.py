"""Records made directly are like those that their constructors make."""

from __future__ import annotations

import gc
import sys

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.call import Piece
from inspector.model.packet import Segment

module = kernels.fixture("inspector.model.make_cy")

ANYTHING = st.none() | st.integers() | st.binary() | st.text() | st.lists(st.integers())


@given(values=st.tuples(*[ANYTHING] * len(Segment._fields)))
def test_a_record_is_what_its_constructor_makes(module, values):
    made = module.make(Segment, values)
    assert type(made) is Segment
    assert made == Segment(*values)
    assert made._asdict() == dict(zip(Segment._fields, values, strict=True))
    assert hash(made[:0]) == hash(())


def test_a_record_holds_its_values_and_lets_them_go(module):
    value = b"a value of its own, not shared: " + bytes(range(200))
    before = sys.getrefcount(value)
    made = module.make(Piece, (1, value, 3))
    assert sys.getrefcount(value) == before + 1
    del made
    assert sys.getrefcount(value) == before


def test_cycles_through_records_are_collected(module):
    class Held:
        gone = False

        def __del__(self):
            Held.gone = True

    held = [Held()]
    held.append(module.make(Piece, (1, held, 3)))
    del held
    gc.collect()
    assert Held.gone


@pytest.mark.parametrize("kind", [int, list, dict, bytes])
def test_what_is_no_tuple_is_refused(module, kind):
    with pytest.raises(TypeError):
        module.make(kind, (1, 2, 3))
