"""`absfin actions`: splits, dividends and delistings that the server stores."""

from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.market_data_service_pb2 import ListCorporateActionsResponse, UpsertCorporateActionsResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import ACTION_HEADER, action_line, read_actions
from absfin.cli.input_files import input_argument
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, End, Server, Start, Symbols

actions = typer.Typer(help="Splits, dividends and delistings stored by the server.", no_args_is_help=True)


@actions.command(name="import")
def import_actions(
    file: Annotated[Path, input_argument("CSV file: symbol,ex_date,kind,value,pay_date.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of corporate actions: absfin actions import FILE. Kinds: split, cash_dividend, delisting."""
    with failing_clearly(as_json), connect(server) as client:
        count = client.upsert_corporate_actions(read_actions(file))
        if as_json:
            print_message(UpsertCorporateActionsResponse(upserted_count=count))
        else:
            typer.echo(f"{count} corporate actions stored")


@actions.command(name="list")
def list_actions(
    symbols: Symbols = "",
    start: Start = None,
    end: End = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print stored corporate actions, as lines that import reads: absfin actions list --symbols AAPL"""
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    with failing_clearly(as_json), connect(server) as client:
        found = client.corporate_actions(names, start and start.date(), end and end.date())
        if as_json:
            stored = [action.to_proto() for action in found]
            print_message(ListCorporateActionsResponse(corporate_actions=stored))
            return
        typer.echo(ACTION_HEADER)
        for action in found:
            typer.echo(action_line(action))
