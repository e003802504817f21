"""The command `inspector`: its commands are loaded when they are called, so that `--help` and completion are quick."""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from inspector import __version__
from inspector.cli.exit_codes import FAILED, USAGE
from inspector.cli.output import ReaderGone
from inspector.errors import InspectorError
from inspector.views.safe_text import safe

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# command -> its module, its line in the list of commands
COMMANDS = {
    "decode": ("inspector.cli.decode", "Capture or payload to JSON."),
    "calls": ("inspector.cli.calls", "One line per call: method, status, timing, sizes."),
    "show": ("inspector.cli.show", "One call, whole, for a reader."),
    "convert": ("inspector.cli.convert", "A message between binary, JSON, text, YAML, protoscope, hex, base64."),
    "call": ("inspector.cli.call", "Call a method of a server, with a request made by hand."),
    "encode": ("inspector.cli.encode", "Readable to binary, in a frame if wanted."),
    "explain": ("inspector.cli.explain", "Every byte of a message accounted for."),
    "diff": ("inspector.cli.diff", "What differs between two payloads, field by field."),
    "list": ("inspector.cli.list", "Services, methods and types of a schema."),
    "describe": ("inspector.cli.describe", "A service, a type, a field: as .proto source or JSON."),
    "template": ("inspector.cli.template", "A message to fill in, of a type or for a method."),
    "infer": ("inspector.cli.infer", "A .proto file for payloads that have none."),
    "record": ("inspector.cli.record", "A proxy that records the calls that go through it."),
    "replay": ("inspector.cli.replay", "Send captured calls again, and compare the answers."),
    "tui": ("inspector.cli.tui", "Browse captures and payloads in the terminal."),
    "extract": ("inspector.cli.extract", "Schemas embedded in programs and archives."),
}


_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):[0-9]{1,5}")
"""A host and a port, which stand before the command in grpcurl."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # where a shell asks only

        named = [(name, line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=line) for name, line in named), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            if first in ("-version", "-help"):
                ctx.fail(f"there is no option {first}; did you mean -{first}?")
            ctx.fail(f"{first} stands behind a command, as in: inspector call TARGET METHOD {first}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if ctx.resilient_parsing:  # a shell asks for completions
            return super().resolve_command(ctx, args)
        if name not in COMMANDS and _SERVER.fullmatch(name):
            ctx.fail(f"the command comes first: inspector list -s grpcs://{name}, or inspector call {name} METHOD")
        if name not in COMMANDS and not name.startswith("-") and os.path.exists(name):
            ctx.fail(f"there is no command {name!r}; to read that file: inspector decode {name}")
        if name not in COMMANDS and not name.startswith("-"):
            import difflib  # noqa: PLC0415  # needed here only

            near = difflib.get_close_matches(name, COMMANDS, 1)
            ctx.fail(f"there is no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None and any(each.startswith("-") for each in rest):
            from inspector.cli.foreign_flags import adapted  # noqa: PLC0415  # where there are options

            rest = adapted(command, rest, _complain)
        return found, command, rest


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from inspector.compiled import is_compiled  # noqa: PLC0415  # looks through the package; needed here only

        build = "compiled" if is_compiled() else "pure Python"
        click.echo(f"inspector {__version__} (kernels: {build})")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="inspector COMMAND --help tells more.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Read and write protobuf and gRPC payloads: captured traffic to JSON, messages in any form and back, with a schema
    or without."""


def main() -> NoReturn:
    """Runs the command line and exits. Errors are one line on standard error."""
    if _COMPLETE in os.environ:
        _complete()
    try:
        code = cli.main(prog_name="inspector", standalone_mode=False)
    except InspectorError as error:
        fail(str(error))
    except click.exceptions.Abort:
        _quit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        _quit(USAGE)
    except click.ClickException as error:
        _complain(_wording(error))
        _quit(error.exit_code)
    except (ReaderGone, OSError) as error:
        # Inputs are read elsewhere, and what goes wrong there is said there: this is standard output.
        end_unwritten(error)
    except MemoryError:
        fail("out of memory")
    _quit(code if isinstance(code, int) else 0)


def end_unwritten(error: ReaderGone | OSError) -> NoReturn:
    """Exits where standard output cannot be written; that nobody reads it any more is no failure."""
    _forget_output()
    if isinstance(error, ReaderGone | BrokenPipeError):
        _quit(0)
    fail(f"standard output cannot be written: {error.strerror}")


_COMPLETE = "_INSPECTOR_COMPLETE"
"""The variable by which a shell asks for completions, or for the script that does so (click)."""


def _complete() -> NoReturn:
    from inspector.cli.shell import answer  # noqa: PLC0415  # not needed otherwise

    _quit(answer(cli, _COMPLETE))


def fail(message: str) -> NoReturn:
    """Says what went wrong in one line, and exits."""
    _complain(message)
    _quit(FAILED)


def _complain(message: str) -> None:
    click.echo(f"inspector: {safe(message)}", err=True)


def _wording(error: click.ClickException) -> str:
    """What was wrong with the command line, in one line."""
    text = error.format_message()
    context = getattr(error, "ctx", None)
    command = "inspector" if context is None else context.command_path
    return f"{text.rstrip('.')} (try '{command} --help')"


def _forget_output() -> None:
    """What could not be written is not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _quit(code: int) -> NoReturn:
    if sys.stdout is not None:
        sys.stdout.flush()
    sys.exit(code)
