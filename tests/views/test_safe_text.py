import json
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.views.safe_text import safe, safe_json, safe_name

BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def is_unsafe(character):
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in BIDI
        or character in "\u200e\u200f\u061c"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/pkg.Svc/Method", "/pkg.Svc/Method"),
        ("画像 🦊 ä", "画像 🦊 ä"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
    ],
)
def test_unsafe_characters_become_escapes(text, shown):
    assert safe(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_unsafe_is_left(text):
    assert not any(map(is_unsafe, safe(text)))


def test_every_unsafe_character_of_unicode_is_known():
    every = "".join(map(chr, range(0x110000)))
    assert not any(map(is_unsafe, safe(every)))


@given(st.text())
def test_json_is_safe_and_means_the_same(text):
    shown = safe_json(orjson.dumps(text))
    assert json.loads(shown) == text
    assert not any(map(is_unsafe, shown.decode()))


def test_json_of_harmless_text_stays_as_it_is():
    assert safe_json('"画像 \u2014 ä"'.encode()) == '"画像 \u2014 ä"'.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Tr\u200bansfer", r"Tr\u200bansfer"), ("a\xadb", r"a\xadb"), ("\U000e0041", r"\U000e0041"),
     ("\u202ea", r"\u202ea"), ("👨\u200d👩 ä", "👨\u200d👩 ä")],
)  # fmt: skip
def test_what_is_not_seen_in_a_name_becomes_an_escape(name, shown):
    assert safe_name(name) == shown
