"""`absfin report`: a tear sheet of a stored result as one file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.names import RESULTS, full_name
from absfin.cli.output import failing_clearly
from absfin.cli.parameters import Server
from absfin.reports import FORMATS, Report, write_report
from absfin.reports.drawing import start_renderer
from absfin.reports.output import MissingRenderer, UnsupportedFormat, check_format
from absfin.reports.stored import NotReported, stored_report

Output = Annotated[
    Path, typer.Option("--output", "-o", help=f"File to write; its ending says how: {', '.join(FORMATS)}.")
]
OptionalOutput = Annotated[
    Path | None, typer.Option("--output", "-o", help=f"Also write a tear sheet: {', '.join(FORMATS)}.")
]


def report(
    name: Annotated[str, typer.Argument(help="backtests/ID, or ID; optimizations/ID or reallocations/ID.")],
    output: Output = Path("report.html"),
    title: Annotated[str, typer.Option(help="Heading of the report; by default the label of the result.")] = "",
    server: Server = DEFAULT_TARGET,
) -> None:
    """Write a tear sheet of a stored result: absfin report backtests/ID -o report.html"""
    with failing_clearly(as_json=False), report_options(output), connect(server) as client:
        start_renderer()  # while the server makes the charts
        write(stored_report(client, full_name(name, *RESULTS), title), output)


def write(report: Report, output: Path) -> None:
    """Writes a report and says where it is; ends the command with one line where it cannot be written."""
    try:
        write_report(report, output)
    except MissingRenderer as error:
        typer.echo(f"absfin: {error}", err=True)
        raise SystemExit(1) from error
    except OSError as error:
        typer.echo(f"absfin: cannot write {output}: {error.strerror}", err=True)
        raise SystemExit(1) from error
    # Standard output is for answers, which scripts read.
    typer.echo(f"{output}: {output.stat().st_size / 1024:,.0f} KiB", err=True)


@contextmanager
def report_options(output: Path | None) -> Iterator[None]:
    """Refuses a file whose ending says nothing, before any call, and a name of which there is no report."""
    try:
        if output is not None:
            check_format(output)
        yield
    except (UnsupportedFormat, NotReported) as error:
        raise typer.BadParameter(str(error)) from error
