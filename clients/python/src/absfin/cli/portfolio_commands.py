"""`absfin portfolio`: portfolios that the server stores."""

from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server
from absfin.data import Holdings

portfolios = typer.Typer(help="Portfolios stored by the server.", no_args_is_help=True)


@portfolios.command(name="create")
def create_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")],
    holdings: Annotated[str, typer.Option(help="A=100,B=50 in units, or a CSV file of symbol,units.")] = "",
    cash: Annotated[float, typer.Option(help="Cash of the portfolio, in money.")] = 0.0,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a portfolio: absfin portfolio create mine --holdings AAPL=100 --cash 500"""
    with failing_clearly(as_json), connect(server) as client:
        held = Holdings(read_weights(holdings, []) if holdings else {}, cash)
        print_message(client.create_portfolio(held.to_proto(), full_name(name, "portfolios").partition("/")[2]))


@portfolios.command(name="show")
def show_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print a portfolio as JSON."""
    with failing_clearly(as_json), connect(server) as client:
        print_message(client.get_portfolio(full_name(name, "portfolios")))


@portfolios.command(name="list")
def list_portfolios(
    everybody: Annotated[bool, typer.Option("--all", help="Those of everybody with their owners, for admins.")] = False,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print the names of your portfolios."""
    with failing_clearly(as_json), connect(server) as client:
        for portfolio in client.list_portfolios(all=everybody):
            typer.echo(f"{portfolio.owner}\t{portfolio.name}" if everybody else portfolio.name)


@portfolios.command(name="delete")
def delete_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Delete a portfolio."""
    with failing_clearly(as_json), connect(server) as client:
        client.delete_portfolio(full_name(name, "portfolios"))
