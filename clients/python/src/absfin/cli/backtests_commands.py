"""`absfin backtests`: jobs that the server stores."""

from typing import Annotated, cast

import typer
from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.backtest_service_pb2 import DeleteBacktestResponse, ListBacktestsResponse

from absfin.channel import DEFAULT_TARGET
from absfin.choices import JobState, Series, plain_name
from absfin.cli.connection import connect
from absfin.cli.layout import listed_name, moment, new_console, new_table, stale_cell, stale_column
from absfin.cli.messages import MessageStream
from absfin.cli.names import full_name, full_names
from absfin.cli.output import failing_clearly, print_json, print_lines, print_message
from absfin.cli.pages import Everybody, Label, Limit, newest, say_there_are_more
from absfin.cli.panel_files import Output, check_output, write_panel
from absfin.cli.parameters import AsJson, Server
from absfin.cli.tables import show_backtest
from absfin.queries import BacktestSeriesQuery

backtests = typer.Typer(help="Backtests stored by the server.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the backtest: backtests/ID, or ID.")]
Names = Annotated[list[str], typer.Argument(help="Names of backtests: backtests/ID, or ID.")]


@backtests.command(name="list")
def list_backtests(
    label: Label = "",
    state: Annotated[
        str, typer.Option(help="Only those that are queued, running, succeeded, failed or cancelled.")
    ] = "",
    everybody: Everybody = False,
    limit: Limit = 50,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List backtests, the newest first: absfin backtests list --state running"""
    with failing_clearly(as_json), connect(server) as client:
        found, token = newest(
            lambda size, token: client.list_backtests(
                size, token, state=cast(JobState, state) if state else None, label=label, all=everybody
            ),
            limit,
        )
        if as_json:
            print_message(ListBacktestsResponse(backtests=found, next_page_token=token))
            return
        owner = ("owner",) if everybody else ()
        stale = stale_column(found)
        table = new_table(("name", "state", "done", "label", "created, UTC", *stale, *owner), ("done",))
        for one in found:
            stands = (listed_name(one.name), plain_name(BacktestState, one.state), f"{one.fraction:.0%}", one.label)
            created = (moment(one.create_time), *stale_cell(one, stale))
            table.add_row(*stands, *created, *((one.owner,) if everybody else ()))
        new_console().print(table)
        say_there_are_more(token, limit)


@backtests.command(name="show")
def show_stored_backtest(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show the result of a backtest, or where it stands: absfin backtests show ID"""
    with failing_clearly(as_json), connect(server) as client:
        found = client.get_backtest(full_name(name, "backtests"))
        if as_json:
            print_json(found)
        elif found.state == "succeeded":
            show_backtest(found)
        else:
            typer.echo(f"{found.name} is {found.state}{f': {found.error}' if found.error else ''}")


@backtests.command(name="cancel")
def cancel_backtests(names: Names, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Stop backtests; those that have ended stay as they are: absfin backtests cancel ID"""
    with failing_clearly(as_json), connect(server) as client:
        for name in full_names(names, "backtests"):
            stopped = client.cancel_backtest(name)
            if as_json:
                print_json(stopped)
            else:
                typer.echo(f"{stopped.name} is {stopped.state}")


@backtests.command(name="delete")
def delete_backtests(names: Names, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Delete backtests that have ended: absfin backtests delete ID"""
    with failing_clearly(as_json), connect(server) as client:
        for name in full_names(names, "backtests"):
            client.delete_backtest(name)
            if as_json:
                print_message(DeleteBacktestResponse())
            else:
                typer.echo(f"{name} is deleted")


@backtests.command(name="export")
def export_series(
    name: Name,
    series: Annotated[
        str, typer.Option(help="equity, nav, weights, trades, drawdown, ...; a wrong one lists them all.")
    ] = "equity",
    label: Annotated[str, typer.Option(help="Label of the strategy; the first one if absent.")] = "",
    output: Output = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Write a series of a backtest by date: absfin backtests export ID --series weights -o weights.csv"""
    with failing_clearly(as_json), connect(server) as client:
        check_output(output, as_json=as_json)
        query = BacktestSeriesQuery(full_name(name, "backtests"), cast(Series, series), label)
        if as_json:
            print_lines(client.stream(MessageStream(RPC=query.RPC, message=query.request())))
        else:
            write_panel(client.collect(query), output)
