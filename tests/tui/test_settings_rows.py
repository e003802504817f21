"""The settings of a request as rows of text."""

from __future__ import annotations

import pytest

from inspector.errors import InputError
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.settings_rows import SETTINGS

ROWS = {each.name: each for each in SETTINGS}


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("target", "grpc://h:1", "grpc://h:1"),
        ("security", "plaintext", "plaintext"),
        ("security", "tls", "tls"),
        ("security", "tls, certificate not verified", "tls, certificate not verified"),
        ("CA file", " ca.pem ", "ca.pem"),
        ("CA file", "", ""),
        ("connect within", "2.5", "2.5"),
        ("deadline", "5s", "5"),
        ("deadline", "", ""),
        ("compression", "gzip", "gzip"),
        ("protocol", "connect", "connect"),
        ("HTTP", "1.1", "1.1"),
        ("HTTP", "auto", "auto"),
        ("longest answer", "1_000_000", "1,000,000"),
    ],
)
def test_what_is_typed_is_what_is_set(name, text, shown):
    row = ROWS[name]
    assert row.text(row.put(Draft(), text)) == shown


@pytest.mark.parametrize(
    ("name", "text"),
    [("target", "h:x"), ("target", "@nowhere"), ("security", "some"), ("deadline", "-1"), ("deadline", "nan"),
     ("connect within", "soon"), ("compression", "zip"), ("longest answer", "0"),
     ("protocol", "http"), ("HTTP", "3")],
)  # fmt: skip
def test_what_cannot_be_set_is_told(name, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        ROWS[name].put(Draft(), text)
