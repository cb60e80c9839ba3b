"""Follows a backtest to its end, and shows what it found."""

import sys

import numpy as np
import typer

from absfin.backtest_results import Backtest
from absfin.cli.attribution_command import show_path_attribution
from absfin.cli.output import follow, print_json
from absfin.cli.tables import show_backtest
from absfin.cli.terminal_chart import line_chart
from absfin.client import Client
from absfin.data import Panel


def follow_started(client: Client, started: Backtest, as_json: bool, *, detach: bool, plot: bool) -> None:
    """Follows a job that was started; shows what there is where it is not to be followed, or was only checked."""
    is_over = detach or not started.name
    if is_over and as_json:
        print_json(started)
    elif is_over:
        typer.echo(started.name or "the request is valid")
    else:
        follow_to_the_end(client, started.name, as_json, plot=plot)


def follow_to_the_end(client: Client, name: str, as_json: bool, *, plot: bool = False) -> None:
    """Shows the progress of a job, then its result; ends the command with status 1 where it has none."""
    follow(client.watch(name), name, shown=not as_json)
    done = client.get_backtest(name)
    if as_json:
        print_json(done)
    elif done.state == "succeeded":
        show_backtest(done)
        if done.attribution is not None:
            show_path_attribution(done.attribution)
        if plot:
            typer.echo(line_chart(_equity(client, done), "value of one unit", colored=sys.stdout.isatty()))
    else:
        typer.echo(f"{name} {done.state}: {done.error}", err=True)
    if done.state != "succeeded":
        raise SystemExit(1)


def _equity(client: Client, done: Backtest) -> Panel:
    """Value of one unit of each strategy, a column each, over their common dates."""
    series = [client.backtest_series(done.name, "equity", one.label) for one in done.strategies]
    values = np.column_stack([one.values[:, 0] for one in series])
    return Panel(tuple(one.label for one in done.strategies), series[0].dates, values)
