"""`absfin server`: what a server is, what a caller uses of it, who changed what, and its end."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

server = typer.Typer(
    help="What the server is, what a caller uses of it, and its end; and who changed what.", no_args_is_help=True
)


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


@server.command(name="audit")
def show_audit(
    caller: Annotated[str, typer.Option(help="Only calls of users/ID or apiKeys/ID.")] = "",
    method: Annotated[str, typer.Option(help="Only those of SERVICE/METHOD.")] = "",
    resource: Annotated[str, typer.Option(help="Only those that concern it, portfolios/main.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Only from this time on, in UTC.")] = None,
    before: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="Only before this time, in UTC.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Also those of everybody else, for admins.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most events.")] = 50,
    page_token: Annotated[str, typer.Option(help="Token of the page before, from --json.")] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, newest first: absfin server audit --resource portfolios/main"""
    with failing_clearly(as_json), connect(server) as client:
        page = client.list_audit_events(
            limit,
            page_token,
            caller=caller,
            method=f"absfinance.v1.{method}" if method and "." not in method else method,
            resource=resource,
            start_time=since,
            end_time=before,
            all=everybody,
        )
        if as_json:
            print_message(page)
            return
        table = new_table(("time", "caller", "method", "resource", "ended with", "calls"))
        for event in page.audit_events:
            time = f"{event.event_time.ToDatetime(UTC):%Y-%m-%d %H:%M:%S}"
            ended = event.reason or event.code or "has begun"
            name = event.method.removeprefix("absfinance.v1.") or "not known"
            table.add_row(time, event.caller or "not known", name, event.resource, ended, f"{event.count:,}")
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
