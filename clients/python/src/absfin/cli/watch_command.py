"""`absfin watch`: a backtest, followed to its end."""

from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.following import follow_to_the_end
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly
from absfin.cli.parameters import AsJson, Server


def watch(
    name: Annotated[str, typer.Argument(help="Name of the backtest: backtests/ID, or ID.")],
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Follow a backtest to its end, also across a restart of the server: absfin watch ID"""
    with failing_clearly(as_json), connect(server) as client:
        follow_to_the_end(client, full_name(name, "backtests"), as_json)
