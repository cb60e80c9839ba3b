"""`absfin liquidity`: whether trades can be done."""

from typing import Annotated

import typer
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.layout import new_console, new_table
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.formatting import number, percent
from absfin.liquidity import Liquidity
from absfin.queries import AssessLiquidityQuery


def liquidity(
    context: typer.Context,
    trades: Annotated[
        str, typer.Argument(help="A=100,B=-50 in units, negative for sales, or a CSV file of symbol,units.")
    ] = "",
    days: Annotated[int, typer.Option(help="Trading days to trade in.")] = 1,
    max_participation: Annotated[
        float | None, typer.Option(help="Most that is traded in a day, a fraction of the daily volume; 0.1 if absent.")
    ] = None,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Say whether trades can be done by the stored volumes: absfin liquidity AAPL=-1000,XOM=500 --days 5"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, AssessLiquidityRequest)
        elif trades:
            message = AssessLiquidityQuery(
                read_weights(trades, []), max_participation=max_participation, horizon_days=days
            ).request()
        else:
            raise typer.BadParameter("give trades, or --request", param_hint="TRADES")
        answer = send(client, AssessLiquidityQuery.RPC, message)
        if as_json:
            print_message(answer)
        else:
            _show(Liquidity.from_proto(answer.assessment))


def _show(found: Liquidity) -> None:
    numbers = ("available units", "daily volume", "participation", "days")
    table = new_table(("symbol", "state", *numbers), numbers)
    for symbol, one in found.assets.items():
        units = tuple("-" if x is None else f"{x:,.6g}" for x in (one.available_quantity, one.average_daily_volume))
        table.add_row(symbol, one.state, *units, percent(one.participation), number(one.days_to_trade))
    new_console().print(table)
