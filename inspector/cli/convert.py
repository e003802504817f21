"""`inspector convert`: one message between the forms it can have."""

from __future__ import annotations

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.options import hint_option, input_argument, json_options, out_option, schema_options
from inspector.cli.payload_options import (
    conversion_of,
    form_option,
    ignore_unknown_option,
    indent_option,
    refuse_terminal,
    to_option,
    type_option,
)
from inspector.formats import registry as formats
from inspector.formats.base import Conversion, Format
from inspector.formats.registry import BINARY, JSON, YAML
from inspector.sources.payloads import holds_binary, messages_of, naming, read_whole, tell
from inspector.views.safe_text import safe_json


@click.command(no_args_is_help=True)
@input_argument
@form_option
@to_option
@schema_options
@type_option
@hint_option
@ignore_unknown_option
@json_options
@indent_option
@out_option
def convert(
    input_: str, form: str | None, to: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...],
    type_name: str | None, hints: dict[str, str], ignore_unknown: bool, emit_defaults: bool, proto_names: bool,
    enum_numbers: bool, keep_unknown: bool, indent: int | None, path: str | None,
) -> int:  # fmt: skip
    """Convert a message between binary, JSON, text format, YAML, protoscope, hex and base64.

    INPUT is a file or - for standard input. Without -t fields go by their numbers and what they are is guessed; such
    JSON can be edited and converted back.
    """
    conversion = conversion_of(
        schemas, import_paths, type_name, hints, ignore_unknown=ignore_unknown, emit_defaults=emit_defaults,
        proto_names=proto_names, enum_numbers=enum_numbers, keep_unknown=keep_unknown, indent=_indent(indent, path),
    )  # fmt: skip
    with naming(input_):
        data = read_whole(input_, form)
        target = _target(to, path, data, form, input_)
        messages = list(messages_of(data, form, conversion, name=input_))
        if not target.is_text:
            refuse_terminal(path)
        parts, doubtful = _write(target, messages, conversion)
    if doubtful:
        _note_untold(doubtful, conversion)
    with output.opened(path, input_) as out:
        out.writelines(parts)
    is_guess = conversion.type_name is None and target in (JSON, YAML)
    return DAMAGED if is_guess and _note_damage(messages) else 0


def _indent(indent: int | None, path: str | None) -> int | None:
    """Text that a person will read or edit is indented; what a program reads is not."""
    if indent is not None:
        return indent or None
    return 2 if path is not None or output.is_terminal() else None


def _target(to: str | None, path: str | None, data: bytes, form: str | None, name: str) -> Format:
    if to is not None:
        return formats.find(to)
    named = formats.by_suffix(path) if path else None
    return named or (JSON if holds_binary(tell(data, form or "", name)) else BINARY)


def _write(target: Format, messages: list[bytes], conversion: Conversion) -> tuple[list[bytes], list[bytes]]:
    """The text in parts, and the messages of which it may leave something out."""
    if target is JSON and conversion.type_name is not None:
        from inspector.formats.json import write_telling  # noqa: PLC0415  # what prints JSON is not always needed

        written = [write_telling(message, conversion) for message in messages]
        doubtful = [message for message, each in zip(messages, written, strict=True) if each.may_leave_out]
        # The end of a line by itself, so that a long text is not copied for it.
        lines = [part for each in written for part in (each.text if each.is_seen else safe_json(each.text), b"\n")]
        return lines, doubtful
    text = target.write_all(messages, conversion)
    parts = [safe_json(text) if target is JSON else text]
    return parts, messages if target is YAML and conversion.type_name is not None else []


def _note_damage(messages: list[bytes]) -> bool:
    """Whether one is cut short. (What follows the damage is not lost: formats keep it as it is.)"""
    from inspector.wire.scan import scan_prefix  # noqa: PLC0415  # only a guess may be damaged

    errors = list(filter(None, (scan_prefix(message)[1] for message in messages)))
    if errors:
        output.note(f"damaged: {errors[0]}; what follows is in the text only as bytes")
    return bool(errors)


def _note_untold(messages: list[bytes], conversion: Conversion) -> None:
    """JSON has no place for fields that the type lacks, nor for text that is not UTF-8; what is lost is told."""
    from inspector.transcode.tree import FieldTree  # noqa: PLC0415  # rarely needed, and many modules
    from inspector.transcode.tree_unknown import untold  # noqa: PLC0415

    lost = [
        node
        for message in messages
        for node in untold(
            FieldTree(message, resolver=conversion.resolver, type_name=conversion.type_name),
            keep_unknown=conversion.keep_unknown,
        )
    ]
    if lost:
        first = lost[0]
        what = next(filter(None, (first.problem and first.problem.message, *first.notes)), "")
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        output.note(
            f"left out: {first.path}, offset {first.span.start}: {what}{more}; --keep-unknown, text format and "
            "protoscope keep it"
        )
