"""`absfin reallocate`: the trades to target weights."""

from typing import Annotated

import typer
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.names import full_name
from absfin.cli.options import (
    decided_by,
    direction_of,
    pairs_of,
    tax_limits,
)
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.parameters import AsJson, Server, Symbols
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_reallocation
from absfin.costs import trading_costs
from absfin.data import Holdings, Stored
from absfin.queries import ReallocateQuery
from absfin.results import Reallocation


def reallocate(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A=0.6,B=0.4, a CSV file of symbol,weight, or equal.")] = "",
    holdings: Annotated[str, typer.Option(help="A=100,B=50 in units, or a CSV file of symbol,units.")] = "",
    cash: Annotated[float, typer.Option(help="Cash of the portfolio, in money.")] = 0.0,
    portfolio: Annotated[str, typer.Option(help="Stored portfolio instead of --holdings: portfolios/ID, or ID.")] = "",
    symbols: Symbols = "",
    cost_bps: Annotated[float, typer.Option(help="Trading cost in basis points of the traded value.")] = 0.0,
    cash_floor: Annotated[float, typer.Option(help="Least cash after every trade, in money.")] = 0.0,
    drift_band: Annotated[
        float | None, typer.Option(help="Trade only if a weight differs from its target by more than this fraction.")
    ] = None,
    relative_band: Annotated[
        float | None, typer.Option(help="Trade only if a weight differs from its target by more than this part of it.")
    ] = None,
    max_tracking_error: Annotated[
        float | None, typer.Option(help="Trade only if the tracking error to the target, per year, is above this.")
    ] = None,
    buy_only: Annotated[bool, typer.Option("--buy-only", help="Sell nothing.")] = False,
    sell_only: Annotated[bool, typer.Option("--sell-only", help="Buy nothing.")] = False,
    no_new_names: Annotated[bool, typer.Option("--no-new-names", help="Buy only assets that are held.")] = False,
    cash_flow: Annotated[float | None, typer.Option(help="Money to invest, or to raise where it is negative.")] = None,
    retain_cash: Annotated[bool, typer.Option("--retain-cash", help="Leave the proceeds of sales in cash.")] = False,
    max_cost_bps: Annotated[
        float | None, typer.Option(help="Most that the trades may cost, in basis points of net asset value.")
    ] = None,
    cost_aversion: Annotated[
        float | None, typer.Option(help="Weight of cost, as a fraction of net asset value, beside the distance.")
    ] = None,
    tax_aversion: Annotated[
        float | None, typer.Option(help="Weight of tax, as a fraction of net asset value, beside the distance.")
    ] = None,
    tracking_error: Annotated[
        bool, typer.Option("--tracking-error", help="Make the tracking error to the target small instead of the drift.")
    ] = False,
    fixed_fee: Annotated[float, typer.Option(help="Fee of every trade, in money.")] = 0.0,
    min_commission: Annotated[float, typer.Option(help="Least commission of a trade, in money.")] = 0.0,
    disable: Annotated[
        list[str] | None, typer.Option(help="Label of a constraint of the mandate that does not count this time.")
    ] = None,
    fractional: Annotated[bool, typer.Option("--fractional", help="Allow fractions of a lot.")] = False,
    days: Annotated[int, typer.Option(help="Trading days of the plan.")] = 1,
    settlement_days: Annotated[int, typer.Option(help="Trading days from a sale until its proceeds can be used.")] = 0,
    max_participation: Annotated[
        float | None, typer.Option(help="Most that is traded in a day, as a fraction of the average daily volume.")
    ] = None,
    tax: Annotated[
        str, typer.Option(help="Lots sold first: fifo, lifo, hifo, tax_optimal, specified. The holdings need tax lots.")
    ] = "",
    tax_rates: Annotated[str, typer.Option(help="Short-term and long-term tax rate, with --tax: 0.37,0.20.")] = "",
    gain_budget: Annotated[float | None, typer.Option(help="Largest realised gain, with --tax, in money.")] = None,
    forbid_wash_sales: Annotated[
        bool, typer.Option("--forbid-wash-sales", help="Make no loss a wash sale, with --tax.")
    ] = False,
    harvest: Annotated[
        str, typer.Option(help="A=B: realise losses of A and buy B instead, with --tax and --tax-rates.")
    ] = "",
    strategy_service: Annotated[
        str, typer.Option(help="Address host:port of a StrategyService that decides the target weights.")
    ] = "",
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List the trades to target weights at stored prices: absfin reallocate AAPL=0.5,XOM=0.5 --holdings AAPL=100"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, ReallocateRequest)
            _show(Reallocation.from_proto(send(client, ReallocateQuery.RPC, message)), as_json)
            return
        portfolio = full_name(portfolio, "portfolios") if portfolio else ""
        held = Holdings(read_weights(holdings, []) if holdings else {}, cash)
        names = [name.strip() for name in symbols.split(",") if name.strip()]
        weights = read_weights(target, names) if target else None
        if portfolio and not names:
            held = Holdings({h.symbol: h.quantity for h in client.get_portfolio(portfolio).holdings})
        market = Stored(names or sorted({*held.quantities, *(weights or {}), *pairs_of(harvest).values()}))
        answer = client.reallocate(
            portfolio or held,
            market,
            decided_by(strategy_service, weights),
            costs=trading_costs(cost_bps, fixed_fee=fixed_fee or None, min_commission=min_commission or None),
            cash_floor=cash_floor,
            drift_band=drift_band,
            relative_band=relative_band,
            max_tracking_error_annual=max_tracking_error,
            direction=direction_of(buy_only=buy_only, sell_only=sell_only),
            no_new_names=no_new_names,
            cash_flow=cash_flow,
            retain_cash=retain_cash,
            max_cost_bps=max_cost_bps,
            cost_aversion=cost_aversion,
            tax_aversion=tax_aversion,
            deviation="tracking_error" if tracking_error else "drift",
            disabled_constraints=disable or (),
            fractional=fractional,
            horizon_days=days,
            settlement_days=settlement_days,
            max_participation=max_participation,
            tax=tax_limits(tax, tax_rates, gain_budget, forbid_wash_sales, harvest),
        )
        _show(answer, as_json)


def _show(answer: Reallocation, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        show_reallocation(answer)
