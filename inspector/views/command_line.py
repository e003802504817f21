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
from inspector.client.protocols.base import PROTOCOLS
from inspector.client.settings import DEFAULT_MAX_MESSAGE, HTTP_VERSIONS, ConnectSettings
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

_BEGINNING = re.compile(
    r"\s*(?:\$ )?\s*(?:\w+=\S*\s+)*(?:sudo\s+)?(?:[\w.~-]*/)*(?:grpcurl|inspector\s+call|buf\s+curl)\s", re.ASCII
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)

_BEFORE = frozenset(("sudo", "env", "time", "exec", "command", "nohup", "-E"))
"""Words before a command that change nothing of the call."""

_RUNNERS = frozenset(("docker", "podman"))
"""What runs a program that is an image: `fullstorydev/grpcurl:latest`."""

_OFF = ("false", "0", "f", "F", "False", "FALSE")
_ON = ("true", "1", "t", "T", "True", "TRUE")

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
    ("inspector", "call"), (*_VALUES, "from", "compress", "protocol", "http"),
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


_PROGRAMS = (_GRPCURL, _INSPECTOR, _BUF)


def is_command(text: str) -> bool:
    """Whether a text begins as one of the commands does."""
    return _BEGINNING.match(text[:200]) is not None


def parse(text: str) -> WrittenRequest:
    """The request that a command makes; files that it names as data or header fields are read. Raises InputError for
    what is no such command, with what is wrong in it."""
    notes: list[str] = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # terminals paste the end of a line as they send Enter
    words, data = _command(split(text.strip().removeprefix("$ ")), notes)
    program = next((each for each in _PROGRAMS if _begins(words, each)), None)
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
        bare = _without_prefix(command, notes)
        if not any(_begins(bare, each) for each in _PROGRAMS):
            continue
        if any(each for each, _ in commands[place + 1 :]):
            notes.append("what follows the first command is left out")
        documents = [each.text for each in bare if each.kind == "document"]
        documents += [_read(os.path.expanduser(each.text)) for each in bare if each.kind == "input"]
        if any(each.kind == "output" for each in bare):
            notes.append("what goes to files is left out: answers stay on the screen")
        piped = place > 0 and commands[place - 1][1] == "|"
        data = documents[-1] if documents else _printed(commands[place - 1][0]) if piped else None
        if any(each for each, _ in commands[: place - (piped and data is not None)]):
            notes.append("what stands before the command is left out")
        return [each for each in bare if each.kind == "word"], data
    _refuse_others(commands)
    return [], None


def _refuse_others(commands: Sequence[tuple[list[Word], str]]) -> None:
    """Tells the other commands of this program apart from what is not known at all."""
    for words, _ in commands:
        names = [word.text for word in _without_prefix(words, [])[:2]]
        if len(names) == 2 and os.path.basename(names[0]) == "inspector":
            raise InputError(f"inspector {names[1][:40]} makes no call", hint="inspector call does")


def _commands(words: Sequence[Word]) -> list[tuple[list[Word], str]]:
    """The commands of a line, each with the operator behind it. Files that are read and written are words of their
    own kinds, `input` and `output`."""
    found: list[tuple[list[Word], str]] = [([], "")]
    kind = ""
    for word in words:
        if word.kind == "operator" and word.text in (">", ">>", "<"):
            kind = "input" if word.text == "<" else "output"
        elif kind == "output" and word == Word("&", "operator"):
            continue  # >&1
        elif word.kind == "operator":
            found[-1] = found[-1][0], word.text
            found.append(([], ""))
            kind = ""
        elif kind and word.kind == "word":
            found[-1][0].append(word._replace(kind=kind))
            kind = ""
        else:
            found[-1][0].append(word)
    return found


def _without_prefix(words: list[Word], notes: list[str]) -> list[Word]:
    """The words from the name of the program on."""
    for place, word in enumerate(words):
        found = _ASSIGNMENT.match(word.text)
        if found is not None:
            notes.append(f"{found[1]}=... is left out: set it in the environment")
        elif word.text in _RUNNERS:
            return _of_image(words[place:], notes)
        elif re.fullmatch(r"python[\d.]*", os.path.basename(word.text)) and _texts(words[place + 1 :])[:1] == ["-m"]:
            return words[place + 2 :]
        elif word.text not in _BEFORE:
            return words[place:]
    return []


