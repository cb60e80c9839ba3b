"""`absfin import`: prices of a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect, time_limit
from absfin.cli.csv_files import read_panel
from absfin.cli.input_files import called, input_argument
from absfin.cli.layout import new_console
from absfin.cli.output import failing_clearly, print_json, progress_bar
from absfin.cli.parameters import AsJson, Server
from absfin.cli.tables import show_warnings


def import_prices(
    file: Annotated[Path, input_argument("CSV file, gzipped or not, or Parquet.")],
    field: Annotated[str, typer.Option(help="close, open, high, low or volume.")] = "close",
    import_id: Annotated[
        str, typer.Option(help="Id of this import, for sending the same import again; a new one if absent.")
    ] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of prices: a date column first, then one column for each symbol: absfin import FILE"""
    with failing_clearly(as_json), connect(server) as client:
        panel = read_panel(file)
        source = called(Path(file.name))
        with progress_bar(source, shown=not as_json) as on_progress:
            receipt = client.import_prices(
                panel,
                field=field,  # type: ignore[arg-type]  # the client checks it
                source=source,
                import_id=import_id,
                on_progress=on_progress,
                timeout=time_limit(600.0),
            )
        if as_json:
            print_json(receipt)
        else:
            typer.echo(
                f"{receipt.symbols} symbols: {receipt.inserted} values inserted, {receipt.changed} changed, "
                f"{receipt.unchanged} unchanged"
            )
            show_warnings(new_console(), receipt.warnings)
