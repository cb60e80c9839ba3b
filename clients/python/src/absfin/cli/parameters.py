"""Parameters that several commands have."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

Server = Annotated[str, typer.Option("--server", envvar="ABSFIN_SERVER", help="Address of the server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Symbols = Annotated[str, typer.Option(help="Stored symbols, separated by commas.")]
Universe = Annotated[str, typer.Option(help='All stored symbols with a label, such as "sector=Technology".')]
PricesFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        help="CSV or Parquet file of prices instead of stored ones: a date column, then one column for each symbol. "
        "- is standard input.",
    ),
]
Start = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First date.")]
End = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last date.")]
Confidence = Annotated[float | None, typer.Option(help="Confidence level of tail measures, in (0, 1); 0.95 if absent.")]
