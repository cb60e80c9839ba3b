"""The commands. Each reads its options, makes one call, and shows the answer."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.csv_files import read_panel, read_weights
from absfin.cli.options import OBJECTIVES, constraints_of, data_of, objective_of
from absfin.cli.output import failing_clearly, print_json, progress_bar
from absfin.cli.tables import show_optimization, show_risk
from absfin.client import Client
from absfin.data import Panel, Prices

app = typer.Typer(
    help="Portfolio optimisation and risk through an abs-finance server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Server = Annotated[str, typer.Option("--server", envvar="ABSFIN_SERVER", help="Address of the server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Symbols = Annotated[str, typer.Option(help="Stored symbols, separated by commas.")]
Universe = Annotated[str, typer.Option(help='All stored symbols with a label, such as "sector=Technology".')]
PricesFile = Annotated[
    Path | None, typer.Option("--prices", help="CSV file of prices instead: dates down, symbols across.")
]
Start = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First date.")]
End = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last date.")]
Confidence = Annotated[float | None, typer.Option(help="Confidence level of tail measures, 0.95 if absent.")]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def serve(context: typer.Context) -> None:
    """Run the server. All options go to it: absfin serve --help"""
    # In place of this process: whoever stops `absfin serve` stops the server itself.
    os.execv(sys.executable, [sys.executable, "-m", "server", *context.args])  # noqa: S606  # the user's own words


@app.command(name="import")
def import_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file, gzipped or not.")],
    field: Annotated[str, typer.Option(help="close, open, high, low or volume.")] = "close",
    import_id: Annotated[str, typer.Option(help="Id of this import, to send it again; a new one if absent.")] = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Store a CSV file of prices: a date column first, then one column for each symbol."""
    with failing_clearly(as_json), Client(server) as client:
        panel = read_panel(file)
        with progress_bar(f"{file.name}", shown=not as_json) as on_progress:
            receipt = client.import_prices(
                panel,
                field=field,  # type: ignore[arg-type]  # the server says which there are
                source=file.name,
                import_id=import_id,
                on_progress=on_progress,
                timeout=600,
            )
        if as_json:
            print_json(receipt)
        else:
            typer.echo(
                f"{receipt.symbols} symbols: {receipt.inserted} values inserted, {receipt.changed} changed, "
                f"{receipt.unchanged} there already"
            )


@app.command()
def optimize(
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    objective: Annotated[str, typer.Option(help=", ".join(OBJECTIVES) + ".")] = "min-risk",
    risk_measure: Annotated[str, typer.Option(help="variance, standard_deviation or cvar.")] = "variance",
    confidence_level: Confidence = None,
    risk_free_rate: Annotated[float, typer.Option(help="Per year, for max-ratio.")] = 0.0,
    risk_aversion: Annotated[float, typer.Option(help="For max-utility.")] = 3.0,
    min_weight: Annotated[float | None, typer.Option(help="Least weight of each asset.")] = None,
    max_weight: Annotated[float | None, typer.Option(help="Largest weight of each asset.")] = None,
    min_return: Annotated[float | None, typer.Option(help="Least expected return per year.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help='Bounds on a group: "sector=Technology:0.1:0.3" (lower:upper).')
    ] = None,
    ewma_half_life: Annotated[float | None, typer.Option(help="Half-life of the covariance in periods.")] = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Find weights: absfin optimize --symbols AAPL,MSFT,XOM --max-weight 0.5"""
    with failing_clearly(as_json), Client(server) as client:
        answer = client.optimize(
            data_of(symbols, universe, prices, start, end),
            objective_of(objective, risk_free_rate=risk_free_rate, risk_aversion=risk_aversion),
            constraints=constraints_of(min_weight, max_weight, min_return, group or ()),
            risk_measure=risk_measure,
            confidence_level=confidence_level,
            ewma_half_life=ewma_half_life,
        )
        if as_json:
            print_json(answer)
        else:
            show_optimization(answer)


@app.command()
def risk(
    weights: Annotated[
        str, typer.Argument(help="A=0.6,B=0.4, or a CSV file of symbol,weight, or equal for the same weight each.")
    ],
    symbols: Symbols = "",
    universe: Universe = "",
    prices: PricesFile = None,
    start: Start = None,
    end: End = None,
    benchmark: Annotated[str, typer.Option(help="A stored symbol, or a column of --prices.")] = "",
    confidence_level: Confidence = None,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Report the risk of constant weights: absfin risk AAPL=0.5,XOM=0.5 --benchmark SP500"""
    with failing_clearly(as_json), Client(server) as client:
        named = read_weights(weights, symbols.split(",") if symbols else [])
        data = data_of(symbols or ("" if universe or prices else ",".join(named)), universe, prices, start, end)
        compared = _column(data.panel, benchmark) if benchmark and isinstance(data, Prices) else benchmark or None
        report = client.analyze_risk(data, named, benchmark=compared, confidence_level=confidence_level)
        if as_json:
            print_json(report)
        else:
            show_risk(report)


def _column(panel: Panel, symbol: str) -> Panel:
    if symbol not in panel.symbols:
        raise typer.BadParameter(f"{symbol} is not a column of the prices file")
    i = panel.symbols.index(symbol)
    return Panel((symbol,), panel.dates, panel.values[:, i : i + 1])
