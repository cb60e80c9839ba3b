"""`absfin frontier`: portfolios of the efficient frontier."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from absfinance.v1.optimization_service_pb2 import TraceFrontierRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.messages import MessageStream
from absfin.cli.options import constraints_of, data_of
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.panel_files import OptionalOutput, check_output, write_table
from absfin.cli.parameters import AsJson, Confidence, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.request_files import RequestFile, read_request
from absfin.cli.tables import weights_in_words
from absfin.formatting import percent
from absfin.queries import TraceFrontierQuery
from absfin.results import FrontierPoint


def frontier(
    context: typer.Context,
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    points: Annotated[
        int, typer.Option(min=0, help="Portfolios, evenly spaced in return; 0 for all corner portfolios.")
    ] = 20,
    risk_measure: Annotated[
        str, typer.Option(help="variance, cvar, max_drawdown, ...; a wrong one lists them all.")
    ] = "variance",
    confidence_level: Confidence = None,
    min_weight: Annotated[float | None, typer.Option(help="Least weight of each asset, as a fraction.")] = None,
    max_weight: Annotated[float | None, typer.Option(help="Largest weight of each asset, as a fraction.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help='Bounds on a group: "sector=Technology:0.1:0.3" (lower:upper).')
    ] = None,
    output: OptionalOutput = None,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Trace the efficient frontier: absfin frontier --symbols AAPL,JNJ,XOM --points 10"""
    check_output(output, as_json=as_json)
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, TraceFrontierRequest, beside=("output",))
        else:
            message = TraceFrontierQuery(
                data_of(symbols, universe, prices, start, end),
                points,
                constraints=constraints_of(min_weight, max_weight, None, group or ()),
                risk_measure=risk_measure,  # type: ignore[arg-type]  # the query checks it
                confidence_level=confidence_level,
            ).request()
        answers = client.stream(MessageStream(RPC=TraceFrontierQuery.RPC, message=message))
        if as_json:
            # A point a line, as it is found.
            print_lines(answers)
            return
        found = [FrontierPoint.from_proto(one) for one in answers]
        if output is None:
            _show(found)
        else:
            _write(found, output)


def _write(points: list[FrontierPoint], output: Path) -> None:
    """A row for each point: its figures, then a column for each symbol."""
    symbols = list(points[0].weights) if points else []
    rows = [
        [
            one.expected_return_annual,
            one.volatility_annual,
            one.risk,
            *(one.weights.get(symbol, 0.0) for symbol in symbols),
        ]
        for one in points
    ]
    columns = ["expected_return_annual", "volatility_annual", "risk", *symbols]
    values = np.array(rows, dtype=float).reshape(-1, len(columns))
    write_table("point", [str(i) for i in range(len(points))], columns, values, output)


def _show(points: list[FrontierPoint]) -> None:
    """From the highest return to the least risk."""
    numbers = ("return", "volatility", "risk a period")
    table = new_table((*numbers, "weights"), numbers)
    for one in points:
        figures = (percent(one.expected_return_annual), percent(one.volatility_annual), f"{one.risk:.6g}")
        table.add_row(*figures, weights_in_words(one.weights))
    new_console().print(table)
