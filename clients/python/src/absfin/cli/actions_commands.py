"""`absfin actions`: splits, dividends and delistings that the server stores."""

import json
from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.market_data_service_pb2 import UpsertCorporateActionsResponse
from google.protobuf.json_format import MessageToDict

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import ACTION_HEADER, action_line, read_actions
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, End, Server, Start, Symbols

actions = typer.Typer(help="Splits, dividends and delistings stored by the server.", no_args_is_help=True)


@actions.command(name="import")
def import_actions(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV file: symbol,ex_date,kind,value,pay_date.")
    ],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of corporate actions; the kind is split, cash_dividend or delisting."""
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
    """Print stored corporate actions, as lines that import reads or as one JSON object each."""
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    with failing_clearly(as_json), connect(server) as client:
        if not as_json:
            typer.echo(ACTION_HEADER)
        for action in client.corporate_actions(names, start and start.date(), end and end.date()):
            typer.echo(json.dumps(MessageToDict(action.to_proto())) if as_json else action_line(action))
