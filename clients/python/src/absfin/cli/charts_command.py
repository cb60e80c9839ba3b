"""The commands `absfin charts` and `absfin tables`: what a stored result looks like."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from absfinance.v1.risk_service_pb2 import GetRiskChartsRequest
from rich.table import Table

from absfin.backtest_results import Backtest, StrategyResult
from absfin.channel import DEFAULT_TARGET
from absfin.charts import Chart, charts_of
from absfin.choices import ChartName, ChartTheme
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.names import RESULTS, full_name
from absfin.cli.output import failing_clearly, print_message, print_object
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import read_request, send
from absfin.formatting import number, percent
from absfin.queries import BacktestChartsQuery, OptimizationChartsQuery, ReallocationChartsQuery, RiskChartsQuery
from absfin.queries.base import Rpc, UnaryQuery
from absfin.return_tables import PeriodReturn, ReturnTables

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def charts(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(help="A stored result: backtests/ID, or ID; sweeps/ID, optimizations/ID or reallocations/ID."),
    ] = "",
    chart: Annotated[
        list[str] | None,
        typer.Option(help="equity, drawdown, weights, ...; a wrong one lists them all. All that there are if absent."),
    ] = None,
    label: Annotated[str, typer.Option(help="Label of the strategy of a backtest; the first one if absent.")] = "",
    dark: Annotated[bool, typer.Option("--dark", help="For a dark background.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for a file of each chart; standard output if absent.")
    ] = None,
    request: Annotated[
        str,
        typer.Option(
            "--request",
            metavar="FILE",
            help="Charts of a risk report, which is not stored: a GetRiskChartsRequest as JSON; - reads it.",
        ),
    ] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print charts of a stored result as Vega-Lite specifications: absfin charts backtests/ID --chart equity"""
    with failing_clearly(as_json), connect(server) as client:
        if as_json and output is not None:
            raise typer.BadParameter("is for standard output alone", param_hint="--json")
        if request:
            rpc: Rpc = RiskChartsQuery.RPC
            message: Any = read_request(context, request, GetRiskChartsRequest, beside=("output",))
        elif name:
            query = _query(full_name(name, *RESULTS, "sweeps"), chart or [], label, dark)
            rpc, message = query.RPC, query.request()
        else:
            raise typer.BadParameter("give the name of a stored result, or --request", param_hint="NAME")
        answer = send(client, rpc, message)
        if as_json:
            print_message(answer)
            return
        found = charts_of(answer.charts)
        if output is None:
            print_object({one.name: one.specification for one in found.values()})
            return
        output.mkdir(parents=True, exist_ok=True)
        for one in found.values():
            one.save(output / f"{one.name}.vl.json")
            typer.echo(output / f"{one.name}.vl.json")


def _query(name: str, chart: list[str], label: str, dark: bool) -> UnaryQuery[dict[str, Chart]]:
    theme: ChartTheme = "dark" if dark else "light"
    charts = cast("list[ChartName]", chart)  # the query checks them
    kind = name.partition("/")[0]
    if kind == "optimizations":
        return OptimizationChartsQuery(name, charts, theme=theme)
    if kind == "reallocations":
        return ReallocationChartsQuery(name, charts, theme=theme)
    return BacktestChartsQuery(name, charts, label=label, theme=theme)


def tables(
    name: Annotated[str, typer.Argument(help="A backtest that has succeeded: backtests/ID, or ID.")],
    label: Annotated[str, typer.Option(help="Label of the strategy or benchmark; the first one if absent.")] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Print returns by month and year, the best and worst ones, and over moving years: absfin tables backtests/ID"""
    with failing_clearly(as_json), connect(server) as client:
        found = client.get_backtest(full_name(name, "backtests"))
        results = {one.label: one for one in (*found.strategies, *found.benchmarks)}
        if label and label not in results:
            raise typer.BadParameter(f"{label!r} is none of {', '.join(results)}", param_hint="--label")
        result = results[label] if label else next(iter(results.values()), None)
        if result is None or result.return_tables is None:
            raise typer.BadParameter(f"{name} has no tables: it is {found.state}")
        if as_json:
            print_message(_content(found, result.label))
        else:
            _show(result, result.return_tables)


def _content(found: Backtest, label: str) -> Any:
    """The part of a result that has the tables of one strategy or benchmark."""
    results = (*found.proto.result.strategies, *found.proto.result.benchmarks)
    whole = next(one for one in results if one.label == label)
    return type(whole)(
        label=label, return_tables=whole.return_tables, benchmark_comparisons=whole.benchmark_comparisons
    )


def _show(result: StrategyResult, tables: ReturnTables) -> None:
    console = new_console()
    console.print(_by_month(result.label, tables))
    console.print(_extremes(tables))
    if tables.moving:
        console.print(_moving(tables))
    if result.comparisons:
        console.print(_comparisons(result))


def _by_month(label: str, tables: ReturnTables) -> Table:
    table = new_table(("", *MONTHS, "year"), (*MONTHS, "year"), f"{label}: returns, %")
    years = {one.end.year: one.value for one in tables.years}
    for year, months in tables.by_month().items():
        cells = [f"{100 * months[month]:.1f}" if month in months else "" for month in range(1, 13)]
        table.add_row(str(year), *cells, f"{100 * years[year]:.1f}")
    return table


def _extremes(tables: ReturnTables) -> Table:
    table = new_table(("period", "best", "on", "worst", "on"), title="best and worst")
    rows = (
        ("date", tables.best_periods, tables.worst_periods),
        ("month", tables.best_months, tables.worst_months),
        ("year", tables.best_years, tables.worst_years),
    )
    for name, best, worst in rows:
        if best and worst:
            table.add_row(name, *_cells(best[0]), *_cells(worst[0]))
    return table


def _cells(one: PeriodReturn) -> tuple[str, str]:
    return percent(one.value), one.end.isoformat()


def _moving(tables: ReturnTables) -> Table:
    names = ("years", "latest", "lowest", "median", "highest", "above 0")
    table = new_table(names, names, "annual returns over moving years")
    for years, one in tables.moving.items():
        figures = (one.latest, one.lowest, one.median, one.highest, one.positive_fraction)
        table.add_row(str(years), *map(percent, figures))
    return table


def _comparisons(result: StrategyResult) -> Table:
    numbers = ("beta", "up capture", "down capture", "batting average", "excess return")
    table = new_table(("benchmark", *numbers), numbers, "against benchmarks")
    for name, one in result.comparisons.items():
        figures = one.figures
        table.add_row(
            name,
            number(figures.get("beta")),
            percent(figures.get("capture_up")),
            percent(figures.get("capture_down")),
            percent(figures.get("batting_average")),
            percent(figures.get("excess_return")),
        )
    return table
