"""`absfin portfolio`: portfolios that the server stores."""

from typing import Annotated, Any

import typer
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.portfolio_service_pb2 import (
    CreatePortfolioRequest,
    DeletePortfolioResponse,
    ListPortfoliosResponse,
    UpdatePortfolioRequest,
)

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.data import Holdings
from absfin.queries import CreatePortfolioQuery, UpdatePortfolioQuery

portfolios = typer.Typer(help="Portfolios stored by the server.", no_args_is_help=True)


@portfolios.command(name="create")
def create_portfolio(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")] = "",
    holdings: Annotated[str, typer.Option(help="A=100,B=50 in units, or a CSV file of symbol,units.")] = "",
    cash: Annotated[float, typer.Option(help="Cash of the portfolio, in money.")] = 0.0,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a portfolio: absfin portfolio create mine --holdings AAPL=100 --cash 500"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, CreatePortfolioRequest)
            print_message(send(client, CreatePortfolioQuery.RPC, message))
            return
        if not name:
            raise typer.BadParameter("give a name, or --request", param_hint="NAME")
        held = Holdings(read_weights(holdings, []) if holdings else {}, cash)
        print_message(client.create_portfolio(held.to_proto(), full_name(name, "portfolios").partition("/")[2]))


@portfolios.command(name="update")
def update_portfolio(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")] = "",
    holdings: Annotated[
        str | None,
        typer.Option(help="All positions, in place of the stored ones and their tax lots: A=100,B=50, or a file."),
    ] = None,
    cash: Annotated[float | None, typer.Option(help="Cash of the portfolio, in money.")] = None,
    display_name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of cash and values, ISO 4217.")] = None,
    etag: Annotated[str, typer.Option(help="Version that was read; absent: whichever it is.")] = "",
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Change what is given of a portfolio: absfin portfolio update ID --cash 500"""
    given = {"cash": cash, "display_name": display_name, "currency": currency}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, UpdatePortfolioRequest)
            _show_change(send(client, UpdatePortfolioQuery.RPC, message), as_json)
            return
        if not name:
            raise typer.BadParameter("give a name, or --request", param_hint="NAME")
        if holdings is not None:
            held = Holdings(read_weights(holdings, []) if holdings else {})
            changes["holdings"] = held.to_proto().holdings
        if not changes:
            raise typer.BadParameter("give what changes: --holdings, --cash, --display-name or --currency")
        full = full_name(name, "portfolios")
        version = etag or client.get_portfolio(full).etag
        changed = client.update_portfolio(Portfolio(name=full, etag=version, **changes), list(changes))
        _show_change(changed, as_json)


def _show_change(changed: Portfolio, as_json: bool) -> None:
    if as_json:
        print_message(changed)
    else:
        typer.echo(f"{changed.name} is changed: etag {changed.etag}")


@portfolios.command(name="show")
def show_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print a portfolio as JSON: absfin portfolio show ID"""
    with failing_clearly(as_json), connect(server) as client:
        print_message(client.get_portfolio(full_name(name, "portfolios")))


@portfolios.command(name="list")
def list_portfolios(
    everybody: Annotated[bool, typer.Option("--all", help="Those of everybody with their owners, for admins.")] = False,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print the names of your portfolios: absfin portfolio list"""
    with failing_clearly(as_json), connect(server) as client:
        found = client.list_portfolios(all=everybody)
        if as_json:
            print_message(ListPortfoliosResponse(portfolios=found))
            return
        for portfolio in found:
            typer.echo(f"{portfolio.owner}\t{portfolio.name}" if everybody else portfolio.name)


@portfolios.command(name="delete")
def delete_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio: portfolios/ID, or ID.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Delete a portfolio: absfin portfolio delete ID"""
    with failing_clearly(as_json), connect(server) as client:
        client.delete_portfolio(full_name(name, "portfolios"))
        if as_json:
            print_message(DeletePortfolioResponse())
