"""Options of the commands that talk to a server: how it is reached, and which header fields are sent.

They may come from a profile (`@name`, see `client.profiles`); what stands on the command line counts then. Credentials
for one server do not go to another: where a command has a TARGET, they are for that one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from inspector.cli.completion import complete_files
from inspector.cli.options import POSITIVE, is_cache_used

if TYPE_CHECKING:
    from inspector.client.profiles import Profile
    from inspector.client.settings import ConnectSettings, Metadata
    from inspector.client.target import Target
    from inspector.schema.descriptor_set import DescriptorSet

Command = TypeVar("Command", bound=Callable[..., Any])


class ConnectOptions(NamedTuple):
    """What the options say, None (or nothing) where they are not given."""

    plaintext: bool | None = None
    insecure: bool | None = None
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    authority: str | None = None
    servername: str | None = None
    is_unix: bool = False
    connect_timeout: float | None = None
    keepalive_time: float | None = None
    user_agent: str | None = None
    headers: tuple[str, ...] = ()
    rpc_headers: tuple[str, ...] = ()
    reflect_headers: tuple[str, ...] = ()
    expand_headers: bool = False


class Connection(NamedTuple):
    """How a server is reached and spoken to: the options, and what a profile adds.

    `metadata` goes with calls, `reflect_metadata` with questions about the schema.
    """

    target: Target
    settings: ConnectSettings
    metadata: Metadata
    reflect_metadata: Metadata
    sources: tuple[str, ...]
    import_paths: tuple[str, ...]
    others: Mapping[str, Any]


_REACHING = (
    click.option("--plaintext/--tls", "plaintext", default=None, help="Without TLS, or with it whatever TARGET says."),
    click.option("--insecure", is_flag=True, default=None, help="TLS without a look at the server's certificate."),
    click.option(
        "--cacert", metavar="FILE", shell_complete=complete_files,
        help="Certificates (PEM) of whom to trust, instead of the system's.",
    ),
    click.option(
        "--cert", metavar="FILE", shell_complete=complete_files,
        help="Our own certificate (PEM), for servers that ask for one.",
    ),
    click.option(
        "--key", metavar="FILE", shell_complete=complete_files,
        help="Its private key (PEM).",
    ),
    click.option("--authority", metavar="NAME", help="The value of :authority, and the name in the certificate."),
    click.option("--servername", metavar="NAME", help="The name in SNI and in the certificate, where it is another."),
    click.option("--connect-timeout", type=POSITIVE, metavar="SECONDS", help="To connect within. Default: 10."),
    click.option("--keepalive-time", type=POSITIVE, metavar="SECONDS", help="Ask for a sign of life so often."),
    click.option("--user-agent", metavar="TEXT", help="Put before our own user-agent."),
    click.option(
        "-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True,
        help="Header field to send; @FILE has one a line. Values of names in -bin are base64. Repeatable.",
    ),
    click.option(
        "--reflect-header", "reflect_headers", metavar="'NAME: VALUE'", multiple=True,
        help="As -H, for reflection only.",
    ),
    click.option("--expand-headers", is_flag=True, help="${NAME} in header fields is a variable of the environment."),
)  # fmt: skip
"""How a server is reached, and asked."""

_CALLING = (
    click.option("--unix", "is_unix", is_flag=True, help="TARGET is the path of a unix socket (as unix:PATH)."),
    click.option(
        "--rpc-header", "rpc_headers", metavar="'NAME: VALUE'", multiple=True, help="As -H, for the call only."
    ),
)
"""What is of use only where a call is made."""


def connect_options(command: Command) -> Command:
    """The options; the command takes them as `connect`, a ConnectOptions."""

    @functools.wraps(command)
    def packed(*arguments: Any, **given: Any) -> Any:
        connect = ConnectOptions(**{name: given.pop(name) for name in ConnectOptions._fields})
        return command(*arguments, connect=connect, **given)

    for option in reversed((*_REACHING, *_CALLING)):
        packed = option(packed)
    return packed  # type: ignore[return-value]


def asking_options(command: Command) -> Command:
    """The options for the servers that a command asks for their schema (`-s grpc://HOST:PORT`). It gets none of them:
    `reflected` takes them from the context."""

    @functools.wraps(command)
    def without(*arguments: Any, **given: Any) -> Any:
        return command(*arguments, **{name: given[name] for name in given if name not in ConnectOptions._fields})

    for option in reversed(_REACHING):
        without = option(without)
    return without  # type: ignore[return-value]


def reflected(address: str) -> DescriptorSet:
    """What the server of a schema source says, asked as the options of the running command have it: those for TARGET
    where it is the same server, those of `asking_options` else. Raises SchemaError, ConnectError, InputError."""
    if "target" not in _params():
        return ask(connection(address, _options()))
    own, target = connection(address, ConnectOptions()), reached()
    return ask(target._replace(target=own.target) if own.target.address == target.target.address else own)


def reached() -> Connection:
    """How the running command reaches its TARGET. Raises InputError."""
    return connection(_params()["target"], _options())


def _options() -> ConnectOptions:
    params = _params()
    return ConnectOptions(**{name: params[name] for name in ConnectOptions._fields if name in params})


def _params() -> dict[str, Any]:
    context = click.get_current_context(silent=True)
    return context.params if context is not None else {}


def ask(reached: Connection, symbols: tuple[str, ...] = ()) -> DescriptorSet:
    """The schema of a server, or what the symbols need of it. Raises SchemaError, ConnectError, InputError."""
    from inspector.client.reflection import open_reflection  # noqa: PLC0415  # with asyncio and h2, for servers only

    return open_reflection(
        str(reached.target),
        settings=reached.settings,
        metadata=reached.reflect_metadata,
        symbols=symbols,
        use_cache=is_cache_used(),
    )


def connection(target: str, options: ConnectOptions) -> Connection:
    """What TARGET (an address, or `@name` of a profile) and the options come to. Raises InputError."""
    profile = _profile(target)
    where, settings, others = _way(target, options, profile)
    return Connection(
        where,
        settings,
        _metadata(options, profile, of_reflection=False),
        _metadata(options, profile, of_reflection=True),
        profile.schema if profile else (),
        profile.import_paths if profile else (),
        others,
    )


def way_to(target: str, options: ConnectOptions) -> tuple[Target, ConnectSettings]:
    """How a server is reached, without what is said there. Raises InputError."""
    where, settings, _ = _way(target, options, _profile(target))
    return where, settings


def _way(
    target: str, options: ConnectOptions, profile: Profile | None
) -> tuple[Target, ConnectSettings, Mapping[str, Any]]:
    """The last are settings of the profile that are of no connection."""
    from inspector.client.settings import ConnectSettings  # noqa: PLC0415  # with h2, which other commands do without
    from inspector.client.target import Target  # noqa: PLC0415

    address = profile.address if profile else target
    settings: dict[str, Any] = dict(profile.settings) if profile else {}
    given = {name: getattr(options, name) for name in ConnectSettings._fields if hasattr(options, name)}
    settings |= {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    known = {name: settings.pop(name.replace("_", "-")) for name in given if name.replace("_", "-") in settings}
    return (
        Target.parse(f"unix:{address.removeprefix('unix:')}" if options.is_unix else address),
        ConnectSettings(**known),
        settings,
    )


def _profile(target: str) -> Profile | None:
    if not target.startswith("@"):
        return None
    from inspector.client import profiles  # noqa: PLC0415  # few targets are of a profile

    return profiles.find(target[1:])


def _metadata(options: ConnectOptions, profile: Profile | None, *, of_reflection: bool) -> Metadata:
    """The header fields of the profile, whose variables are always expanded, and of the options."""
    from inspector.client import metadata  # noqa: PLC0415  # with h2

    special = options.reflect_headers if of_reflection else options.rpc_headers
    environment = os.environ if options.expand_headers else None
    own = metadata.parse((*options.headers, *special), environment=environment)
    if profile is None:
        return own
    special = profile.reflect_headers if of_reflection else profile.rpc_headers
    names = {name for name, _ in own}
    named = metadata.parse((*profile.headers, *special), environment=os.environ)
    return tuple(field for field in named if field[0] not in names) + own
