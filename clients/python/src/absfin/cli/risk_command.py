"""`absfin risk`: the risk of constant weights."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, GetRiskChartsRequest

from absfin.channel import DEFAULT_TARGET
from absfin.charts import Chart, chart_fields, charts_of
from absfin.choices import ChartName, ChartTheme
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_weights
from absfin.cli.options import (
    data_of,
)
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.parameters import AsJson, Confidence, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.report_command import OptionalOutput, report_options, write
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_risk
from absfin.client import Client
from absfin.data import Panel, Prices
from absfin.queries import AnalyzeRiskQuery
from absfin.queries.charts import RiskChartsQuery
from absfin.reports.document import pictures_of
from absfin.reports.risk import risk_report
from absfin.risk import RiskOptions, historical_window
from absfin.risk_report import RiskReport


def risk(
    context: typer.Context,
    weights: Annotated[
        str, typer.Argument(help="A=0.6,B=0.4, a CSV file of symbol,weight, or equal for equal weights.")
    ] = "",
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
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Report the risk of constant weights: absfin risk AAPL=0.5,XOM=0.5 --benchmark SP500 --stress all"""
    with failing_clearly(as_json), report_options(output), connect(server) as client:
        if request:
            message = read_request(context, request, AnalyzeRiskRequest, beside=("output",))
            found = RiskReport.from_proto(send(client, AnalyzeRiskQuery.RPC, message))
            if output is not None:
                write(risk_report(found, pictures_of(_charts_of_request(client, message))), output)
            _show(found, as_json)
            return
        if not weights:
            raise typer.BadParameter("give weights, or --request", param_hint="WEIGHTS")
        chosen = read_weights(weights, symbols.split(",") if symbols else [])
        # Of a file all columns are read: one of them may be the benchmark.
        names = "" if prices else symbols or ("" if universe else ",".join(chosen))
        data = data_of(names, universe, prices, start, end)
        series = _column(data.panel, benchmark) if benchmark and isinstance(data, Prices) else benchmark or None
        scenarios = [historical_window("*" if name == "all" else name) for name in stress.split(",") if name]
        options = RiskOptions(stress=scenarios)
        analysis = AnalyzeRiskQuery(data, chosen, benchmark=series, confidence_level=confidence_level, options=options)
        found = client.analyze_risk(data, chosen, benchmark=series, confidence_level=confidence_level, options=options)
        if output is not None:
            charts = pictures_of(lambda names, theme: client.risk_charts(analysis, names, theme=theme))
            write(risk_report(found, charts), output)
        _show(found, as_json)


def _charts_of_request(client: Client, analysis: AnalyzeRiskRequest) -> Callable[..., dict[str, Chart]]:
    """The charts of a request as it stands, by their names and theme."""

    def charts(names: Sequence[ChartName], theme: ChartTheme) -> dict[str, Chart]:
        request = GetRiskChartsRequest(analysis=analysis, **chart_fields(names, theme))
        return charts_of(send(client, RiskChartsQuery.RPC, request).charts)

    return charts


def _show(found: RiskReport, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        show_risk(found)


def _column(panel: Panel, symbol: str) -> Panel:
    if symbol not in panel.symbols:
        raise typer.BadParameter(f"{symbol} is not a column of the prices file")
    i = panel.symbols.index(symbol)
    return Panel((symbol,), panel.dates, panel.values[:, i : i + 1])
