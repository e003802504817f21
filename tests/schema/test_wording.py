import pytest

from inspector.schema.wording import listed, one_line, text


@pytest.mark.parametrize(
    ("given", "shown"), [("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), ("\ud800", "\\ud800"), ("ü", "ü")]
)
def test_control_characters_become_escapes(given, shown):
    assert one_line(given) == shown


def test_long_names_are_cut_and_long_lists_counted():
    assert len(one_line("x" * 1000)) == 200
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"


def test_names_that_are_not_utf8_are_text_too():
    assert text(b"a\xff") == "a\ufffd"
