"""The commands. Each reads its options, calls the server once, and prints the answer."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict

from absfin.channel import DEFAULT_TARGET
from absfin.cli.attribution_command import attribute
from absfin.cli.backtest_command import backtest
from absfin.cli.batch_command import reallocate_batch
from absfin.cli.charts_command import charts, tables
from absfin.cli.compare_command import compare
from absfin.cli.connection import connect, connection_options
from absfin.cli.csv_files import ACTION_HEADER, action_line, read_actions, read_panel, read_weights
from absfin.cli.fills_command import fills
from absfin.cli.following import follow_to_the_end
from absfin.cli.keys_command import keys
from absfin.cli.options import (
    OBJECTIVES,
    constraints_of,
    data_of,
    decided_by,
    direction_of,
    objective_of,
    pairs_of,
    tax_limits,
)
from absfin.cli.output import failing_clearly, print_json, print_message, progress_bar
from absfin.cli.parameters import AsJson, Confidence, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.report_command import OptionalOutput, report, report_options, write
from absfin.cli.tables import show_optimization, show_reallocation, show_risk
from absfin.costs import trading_costs
from absfin.data import Holdings, Panel, Prices, Stored
from absfin.queries import AnalyzeRiskQuery
from absfin.reports.document import pictures_of
from absfin.reports.risk import risk_report
from absfin.risk import RiskOptions, historical_window

app = typer.Typer(
    callback=connection_options,
    help="Portfolio optimisation, risk, backtests and trade lists through an abs-finance server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def serve(context: typer.Context) -> None:
    """Run the server. All options go to it: absfin serve --help"""
    # The server replaces this process, so that a signal to `absfin serve` reaches the server itself.
    os.execv(sys.executable, [sys.executable, "-m", "server", *context.args])  # noqa: S606  # the options of the user


@app.command(name="import")
def import_command(
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
                timeout=600,
            )
        if as_json:
            print_json(receipt)
        else:
            typer.echo(
                f"{receipt.symbols} symbols: {receipt.inserted} values inserted, {receipt.changed} changed, "
                f"{receipt.unchanged} unchanged"
            )


@app.command()
def optimize(
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    objective: Annotated[str, typer.Option(help=", ".join(OBJECTIVES) + ".")] = "min-risk",
    risk_measure: Annotated[
        str, typer.Option(help="variance, cvar, max_drawdown, ...; a wrong one lists them all.")
    ] = "variance",
    confidence_level: Confidence = None,
    risk_free_rate: Annotated[float, typer.Option(help="Fraction per year, for max-ratio.")] = 0.0,
    risk_aversion: Annotated[float, typer.Option(help="Risk aversion of max-utility.")] = 3.0,
    min_weight: Annotated[float | None, typer.Option(help="Least weight of each asset, as a fraction.")] = None,
    max_weight: Annotated[float | None, typer.Option(help="Largest weight of each asset, as a fraction.")] = None,
    min_return: Annotated[float | None, typer.Option(help="Least expected return per year, as a fraction.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help='Bounds on a group: "sector=Technology:0.1:0.3" (lower:upper).')
    ] = None,
    ewma_half_life: Annotated[float | None, typer.Option(help="Half-life of the covariance in periods.")] = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Optimise weights: absfin optimize --symbols AAPL,MSFT,XOM --max-weight 0.5"""
    with failing_clearly(as_json), connect(server) as client:
        answer = client.optimize(
            data_of(symbols, universe, prices, start, end),
            objective_of(objective, risk_free_rate=risk_free_rate, risk_aversion=risk_aversion),
            constraints=constraints_of(min_weight, max_weight, min_return, group or ()),
            risk_measure=risk_measure,  # type: ignore[arg-type]  # the client checks it
            confidence_level=confidence_level,
            ewma_half_life=ewma_half_life,
        )
        if as_json:
            print_json(answer)
        else:
            show_optimization(answer)


