"""`absfin keys`: API keys of a server."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from absfinance.v1.admin_service_pb2 import ListApiKeysResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server

keys = typer.Typer(help="API keys that callers of the server authenticate with.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the key: apiKeys/ID, or ID.")]


@keys.command(name="create")
def create_key(
    role: Annotated[list[str], typer.Option(help="reader, analyst, trader or admin.")],
    name: Annotated[str, typer.Option("--name", help="Name for people.")] = "",
    key_id: Annotated[str, typer.Option("--id", help="Last part of its name; a random one if absent.")] = "",
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="When it ends, in UTC.")
    ] = None,
    replaces: Annotated[
        str, typer.Option(help="apiKeys/ID, or ID, for whose caller it stands too, until that is revoked.")
    ] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it; it is shown once: absfin keys create --role analyst"""
    with failing_clearly(as_json), connect(server) as client:
        replaced = full_name(replaces, "apiKeys") if replaces else ""
        end = expires.replace(tzinfo=UTC) if expires else None
        made = client.create_api_key(role, name, api_key_id=key_id, expires=end, replaces=replaced)
        if as_json:
            print_message(made)
        else:
            typer.echo(made.secret)


@keys.command(name="list")
def list_keys(server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show all keys, without their secrets: absfin keys list"""
    with failing_clearly(as_json), connect(server) as client:
        if as_json:
            print_message(ListApiKeysResponse(api_keys=client.list_api_keys()))
            return
        table = new_table(("name", "for people", "roles", "caller", "state"))
        for key in client.list_api_keys():
            state = "revoked" if key.HasField("revoke_time") else "works"
            if state == "works" and key.HasField("expire_time"):
                end = key.expire_time.ToDatetime(UTC)
                state = f"until {end:%Y-%m-%d %H:%M}" if end > datetime.now(UTC) else "expired"
            table.add_row(key.name, key.display_name, ", ".join(key.roles), key.caller, state)
        new_console().print(table)


@keys.command(name="revoke")
def revoke_key(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """End a key, from the next call on: absfin keys revoke ID"""
    with failing_clearly(as_json), connect(server) as client:
        revoked = client.revoke_api_key(full_name(name, "apiKeys"))
        if as_json:
            print_message(revoked)
        else:
            typer.echo(f"{revoked.name} is revoked")
