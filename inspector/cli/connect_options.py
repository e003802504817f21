"""Options of the commands that talk to a server: how it is reached, and which header fields are sent.

They may come from a profile (`@name`, see `client.profiles`); what stands on the command line counts then. Credentials
for one server do not go to another: where a command has a TARGET, they are for that one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from inspector.cli.completion import complete_files
from inspector.cli.options import POSITIVE

if TYPE_CHECKING:
    from inspector.client.profiles import Profile
    from inspector.client.settings import ConnectSettings, Metadata
    from inspector.client.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])

Way = Callable[[str], "Connection"]
"""How the servers among the sources of a schema are reached and asked, by their addresses."""


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
    protocol: str | None = None
    http: str | None = None


NO_OPTIONS = ConnectOptions()


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
    click.option(
        "--plaintext/--tls", "plaintext", default=None,
        help="Without TLS, or with it. Default: as the address says, else TLS.",
    ),
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
    return _with_options(command, (*_REACHING, *_CALLING))


def reflect_options(command: Command) -> Command:
    """Those for servers that are only asked for their schema (`-s grpc://HOST:PORT`); taken as `connect`, too."""
    return _with_options(command, _REACHING)


def _with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    @functools.wraps(command)
    def packed(*arguments: Any, **given: Any) -> Any:
        others = {name: value for name, value in given.items() if name not in ConnectOptions._fields}
        return command(*arguments, connect=options_in(given), **others)

    for option in reversed(options):
        packed = option(packed)
    return packed  # type: ignore[return-value]


def options_in(given: Mapping[str, Any]) -> ConnectOptions:
    """The options among the values of a command."""
    return ConnectOptions(**{name: given[name] for name in ConnectOptions._fields if name in given})


def connection(target: str, options: ConnectOptions = NO_OPTIONS) -> Connection:
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


def as_source(target: Connection, source: str) -> Connection:
    """How a server among the sources is asked by a command that has a TARGET: as that one where it is the same server,
    else without its options and profile. Raises InputError."""
    own = connection(source)
    if _door(own) != _door(target):
        return own
    return target._replace(reflect_metadata=_over(target.reflect_metadata, own.reflect_metadata))


def _door(reached: Connection) -> tuple[str, bool]:
    """What is the same of connections to one server; what is sent by TLS does not go without."""
    return reached.target.address, reached.settings.uses_tls(reached.target)


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
    return _over(own, metadata.parse((*profile.headers, *special), environment=os.environ))


def _over(first: Metadata, second: Metadata) -> Metadata:
    """Both; of the second those that the first does not name."""
    names = {name for name, _ in first}
    return tuple(field for field in second if field[0] not in names) + first