def _of_image(words: list[Word], notes: list[str]) -> list[Word]:
    for place, word in enumerate(words):
        name = os.path.basename(word.text).partition(":")[0]
        if place and (name,) == _GRPCURL.name:
            notes.append(f"{words[0].text} is left out")
            return [Word(name), *words[place + 1 :]]
    return words


def _texts(words: Sequence[Word]) -> list[str]:
    return [word.text for word in words]


def _printed(words: Sequence[Word]) -> str | None:
    if not words or any(word.has_variables for word in words):
        return None
    texts = [word.text for word in words]
    if texts[0] == "cat" and len(texts) == 2:
        return _read(os.path.expanduser(texts[1]))
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
        elif takes or self._is_on(name, found.text):
            self._given.setdefault(bare, []).append(found)

    def _is_on(self, name: str, text: str) -> bool:
        if text not in _ON + _OFF:
            raise InputError(f"{name} is true or false, and not {text[:40]!r}")
        return text in _ON

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
        if len(found) > 1:
            self._notes.append(f"{name} is given {len(found)} times: the last one counts")
        return self._plain(found[-1]) if found else None

    def _plain(self, word: Word) -> str:
        if word.has_variables:
            text = f"{word.text[:80]!r} holds a variable of the shell"
            raise InputError(text, hint="paste its value; variables may be in header fields")
        return os.path.expanduser(word.text) if word.text.startswith("~/") else word.text

    # --- the request ---------------------------------------------------------------------------------------------

    def request(self) -> WrittenRequest:
        target, method = self._where()
        connect: dict[str, Any] = {name: self._text(name.replace("_", "-")) for name in _TEXTS}
        connect |= {name: self._seconds(name.replace("_", "-")) for name in ("connect_timeout", "keepalive_time")}
        connect["insecure"] = "insecure" in self._given
        connect |= {"protocol": self._protocol(), "http": self._http()}
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
        if len(words) != 2 or {"list", "describe"} & set(words):
            raise InputError(
                "this command makes no call", hint="a call names a server and a method: HOST:PORT pkg.Svc/Method"
            )
        target, method = words
        if "unix" in self._given:
            target = f"unix:{target.removeprefix('unix:')}"
        if not target.startswith("@"):
            Target.parse(target)
        method = method.removeprefix("/")
        return target, method if "/" in method else "/".join(method.rsplit(".", 1))

    def _of_url(self, words: Sequence[str]) -> tuple[str, str]:
        found = re.fullmatch(r"(https?://[^/]+)/(?:.*/)?([\w.]+/\w+)", words[0]) if len(words) == 1 else None
        if found is None:
            raise InputError("buf curl names a call as URL", hint="https://HOST:PORT/pkg.Svc/Method")
        target, socket = found[1], self._text("unix-socket")
        Target.parse(target)
        return f"unix:{socket}" if socket else target, found[2]

    def _protocol(self) -> str:
        given = self._text("protocol") or ("connect" if self._program is _BUF else "grpc")
        protocol = "grpc-web" if given == "grpcweb" else given
        if protocol not in PROTOCOLS:
            raise InputError(f"{given[:40]!r} is no protocol", hint=f"known are {', '.join(PROTOCOLS)}")
        return protocol

    def _http(self) -> str | None:
        version = self._text("http")
        if "http2-prior-knowledge" in self._given and self._protocol() != "grpc":
            version = "2"
        if version not in (None, *HTTP_VERSIONS):
            raise InputError(f"{version[:40]!r} is no version of HTTP", hint=f"known are {', '.join(HTTP_VERSIONS)}")
        return version

    def _is_plain(self, target: str) -> bool | None:
        if "plaintext" in self._given:
            return True
        return False if "tls" in self._given or (self._program is _GRPCURL and target.startswith("unix:")) else None

    def _fields(self, word: Word) -> Iterator[WrittenField]:
        name, _, value = word.text.partition(":")
        if "${" in word.text and not word.text.startswith("@"):
            if not word.has_variables and "expand-headers" not in self._given:
                self._notes.append(f"{name.strip()[:40]}: ${{NAME}} is text there, a variable of the environment here")
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
        if self._program is not _INSPECTOR and form not in (None, "json", "text"):
            raise InputError(f"{form[:40]!r} is neither json nor text", where="format")
        if text not in ("@", "@-") and self._input is not None:
            self._notes.append("standard input is left out: it is read with -d @ only")
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
