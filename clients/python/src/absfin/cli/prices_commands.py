"""`absfin prices`: prices that the server stores."""

from typing import Annotated, cast

import typer
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest

from absfin.channel import DEFAULT_TARGET
from absfin.choices import PriceField
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.messages import MessageCall, MessageStream
from absfin.cli.output import failing_clearly, print_lines, print_message
from absfin.cli.panel_files import Output, check_output, write_panel
from absfin.cli.parameters import AsJson, End, Server, Start, Symbols, Universe
from absfin.cli.request_files import read_request_lines
from absfin.data import Stored
from absfin.formatting import number, percent
from absfin.queries import MarketMetricsQuery, PricesQuery, PublishMarketDataQuery

prices = typer.Typer(help="Prices stored by the server.", no_args_is_help=True)


@prices.callback()
def _group() -> None:
    """Prices stored by the server."""


@prices.command(name="metrics")
def show_metrics(symbols: Symbols, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Show the latest price, volume, spread and volatility of assets: absfin prices metrics --symbols AAPL,XOM"""
    with failing_clearly(as_json), connect(server) as client:
        query = MarketMetricsQuery([name.strip() for name in symbols.split(",") if name.strip()])
        if as_json:
            print_message(client.send(MessageCall(RPC=query.RPC, message=query.request())))
            return
        numbers = ("last price", "daily volume", "spread, bps", "volatility, annual")
        table = new_table(("symbol", "as of", *numbers), numbers)
        for symbol, one in client.send(query).items():
            price, volume = ("-" if x is None else f"{x:,.6g}" for x in (one.last_price, one.average_daily_volume))
            figures = (price, volume, number(one.spread_bps), percent(one.volatility_annual))
            table.add_row(symbol, str(one.as_of or ""), *figures)
        new_console().print(table)


@prices.command(name="publish")
def publish_prices(
    file: Annotated[
        str, typer.Argument(help="Batches of bars and quotes as JSON of the contract, one a line. - is standard input.")
    ],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Publish bars and quotes, which are planned with at once: absfin prices publish batches.jsonl"""
    with failing_clearly(as_json), connect(server) as client:
        answers = client.stream(PublishMarketDataQuery(read_request_lines(file, PublishMarketDataRequest)))
        if as_json:
            print_lines(answers)
            return
        for answer in answers:
            refused = "".join(f"; {one.index} is not: {one.reason}" for one in answer.rejected)
            typer.echo(f"{answer.batch_id}: {answer.accepted_count} stored{refused}")


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
