"""Requests out of the commands that people send one another: grpcurl, `inspector call`, `buf curl`.

Sources: the flags of grpcurl 1.9 (README, `grpcurl -help`; Go's `flag` takes one dash or two), and of `buf curl`.
Invariant: a flag either has its effect, or is told as left out, or is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from inspector.client import metadata
from inspector.client.settings import DEFAULT_MAX_MESSAGE, ConnectSettings
from inspector.client.target import Target
from inspector.errors import InputError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.formats.message_stream import message_stream
from inspector.limits import MAX_REQUEST_FILE, MAX_SECONDS
from inspector.net.compression import ENCODINGS
from inspector.schema.names import near
from inspector.sources.payloads import messages_of
from inspector.views.shell_words import Word, printed, split
from inspector.views.written_request import WrittenField, WrittenRequest

_BEGINNING = re.compile(r"\s*(?:\$ )?\s*(?:grpcurl|inspector\s+call|buf\s+curl)\s")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)

_VALUES = ("d", "format", "H", "rpc-header", "reflect-header", "authority", "servername", "cacert", "cert", "key",
           "connect-timeout", "keepalive-time", "max-time", "max-msg-sz", "user-agent", "proto", "protoset",
           "import-path")  # fmt: skip
_IDLE = ("v", "emit-defaults", "allow-unknown-fields", "keep-proto-names", "msg-template")
_REFUSED = ("alts", "alts-handshaker-service", "alts-target-service-account")


class Program(NamedTuple):
    """What a program takes: flags with a value, those without, and those that a request has no use for (`True` where
    these have a value). `other` are further names, `dashes` those of a long flag."""

    name: tuple[str, ...]
    values: tuple[str, ...]
    switches: tuple[str, ...]
    idle: Mapping[str, bool]
    other: Mapping[str, str]
    dashes: tuple[str, ...]


def _idle(switches: Sequence[str], values: Sequence[str] = ()) -> dict[str, bool]:
    return dict.fromkeys(switches, False) | dict.fromkeys(values, True)


_GRPCURL = Program(
    ("grpcurl",), _VALUES, ("plaintext", "insecure", "expand-headers", "unix"),
    _idle((*_IDLE, "vv", "format-error", "use-reflection"), ("protoset-out", "proto-out-dir")), {}, ("-", "--"),
)  # fmt: skip
_INSPECTOR = Program(
    ("inspector", "call"), (*_VALUES, "from", "compress"),
    ("plaintext", "tls", "insecure", "expand-headers", "unix"),
    _idle((*_IDLE, "vv", "no-cache", "interactive", "envelope", "ignore-unknown", "proto-names", "enum-numbers",
           "keep-unknown", "show-secrets"), ("to", "o", "out", "stop-after", "indent")),
    {"data": "d", "header": "H", "s": "proto", "schema": "proto", "I": "import-path"}, ("--",),
)  # fmt: skip
_BUF = Program(
    ("buf", "curl"),
    ("d", "H", "reflect-header", "servername", "cacert", "cert", "key", "connect-timeout", "keepalive-time",
     "user-agent", "proto", "unix-socket", "protocol"),
    ("insecure", "http2-prior-knowledge"),
    _idle((*_IDLE, "verbose", "reflect", "no-keepalive", "list-methods", "list-services"), ("o", "output")),
    {"data": "d", "header": "H", "schema": "proto", "k": "insecure", "A": "user-agent", "E": "cert"}, ("--",),
)  # fmt: skip


def is_command(text: str) -> bool:
    """Whether a text begins as one of the commands does."""
    return _BEGINNING.match(text[:200]) is not None


def parse(text: str) -> WrittenRequest:
    """The request that a command makes; files that it names as data or header fields are read. Raises InputError for
    what is no such command, with what is wrong in it."""
    notes: list[str] = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # terminals paste the end of a line as they send Enter
    words, data = _command(split(text.strip().removeprefix("$ ")), notes)
    program = next((each for each in (_GRPCURL, _INSPECTOR, _BUF) if _begins(words, each)), None)
    if program is None:
        raise InputError("there is no command that is known in it", hint="grpcurl, inspector call, buf curl")
    return _Command(program, words[len(program.name) :], data, notes).request()


def _begins(words: Sequence[Word], program: Program) -> bool:
    names = [os.path.basename(word.text) for word in words[:1]] + [word.text for word in words[1:2]]
    return tuple(names[: len(program.name)]) == program.name


def _command(words: list[Word], notes: list[str]) -> tuple[list[Word], str | None]:
    """The words of the command itself, and its standard input, where that is told."""
    commands = _commands(words)
    for place, (command, _) in enumerate(commands):
        bare = _without_assignments(command, notes)
        if not any(_begins(bare, each) for each in (_GRPCURL, _INSPECTOR, _BUF)):
            continue
        if any(each for each, _ in commands[place + 1 :]):
            notes.append("what follows the first command is left out")
        documents = [each.text for each in bare if each.kind == "document"]
        piped = place > 0 and commands[place - 1][1] == "|"
        data = documents[-1] if documents else _printed(commands[place - 1][0]) if piped else None
        return [each for each in bare if each.kind == "word"], data
    return [], None


def _commands(words: Sequence[Word]) -> list[tuple[list[Word], str]]:
    """The commands of a line, each with the operator behind it. What goes to files is dropped."""
    found: list[tuple[list[Word], str]] = [([], "")]
    is_file = False
    for word in words:
        if word.kind == "operator" and word.text in (">", ">>", "<"):
            is_file = True
        elif word.kind == "operator":
            found[-1] = found[-1][0], word.text
            found.append(([], ""))
        elif not is_file or word.kind == "document":
            found[-1][0].append(word)
        else:
            is_file = False
    return found


def _without_assignments(words: list[Word], notes: list[str]) -> list[Word]:
    for place, word in enumerate(words):
        found = _ASSIGNMENT.match(word.text)
        if found is None:
            return words[place:]
        notes.append(f"{found[1]}=... is left out: set it in the environment")
    return []


def _printed(words: Sequence[Word]) -> str | None:
    if not words or any(word.has_variables for word in words):
        return None
    texts = [word.text for word in words]
    if texts[0] == "cat" and len(texts) == 2:
        return _read(texts[1])
    return printed(texts)


def _read(path: str) -> str:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            data = file.read(MAX_REQUEST_FILE + 1) or b""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"it cannot be read: {reason}", where=path) from None
    if len(data) > MAX_REQUEST_FILE:
        raise InputError(f"data of over {MAX_REQUEST_FILE:,} bytes", where=path)
    return data.decode("utf-8", "surrogateescape")


class _Command:
    def __init__(self, program: Program, words: list[Word], data: str | None, notes: list[str]) -> None:
        self._program = program
        self._input = data
        self._notes = notes
        self._given: dict[str, list[Word]] = {}
        self._words = self._read_flags(words)

    # --- flags ---------------------------------------------------------------------------------------------------

    def _read_flags(self, words: list[Word]) -> list[Word]:
        """Takes the flags, and gives the other words. Go's ends flags at the first of these; here they may follow."""
        others: list[Word] = []
        rest = iter(words)
        for word in rest:
            if word.text == "--":
                return [*others, *rest]
            if len(word.text) > 1 and word.text.startswith("-"):
                self._read_flag(word, rest)
            else:
                others.append(word)
        return others

    def _read_flag(self, word: Word, rest: Iterator[Word]) -> None:
        name, equals, value = word.text.partition("=")
        bare = self._known(name)
        program = self._program
        if bare is None and not word.text.startswith("--") and (bare := self._known(word.text[:2])) is not None:
            name, value = word.text[:2], word.text[2:]  # -dDATA, -vv
            equals = "=" if bare in program.values else ""
        if bare is None or bare in _REFUSED:
            self._refuse(name, bare)
        takes = bare in program.values or program.idle.get(bare, False)
        found: Word | None = word._replace(text=value) if equals else next(rest, None) if takes else Word("true")
        if found is None:
            raise InputError(f"{name} has no value")
        if bare in program.idle:
            self._notes.append(f"{name} is left out")
        elif takes or found.text not in ("false", "0", "f", "F", "False", "FALSE"):
            self._given.setdefault(bare, []).append(found)

    def _known(self, name: str) -> str | None:
        program = self._program
        bare = name.lstrip("-")
        dashes = name[: len(name) - len(bare)]
        if (len(bare) > 1 and dashes not in program.dashes) or (
            len(bare) == 1 and dashes not in ("-", *program.dashes)
        ):
            return None
        bare = program.other.get(bare, bare)
        return bare if bare in (*program.values, *program.switches, *program.idle, *_REFUSED) else None

    def _refuse(self, name: str, bare: str | None) -> NoReturn:
        if bare is not None:
            raise InputError(f"{name}: ALTS is not spoken here")
        program = self._program
        known = [
            f"{program.dashes[0]}{each}" for each in (*program.values, *program.switches, *program.idle, *program.other)
        ]
        close = near(name, known)
        hint = f"did you mean {' or '.join(close)}?" if close else None
        raise InputError(f"{' '.join(program.name)} has no flag {name[:80]}", hint=hint)

    def _all(self, name: str) -> list[Word]:
        return self._given.get(name, [])

    def _text(self, name: str) -> str | None:
        """The value of a flag; the last one counts."""
        found = self._all(name)
        return self._plain(found[-1]) if found else None

    def _plain(self, word: Word) -> str:
        if word.has_variables:
            text = f"{word.text[:80]!r} holds a variable of the shell"
            raise InputError(text, hint="paste its value; variables may be in header fields")
        return word.text

    # --- the request ---------------------------------------------------------------------------------------------

    def request(self) -> WrittenRequest:
        target, method = self._where()
        connect: dict[str, Any] = {name: self._text(name.replace("_", "-")) for name in _TEXTS}
        connect |= {name: self._seconds(name.replace("_", "-")) for name in ("connect_timeout", "keepalive_time")}
        connect["insecure"] = "insecure" in self._given
        connect["plaintext"] = self._is_plain(target)
        fields = [field for name in ("H", "rpc-header") for word in self._all(name) for field in self._fields(word)]
        if "reflect-header" in self._given:
            self._notes.append("header fields for reflection only are left out")
        data, form = self._data()
        paths = tuple(self._plain(word) for word in self._all("import-path"))
        sources = tuple(_source(self._plain(word), paths) for word in (*self._all("proto"), *self._all("protoset")))
        return WrittenRequest(
            method,
            target,
            ConnectSettings(**{name: value for name, value in connect.items() if value is not None}),
            tuple(fields),
            self._seconds("max-time"),
            self._compress(),
            self._most(),
            partial(_encode, data, form),
            sources,
            paths,
            tuple(self._notes),
        )

    def _where(self) -> tuple[str, str]:
        words = [self._plain(word) for word in self._words]
        if self._program is _BUF:
            return self._of_url(words)
        if len(words) != 2 or words[1] in ("list", "describe"):
            raise InputError(
                "this command makes no call", hint="a call names a server and a method: HOST:PORT pkg.Svc/Method"
            )
        target, method = words
        if "unix" in self._given:
            target = f"unix:{target.removeprefix('unix:')}"
        if not target.startswith("@"):
            Target.parse(target)
        return target, method.removeprefix("/")

    def _of_url(self, words: Sequence[str]) -> tuple[str, str]:
        found = re.fullmatch(r"(https?://[^/]+)/(?:.*/)?([\w.]+/\w+)", words[0]) if len(words) == 1 else None
        if found is None:
            raise InputError("buf curl names a call as URL", hint="https://HOST:PORT/pkg.Svc/Method")
        protocol = self._text("protocol") or "connect"
        if protocol != "grpc":
            self._notes.append(f"buf would speak {protocol[:20]} here; this is a call of gRPC")
        target, socket = found[1], self._text("unix-socket")
        Target.parse(target)
        return f"unix:{socket}" if socket else target, found[2]

    def _is_plain(self, target: str) -> bool | None:
        if "plaintext" in self._given:
            return True
        return False if "tls" in self._given or (self._program is _GRPCURL and target.startswith("unix:")) else None

    def _fields(self, word: Word) -> Iterator[WrittenField]:
        name, _, value = word.text.partition(":")
        if "${" in word.text and not word.text.startswith("@"):
            metadata.parse((f"{name.removesuffix('-bin')}:",))
            yield WrittenField(name.strip().lower(), value.strip())
            return
        for found, text in metadata.parse((word.text,)):
            yield WrittenField(found, str(text))

    def _seconds(self, name: str) -> float | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 < found <= MAX_SECONDS:
            raise InputError(f"{text[:40]!r} is no number of seconds", where=name)
        return found

    def _compress(self) -> str:
        text = self._text("compress") or "identity"
        if text not in ENCODINGS:
            raise InputError(f"{text[:40]!r} is no encoding", hint=f"known are {', '.join(ENCODINGS)}")
        return text

    def _most(self) -> int:
        text = self._text("max-msg-sz")
        if text is None:
            return DEFAULT_MAX_MESSAGE
        if not text.isdecimal() or len(text) > 10 or not 0 < int(text) <= 1 << 31:
            raise InputError(f"{text[:40]!r} is no number of bytes", where="max-msg-sz")
        return int(text)

    def _data(self) -> tuple[bytes, str]:
        """The text of the messages, and its form."""
        text, form = self._text("d"), self._text("from") or self._text("format")
        if text in ("@", "@-"):
            if self._input is None:
                self._notes.append("what came from standard input is not in the command")
            text = self._input or ""
        elif text is not None and text.startswith("@"):
            by_name = formats.by_suffix(text)
            form = form or (by_name.name if by_name else None)
            text = _read(text[1:])
        return (text or "").encode("utf-8", "surrogateescape"), form or "json"


_TEXTS = ("cacert", "cert", "key", "authority", "servername", "user_agent")


def _source(path: str, folders: Sequence[str]) -> str:
    """A source of the schema; grpcurl looks for .proto files in the import paths."""
    places = (path, *(os.path.join(folder, path) for folder in folders))
    return next((each for each in places if Path(each).exists()), path) if path.endswith(".proto") else path


def _encode(data: bytes, form: str, conversion: Conversion) -> Iterator[bytes]:
    stream = message_stream(form)
    for text in (*stream.feed(data), *stream.close()):
        yield from messages_of(text, form, conversion)
