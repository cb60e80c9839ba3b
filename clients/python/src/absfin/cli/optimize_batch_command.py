"""`absfin optimize-batch`: many accounts over the same data."""

from collections.abc import Iterable
from typing import Annotated

import typer
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeBatchResponse

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.messages import MessageStream
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import read_request_lines
from absfin.cli.tables import weights_in_words
from absfin.formatting import percent
from absfin.queries import OptimizeBatchQuery


def optimize_batch(
    file: Annotated[
        str,
        typer.Argument(
            help='Requests as JSON of the contract, one a line: {"universe": ...} first, then {"account": ...} each. '
            "- is standard input."
        ),
    ],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Optimise many accounts over the same data: absfin optimize-batch accounts.jsonl"""
    with failing_clearly(as_json), connect(server) as client:
        requests = read_request_lines(file, OptimizeBatchRequest)
        answers = client.stream(MessageStream(RPC=OptimizeBatchQuery.RPC, message=iter(requests)))
        if as_json:
            # An outcome a line, as it is found.
            print_lines(answers)
        else:
            _show(answers)


def _show(answers: Iterable[OptimizeBatchResponse]) -> None:
    numbers = ("return", "volatility")
    table = new_table(("account", *numbers, "weights, or why there are none"), numbers)
    for one in answers:
        if one.WhichOneof("outcome") == "error":
            table.add_row(one.key, "", "", one.error.message)
            continue
        found = one.result
        expected = found.expected_return_annual if found.HasField("expected_return_annual") else None
        weights = weights_in_words({entry.symbol: entry.weight for entry in found.weights})
        table.add_row(one.key, percent(expected), percent(found.volatility_annual), weights)
    new_console().print(table)
