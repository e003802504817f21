"""Dumps in text: which there are, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from inspector.errors import InputError
from inspector.sources.dump import DUMPS, undump


def test_every_form_of_dump_is_undone():
    shown = {"hex": b"00000000: 0805  ..\n", "base64": b"data:;base64,CAU="}
    assert {form: undump(form, shown[form]) for form in DUMPS} == dict.fromkeys(DUMPS, b"\x08\x05")


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("hex", b"08\n0g", "the input is not hex: line 2, column 2: 'g' is no hex digit"),
        ("base64", b"CAU\n.", "the input is not base64: line 2, column 1: '.' is not base64"),
        ("oct", b"", "there is no textual form named 'oct'"),
    ],
)
def test_wrong_dumps_are_refused_with_the_place(form, text, words):
    with pytest.raises(InputError) as caught:
        undump(form, text)
    assert caught.value.message.startswith(words)
    assert caught.value.hint
