"""`absfin prices`: prices that the server stores."""

from typing import Annotated, cast

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.choices import PriceField
from absfin.cli.connection import connect
from absfin.cli.messages import MessageStream
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.panel_files import Output, check_output, write_panel
from absfin.cli.parameters import AsJson, End, Server, Start, Symbols, Universe
from absfin.data import Stored
from absfin.queries import PricesQuery

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
    as_json: AsJson = False,
) -> None:
    """Write stored prices as a table that import reads: absfin prices export --symbols AAPL,XOM -o prices.csv"""
    with failing_clearly(as_json), connect(server) as client:
        if not symbols and not universe:
            raise typer.BadParameter("give --symbols or --universe")
        check_output(output, as_json=as_json)
        names = [name.strip() for name in symbols.split(",") if name.strip()]
        chosen = Stored(
            names,
            universe=universe,
            start=start.date() if start else None,
            end=end.date() if end else None,
            field=cast(PriceField, field),
        )
        query = PricesQuery(chosen)
        if as_json:
            print_lines(client.stream(MessageStream(RPC=query.RPC, message=query.request())))
        else:
            write_panel(client.collect(query), output)
