"""`absfin optimize`: verified weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.options import (
    OBJECTIVES,
    constraints_of,
    data_of,
    objective_of,
)
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.panel_files import OptionalOutput, check_output, write_table
from absfin.cli.parameters import AsJson, Confidence, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_optimization
from absfin.queries import OptimizeQuery
from absfin.results import Optimization


def optimize(
    context: typer.Context,
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
    output: OptionalOutput = None,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Optimise weights: absfin optimize --symbols AAPL,MSFT,XOM --max-weight 0.5"""
    check_output(output, as_json=as_json)
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, OptimizeRequest, beside=("output",))
            answer = Optimization.from_proto(send(client, OptimizeQuery.RPC, message))
        else:
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
        elif not answer.weights:
            typer.echo("the request is valid")
        elif output is not None:
            _write(answer.weights, output)
        else:
            show_optimization(answer)


def _write(weights: Mapping[str, float], output: Path) -> None:
    """A file of symbol,weight that other commands read."""
    write_table("symbol", list(weights), ["weight"], np.array([[weight] for weight in weights.values()]), output)
