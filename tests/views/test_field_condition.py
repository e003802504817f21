"""The expression that `*` makes of a field: it holds for the message that the field is in."""

from __future__ import annotations

import pytest
from command import ROOT, SAMPLES

import inspector
from inspector.transcode.tree import FieldTree
from inspector.views.field_condition import condition_of
from inspector.views.where import Where

MOST = 60
"""Fields of a message that are tried."""


def fields_of(name, schema, every=1):
    """Fields with their messages, decoded, and the expressions for them."""
    with inspector.open(SAMPLES / name, schema=schema) as session:
        for message in [*session.messages()][::every]:
            decoded = session.decode(message)
            tree = FieldTree(message.data, resolver=schema, type_name=decoded.type_name)
            for node, _ in zip(tree.walk(), range(MOST), strict=False):
                yield node, decoded, condition_of(node, message.direction, decoded.value)


@pytest.mark.parametrize("name", ["predict.pcapng", "concurrent.pcapng", "errors.pcapng"])
@pytest.mark.parametrize("with_schema", [True, False])
def test_it_holds_for_the_message(name, with_schema):
    schema = inspector.Schema.from_source(str(ROOT / "protos")) if with_schema else None
    tried, without = 0, []
    for node, decoded, text in fields_of(name, schema, 3):
        tried += 1
        if text is None:
            without.append(node.path)
            continue
        where = Where(text)
        assert where.takes(decoded), (text, where.last_error)
    assert tried > 50
    assert len(without) < (0.05 if with_schema else 0.3) * tried, without


def test_what_it_looks_like():
    schema = inspector.Schema.from_source(str(ROOT / "protos"))
    found = {}
    for node, _, text in fields_of("predict.pcapng", schema):
        found.setdefault(node.path, text)
    assert found["context.locale"] == 'request.context.locale == "en-GB"'
    assert found["context"] == "has(request.context)"
    assert found["context.tags[0].value"].startswith('request.context.tags["')
    assert found["labels[1].title"].startswith("response.labels.exists(x, x.title == ")
