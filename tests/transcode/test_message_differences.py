"""Differences between encoded messages: what their JSON tells, and what it does not."""

from __future__ import annotations

from random import Random

import corpus
import pytest

from inspector.transcode.decode import MessageDecoder
from inspector.transcode.message_differences import Typed, damaged_differences, differences_by_name, tells_all
from inspector.transcode.tree import FieldTree
from inspector.transcode.tree_unknown import unknown_fields


@pytest.mark.parametrize("shape", corpus.shapes(), ids=lambda shape: shape.name)
def test_where_the_kernel_tells_all_no_field_is_left(shape):
    """So the short way tells the same differences: also of messages that have been changed anywhere."""
    schema, random = corpus.schema(), Random(shape.name)
    decoder = MessageDecoder(schema)
    for data in shape.messages[:4]:
        for changed in (data, *(_changed(data[:4_000], random) for _ in range(20))):
            plain = decoder.decode_plain(shape.type_name, changed)
            if plain is not None and tells_all(plain):
                tree = FieldTree(changed, resolver=schema, type_name=shape.type_name)
                assert unknown_fields(tree) == {}


def _changed(data: bytes, random: Random) -> bytes:
    copy = bytearray(data)
    for _ in range(random.randrange(1, 4)):
        copy[random.randrange(len(copy))] = random.randrange(256)
    return bytes(copy)


def test_what_both_have_is_told_in_between_if_asked_for():
    schema = corpus.schema()
    shape = next(each for each in corpus.shapes() if each.name == "prediction")
    pair = [Typed(data, shape.type_name, schema) for data in shape.messages[:2]]
    found = differences_by_name(*pair, with_equal=True)
    differences = [each for each in found if each.change != "same"]
    assert differences == differences_by_name(*pair)
    assert len(found) > len(differences) > 3
    first = differences_by_name(*pair, with_equal=True, most=3)
    assert [each for each in first if each.change != "same"] == differences[:3]


def test_of_a_damaged_message_the_fields_before_the_damage_are_compared():
    found, errors = damaged_differences(b"\x08\x01\x12\x05ab", b"\x08\x02\x12\x02ab", with_equal=True)
    assert [(each.path, each.change) for each in found] == [("1", "changed"), ("2", "added")]
    assert errors[0] is not None
    assert errors[0].code == "truncated"
    assert errors[1] is None
