"""The command `absfin compare`."""

from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.risk_service_pb2 import CompareStrategiesRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_panel
from absfin.cli.input_files import input_argument
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_comparison
from absfin.data import Panel
from absfin.queries import CompareStrategiesQuery
from absfin.significance import StrategyComparison


def compare(
    context: typer.Context,
    file: Annotated[
        Path | None, input_argument("CSV or Parquet file of returns per period: dates, then each strategy.")
    ] = None,
    benchmark: Annotated[str, typer.Option(help="Column of the file that is the benchmark; 0 if absent.")] = "",
    block_length: Annotated[
        float | None,
        typer.Option(help="Mean block length of the bootstrap in periods; chosen from the data if absent."),
    ] = None,
    resamples: Annotated[int | None, typer.Option(help="Bootstrap resamples; 1000 if absent.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    significance_level: Annotated[
        float | None, typer.Option(help="Probability of naming any strategy wrongly; 0.05 if absent.")
    ] = None,
    segments: Annotated[int | None, typer.Option(help="Segments of the cross-validation, even; 16 if absent.")] = None,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Test whether strategies beat a benchmark: absfin compare returns.csv --benchmark SP500"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, CompareStrategiesRequest)
            _show(StrategyComparison.from_proto(send(client, CompareStrategiesQuery.RPC, message)), as_json)
            return
        if file is None:
            raise typer.BadParameter("give a file, or --request", param_hint="FILE")
        strategies, reference = _split(read_panel(file), benchmark)
        found = client.compare_strategies(
            strategies,
            reference,
            block_length=block_length,
            resamples=resamples,
            seed=seed,
            significance_level=significance_level,
            segments=segments,
        )
        _show(found, as_json)


def _show(found: StrategyComparison, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        show_comparison(found)


def _split(panel: Panel, benchmark: str) -> tuple[Panel, Panel | None]:
    """The strategies, and the benchmark among the columns."""
    if not benchmark:
        return panel, None
    if benchmark not in panel.symbols:
        raise typer.BadParameter(f"{benchmark} is not a column of the file", param_hint="--benchmark")
    i = panel.symbols.index(benchmark)
    others = [j for j in range(len(panel.symbols)) if j != i]
    if not others:
        raise typer.BadParameter("the file has no column beside it", param_hint="--benchmark")
    return (
        Panel(tuple(panel.symbols[j] for j in others), panel.dates, panel.values[:, others]),
        Panel((benchmark,), panel.dates, panel.values[:, i : i + 1]),
    )
