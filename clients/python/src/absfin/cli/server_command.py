"""`absfin server`: what a server is, what a caller uses of it, and its end."""

from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server

server = typer.Typer(help="What the server is, what a caller uses of it, and its end.", no_args_is_help=True)


@server.command(name="info")
def show_info(server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show version, engines, solvers and limits: absfin server info"""
    with failing_clearly(as_json), connect(server) as client:
        info = client.get_server_info()
        if as_json:
            print_message(info)
            return
        limits = info.limits
        table = new_table(("of the server", "is"))
        table.add_row("version", info.version or "unknown: it is not installed")
        table.add_row("engines", ", ".join(name.removeprefix("ENGINE_").lower() for name in info.engines))
        table.add_row("solvers", ", ".join(f"{solver.name} {solver.version}" for solver in info.solvers))
        table.add_row("most bytes of a request", f"{limits.max_message_bytes:,}")
        table.add_row("most calls at once", f"{limits.max_concurrent_calls:,}")
        table.add_row("most assets", f"{limits.max_assets:,}")
        table.add_row("longest call", f"{limits.max_call_duration.ToMilliseconds() / 1e3:g} s")
        new_console().print(table)


@server.command(name="quotas")
def show_quotas(
    caller: Annotated[str, typer.Option(help="users/ID or apiKeys/ID, for admins; whoever asks if absent.")] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Show what a caller uses and may use: absfin server quotas"""
    with failing_clearly(as_json), connect(server) as client:
        quotas = client.get_quotas(caller)
        if as_json:
            print_message(quotas)
            return
        table = new_table((f"of {quotas.caller}", "used", "limit"))
        for one in quotas.quotas:
            table.add_row(one.name, f"{one.used:,}", f"{one.limit:,}" if one.HasField("limit") else "none")
        new_console().print(table)


@server.command(name="drain")
def drain_server(
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=86400.0, help="Seconds that running calls have to end; as the settings say if absent."
        ),
    ] = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """End the server, once running calls have ended: absfin server drain"""
    with failing_clearly(as_json), connect(server) as client:
        left = client.drain(timeout)
        if as_json:
            print_message(left)
        else:
            typer.echo(f"the server ends; {left.running_calls} calls and {left.running_jobs} jobs still run")
