"""The command `absfin backtest`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1 import backtest_pb2, corporate_action_pb2
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.panel_pb2 import MissingDataPolicy

from absfin import strategies
from absfin.backtest_results import Backtest
from absfin.channel import DEFAULT_TARGET
from absfin.cli.attribution_command import attribution_of
from absfin.cli.backtest_options import (
    STRATEGIES,
    CostOptions,
    RebalancingOptions,
    benchmarks_of,
    choices_of,
    flows_of,
    overlaid,
    selected_or,
    strategy_of,
    validation_of,
)
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_actions, read_panel, read_universe, read_weights
from absfin.cli.following import follow_started
from absfin.cli.options import constraints_of, data_of, option
from absfin.cli.output import failing_clearly
from absfin.cli.parameters import AsJson, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.queries import BacktestQuery

ACCOUNT, TRADES, COSTS, EVENTS = "Account", "Rebalancing and execution", "Costs", "Prices and events"
ANALYSIS, VALIDATION = "Analysis", "Statistical validation"
"""Headings of the help."""


def backtest(
    context: typer.Context,
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    strategy: Annotated[str, typer.Option(help=", ".join(STRATEGIES) + ".")] = "equal-weight",
    weights: Annotated[
        str, typer.Option(help="Fixed weights instead: A=0.6,B=0.4, or a CSV file of symbol,weight.")
    ] = "",
    select: Annotated[
        str, typer.Option(help="The best of several strategies in the past instead, such as equal-weight,momentum.")
    ] = "",
    by: Annotated[str, typer.Option(help="What --select compares: score:periods[:purge], or sharpe:252.")] = "",
    remote: Annotated[str, typer.Option(help="Decisions of a StrategyService at this address instead.")] = "",
    lookback: Annotated[
        int | None, typer.Option(help="Number of past periods that the strategy uses; all if absent.")
    ] = None,
    top: Annotated[int | None, typer.Option(help="Number of assets that momentum holds.")] = None,
    skip: Annotated[int, typer.Option(help="Latest periods that momentum leaves out.")] = 0,
    target_volatility: Annotated[
        float | None, typer.Option(help="Scale the strategy to this volatility per year, a fraction.")
    ] = None,
    max_leverage: Annotated[
        float | None, typer.Option(help="Largest factor of --target-volatility; 1 if absent.")
    ] = None,
    cppi: Annotated[str, typer.Option(help="Insure the strategy: floor:multiplier, such as 0.8:4.")] = "",
    risk_measure: Annotated[
        str, typer.Option(help="variance, cvar, max_drawdown, ...; a wrong one lists them all.")
    ] = "variance",
    max_weight: Annotated[float | None, typer.Option(help="Largest weight of each asset, as a fraction.")] = None,
    benchmark: Annotated[str, typer.Option(help="Symbol of the benchmark.")] = "",
    benchmark_weights: Annotated[
        str,
        typer.Option(help="A benchmark of fixed weights instead: A=0.6,B=0.4, rebalanced like the strategy."),
    ] = "",
    attribute: Annotated[
        str,
        typer.Option(
            help='Divide the excess return by kinds of labels, such as "sector,country"; "asset" by asset.',
            rich_help_panel=ANALYSIS,
        ),
    ] = "",
    model: Annotated[
        str, typer.Option(help="brinson-fachler or brinson-hood-beebower, with --attribute.", rich_help_panel=ANALYSIS)
    ] = "brinson-fachler",
    linking: Annotated[
        str, typer.Option(help="carino, menchero, grap or geometric, with --attribute.", rich_help_panel=ANALYSIS)
    ] = "carino",
    rebalance: Annotated[
        str,
        typer.Option(
            help="daily, weekly, monthly, quarterly, semiannual, annual (with :last or :10 for another date than the "
            "first), never, or a number of periods; monthly if absent, or never with a band or --flows-only.",
            rich_help_panel=TRADES,
        ),
    ] = "",
    band: Annotated[
        float | None,
        typer.Option(help="Rebalance where a weight is this far from its target, a fraction.", rich_help_panel=TRADES),
    ] = None,
    band_relative: Annotated[
        float | None,
        typer.Option(help="The same as a fraction of the target; with both the tighter.", rich_help_panel=TRADES),
    ] = None,
    band_to: Annotated[
        str,
        typer.Option(help="target, edge, or the fraction of the way to the target.", rich_help_panel=TRADES),
    ] = "target",
    band_scope: Annotated[
        str, typer.Option(help="all assets, or only those breached.", rich_help_panel=TRADES)
    ] = "all",
    min_periods_between: Annotated[
        int | None, typer.Option(help="Least number of dates between rebalancings.", rich_help_panel=TRADES)
    ] = None,
    flows_only: Annotated[
        bool, typer.Option("--flows-only", help="Trade only to invest --flow; nothing is sold.", rich_help_panel=TRADES)
    ] = False,
    turnover_cap: Annotated[
        float | None,
        typer.Option(
            help="Largest one-way turnover of a rebalancing, a fraction of net asset value; not of the first purchase.",
            rich_help_panel=TRADES,
        ),
    ] = None,
    tranches: Annotated[
        int | None, typer.Option(help="Number of equal parts whose dates are staggered.", rich_help_panel=TRADES)
    ] = None,
    same_close: Annotated[
        bool,
        typer.Option(
            "--same-close",
            help="Fill at the close that the decision uses, instead of the next.",
            rich_help_panel=TRADES,
        ),
    ] = False,
    open_prices: Annotated[
        Path | None,
        typer.Option(help="CSV file of opening prices: fill at the next open.", rich_help_panel=TRADES),
    ] = None,
    lag: Annotated[int, typer.Option(help="Further dates between decision and fill.", rich_help_panel=TRADES)] = 0,
    participation_cap: Annotated[
        float | None,
        typer.Option(
            help="Largest trade of an asset on a date, a fraction of the daily value, in --liquidity or by stored "
            "volumes; the rest follows on the next dates.",
            rich_help_panel=TRADES,
        ),
    ] = None,
    conventions: Annotated[
        str, typer.Option(help="exact, or those of bt or vectorbt for comparison.", rich_help_panel=TRADES)
    ] = "exact",
    capital: Annotated[
        float | None,
        typer.Option(help="Cash at the start, in money; 1 if absent, 0 with holdings.", rich_help_panel=ACCOUNT),
    ] = None,
    initial_holdings: Annotated[
        str,
        typer.Option(
            help="Positions at the start: A=100,B=50 in units, or a CSV file of symbol,units.", rich_help_panel=ACCOUNT
        ),
    ] = "",
    free_first_purchase: Annotated[
        bool,
        typer.Option("--free-first-purchase", help="No costs for the first purchase.", rich_help_panel=ACCOUNT),
    ] = False,
    whole_units: Annotated[
        bool, typer.Option("--whole-units", help="Hold no fractions of a unit.", rich_help_panel=ACCOUNT)
    ] = False,
    flow: Annotated[
        list[str] | None,
        typer.Option(
            help="Money in, or out where negative: 2020-03-16:-5000, monthly:1000, annual:-4% of net asset value.",
            rich_help_panel=ACCOUNT,
        ),
    ] = None,
    maintenance_ratio: Annotated[
        float | None,
        typer.Option(help="A margin account: least equity / gross exposure.", rich_help_panel=ACCOUNT),
    ] = None,
    cost_bps: Annotated[
        float, typer.Option(help="Commission in basis points of the traded value.", rich_help_panel=COSTS)
    ] = 0.0,
    half_spread_bps: Annotated[
        float, typer.Option(help="Half of the bid-ask spread in basis points.", rich_help_panel=COSTS)
    ] = 0.0,
    commission_per_share: Annotated[
        float | None, typer.Option(help="Commission for each unit, in money.", rich_help_panel=COSTS)
    ] = None,
    min_commission: Annotated[
        float | None, typer.Option(help="Least commission of a trade, in money.", rich_help_panel=COSTS)
    ] = None,
    max_commission: Annotated[
        float | None, typer.Option(help="Largest commission of a trade, in money.", rich_help_panel=COSTS)
    ] = None,
    fixed_fee: Annotated[
        float | None, typer.Option(help="Fee of every trade, in money.", rich_help_panel=COSTS)
    ] = None,
    impact: Annotated[
        float | None,
        typer.Option(
            help="Coefficient of the square-root law of market impact, about 1. Needs stored volumes or --liquidity.",
            rich_help_panel=COSTS,
        ),
    ] = None,
    liquidity: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of symbol,daily_value,volatility: money traded in a day, volatility per year.",
            rich_help_panel=COSTS,
        ),
    ] = None,
    borrow_bps: Annotated[
        float | None, typer.Option(help="Fee on short positions, basis points per year.", rich_help_panel=COSTS)
    ] = None,
    cash_rate: Annotated[
        str,
        typer.Option(help="Interest on cash, a fraction per year, or a CSV file of date,rate.", rich_help_panel=COSTS),
    ] = "",
    financing_rate: Annotated[
        str, typer.Option(help="Interest on borrowed money, likewise.", rich_help_panel=COSTS)
    ] = "",
    day_count: Annotated[str, typer.Option(help="act365, act360 or bars.", rich_help_panel=COSTS)] = "act365",
    fee: Annotated[
        float | None,
        typer.Option(help="Management fee, a fraction of net asset value per year.", rich_help_panel=COSTS),
    ] = None,
    performance_fee: Annotated[
        float | None,
        typer.Option(help="Fraction of the gain above the high-water mark, once a year.", rich_help_panel=COSTS),
    ] = None,
    hurdle: Annotated[
        float | None, typer.Option(help="Return per year without a performance fee.", rich_help_panel=COSTS)
    ] = None,
    soft_hurdle: Annotated[
        bool,
        typer.Option(
            "--soft-hurdle", help="Once the hurdle is passed, the fee is on the whole gain.", rich_help_panel=COSTS
        ),
    ] = False,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of symbol,ex_date,kind,value,pay_date: split with its ratio, cash_dividend with its amount, "
            "delisting with its return or nothing.",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    price_basis: Annotated[
        str,
        typer.Option(
            help="What prices are adjusted for: adjusted (splits and dividends), split-adjusted or unadjusted.",
            rich_help_panel=EVENTS,
        ),
    ] = "adjusted",
    dividends: Annotated[str, typer.Option(help="cash, or reinvest.", rich_help_panel=EVENTS)] = "cash",
    withholding: Annotated[
        float | None, typer.Option(help="Fraction of dividends withheld as tax.", rich_help_panel=EVENTS)
    ] = None,
    universe_by_date: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of date,symbol: the symbols that may be held; those of a date hold until the next date.",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    delisting: Annotated[
        str,
        typer.Option(
            help="Return of a delisting without one: fail, last-price, zero, shumway-nyse or shumway-nasdaq.",
            rich_help_panel=EVENTS,
        ),
    ] = "fail",
    missing_data: Annotated[
        str,
        typer.Option(
            help="fail, drop-dates, or asset-states: not listed yet, halted or delisted.", rich_help_panel=EVENTS
        ),
    ] = "fail",
    validate: Annotated[
        bool,
        typer.Option("--validate", help="Test the Sharpe ratio by resampled returns.", rich_help_panel=VALIDATION),
    ] = False,
    resamples: Annotated[
        int | None, typer.Option(help="Resamples of --validate; 1000 if absent.", rich_help_panel=VALIDATION)
    ] = None,
    block_length: Annotated[
        float | None,
        typer.Option(
            help="Mean length of resampled blocks in periods; chosen from the data if absent.",
            rich_help_panel=VALIDATION,
        ),
    ] = None,
    timing_luck: Annotated[
        int,
        typer.Option(
            help="Simulate that many calendars too, each one date later than the one before.",
            rich_help_panel=VALIDATION,
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.", rich_help_panel=VALIDATION)] = 0,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print the name of the job and do not wait for its end.")
    ] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the value of one unit over time.")] = False,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Simulate a strategy: absfin backtest --symbols AAPL,XOM --strategy min-risk --lookback 252"""
    if request:
        _as_written(read_request(context, request, BacktestRequest), server, detach, plot, as_json)
        return
    rules = RebalancingOptions(
        rebalance,
        band,
        band_relative,
        band_to,
        band_scope,
        min_periods_between,
        flows_only,
        turnover_cap,
        tranches,
    )
    costs = CostOptions(
        cost_bps,
        half_spread_bps,
        commission_per_share,
        min_commission,
        max_commission,
        fixed_fee,
        impact,
        liquidity,
        borrow_bps,
        cash_rate,
        financing_rate,
        day_count,
        fee,
        performance_fee,
        hurdle,
        soft_hurdle,
    )
    with failing_clearly(as_json), connect(server) as client:
        with option("--weights"):
            fixed = strategies.fixed_weights(read_weights(weights, [])) if weights else None
        limits = constraints_of(None, max_weight, None, ())
        named = partial(strategy_of, lookback=lookback, risk_measure=risk_measure, limits=limits, top=top, skip=skip)
        base = fixed or selected_or(strategy, select, by, named)
        if remote:
            base = strategies.remote(remote)
        with option("--initial-holdings"):
            held = read_weights(initial_holdings, []) if initial_holdings else None
        with option("--actions"):
            events = read_actions(actions) if actions else []
        with option("--open-prices"):
            opens = read_panel(open_prices) if open_prices else None
        with option("--universe-by-date"):
            members = read_universe(universe_by_date) if universe_by_date else None
        started = client.backtest(
            data_of(symbols, universe, prices, start, end),
            overlaid(base, target_volatility, max_leverage, lookback, cppi),
            rebalancing=rules.rule(),
            fill="same_close" if same_close else "next_close" if opens is None else "next_open",
            lag_periods=lag,
            open_prices=opens,
            max_participation=participation_cap,
            costs=costs.model(),
            initial_capital=capital,
            initial_holdings=held,
            charge_initial_purchase=not free_first_purchase,
            fractional_holdings=not whole_units,
            cash_flows=flows_of(flow or ()),
            corporate_actions=events,
            withholding_rate=withholding,
            universe=members,
            maintenance_ratio=maintenance_ratio,
            benchmarks=benchmarks_of(benchmark, benchmark_weights),
            attribution=attribution_of(attribute, model, linking),
            statistical_validation=validation_of(validate, resamples, block_length, timing_luck),
            seed=seed,
            **choices_of(
                price_basis=("--price-basis", corporate_action_pb2.PriceBasis, price_basis),
                dividend_policy=("--dividends", corporate_action_pb2.DividendPolicy, dividends),
                delisting_policy=("--delisting", corporate_action_pb2.DelistingPolicy, delisting),
                missing_data=("--missing-data", MissingDataPolicy, missing_data),
                conventions=("--conventions", backtest_pb2.Conventions, conventions),
            ),
        )
        follow_started(client, started, as_json, detach=detach, plot=plot)


def _as_written(message: BacktestRequest, server: str, detach: bool, plot: bool, as_json: bool) -> None:
    with failing_clearly(as_json), connect(server) as client:
        wait = message.wait.ToTimedelta().total_seconds()
        started = Backtest.from_proto(send(client, BacktestQuery.RPC, message, wait_seconds=wait))
        follow_started(client, started, as_json, detach=detach, plot=plot)
