"""Tables by date as files: CSV, gzipped or not, and Parquet."""

import csv
import gzip
import io
import math
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from absfin.data import Panel

Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="File to write: .csv, .csv.gz or .parquet; CSV on standard output if absent or -."
    ),
]
ENDINGS = (".csv", ".csv.gz", ".parquet")


def check_output(output: Path | None) -> None:
    """Raises BadParameter for a file that cannot be written, before any call."""
    if _is_standard(output):
        return
    assert output is not None  # noqa: S101  # _is_standard says so
    if not output.name.endswith(ENDINGS):
        raise typer.BadParameter(f"{output} ends with none of {', '.join(ENDINGS)}", param_hint="--output")
    if output.suffix == ".parquet":
        _pyarrow()


def write_panel(panel: Panel, output: Path | None) -> None:
    """Writes dates and values so that reading gives the same numbers; a missing value is an empty cell."""
    if _is_standard(output):
        sys.stdout.write(_as_csv(panel))
        return
    assert output is not None  # noqa: S101  # _is_standard says so
    try:
        if output.suffix == ".parquet":
            _write_parquet(panel, output)
        else:
            content = _as_csv(panel).encode()
            output.write_bytes(gzip.compress(content) if output.suffix == ".gz" else content)
    except OSError as error:
        typer.echo(f"absfin: cannot write {output}: {error.strerror}", err=True)
        raise SystemExit(1) from error
    # Standard output is for answers, which scripts read.
    typer.echo(f"{output}: {len(panel.dates)} dates, {len(panel.symbols)} columns", err=True)


def _is_standard(output: Path | None) -> bool:
    return output is None or str(output) == "-"


def _as_csv(panel: Panel) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["date", *panel.symbols])
    for day, values in zip(panel.dates.astype("datetime64[D]"), panel.values.tolist(), strict=True):
        rows.writerow([str(day), *("" if math.isnan(value) else repr(value) for value in values)])
    return text.getvalue()


def _write_parquet(panel: Panel, output: Path) -> None:
    arrow, parquet = _pyarrow()
    columns = {"date": arrow.array(panel.dates.astype("datetime64[D]"))}
    columns |= {
        symbol: arrow.array(panel.values[:, i], from_pandas=True)  # NaN is missing
        for i, symbol in enumerate(panel.symbols)
    }
    parquet.write_table(arrow.table(columns), output)


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise typer.BadParameter("Parquet needs pyarrow: pip install pyarrow", param_hint="--output") from None
