"""`absfin prices`: prices that the server stores."""

from typing import Annotated, cast

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.choices import PriceField
from absfin.cli.connection import connect
from absfin.cli.output import failing_clearly
from absfin.cli.panel_files import Output, check_output, write_panel
from absfin.cli.parameters import End, Server, Start, Symbols, Universe
from absfin.data import Stored

prices = typer.Typer(help="Prices stored by the server.", no_args_is_help=True)


@prices.callback()
def _group() -> None:
    """Prices stored by the server."""


@prices.command(name="export")
def export_prices(
    symbols: Symbols = "",
    universe: Universe = "",
    start: Start = None,
    end: End = None,
    field: Annotated[str, typer.Option(help="close, open, high, low or volume.")] = "close",
    output: Output = None,
    server: Server = DEFAULT_TARGET,
) -> None:
    """Write stored prices as a table that import reads: absfin prices export --symbols AAPL,XOM -o prices.csv"""
    with failing_clearly(as_json=False), connect(server) as client:
        if not symbols and not universe:
            raise typer.BadParameter("give --symbols or --universe")
        check_output(output)
        names = [name.strip() for name in symbols.split(",") if name.strip()]
        chosen = Stored(
            names,
            universe=universe,
            start=start.date() if start else None,
            end=end.date() if end else None,
            field=cast(PriceField, field),
        )
        write_panel(client.prices(chosen), output)
