"""The command `absfin sweep`."""

from typing import Annotated

import typer
from absfinance.v1.backtest_service_pb2 import SweepRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.backtest_options import STRATEGIES, strategy_of
from absfin.cli.connection import connect
from absfin.cli.layout import new_console, new_table
from absfin.cli.options import constraints_of, data_of
from absfin.cli.output import failing_clearly, follow, print_json
from absfin.cli.parameters import AsJson, End, PricesFile, Server, Start, Symbols, Universe
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_warnings
from absfin.client import Client
from absfin.formatting import percent
from absfin.queries import BacktestQuery, SweepQuery
from absfin.sweeps import CrossValidation, Sweep

SHOWN = 10
"""Trials of the table."""


def sweep(
    context: typer.Context,
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    strategy: Annotated[str, typer.Option(help=", ".join(STRATEGIES) + ".")] = "equal-weight",
    lookback: Annotated[
        int | None, typer.Option(help="Number of past periods that the strategy uses; all if absent.")
    ] = None,
    top: Annotated[int | None, typer.Option(help="Number of assets that momentum holds.")] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            help="A field of the request and its values: costs.commission_bps=0,5,10; again for each further one."
        ),
    ] = None,
    score: Annotated[str, typer.Option(help="What trials are compared by; a wrong one lists them all.")] = "sharpe",
    cross_validation: Annotated[
        str, typer.Option(help="Test the choice of the best: groups of dates, and how many are tests at a time: 6,2.")
    ] = "",
    purge: Annotated[int, typer.Option(min=0, help="Periods left out before and after each test.")] = 0,
    embargo: Annotated[int, typer.Option(min=0, help="Further periods left out after each test.")] = 0,
    label: Annotated[str, typer.Option(help="Label for people.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Print the name of the sweep and do not wait.")] = False,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Backtest every combination of parameters: absfin sweep --symbols AAPL,XOM --axis costs.commission_bps=0,5"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, SweepRequest)
            wait = message.wait.ToTimedelta().total_seconds()
            started = Sweep.from_proto(send(client, SweepQuery.RPC, message, wait_seconds=wait))
        else:
            axes = dict(_axis(text) for text in axis or ())
            if not axes:
                raise typer.BadParameter("give an axis, or --request", param_hint="--axis")
            base = BacktestQuery(
                data_of(symbols, universe, prices, start, end),
                strategy_of(strategy, lookback, "variance", constraints_of(None, None, None, ()), top=top, skip=0),
            )
            query = SweepQuery(
                base,
                axes,
                score=score,  # type: ignore[arg-type]  # checked
                cross_validation=_groups(cross_validation),
                purge_periods=purge,
                embargo_periods=embargo,
                label=label,
            )
            started = client.send(query)
        if detach:
            print_json(started) if as_json else typer.echo(started.name)
            return
        follow(client.watch(started.name), started.name, shown=not as_json)
        _show(client, started.name, as_json)


def _axis(text: str) -> tuple[str, list[float] | list[str]]:
    """Path and values of an axis; numbers where all are."""
    path, _, values = text.partition("=")
    words = [word.strip() for word in values.split(",") if word.strip()]
    if not path or not words:
        raise typer.BadParameter(f"{text}: write path=value,value", param_hint="--axis")
    try:
        return path, [float(word) for word in words]
    except ValueError:
        return path, words


def _groups(text: str) -> tuple[int, int] | None:
    """Groups and test groups; None where they are not given."""
    if not text:
        return None
    groups, _, test_groups = text.partition(",")
    try:
        return int(groups), int(test_groups)
    except ValueError:
        raise typer.BadParameter(f"{text}: write groups,test groups", param_hint="--cross-validation") from None


def _show(client: Client, name: str, as_json: bool) -> None:
    """Prints a sweep that is over; ends the command with status 1 where it has no result."""
    done = client.get_sweep(name)
    if as_json:
        print_json(done)
    elif done.state == "succeeded":
        _show_trials(client, done)
    else:
        typer.echo(f"{name} {done.state}: {done.error}", err=True)
    if done.state != "succeeded":
        raise SystemExit(1)


def _show_trials(client: Client, done: Sweep) -> None:
    table = new_table(("trial", "label", "score"), ("trial", "score"), title=f"the best of {done.trial_count} trials")
    for one, _ in zip(client.sweep_trials(done.name, order="best_first", page_size=SHOWN), range(SHOWN), strict=False):
        score = one.error if one.score is None else f"{one.score:.6g}"
        table.add_row(str(one.index), one.label, score)
    console = new_console()
    console.print(table)
    figures = new_table(("over all trials", "value"))
    spa = done.spa
    for name, text in (
        ("failed", str(done.failed_count)),
        ("as good as the best", str(len(done.tied))),
        (
            "no trial beats the benchmark, p-value",
            "-" if spa is None else f"{spa[1]:.3f} ({spa[0]:.3f} to {spa[2]:.3f})",
        ),
        ("deflated Sharpe ratio", percent(done.deflated_sharpe)),
        ("with the effective number of trials", percent(done.deflated_sharpe_effective)),
        ("trials of all sweeps on these data", "-" if done.tried_count is None else str(done.tried_count)),
        ("deflated Sharpe ratio by all of them", percent(done.deflated_sharpe_all_sweeps)),
        ("probability of overfitting", percent(done.probability_of_overfitting)),
        *_validation_rows(done.cross_validation),
    ):
        figures.add_row(name, text)
    console.print(figures)
    for name, reason in done.undefined.items():
        console.print(f"{name.replace('_', ' ')}: {reason}", style="dim", markup=False)
    show_warnings(console, done.warnings)


def _validation_rows(found: CrossValidation | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    scores = found.path_scores
    spread = f" ({min(scores):.4g} to {max(scores):.4g})" if scores else ""
    return [
        ("score in sample of the chosen", f"{found.in_sample_mean:.4g}"),
        ("score out of sample", f"{found.out_of_sample_mean:.4g}"),
        (f"score of {len(scores)} paths", "-" if found.path_mean is None else f"{found.path_mean:.4g}{spread}"),
        ("probability of loss", percent(found.probability_of_loss)),
    ]
