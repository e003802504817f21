"""The field tree over random bytes and schemas: every byte has its place, and the runtime agrees about the rest."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.limits import MAX_DEPTH
from inspector.transcode.tree import FieldTree

SNIPPETS = [
    b"\x0b\x13\x14\x0c",
    b"\x0b\x0c",
    b"\x14",
    b"\x0b",
    b"\x80\x80\x80\x80\x00",
    b"\x88\x00\x81\x00",
    b"\x08" + b"\xff" * 9 + b"\x7f",
    b"\x08" + b"\xff" * 10,
    b"\x8a\x00\x80\x00",
    b"\x0a\x80\x80\x80\x80\x80\x00",
    b"\xf8\x07\x01",
    b"\x18\x09",
    b"\x0a\x02\xc3\x28",
    b"\x06",
]

anything = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def damage(draw, wire):
    """A message with a cut, a changed byte, or something put in."""
    place = draw(st.integers(0, len(wire)))
    kind = draw(st.sampled_from(["cut", "change", "insert", "snippet", "repeat"]))
    if kind == "cut":
        return wire[:place]
    if kind == "change":
        return wire[:place] + draw(st.binary(min_size=1, max_size=1)) + wire[place + 1 :]
    if kind == "repeat":
        return wire + wire[place:]
    added = draw(st.binary(max_size=4)) if kind == "insert" else draw(st.sampled_from(SNIPPETS))
    return wire[:place] + added + wire[place:]


def check_cover(tree):
    """The leaves cover the bytes without a gap; every node lies within its parent."""
    offset = 0
    for piece in tree.pieces():
        assert piece.span.start == offset
        assert piece.span.size > 0
        offset = piece.span.end
    assert offset == len(tree.data)
    for node in tree.walk():
        around = node.parent.value_span if node.parent else (0, len(tree.data))
        assert around[0] <= node.span.start <= node.span.end <= around[1]
        assert node.depth <= MAX_DEPTH
        assert node.kind not in ("bytes", "string") or len(node.children) == 0
        is_open = node.kind in ("message", "group") or node.kind.startswith("packed-")
        assert (node.value is None) == (is_open or (node.kind == "damage" and len(node.children) > 0))
        assert node.kind != "damage" or node.problem is not None
        assert all(isinstance(text, str) and text for text in (*node.notes, repr(node)))
        assert node.is_minimal == (not any("longer than needed" in note for note in node.notes))


@anything
@given(st.binary(max_size=60))
def test_random_bytes_are_covered(data):
    check_cover(FieldTree(data))


@anything
@given(st.data())
def test_bytes_made_of_snippets_are_covered(data):
    check_cover(FieldTree(b"".join(data.draw(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=3)))))))


@anything
@given(data=st.data())
def test_damaged_messages_are_covered_and_the_runtime_refuses_the_same_ones(random_examples, data):
    example = data.draw(random_examples)
    wire = example.message.SerializeToString()
    for _ in range(data.draw(st.integers(0, 3))):
        wire = damage(data.draw, wire)
    check_cover(FieldTree(wire))
    tree = FieldTree(wire, resolver=example.resolver, type_name=example.type_name)
    check_cover(tree)
    refused = [node for node in tree.walk() if is_refused(node)]
    try:
        type(example.message).FromString(wire)
    except DecodeError:
        assert refused
    else:
        # In unknown groups the runtime lets field number 0 pass, which the encoding guide does not allow.
        assert [node for node in refused if not node.is_guess] == []


def is_refused(node):
    """Whether it is damage that the runtime meets: it does not look into payloads of Any, nor unknown LEN fields."""
    at = node.parent
    while at is not None:
        is_payload = at.name == "value" and at.parent is not None and at.parent.type_name == "google.protobuf.Any"
        if at.is_guess or is_payload:
            return False
        at = at.parent
    return node.is_damaged


@anything
@given(data=st.data())
def test_values_are_those_of_the_runtime(random_examples, data):
    example = data.draw(random_examples)
    tree = FieldTree(example.message.SerializeToString(), resolver=example.resolver, type_name=example.type_name)
    assert not any(node.problem for node in tree.walk())
    check_same(tree.fields, example.message)


def check_same(nodes, message):
    """The nodes of a message (that the runtime wrote) hold what it holds."""
    found = {}
    for node in nodes:
        assert not node.is_guess
        found.setdefault(node.number, []).extend(node.children if node.kind.startswith("packed-") else [node])
    fields = message.ListFields()
    assert {field.number for field, _ in fields} == set(found)
    for field, value in fields:
        check_field(found[field.number], field, value)


def check_field(nodes, field, value):
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        assert len(nodes) == len(value)
        assert all(node.is_map_entry for node in nodes)
        return
    values = list(value) if field.is_repeated else [value]
    assert len(nodes) == len(values)
    for index, (node, each) in enumerate(zip(nodes, values, strict=True)):
        assert node.label.strip("[]").endswith(str(index) if field.is_repeated else field.name)
        if entry is None:
            assert node.value == each or (node.value != node.value and each != each)
        elif entry.full_name != "google.protobuf.Any":
            check_same(node.children, each)
