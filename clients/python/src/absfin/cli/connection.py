"""How commands reach a server: options that stand before the command, absfin --token ... risk, or variables."""

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # commands load them; their help does without
    import grpc

    from absfin.client import Client

File = Path | None


@dataclass(frozen=True, slots=True)
class Connection:
    """What a connection needs beside its address."""

    token: str | None = None
    credentials: "grpc.ChannelCredentials | None" = None


_given: ContextVar[Connection] = ContextVar("connection", default=Connection())  # noqa: B039  # it is frozen


def connection_options(
    token: Annotated[str, typer.Option(envvar="ABSFIN_TOKEN", help="Token or API key; better as a variable.")] = "",
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt, by the authorities that this machine trusts.")] = False,
    ca: Annotated[
        File, typer.Option(envvar="ABSFIN_CA", exists=True, help="PEM file of the authority of the server; encrypts.")
    ] = None,
    cert: Annotated[File, typer.Option(exists=True, help="PEM file of a certificate of your own, with --key.")] = None,
    key: Annotated[File, typer.Option(exists=True, help="PEM file of its key.")] = None,
) -> None:
    """Reads the options that all commands share."""
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key go together")
    credentials = None
    if tls or ca or cert:
        import grpc

        files = [file.read_bytes() if file else None for file in (ca, key, cert)]
        credentials = grpc.ssl_channel_credentials(*files)
    _given.set(Connection(token or None, credentials))


def connect(server: str) -> "Client":
    """A client of a server, with the options of the command line."""
    from absfin.client import Client

    given = _given.get()
    return Client(server, credentials=given.credentials, token=given.token)
