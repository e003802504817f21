"""Options of the commands that talk to a server: how it is reached, and which header fields are sent.

They may come from a profile (`@name`, see `client.profiles`); what stands on the command line counts then.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from inspector.limits import MAX_SECONDS

if TYPE_CHECKING:
    from inspector.client.profiles import Profile
    from inspector.client.settings import ConnectSettings, Metadata
    from inspector.client.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])


class _Seconds(click.FloatRange):
    """A time over 0, up to limits.MAX_SECONDS."""

    def __init__(self) -> None:
        super().__init__(0, MAX_SECONDS, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is not a time", param, ctx)
        return seconds


SECONDS = _Seconds()


class ConnectOptions(NamedTuple):
    """What the options say, None (or nothing) where they are not given."""

    plaintext: bool | None
    insecure: bool | None
    cacert: str | None
    cert: str | None
    key: str | None
    authority: str | None
    servername: str | None
    is_unix: bool
    connect_timeout: float | None
    keepalive_time: float | None
    user_agent: str | None
    headers: tuple[str, ...]
    rpc_headers: tuple[str, ...]
    reflect_headers: tuple[str, ...]
    expand_headers: bool


NOT_GIVEN = ConnectOptions(
    None, None, None, None, None, None, None, False, None, None, None, (), (), (), False
)  # fmt: skip


class Connection(NamedTuple):
    """How a server is reached: the options, and what a profile adds.

    `metadata` goes with calls, `reflect_metadata` with questions about the schema.
    """

    target: Target
    settings: ConnectSettings
    metadata: Metadata
    reflect_metadata: Metadata
    sources: tuple[str, ...]
    import_paths: tuple[str, ...]
    others: Mapping[str, Any]


_UNIX = click.option("--unix", "is_unix", is_flag=True, help="TARGET is the path of a unix socket (as unix:PATH).")
_RPC_HEADER = click.option(
    "--rpc-header", "rpc_headers", metavar="FIELD", multiple=True, help="The same for calls only."
)

_OPTIONS = (
    click.option("--plaintext/--tls", "plaintext", default=None, help="Without TLS, or with it (default: TLS)."),
    click.option("--insecure", is_flag=True, default=None, help="TLS without a look at the server's certificate."),
    click.option("--cacert", metavar="FILE", help="Certificates (PEM) of whom to trust, instead of the system's."),
    click.option("--cert", metavar="FILE", help="Our own certificate (PEM), for servers that ask for one."),
    click.option("--key", metavar="FILE", help="Its private key (PEM)."),
    click.option("--authority", metavar="NAME", help="The value of :authority, and the name in the certificate."),
    click.option("--servername", metavar="NAME", help="The name in SNI and in the certificate, where it is another."),
    _UNIX,
    click.option("--connect-timeout", type=SECONDS, metavar="SECONDS", help="To connect within. Default: 10."),
    click.option("--keepalive-time", type=SECONDS, metavar="SECONDS", help="Ask for a sign of life so often."),
    click.option("--user-agent", metavar="TEXT", help="Put before our own user-agent."),
    click.option(
        "-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True,
        help="Header field to send; @FILE has one a line. Values of names in -bin are base64. Repeatable.",
    ),
    _RPC_HEADER,
    click.option(
        "--reflect-header", "reflect_headers", metavar="'NAME: VALUE'", multiple=True,
        help="The same, for reflection only.",
    ),
    click.option("--expand-headers", is_flag=True, help="${NAME} in header fields is a variable of the environment."),
)  # fmt: skip


def connect_options(command: Command) -> Command:
    """The options; the command takes them as `connect`, a ConnectOptions."""
    return _with_options(command, _OPTIONS)


def reflect_options(command: Command) -> Command:
    """Those of them that say how servers are asked for a schema; the command takes them as `connect`."""
    return _with_options(command, [option for option in _OPTIONS if option not in (_UNIX, _RPC_HEADER)])


def _with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    @functools.wraps(command)
    def packed(*arguments: Any, **given: Any) -> Any:
        connect = options_in(given)
        for name in ConnectOptions._fields:
            given.pop(name, None)
        return command(*arguments, connect=connect, **given)

    for option in reversed(options):
        packed = option(packed)
    return packed  # type: ignore[return-value]


def options_in(given: Mapping[str, Any]) -> ConnectOptions:
    """The options among those of a command, by the names of their values."""
    return ConnectOptions(**{name: given.get(name, default) for name, default in NOT_GIVEN._asdict().items()})


def connection(target: str, options: ConnectOptions) -> Connection:
    """What TARGET (an address, or `@name` of a profile) and the options come to. Raises InputError."""
    from inspector.client.settings import ConnectSettings  # noqa: PLC0415  # with h2, which other commands do without
    from inspector.client.target import Target  # noqa: PLC0415

    profile = _profile(target)
    address = profile.address if profile else target
    settings: dict[str, Any] = dict(profile.settings) if profile else {}
    given = {name: getattr(options, name) for name in ConnectSettings._fields if hasattr(options, name)}
    settings |= {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    known = {name: settings.pop(name.replace("_", "-")) for name in given if name.replace("_", "-") in settings}
    return Connection(
        Target.parse(f"unix:{address}" if options.is_unix else address),
        ConnectSettings(**known),
        _metadata(options, profile, of_reflection=False),
        _metadata(options, profile, of_reflection=True),
        profile.schema if profile else (),
        profile.import_paths if profile else (),
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
