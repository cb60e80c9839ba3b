"""Tables by date as files: CSV, gzipped or not, and Parquet."""

import csv
import gzip
import io
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, time
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
OptionalOutput = Annotated[
    File,
    typer.Option(
        "--output", "-o", help="Write the weights as .csv, .csv.gz or .parquet instead; - is CSV on standard output."
    ),
]
ENDINGS = (".csv", ".csv.gz", ".parquet")
PARQUET = b"PAR1"
"""How a Parquet file begins."""


def check_output(output: File, *, as_json: bool = False) -> None:
    """Raises BadParameter for a file that cannot be written, before any call. JSON goes to standard output."""
    if output is not None and as_json:
        raise typer.BadParameter("is for tables, --json for standard output", param_hint="--output")
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


def is_parquet(content: bytes) -> bool:
    """Whether the content of a file is Parquet."""
    return content.startswith(PARQUET)


def panel_from_parquet(content: bytes, name: str) -> Panel:
    """A table by date: the first column of dates, or else the first one, and numbers in all others; null is missing.

    `name` is that of the file in an error.
    """
    arrow, table = _parquet_table(content, name)
    names = list(table.column_names)
    days = next((column.name for column in table.schema if arrow.types.is_temporal(column.type)), names[0])
    symbols = [column for column in names if column != days]
    if not symbols or not table.num_rows:
        raise typer.BadParameter(f"{name} needs a column of dates, at least one symbol and at least one row")
    column = days
    try:
        dates = table[days].to_numpy().astype("datetime64[D]")
        values = np.empty((table.num_rows, len(symbols)))
        for i, column in enumerate(symbols):
            values[:, i] = table[column].cast(arrow.float64()).to_numpy()
    except (ValueError, NotImplementedError, OverflowError):
        raise typer.BadParameter(
            f"{name}, column {column}: has no {'dates' if column == days else 'numbers'}"
        ) from None
    return Panel.of(symbols, dates, values)


def rows_from_parquet(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """The names of the columns, then each row, as the cells of a CSV file; the second row is line 2."""
    _, table = _parquet_table(content, name)
    yield 1, list(table.column_names)
    try:
        columns = [column.to_pylist() for column in table.columns]
    except (ValueError, OverflowError):  # a date that Python does not have, or a text that is none
        raise typer.BadParameter(f"{name} has a value that cannot be read") from None
    for line, row in enumerate(zip(*columns, strict=True), start=2):
        yield line, [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None or value != value:  # NaN is a missing number
        return ""
    if isinstance(value, datetime):
        # A column of dates may be one of times, which are midnight then.
        return (value.date() if value.time() == time() else value).isoformat()
    return str(value)


def _parquet_table(content: bytes, name: str) -> tuple[Any, Any]:
    """The module and the table of a file."""
    arrow, parquet = _pyarrow(hint=None)
    try:
        table = parquet.read_table(arrow.BufferReader(content))
        table.column_names  # noqa: B018  # which may be no Unicode
        return arrow, table
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{name} is no Parquet file that can be read: {error}") from None


def _pyarrow(hint: str | None = "--output") -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise typer.BadParameter("Parquet needs pyarrow: pip install pyarrow", param_hint=hint) from None
