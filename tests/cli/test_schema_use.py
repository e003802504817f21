"""How well a schema fits, counted batch by batch and told once."""

from __future__ import annotations

import itertools

import pytest
from command import SAMPLES, SCHEMA
from hypothesis import given
from hypothesis import strategies as st

import inspector
from inspector.cli import schema_use
from inspector.cli.schema_use import Counts, SchemaUse
from inspector.schema import Schema


@pytest.fixture(scope="module")
def session():
    schema = Schema.from_files(SCHEMA)
    return inspector.open(SAMPLES / "errors.pcapng", schema=schema, type_name="vision.v1.PredictRequest")


@pytest.fixture(scope="module")
def decoded(session):
    return [session.decode(message) for message in session.messages()]


def noted(session, found):
    use = SchemaUse(session)
    for each in found:
        use.note(each)
    return use


@given(places=st.lists(st.integers(0, 40), max_size=5))
def test_batches_add_up_to_the_whole(session, decoded, places):
    borders = sorted({0, len(decoded), *(place % (len(decoded) + 1) for place in places)})
    total = SchemaUse(session)
    for start, end in itertools.pairwise(borders):
        total.add(Counts(*tuple(noted(session, decoded[start:end]).counts())))
    assert total.counts() == noted(session, decoded).counts()
    assert total.counts().messages == len(decoded)


def test_methods_that_the_schema_lacks_are_counted_by_name(capsys):
    session = inspector.open(SAMPLES / "errors.pcapng", schema=Schema.from_files(SCHEMA))
    use = noted(session, map(session.decode, session.messages()))
    lacking = dict(use.counts().lacking)
    assert lacking
    assert all(name.startswith("/vision.v2.") for name in lacking)
    use.report()
    assert f"{sum(lacking.values())} messages were decoded by field number" in capsys.readouterr().err


def test_no_more_methods_are_held_than_are_bounded(session, monkeypatch):
    monkeypatch.setattr(schema_use, "MOST_METHODS", 3)
    use = SchemaUse(session)
    use.add(Counts(10, 0, tuple((f"/pkg.Svc/M{number}", 1) for number in range(10))))
    assert len(use.counts().lacking) == 3


def test_a_schema_that_fits_says_nothing(capsys):
    session = inspector.open(SAMPLES / "predict.pcapng", schema=Schema.from_files(SCHEMA))
    noted(session, map(session.decode, session.messages())).report()
    assert capsys.readouterr().err == ""
