"""`absfin reallocate-batch`: stored portfolios that may share volume and trade with each other."""

from collections.abc import Iterator
from typing import Annotated, cast

import typer
from absfinance.v1.reallocation_pb2 import ReallocationLimits
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse

from absfin.channel import DEFAULT_TARGET
from absfin.choices import LiquidityAllocation
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.layout import new_console, new_table
from absfin.cli.messages import MessageStream
from absfin.cli.names import full_names
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.parameters import AsJson, Server, Symbols
from absfin.cli.request_files import read_request_lines
from absfin.client import Client
from absfin.costs import Costs
from absfin.data import Stored
from absfin.errors import AbsFinanceError, error_from_status
from absfin.queries import PortfolioAccount, ReallocateBatchQuery
from absfin.results import Reallocation


def reallocate_batch(
    context: typer.Context,
    portfolios: Annotated[list[str] | None, typer.Argument(help="Stored portfolios: portfolios/ID, or ID.")] = None,
    target: Annotated[
        str, typer.Option(help="A=0.6,B=0.4, or a CSV file of symbol,weight; absent: the mandate of each.")
    ] = "",
    symbols: Symbols = "",
    cost_bps: Annotated[float, typer.Option(help="Trading cost in basis points of the traded value.")] = 0.0,
    cash_floor: Annotated[float, typer.Option(help="Least cash after every trade, in money.")] = 0.0,
    days: Annotated[int, typer.Option(help="Trading days of the plans.")] = 1,
    max_participation: Annotated[
        float | None, typer.Option(help="Most that all trade in a day, as a fraction of the average daily volume.")
    ] = None,
    allocation: Annotated[
        str, typer.Option(help="How the volume is divided: pro_rata, max_min, priority (in the order given).")
    ] = "",
    allow_crossing: Annotated[
        bool, typer.Option("--allow-crossing", help="Let the portfolios trade with each other.")
    ] = False,
    request: Annotated[
        str,
        typer.Option(
            "--request",
            metavar="FILE",
            help='Requests as JSON of the contract, one a line, instead of other options: {"shared": ...} first, then '
            '{"account": ...} each; - reads them.',
        ),
    ] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List the trades of several stored portfolios: absfin reallocate-batch portfolios/a portfolios/b --target P=1"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            lines = read_request_lines(request, ReallocateBatchRequest, context)
            _answer(client, iter(lines), as_json)
            return
        if not portfolios:
            raise typer.BadParameter("give portfolios, or --request", param_hint="PORTFOLIOS")
        portfolios = full_names(portfolios, "portfolios")
        names = [name.strip() for name in symbols.split(",") if name.strip()]
        weights = read_weights(target, names) if target else None
        if not names:
            held = (holding.symbol for name in portfolios for holding in client.get_portfolio(name).holdings)
            names = sorted({*held, *(weights or {})})
        query = ReallocateBatchQuery(
            Stored(names),
            [PortfolioAccount(name, name, priority=rank) for rank, name in enumerate(portfolios)],
            weights,
            limits=ReallocationLimits(max_participation=max_participation, cash_floor=cash_floor),
            costs=Costs(commission_bps=cost_bps),
            horizon_days=days,
            liquidity_allocation=cast(LiquidityAllocation, allocation) if allocation else None,
            allow_crossing=allow_crossing or None,
        )
        _answer(client, query.request(), as_json)


def _answer(client: Client, requests: Iterator[ReallocateBatchRequest], as_json: bool) -> None:
    answers = client.stream(MessageStream(RPC=ReallocateBatchQuery.RPC, message=requests))
    if as_json:
        # An outcome a line, as it is found.
        print_lines(answers)
    else:
        show_outcomes({one.key: _outcome(one) for one in answers})


def _outcome(one: ReallocateBatchResponse) -> Reallocation | AbsFinanceError:
    if one.WhichOneof("outcome") == "error":
        return error_from_status(one.error)
    return Reallocation.from_proto(one.result)


def show_outcomes(outcomes: dict[str, Reallocation | AbsFinanceError]) -> None:
    """Prints the trades of all portfolios in one table, then what is not traded."""
    console = new_console()
    numbers = ("day", "units", "crossed", "price", "cost")
    table = new_table(("portfolio", "day", "symbol", "units", "crossed", "price", "cost"), numbers)
    notes: list[str] = []
    for key, outcome in outcomes.items():
        if isinstance(outcome, AbsFinanceError):
            notes.append(f"{key}: {outcome.reason or outcome.code.name} {outcome.message}")
            continue
        for t in outcome.trades:
            crossed = f"{t.crossed_quantity:+,.6g}" if t.crossed_quantity else ""
            table.add_row(
                key, str(t.day), t.symbol, f"{t.quantity:+,.6g}", crossed, f"{t.price:,.2f}", f"{t.cost:,.2f}"
            )
        if outcome.outcome != "plan":
            notes.append(f"{key}: {outcome.outcome}: {outcome.message}")
        for symbol, causes in outcome.shortfalls.items():
            notes.append(f"{key}: {symbol} is traded less than requested: {', '.join(causes)}")
    console.print(table)
    for note in notes:
        console.print(note, style="dim", markup=False)
