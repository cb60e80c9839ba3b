"""`absfin import`: prices of a CSV file."""

from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.market_data_service_pb2 import ImportPricesResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect, time_limit
from absfin.cli.csv_files import read_panel
from absfin.cli.output import failing_clearly, print_message, progress_bar
from absfin.cli.parameters import AsJson, Server


def import_prices(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file, gzipped or not.")],
    field: Annotated[str, typer.Option(help="close, open, high, low or volume.")] = "close",
    import_id: Annotated[
        str, typer.Option(help="Id of this import, for sending the same import again; a new one if absent.")
    ] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of prices: a date column first, then one column for each symbol."""
    with failing_clearly(as_json), connect(server) as client:
        panel = read_panel(file)
        with progress_bar(f"{file.name}", shown=not as_json) as on_progress:
            receipt = client.import_prices(
                panel,
                field=field,  # type: ignore[arg-type]  # the client checks it
                source=file.name,
                import_id=import_id,
                on_progress=on_progress,
                timeout=time_limit(600.0),
            )
        if as_json:
            answer = ImportPricesResponse(
                import_id=receipt.import_id,
                inserted_count=receipt.inserted,
                changed_count=receipt.changed,
                unchanged_count=receipt.unchanged,
                symbol_count=receipt.symbols,
            )
            print_message(answer)
        else:
            typer.echo(
                f"{receipt.symbols} symbols: {receipt.inserted} values inserted, {receipt.changed} changed, "
                f"{receipt.unchanged} unchanged"
            )
