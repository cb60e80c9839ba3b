"""How commands reach a server: options before the command, absfin --token ... risk, variables, or a profile."""

import os
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # commands load them; their help does without
    import grpc

    from absfin import aio
    from absfin.cli.profiles import Profile
    from absfin.client import Client

File = Path | None


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connection needs; what is empty is not said."""

    token: str = ""  # given by an option or a variable
    credentials: "grpc.ChannelCredentials | None" = None
    profile: "Profile | None" = None
    timeout: float | None = None  # seconds


_given: ContextVar[Connection] = ContextVar("connection", default=Connection())  # noqa: B039  # it is frozen

_server: ContextVar[str] = ContextVar("server", default="")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"absfin {version('absfin')}")
        raise typer.Exit


def connection_options(
    profile: Annotated[
        str, typer.Option(envvar="ABSFIN_PROFILE", help="Profile to connect by; options and variables count before it.")
    ] = "",
    config: Annotated[
        File, typer.Option(envvar="ABSFIN_CONFIG", help="File of profiles, ~/.config/absfin/config.toml if absent.")
    ] = None,
    token: Annotated[str, typer.Option(envvar="ABSFIN_TOKEN", help="Token or API key; better as a variable.")] = "",
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Encrypt, by the authorities that this machine trusts.")
    ] = None,
    ca: Annotated[
        File, typer.Option(envvar="ABSFIN_CA", exists=True, help="PEM file of the authority of the server; encrypts.")
    ] = None,
    cert: Annotated[File, typer.Option(exists=True, help="PEM file of a certificate of your own, with --key.")] = None,
    key: Annotated[File, typer.Option(exists=True, help="PEM file of its key.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(envvar="ABSFIN_TIMEOUT", help="Seconds that a call may take, 60 if absent; 600 for an import."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Reads the options that all commands share."""
    if timeout is not None and not 0 < timeout < float("inf"):
        raise typer.BadParameter("must be above 0", param_hint="--timeout")
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key go together")
    chosen = _profile(profile, config) if profile else None
    if chosen is not None:
        tls = chosen.tls if tls is None else tls
        ca = ca or chosen.ca
        if chosen.target and not os.environ.get("ABSFIN_SERVER"):
            # The command reads --server after this, and its variable where there is none.
            os.environ["ABSFIN_SERVER"] = chosen.target
    _given.set(Connection(token, _credentials(tls, ca, cert, key), chosen, timeout))


def connect(server: str) -> "Client":
    """A client of a server, with the options of the command line."""
    from absfin.client import Client

    token = _token_for(server)
    return Client(server, credentials=_given.get().credentials, token=token, timeout=time_limit(60.0))


def connect_asynchronously(server: str) -> "aio.Client":
    """The same for asyncio, inside of its event loop."""
    from absfin import aio

    token = _token_for(server)
    return aio.Client(server, credentials=_given.get().credentials, token=token, timeout=time_limit(60.0))


def _token_for(server: str) -> str | None:
    """The token that a server is sent, which the command talks to from now on."""
    given = _given.get()
    _server.set(server)
    token, profile = given.token, given.profile
    if profile is not None and profile.token and not token:
        if profile.target not in ("", server):
            # Whoever names another server has not said that it may have this one's secret.
            raise typer.BadParameter(
                f"the token of the profile {profile.name} is for {profile.target}, not for {server}: "
                "name the token too, or another profile"
            )
        token = profile.token
    return token or None


def time_limit(default: float) -> float:
    """Seconds that a call may take: those of --timeout, or `default` where it is not given."""
    limit = _given.get().timeout
    return default if limit is None else limit


def connected_server() -> str:
    """Address of the server that the command talks to; empty before it connects."""
    return _server.get()


def _profile(name: str, config: File) -> "Profile":
    from absfin.cli.profiles import DEFAULT_CONFIG, WrongProfile, read_profile

    try:
        return read_profile(name, config or DEFAULT_CONFIG)
    except WrongProfile as error:
        raise typer.BadParameter(str(error)) from None


def _credentials(tls: bool | None, ca: File, cert: File, key: File) -> "grpc.ChannelCredentials | None":
    """None does not encrypt. Files encrypt unless it is said not to."""
    if not (tls or (tls is None and (ca or cert))):
        return None
    import grpc

    try:
        files = [file.read_bytes() if file else None for file in (ca, key, cert)]
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}") from None
    return grpc.ssl_channel_credentials(*files)
