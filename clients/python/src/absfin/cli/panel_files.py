"""Tables by date as files: CSV, gzipped or not, and Parquet."""

import csv
import gzip
import io
import math
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from absfin.data import Panel

File = Path | None
Output = Annotated[
    File,
    typer.Option(
        "--output", "-o", help="File to write: .csv, .csv.gz or .parquet; CSV on standard output if absent or -."
    ),
]
ENDINGS = (".csv", ".csv.gz", ".parquet")


def check_output(output: File) -> None:
    """Raises BadParameter for a file that cannot be written, before any call."""
    if output is None or str(output) == "-":
        return
    if not output.name.endswith(ENDINGS):
        raise typer.BadParameter(f"{output} ends with none of {', '.join(ENDINGS)}", param_hint="--output")
    if output.suffix == ".parquet":
        _pyarrow()


def write_panel(panel: Panel, output: File) -> None:
    """Writes dates and values so that reading gives the same numbers; a missing value is an empty cell."""
    write_table("date", panel.dates.astype("datetime64[D]"), panel.symbols, panel.values, output)


def write_table(
    first: str, keys: "Sequence[str] | NDArray[Any]", columns: Sequence[str], values: NDArray[np.float64], output: File
) -> None:
    """Writes a column of keys with the name `first`, then (rows, columns) values."""
    if output is None or str(output) == "-":
        sys.stdout.write(_as_csv(first, keys, columns, values))
        return
    try:
        if output.suffix == ".parquet":
            _write_parquet(first, keys, columns, values, output)
        else:
            content = _as_csv(first, keys, columns, values).encode()
            output.write_bytes(gzip.compress(content) if output.suffix == ".gz" else content)
    except OSError as error:
        typer.echo(f"absfin: cannot write {output}: {error.strerror}", err=True)
        raise SystemExit(1) from error
    # Standard output is for answers, which scripts read.
    typer.echo(f"{output}: {len(keys)} rows, {len(columns)} columns", err=True)


def _as_csv(first: str, keys: Any, columns: Sequence[str], values: NDArray[np.float64]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([first, *columns])
    for key, row in zip(keys, values.tolist(), strict=True):
        rows.writerow([str(key), *("" if math.isnan(value) else repr(value) for value in row)])
    return text.getvalue()


def _write_parquet(first: str, keys: Any, columns: Sequence[str], values: NDArray[np.float64], output: Path) -> None:
    arrow, parquet = _pyarrow()
    # NaN is a missing value, as an empty cell is in CSV.
    arrays = [arrow.array(keys), *(arrow.array(values[:, i], from_pandas=True) for i in range(len(columns)))]
    parquet.write_table(arrow.table(arrays, names=[first, *columns]), output)


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise typer.BadParameter("Parquet needs pyarrow: pip install pyarrow", param_hint="--output") from None
