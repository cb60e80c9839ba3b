"""`absfin instruments`: reference data that the server stores."""

from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.market_data_service_pb2 import ListInstrumentsResponse, UpsertInstrumentsResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import INSTRUMENT_COLUMNS, read_instruments
from absfin.cli.input_files import input_argument
from absfin.cli.layout import new_console, new_table
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server
from absfin.formatting import in_words

instruments = typer.Typer(help="Instruments stored by the server.", no_args_is_help=True)


@instruments.command(name="list")
def list_instruments(
    group: Annotated[str, typer.Option(help='Only those with a label, such as "sector=Technology".')] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List instruments by symbol: absfin instruments list --group sector=Technology"""
    with failing_clearly(as_json), connect(server) as client:
        if as_json:
            found = ListInstrumentsResponse()
            for one in client.instruments(group):
                found.instruments.add(has_prices=one.has_prices).MergeFrom(one.to_proto())
            print_message(found)
            return
        table = new_table(("symbol", "name", "currency", "labels", "lot", "state", "prices"), ("lot",))
        for one in client.instruments(group):
            labels = ", ".join(f"{kind}={label}" for kind, label in sorted(one.groups.items()))
            lot = "" if one.lot_size is None else f"{one.lot_size:g}"
            prices = "stored" if one.has_prices else "none"
            table.add_row(one.symbol, one.display_name, one.currency, labels, lot, in_words(one.state), prices)
        new_console().print(table)


@instruments.command(name="import")
def import_instruments(
    file: Annotated[
        Path,
        input_argument(
            f"CSV file with a header: {', '.join(INSTRUMENT_COLUMNS)}; any other column is a kind of label."
        ),
    ],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of instruments, each in place of the one with its symbol: absfin instruments import FILE"""
    with failing_clearly(as_json), connect(server) as client:
        count = client.upsert_instruments(read_instruments(file))
        if as_json:
            print_message(UpsertInstrumentsResponse(upserted_count=count))
        else:
            typer.echo(f"{count} instruments stored")
