"""The tokens of text format."""

from __future__ import annotations

import pytest

from inspector.formats.text_tokens import END, NAME, NUMBER, STRING, SYMBOL, TextProblem, Tokens


def tokens_of(source):
    tokens = Tokens(source)
    found = []
    while tokens.kind != END:
        found.append((tokens.kind, tokens.text))
        tokens.advance()
    return found


def test_kinds_of_tokens():
    assert tokens_of("a: {-1.5e+3f <\"x\"'y'>}") == [
        (NAME, "a"),
        (SYMBOL, ":"),
        (SYMBOL, "{"),
        (SYMBOL, "-"),
        (NUMBER, "1.5e+3f"),
        (SYMBOL, "<"),
        (STRING, '"x"'),
        (STRING, "'y'"),
        (SYMBOL, ">"),
        (SYMBOL, "}"),
    ]


def test_white_space_and_comments_lie_between_tokens():
    assert tokens_of("# one\n\t a \v\f\r\n#two # still two\nb# at the end") == [(NAME, "a"), (NAME, "b")]


def test_what_clings_to_a_number_belongs_to_it():
    assert tokens_of("10bar 1.2.3 10[") == [(NUMBER, "10bar"), (NUMBER, "1.2.3"), (NUMBER, "10"), (SYMBOL, "[")]


def test_quotes_within_strings():
    assert tokens_of(r'''"it's" 'a "b"' "\"" "\\"''') == [
        (STRING, '"it\'s"'),
        (STRING, "'a \"b\"'"),
        (STRING, r'"\""'),
        (STRING, r'"\\"'),
    ]


@pytest.mark.parametrize(
    ("source", "offset", "says"),
    [
        ('"abc', 0, "does not end"),
        ("'a\nb'", 0, "does not end"),
        ('"a\0b"', 0, "does not end"),
        ('"abc\\', 0, "does not end"),
        (" # x\n $", 6, "cannot stand here"),
        ("é", 0, "cannot stand here"),
        ("\0", 0, "cannot stand here"),
    ],
)
def test_what_is_no_token_is_told_with_its_offset(source, offset, says):
    with pytest.raises(TextProblem, match=says) as caught:
        tokens_of(source)
    assert caught.value.offset == offset


def test_names_in_brackets_may_hold_white_space_and_comments():
    tokens = Tokens("[ type.googleapis.com / # prefix\n pkg.T ] {")
    assert tokens.bracketed() == "type.googleapis.com/pkg.T"
    assert tokens.text == "{"


@pytest.mark.parametrize("source", ["[", "[a", "[a b {", '["a"]'])
def test_brackets_without_a_name_or_an_end_are_refused(source):
    with pytest.raises(TextProblem, match="expected the name of an extension"):
        Tokens(source).bracketed()


@pytest.mark.parametrize("unit", ["#", " ", "\n", "1", "-", "a", "[", "#\n", "''", "a ", '\\"'])
def test_a_long_text_is_cut_in_one_pass(unit):
    source = "'" + unit * (1 << 18 if unit in "# \n1a" else 1 << 14)
    assert len(tokens_of(source[1:] if unit != '\\"' else source + "'")) in (0, 1, 1 << 14)


@pytest.mark.parametrize("source", ["'" + "\\" * (1 << 20), '"' + "x" * (1 << 20), " " * (1 << 20) + "$"])
def test_a_long_text_is_refused_in_one_pass(source):
    with pytest.raises(TextProblem) as caught:
        tokens_of(source)
    assert caught.value.offset in (0, 1 << 20)
