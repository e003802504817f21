"""Flags as users of grpcurl write them."""

from __future__ import annotations

import click
import pytest
from command import SCHEMA, run

from inspector.cli.call import call
from inspector.cli.foreign_flags import adapted
from inspector.cli.list import list as list_
from inspector.cli.main import COMMANDS


def warned(command, *arguments):
    told = []
    return adapted(command, [*arguments], told.append), told


@pytest.mark.parametrize(
    "flag", ["-plaintext", "-servername", "-data", "-import-path", "-protoset-out", "-msg-template", "-format=text"]
)
def test_a_long_flag_with_one_dash_earns_a_hint(flag):
    with pytest.raises(click.UsageError, match=f"did you mean -{flag.partition('=')[0]}\\?"):
        warned(call, flag, "host:1", "a.B/C")


def test_the_hint_is_one_line_and_a_wrong_usage():
    result = run("call", "-plaintext", "-d", "{}", "localhost:1", "a.B/C")
    assert (result.code, result.out) == (2, b"")
    assert result.err == (
        "inspector: there is no option -plaintext; did you mean --plaintext? (try 'inspector call --help')\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-d", "-plaintext", "host:1"),
        ("-H", "-x: --max-time", "-vv", "--emit-defaults"),
        ("--data=--msg-template", "-sapi.proto", "--", "-plaintext", "--msg-template"),
        ("-", "--no-such-thing"),
    ],
)
def test_values_of_options_and_what_is_ours_are_left_alone(arguments):
    assert warned(call, *arguments) == ([*arguments], [])


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (("--max-time", "3", "pkg"), ["pkg"]),
        (("--max-time=3", "pkg"), ["pkg"]),
        (("--msg-template", "pkg"), ["pkg"]),
        (("-d", "{}", "pkg"), ["pkg"]),
        (("--use-reflection=false", "pkg"), ["pkg"]),
        (("--format-error", "pkg"), ["pkg"]),
    ],
)
def test_what_the_command_has_no_use_for_is_left_out_with_a_warning(arguments, left):
    found, told = warned(list_, *arguments)
    assert found == left
    assert [line.split(":")[0] for line in told] == ["warning"]


def test_a_command_with_such_a_flag_does_its_work():
    result = run("list", "-s", SCHEMA, "--emit-defaults", "--max-time", "3")
    assert result.code == 0
    assert b"vision.v1.PredictionService\n" in result.out
    assert result.err.splitlines() == [
        "inspector: warning: list does not use --emit-defaults (inspector call does)",
        "inspector: warning: list does not use --max-time (inspector call does)",
    ]


def test_a_flag_may_have_the_name_that_it_has_in_grpcurl():
    (option,) = [each for each in call.params if each.name == "proto_names"]
    assert "--keep-proto-names" in option.opts


@pytest.mark.parametrize("flag", ["--alts", "-alts"])
def test_without_alts_no_call_is_made(flag):
    with pytest.raises(click.UsageError, match="ALTS"):
        warned(call, flag, "host:1", "a.B/C")


def test_other_commands_refuse_what_they_do_not_know():
    assert "decode" in COMMANDS
    result = run("decode", "--plaintext", "-")
    assert result.code == 2
    assert "--plaintext" in result.err
