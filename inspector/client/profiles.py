"""Named targets, out of `inspector.toml`.

The file is looked for in the working folder and those above it, then as `inspector/inspector.toml` in the user's
config folder (`$XDG_CONFIG_HOME`, else `~/.config`); the first that has the name counts. Paths in it start at its
folder. Secrets stay in the environment: `${NAME}` in a header stands for a variable.

    [targets.staging]
    address = "grpcs://staging.example:443"
    headers = ["authorization: Bearer ${STAGING_TOKEN}"]
    schema = ["protos"]
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inspector.client.protocols.base import PROTOCOLS
from inspector.client.settings import HTTP_VERSIONS
from inspector.errors import InputError
from inspector.limits import MAX_SECONDS
from inspector.net.compression import ENCODINGS
from inspector.schema.names import near

FILE = "inspector.toml"
MAX_SIZE = 1 << 20
"""Bytes of a profile file: a hundred times what a person writes."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "address": (str,),
    "plaintext": (bool,),
    "insecure": (bool,),
    "cacert": (str,),
    "cert": (str,),
    "key": (str,),
    "authority": (str,),
    "servername": (str,),
    "connect-timeout": (int, float),
    "keepalive-time": (int, float),
    "max-time": (int, float),
    "max-msg-sz": (int,),
    "compress": (str,),
    "protocol": (str,),
    "http": (str,),
    "headers": (list,),
    "rpc-headers": (list,),
    "reflect-headers": (list,),
    "schema": (list, str),
    "import-path": (list, str),
}
"""What a target may say, and the types of its values. Lists are of texts."""

_CHOICES = {"compress": ENCODINGS, "protocol": PROTOCOLS, "http": HTTP_VERSIONS}
"""What these may be."""

_PATHS = ("cacert", "cert", "key")
_PREFIXES = ("python:", "grpc://", "grpcs://", "unix:", "unix-abstract:", "@")
"""How schema sources begin that are no paths."""


class Profile(NamedTuple):
    """A named target. `settings` are by the names of options, without their dashes; headers are as `-H` takes them,
    with `${NAME}` unexpanded."""

    name: str
    origin: str
    address: str
    settings: Mapping[str, bool | int | float | str]
    headers: tuple[str, ...]
    rpc_headers: tuple[str, ...]
    reflect_headers: tuple[str, ...]
    schema: tuple[str, ...]
    import_paths: tuple[str, ...]


def find(name: str, folder: Path | None = None) -> Profile:
    """The profile of that name (without its @), for a command that runs in the folder. Raises InputError where there
    is none, or where a file on the way cannot be read."""
    known: dict[str, None] = {}
    for path in files(folder):
        targets = _targets(path)
        if name in targets:
            return _profile(path, name, targets[name])
        known |= dict.fromkeys(targets)
    if not known:
        raise InputError(f"there is no target @{name}", hint=f"targets are named in {FILE}; no such file has one")
    close = near(name, known) or sorted(known)[:8]
    raise InputError(f"there is no target @{name}", hint=f"there is {', '.join(f'@{each}' for each in close)}")


class SchemaSources(NamedTuple):
    """Where a schema is."""

    sources: tuple[str, ...]
    import_paths: tuple[str, ...]


def schema_sources(sources: Iterable[str]) -> SchemaSources:
    """The sources; in the place of `@name` those of the profile. One without any, or that has its own name among them,
    stands for what its server tells. Raises InputError as `find` does."""
    waiting, found, import_paths = deque(sources), dict[str, None](), dict[str, None]()
    seen = set[str]()
    while waiting:
        source = waiting.popleft()
        if source.startswith("@") and source not in seen:
            seen.add(source)
            profile = find(source[1:])
            import_paths |= dict.fromkeys(profile.import_paths)
            waiting.extendleft(reversed(profile.schema or (source,)))
        else:
            found[source] = None
    return SchemaSources(tuple(found), tuple(import_paths))


def names(folder: Path | None = None) -> list[str]:
    """The names of all targets, without those in files that cannot be read: for completion."""
    found: dict[str, None] = {}
    for path in files(folder):
        try:
            found |= dict.fromkeys(_targets(path))
        except InputError:
            continue
    return sorted(found)