@app.command()
def risk(
    weights: Annotated[
        str, typer.Argument(help="A=0.6,B=0.4, a CSV file of symbol,weight, or equal for equal weights.")
    ],
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    benchmark: Annotated[str, typer.Option(help="A stored symbol, or a column of --prices.")] = "",
    confidence_level: Confidence = None,
    stress: Annotated[
        str, typer.Option(help="Names of known crises, separated by commas; all for every crisis that the data covers.")
    ] = "",
    output: OptionalOutput = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Report the risk of constant weights: absfin risk AAPL=0.5,XOM=0.5 --benchmark SP500 --stress all"""
    with failing_clearly(as_json), report_options(output), connect(server) as client:
        chosen = read_weights(weights, symbols.split(",") if symbols else [])
        data = data_of(symbols or ("" if universe or prices else ",".join(chosen)), universe, prices, start, end)
        series = _column(data.panel, benchmark) if benchmark and isinstance(data, Prices) else benchmark or None
        scenarios = [historical_window("*" if name == "all" else name) for name in stress.split(",") if name]
        options = RiskOptions(stress=scenarios)
        analysis = AnalyzeRiskQuery(data, chosen, benchmark=series, confidence_level=confidence_level, options=options)
        found = client.analyze_risk(data, chosen, benchmark=series, confidence_level=confidence_level, options=options)
        if output is not None:
            charts = pictures_of(lambda names, theme: client.risk_charts(analysis, names, theme=theme))
            write(risk_report(found, charts), output)
        if as_json:
            print_json(found)
        else:
            show_risk(found)


app.command()(backtest)
app.command()(attribute)
app.command()(compare)


@app.command()
def watch(
    name: Annotated[str, typer.Argument(help="Name of the job, backtests/...")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Follow a backtest to its end, also across a restart of the server."""
    with failing_clearly(as_json), connect(server) as client:
        follow_to_the_end(client, name, as_json)


@app.command()
def reallocate(
    target: Annotated[str, typer.Argument(help="A=0.6,B=0.4, a CSV file of symbol,weight, or equal.")] = "",
    holdings: Annotated[str, typer.Option(help="A=100,B=50 in units, or a CSV file of symbol,units.")] = "",
    cash: Annotated[float, typer.Option(help="Cash of the portfolio, in money.")] = 0.0,
    portfolio: Annotated[str, typer.Option(help="A stored portfolio instead of --holdings: portfolios/...")] = "",
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
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """List the trades to target weights at stored prices: absfin reallocate AAPL=0.5,XOM=0.5 --holdings AAPL=100"""
    with failing_clearly(as_json), connect(server) as client:
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
        if as_json:
            print_json(answer)
        else:
            show_reallocation(answer)


app.command()(reallocate_batch)
app.command()(fills)
app.command()(charts)
app.command()(tables)
app.command()(report)


app.add_typer(keys, name="keys")

portfolios = typer.Typer(help="Portfolios stored by the server.", no_args_is_help=True)
app.add_typer(portfolios, name="portfolio")


@portfolios.command(name="create")
def create_portfolio(
    name: Annotated[str, typer.Argument(help="Id of the portfolio: NAME of portfolios/NAME.")],
    holdings: Annotated[str, typer.Option(help="A=100,B=50 in units, or a CSV file of symbol,units.")] = "",
    cash: Annotated[float, typer.Option(help="Cash of the portfolio, in money.")] = 0.0,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a portfolio: absfin portfolio create mine --holdings AAPL=100 --cash 500"""
    with failing_clearly(as_json), connect(server) as client:
        held = Holdings(read_weights(holdings, []) if holdings else {}, cash)
        print_message(client.create_portfolio(held.to_proto(), name))


@portfolios.command(name="show")
def show_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio, portfolios/...")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print a portfolio as JSON."""
    with failing_clearly(as_json), connect(server) as client:
        print_message(client.get_portfolio(name))


@portfolios.command(name="list")
def list_portfolios(
    everybody: Annotated[bool, typer.Option("--all", help="Those of everybody with their owners, for admins.")] = False,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print the names of your portfolios."""
    with failing_clearly(as_json), connect(server) as client:
        for portfolio in client.list_portfolios(all=everybody):
            typer.echo(f"{portfolio.owner}\t{portfolio.name}" if everybody else portfolio.name)


@portfolios.command(name="delete")
def delete_portfolio(
    name: Annotated[str, typer.Argument(help="Name of the portfolio, portfolios/...")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Delete a portfolio."""
    with failing_clearly(as_json), connect(server) as client:
        client.delete_portfolio(name)


actions = typer.Typer(help="Splits, dividends and delistings stored by the server.", no_args_is_help=True)
app.add_typer(actions, name="actions")


@actions.command(name="import")
def import_actions(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV file: symbol,ex_date,kind,value,pay_date.")
    ],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of corporate actions; the kind is split, cash_dividend or delisting."""
    with failing_clearly(as_json), connect(server) as client:
        count = client.upsert_corporate_actions(read_actions(file))
        typer.echo(json.dumps({"upserted": count}) if as_json else f"{count} corporate actions stored")


@actions.command(name="list")
def list_actions(
    symbols: Symbols = "",
    start: Start = None,
    end: End = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print stored corporate actions, as lines that import reads or as one JSON object each."""
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    with failing_clearly(as_json), connect(server) as client:
        if not as_json:
            typer.echo(ACTION_HEADER)
        for action in client.corporate_actions(names, start and start.date(), end and end.date()):
            typer.echo(json.dumps(MessageToDict(action.to_proto())) if as_json else action_line(action))


def _column(panel: Panel, symbol: str) -> Panel:
    if symbol not in panel.symbols:
        raise typer.BadParameter(f"{symbol} is not a column of the prices file")
    i = panel.symbols.index(symbol)
    return Panel((symbol,), panel.dates, panel.values[:, i : i + 1])
