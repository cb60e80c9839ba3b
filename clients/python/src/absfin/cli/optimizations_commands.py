"""`absfin optimizations`: results that the server stores."""

from typing import Annotated

import typer
from absfinance.v1.optimization_service_pb2 import DeleteOptimizationResponse, ListOptimizationsResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import listed_name, moment, new_console, new_table, stale_cell, stale_column
from absfin.cli.names import full_name, full_names
from absfin.cli.output import failing_clearly, print_json, print_message
from absfin.cli.pages import Everybody, Label, Limit, newest, say_there_are_more
from absfin.cli.parameters import AsJson, Server
from absfin.cli.tables import show_optimization
from absfin.formatting import percent

optimizations = typer.Typer(help="Optimisations stored by the server.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the optimisation: optimizations/ID, or ID.")]
Names = Annotated[list[str], typer.Argument(help="Names of optimisations: optimizations/ID, or ID.")]


@optimizations.command(name="list")
def list_optimizations(
    label: Label = "",
    everybody: Everybody = False,
    limit: Limit = 50,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List optimisations, the newest first: absfin optimizations list"""
    with failing_clearly(as_json), connect(server) as client:
        found, token = newest(
            lambda size, token: client.list_optimizations(size, token, label=label, all=everybody), limit
        )
        if as_json:
            print_message(ListOptimizationsResponse(optimizations=found, next_page_token=token))
            return
        owner = ("owner",) if everybody else ()
        numbers = ("assets", "return", "volatility")
        stale = stale_column(found)
        table = new_table(("name", *numbers, "label", "created, UTC", *stale, *owner), numbers)
        for one in found:
            expected = one.expected_return_annual if one.HasField("expected_return_annual") else None
            figures = (str(one.assets), percent(expected), percent(one.volatility_annual))
            row = (listed_name(one.name), *figures, one.label, moment(one.create_time), *stale_cell(one, stale))
            table.add_row(*row, *((one.owner,) if everybody else ()))
        new_console().print(table)
        say_there_are_more(token, limit)


@optimizations.command(name="show")
def show_stored_optimization(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show the weights of an optimisation and their figures: absfin optimizations show ID"""
    with failing_clearly(as_json), connect(server) as client:
        found = client.get_optimization(full_name(name, "optimizations"))
        if as_json:
            print_json(found)
        else:
            show_optimization(found)


@optimizations.command(name="delete")
def delete_optimizations(names: Names, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Delete optimisations: absfin optimizations delete ID"""
    with failing_clearly(as_json), connect(server) as client:
        for name in full_names(names, "optimizations"):
            client.delete_optimization(name)
            if as_json:
                print_message(DeleteOptimizationResponse())
            else:
                typer.echo(f"{name} is deleted")
