"""`absfin risk-model`: expected returns and covariance."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
import typer
from absfinance.v1.risk_service_pb2 import EstimateRiskModelRequest
from numpy.typing import NDArray

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.messages import MessageStream
from absfin.cli.options import data_of
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.panel_files import Output, check_output, write_table
from absfin.cli.parameters import AsJson, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.request_files import RequestFile, read_request
from absfin.cli.tables import show_figures
from absfin.formatting import number, percent
from absfin.queries import EstimateRiskModelQuery
from absfin.queries.optimization import exponential_weighting
from absfin.risk import RiskModel, RiskModelAssembler

ARRAYS = ("expected_returns", "covariance", "correlation")


def risk_model(
    context: typer.Context,
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    ewma_half_life: Annotated[float | None, typer.Option(help="Half-life of the covariance in periods.")] = None,
    factors: Annotated[int | None, typer.Option(min=1, help="Number of principal components as factors.")] = None,
    array: Annotated[str, typer.Option(help=f"Write one of these as CSV instead: {', '.join(ARRAYS)}.")] = "",
    output: Output = None,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Estimate expected returns and covariance: absfin risk-model --symbols AAPL,JNJ,XOM --array covariance"""
    if array and array not in ARRAYS:
        raise typer.BadParameter(f"{array!r} is none of {', '.join(ARRAYS)}", param_hint="--array")
    if output is not None and not array:
        raise typer.BadParameter("needs --array", param_hint="--output")
    check_output(output, as_json=as_json)
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, EstimateRiskModelRequest, beside=("array", "output"))
        else:
            message = EstimateRiskModelQuery(
                data_of(symbols, universe, prices, start, end),
                estimation=None if ewma_half_life is None else exponential_weighting(ewma_half_life),
                factors=factors,
            ).request()
        parts = client.stream(MessageStream(RPC=EstimateRiskModelQuery.RPC, message=message))
        if as_json:
            print_lines(parts)
            return
        found = _joined(parts)
        if array:
            write_table("symbol", *_array(found, array), output)
        else:
            _show(found)


def _joined(parts: Iterable[Any]) -> RiskModel:
    assembler = RiskModelAssembler()
    for part in parts:
        assembler.add(part)
    return assembler.result()


def _array(model: RiskModel, name: str) -> tuple[Sequence[str], Sequence[str], NDArray[np.float64]]:
    """Names of the rows, names of the columns, and the values per period."""
    values = model.arrays[name]
    if name == "expected_returns":
        return model.symbols, ["expected_return"], values.reshape(-1, 1)
    return model.symbols, model.symbols, values


def _show(model: RiskModel) -> None:
    told, year = model.diagnostics, model.diagnostics.periods_per_year
    table = new_table(("symbol", "return, annual", "volatility, annual"), ("return, annual", "volatility, annual"))
    for i, symbol in enumerate(model.symbols):
        table.add_row(symbol, percent(model.expected_returns[i] * year), percent(told.volatilities_annual[i]))
    console = new_console()
    console.print(table)
    shrunk = told.shrinkage_intensity if told.HasField("shrinkage_intensity") else None
    figures = {"observations": str(told.observations), "periods per year": f"{year:g}"}
    if told.HasField("condition_number"):
        figures["condition number"] = f"{told.condition_number:.4g}"
    if shrunk is not None:
        figures["shrinkage"] = number(shrunk)
    show_figures(console, figures)
    for warning in told.warnings:
        console.print(f"warning: {warning.message}", style="yellow", markup=False)