def files(folder: Path | None = None) -> Iterator[Path]:
    """The profile files that there are, nearest first."""
    try:
        start = folder or Path.cwd()
    except OSError:  # the working folder is gone
        return
    for place in (*(each / FILE for each in (start, *start.parents)), user_file()):
        if place is not None and place.is_file():
            yield place


def user_file() -> Path | None:
    """Where the user's own file is, or would be; None where they have no home."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):
        home = os.path.expanduser("~/.config")
    return Path(home, "inspector", FILE) if os.path.isabs(home) else None


def _targets(path: Path) -> dict[str, Any]:
    targets = read(path).get("targets", {})
    if not isinstance(targets, dict):
        raise _wrong(path, "targets", "a table: [targets.NAME]")
    return targets


def read(path: Path) -> dict[str, Any]:
    """What a profile file says. Raises InputError where it cannot be read, or is not to be believed."""
    try:
        _refuse_foreign(path)
        with path.open("rb") as file:
            text = file.read(MAX_SIZE + 1)
        if len(text) > MAX_SIZE:
            raise InputError(f"it is larger than {MAX_SIZE} bytes", where=str(path))
        return tomllib.loads(text.decode())
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError) as error:  # also numbers with too many digits
        raise InputError(f"this is not TOML: {error}", where=str(path), hint="see docs/commands.md") from None


def _refuse_foreign(path: Path) -> None:
    """What somebody else could have written would tell us where to send credentials."""
    if not hasattr(os, "getuid"):
        return
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0) or found.st_mode & stat.S_IWOTH:
        text = "other users may write this file, and it would say where to send credentials"
        raise InputError(text, where=str(path), hint="make it your own: chown and chmod o-w")


def _profile(path: Path, name: str, target: Any) -> Profile:
    if not isinstance(target, dict):
        raise _wrong(path, f"targets.{name}", "a table")
    for key, value in target.items():
        _check(path, name, key, value)
    address = target.get("address")
    if address is None:
        raise InputError(f"targets.{name} has no address", where=str(path), hint='address = "host:port"')
    folder = path.parent
    settings = {key: _resolved(folder, value) if key in _PATHS else value for key, value in target.items()}
    lists = {key: _list(target.get(key, [])) for key, kinds in _KINDS.items() if list in kinds}
    return Profile(
        name,
        str(path),
        _address(folder, address),
        {key: value for key, value in settings.items() if key != "address" and key not in lists},
        _headers(folder, lists["headers"]),
        _headers(folder, lists["rpc-headers"]),
        _headers(folder, lists["reflect-headers"]),
        tuple(each if each.startswith(_PREFIXES) else _resolved(folder, each) for each in lists["schema"]),
        tuple(_resolved(folder, each) for each in lists["import-path"]),
    )


def _check(path: Path, name: str, key: str, value: Any) -> None:
    place = f"targets.{name}.{key}"
    kinds = _KINDS.get(key)
    if kinds is None:
        known = ", ".join(near(key, _KINDS) or _KINDS)
        raise InputError(f"{place} is not known", where=str(path), hint=f"did you mean {known}?")
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise _wrong(path, place, _WORDS[kinds[0]])
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        raise _wrong(path, place, _WORDS[list])
    if isinstance(value, int | float) and bool not in kinds and not 0 < value <= MAX_SECONDS:
        raise _wrong(path, place, "a number over 0, up to 1e9")
    words = _CHOICES.get(key)
    if words is not None and value not in words:
        raise _wrong(path, place, f"one of {', '.join(words)}")


_WORDS = {str: "a text", bool: "true or false", int: "a number", list: "a list of texts"}


def _wrong(path: Path, place: str, wanted: str) -> InputError:
    return InputError(f"{place} is not {wanted}", where=str(path))


def _list(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _address(folder: Path, address: str) -> str:
    """The address; the path of a socket in it starts at the folder."""
    kind, _, path = address.partition(":")
    return f"unix:{_resolved(folder, path)}" if kind == "unix" and not path.startswith("//") else address


def _headers(folder: Path, headers: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"@{_resolved(folder, each[1:])}" if each.startswith("@") else each for each in headers)


def _resolved(folder: Path, path: str) -> str:
    return str(folder / os.path.expanduser(path))
