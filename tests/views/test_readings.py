"""The readings of a field that no schema tells."""

from __future__ import annotations

import pytest

from inspector.transcode.tree import FieldTree
from inspector.views.readings import LONGEST_TRIED, as_options, guessed_field, readings
from inspector.wire.hints import parse_hint
from inspector.wire.kinds import WIRE_TYPES


def of(data, hints=None, place=0):
    node = guessed_field(FieldTree(bytes.fromhex(data), hints=hints or {}).fields[place])
    assert node is not None
    return readings(node)


@pytest.mark.parametrize("data", ["0a0568656c6c6f", "1003", "250000803f", "090000000000000000", "0b0c", "2a00"])
def test_they_are_those_of_the_wire_type_each_once(data):
    tree = FieldTree(bytes.fromhex(data))
    kinds = [each.kind for each in of(data)]
    assert sorted(kinds) == sorted(kind for kind, wire in WIRE_TYPES.items() if wire == tree.fields[0].wire_type)
    assert kinds[0] == tree.fields[0].candidates[0].kind


def test_runners_up_come_first_and_what_the_bytes_contradict_last():
    found = of("1a03010203")
    assert [each.kind for each in found][:2] == ["packed-int64", "bytes"]
    assert found[0].preview == "[1, 2, 3]"
    wrong = [bool(each.problem) for each in found if each.confidence is None]
    assert wrong == sorted(wrong)
    assert {each.kind for each in found if each.problem} >= {"packed-double", "packed-float", "message"}


def test_a_hint_does_not_change_what_is_offered():
    assert of("1a03010203", {"3": "string"}) == of("1a03010203")


def test_hostile_text_is_safe_in_a_preview():
    found = {each.kind: each.preview for each in of("0a041b5b326a")}
    assert "\x1b" not in "".join(found.values())
    assert "\\x1b" in found["string"]


def test_a_large_field_is_not_tried():
    data = b"\x0a\x81\x80\x04" + bytes(LONGEST_TRIED + 1)
    node = guessed_field(FieldTree(data).fields[0])
    assert node is not None
    assert {(each.preview, each.problem) for each in readings(node)} == {("", "")}


def test_an_element_stands_for_its_field_and_damage_for_nothing():
    tree = FieldTree(bytes.fromhex("1a03010203"), hints={"3": "packed-int64"})
    assert guessed_field(tree.fields[0].children[1]) is tree.fields[0]
    assert guessed_field(FieldTree(b"\x0a\x09\x01").fields[0]) is None
    assert guessed_field(None) is None


def test_options_are_read_back():
    hints = {"3.1": "string", "4": "packed-int64"}
    words = as_options(hints).split()
    assert dict(parse_hint(each) for each in words[1::2]) == hints
    assert set(words[::2]) == {"--hint"}
