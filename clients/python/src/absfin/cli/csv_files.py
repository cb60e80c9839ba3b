"""Tables and weights from CSV files, without pandas."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from absfin.data import Panel


def read_panel(path: Path) -> Panel:
    """Reads a table: ISO dates in the first column, then one column for each symbol; an empty cell is missing."""
    rows = _rows(path)
    if len(rows) < 2 or len(rows[0]) < 2:
        raise typer.BadParameter(f"{path} needs a header line, a date column and at least one symbol")
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise typer.BadParameter(f"{path}, line {number}: has {len(row)} cells, the header has {width}")
    try:
        values = np.array([[float(cell) if cell.strip() else np.nan for cell in row[1:]] for row in rows[1:]])
        return Panel.of(rows[0][1:], np.array([row[0] for row in rows[1:]], dtype="datetime64[D]"), values)
    except ValueError as error:
        raise typer.BadParameter(f"{path}: {error}") from None


def read_weights(text: str, symbols: Sequence[str]) -> dict[str, float]:
    """Reads weights from "A=0.6,B=0.4" or a file of symbol,weight lines; "equal" gives each symbol the same."""
    if text == "equal":
        if not symbols:
            raise typer.BadParameter("equal needs --symbols")
        return {symbol: 1.0 / len(symbols) for symbol in symbols}
    pairs = [part.split("=") for part in text.split(",")] if "=" in text else _rows(Path(text))
    try:
        return {symbol.strip(): float(weight) for symbol, weight in pairs if symbol.strip() != "symbol"}
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither A=0.6,B=0.4 nor a file of symbol,weight lines") from None


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        raise typer.BadParameter(f"no such file: {path}")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [row for row in csv.reader(content.decode("utf-8-sig").splitlines()) if row]
