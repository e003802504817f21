"""A tree of which some nodes are open, read again in another way."""

from __future__ import annotations

from inspector.transcode.tree import FieldTree
from inspector.views.outline import Outline

DATA = bytes.fromhex("0a080a020801120208021a0301020320" + "05")


def test_what_was_open_is_open_in_another_reading_as_far_as_it_is_there():
    outline = Outline(FieldTree(DATA, hints={"1.1": "message", "1.2": "message", "3": "packed-int64"}).fields)
    outline.open_all(100)
    opened = outline.opened()
    assert opened == [(0,), (1,), (0, 0), (0, 1)]
    other = Outline(FieldTree(DATA, hints={"1.1": "bytes", "1.2": "message", "3": "bytes"}).fields)
    other.open_again(opened)
    assert other.opened() == [(0,), (0, 1)]
    Outline(FieldTree(b"").fields).open_again(opened)


def test_nothing_is_open_at_first():
    assert Outline(FieldTree(DATA).fields).opened() == []
