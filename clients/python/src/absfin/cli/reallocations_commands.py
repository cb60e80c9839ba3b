"""`absfin reallocations`: plans that the server stores."""

from typing import Annotated, cast

import typer
from absfinance.v1.reallocation_pb2 import ReallocationState as ReallocationStateProto
from absfinance.v1.reallocation_service_pb2 import DeleteReallocationResponse, ListReallocationsResponse

from absfin.channel import DEFAULT_TARGET
from absfin.choices import ReallocationState, plain_name
from absfin.cli.connection import connect
from absfin.cli.layout import listed_name, moment, new_console, new_table, stale_cell, stale_column
from absfin.cli.names import full_name, full_names
from absfin.cli.output import failing_clearly, print_json, print_message
from absfin.cli.pages import Everybody, Label, Limit, newest, say_there_are_more
from absfin.cli.parameters import AsJson, Server
from absfin.cli.tables import show_reallocation
from absfin.formatting import in_words, money

reallocations = typer.Typer(help="Reallocations stored by the server.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the reallocation: reallocations/ID, or ID.")]
Names = Annotated[list[str], typer.Argument(help="Names of reallocations: reallocations/ID, or ID.")]


@reallocations.command(name="list")
def list_reallocations(
    portfolio: Annotated[str, typer.Option(help="Only those of this portfolio: portfolios/ID, or ID.")] = "",
    label: Label = "",
    state: Annotated[str, typer.Option(help="Only those that are current, partly_filled, filled or superseded.")] = "",
    everybody: Everybody = False,
    limit: Limit = 50,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List reallocations, the newest first: absfin reallocations list --portfolio ID"""
    with failing_clearly(as_json), connect(server) as client:
        owned = full_name(portfolio, "portfolios") if portfolio else ""
        wanted = cast(ReallocationState, state) if state else None
        found, token = newest(
            lambda size, token: client.list_reallocations(
                size, token, portfolio=owned, label=label, state=wanted, all=everybody
            ),
            limit,
        )
        if as_json:
            print_message(ListReallocationsResponse(reallocations=found, next_page_token=token))
            return
        owner = ("owner",) if everybody else ()
        stale = stale_column(found)
        table = new_table(
            ("name", "outcome", "state", "trades", "cost", "label", "created, UTC", *stale, *owner), ("trades", "cost")
        )
        for one in found:
            row = (*_figures(one), one.label, moment(one.create_time), *stale_cell(one, stale))
            table.add_row(listed_name(one.name), *row, *((one.owner,) if everybody else ()))
        new_console().print(table)
        say_there_are_more(token, limit)


def _figures(one: ListReallocationsResponse.Summary) -> tuple[str, ...]:
    outcome = plain_name(ListReallocationsResponse.Outcome, one.outcome)
    state = in_words(plain_name(ReallocationStateProto, one.state)) if one.state else ""
    return outcome, state, str(one.trade_count), money(one.cost if one.HasField("cost") else None)


@reallocations.command(name="show")
def show_stored_reallocation(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show the trades of a reallocation: absfin reallocations show ID"""
    with failing_clearly(as_json), connect(server) as client:
        found = client.get_reallocation(full_name(name, "reallocations"))
        if as_json:
            print_json(found)
        else:
            show_reallocation(found)


@reallocations.command(name="delete")
def delete_reallocations(names: Names, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Delete reallocations: absfin reallocations delete ID"""
    with failing_clearly(as_json), connect(server) as client:
        for name in full_names(names, "reallocations"):
            client.delete_reallocation(name)
            if as_json:
                print_message(DeleteReallocationResponse())
            else:
                typer.echo(f"{name} is deleted")
