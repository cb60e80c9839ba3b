"""The command `absfin attribute`, and tables of attributions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1 import attribution_pb2
from absfinance.v1.risk_service_pb2 import AttributeRequest
from rich.table import Table

from absfin.attribution import Attribution, AttributionOptions, Effects, PathAttribution, Segment, attribution_options
from absfin.channel import DEFAULT_TARGET
from absfin.choices import choice
from absfin.cli.connection import connect
from absfin.cli.csv_files import read_panel
from absfin.cli.input_files import input_argument
from absfin.cli.layout import new_console, new_table
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.queries import AttributeQuery


def attribute(
    context: typer.Context,
    portfolio_weights: Annotated[
        Path | None, input_argument("CSV or Parquet file: a date column, a column for each segment.")
    ] = None,
    benchmark_weights: Annotated[Path | None, typer.Argument(help="The same of the benchmark.")] = None,
    portfolio_returns: Annotated[
        Path | None, typer.Argument(help="Returns of the segments in each period, likewise.")
    ] = None,
    benchmark_returns: Annotated[Path | None, typer.Argument(help="The same of the benchmark.")] = None,
    model: Annotated[str, typer.Option(help="brinson-fachler or brinson-hood-beebower.")] = "brinson-fachler",
    linking: Annotated[str, typer.Option(help="carino, menchero, grap or geometric.")] = "carino",
    separate_interaction: Annotated[
        bool, typer.Option("--separate-interaction", help="Show interaction apart from selection.")
    ] = False,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Divide an excess return: absfin attribute wp.csv wb.csv rp.csv rb.csv"""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, AttributeRequest)
            _show(Attribution.from_proto(send(client, AttributeQuery.RPC, message)), as_json)
            return
        _check(model, linking)
        files = [portfolio_weights, benchmark_weights, portfolio_returns, benchmark_returns]
        tables = [read_panel(file) for file in files if file is not None]
        if len(tables) < len(files):
            raise typer.BadParameter("give four files, or --request")
        answer = client.attribute(
            *tables,
            model=model.replace("-", "_"),  # type: ignore[arg-type]  # checked above
            linking=linking,  # type: ignore[arg-type]  # likewise
            separate_interaction=separate_interaction,
        )
        _show(answer, as_json)


def _show(answer: Attribution, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        show_attribution(answer)


def attribution_of(kinds: str, model: str, linking: str) -> AttributionOptions | None:
    """The options of a backtest: kinds of labels separated by commas, or "asset"; None for no attribution."""
    if not kinds:
        return None
    _check(model, linking)
    names = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    groups = [] if names == ["asset"] else names
    return attribution_options(groups, model=model.replace("-", "_"), linking=linking)  # type: ignore[arg-type]  # checked


def show_attribution(answer: Attribution) -> None:
    """Prints the effects of the segments."""
    rows = {**answer.groups, "total": answer.totals}
    table = _table("segment", ("allocation", "selection", "interaction"))
    for name, effects in rows.items():
        table.add_row(name, *_of(effects))
    console = new_console()
    console.print(table)
    console.print(f"excess return {_percent(answer.excess_return)}")


def show_path_attribution(found: PathAttribution) -> None:
    """Prints the parts by each kind of labels."""
    console = new_console()
    for kind, segments in found.levels.items():
        console.print(_level(kind, segments, found.benchmark))
    against = f" over {found.benchmark}" if found.benchmark else ""
    console.print(f"excess return{against} {_percent(found.excess_return)}")
    for why in found.undefined.values():
        console.print(f"not attributed: {why}")


def _level(kind: str, segments: Sequence[Segment], benchmark: str) -> Table:
    effects = (
        "allocation",
        "selection",
        *(["interaction"] if any(s.interaction is not None for s in segments) else []),
    )
    table = _table(kind, ("contribution", "mean weight", *(effects if benchmark else ())))
    for segment in segments:
        shown: list[float | None] = [segment.contribution, segment.mean_weight]
        shown += [getattr(segment, name) for name in effects] if benchmark else []
        table.add_row(segment.name, *map(_percent, shown))
    return table


def _table(first: str, columns: Sequence[str]) -> Table:
    return new_table((first, *columns), columns)


def _of(effects: Effects) -> list[str]:
    return [_percent(one) for one in (effects.allocation, effects.selection, effects.interaction)]


def _percent(value: float | None) -> str:
    """A fraction in percent with four decimals: effects are small."""
    return "-" if value is None else f"{value * 100:.4f} %"


def _check(model: str, linking: str) -> None:
    """Raises UnknownChoice, which names the option."""
    choice(attribution_pb2.AttributionModel, "--model", model.replace("-", "_"))
    choice(attribution_pb2.Linking, "--linking", linking)
