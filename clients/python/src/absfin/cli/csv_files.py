"""Tables, weights and corporate actions from CSV and Parquet files, without pandas."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import typer
from absfinance.v1 import instrument_pb2

from absfin.choices import TradableState, choice
from absfin.cli.input_files import called, content_of, text_of
from absfin.cli.panel_files import is_parquet, panel_from_parquet, rows_from_parquet
from absfin.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from absfin.data import Instrument, Panel

INSTRUMENT_COLUMNS = ("symbol", "display_name", "currency", "lot_size", "state")
ACTION_HEADER = "symbol,ex_date,kind,value,pay_date"
ACTION_READERS = (
    str,
    date.fromisoformat,
    str,
    lambda cell: cell and float(cell),
    lambda cell: cell and date.fromisoformat(cell),
)


def read_panel(path: Path) -> Panel:
    """Reads a table: ISO dates in the first column, then one column for each symbol; an empty cell is missing.

    CSV or Parquet, by its content.
    """
    content = content_of(path)
    if is_parquet(content):
        return panel_from_parquet(content, called(path))
    rows = list(_rows_of(content, path))
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise typer.BadParameter(f"{called(path)} needs a header line, a date column and at least one symbol")
    header = rows.pop(0)[1]
    for line, row in rows:
        if len(row) != len(header):
            raise typer.BadParameter(f"{called(path)}, line {line}: has {len(row)} cells, the header has {len(header)}")
    try:
        values = np.array([[float(cell) if cell.strip() else np.nan for cell in row[1:]] for _, row in rows])
        return Panel.of(header[1:], np.array([row[0].strip() for _, row in rows], dtype="datetime64[D]"), values)
    except ValueError:
        raise _wrong_cell(path, header, rows) from None


def _wrong_cell(path: Path, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> typer.BadParameter:
    """The error of the first cell of a table that is no date or no number."""
    for line, row in rows:
        for column, cell in enumerate(row, start=1):
            try:
                if column == 1:
                    np.datetime64(cell.strip(), "D")
                elif cell.strip():
                    float(cell)
            except ValueError:
                rule = "no date such as 2024-01-31" if column == 1 else "no number"
                place = f"line {line}, column {column} ({header[column - 1]})"
                return typer.BadParameter(f"{called(path)}, {place}: {cell!r} is {rule}")
    return typer.BadParameter(f"{called(path)} is no table of prices by date")


def read_weights(text: str, symbols: Sequence[str]) -> dict[str, float]:
    """Reads weights from "A=0.6,B=0.4" or a file of symbol,weight lines; "equal" gives each symbol the same."""
    if text == "equal":
        if not symbols:
            raise typer.BadParameter("equal needs --symbols")
        return {symbol: 1.0 / len(symbols) for symbol in symbols}
    if "=" not in text:
        said = called(Path(text)) if text == "-" else repr(text)
        wrong = f"{said} is neither A=0.6,B=0.4 nor a file of symbol,weight lines"
        return dict(_converted(Path(text), "symbol,weight", (str, float), wrong))
    try:
        return {symbol.strip(): float(weight) for symbol, weight in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither A=0.6,B=0.4 nor a file of symbol,weight lines") from None


def read_actions(path: Path) -> list[CorporateAction]:
    """Reads lines of symbol,ex_date,kind,value,pay_date, with or without that header.

    Empty last cells may be left out.
    """
    found: list[CorporateAction] = []
    for number, row in numbered_rows(path):
        if row != ACTION_HEADER.split(","):
            cells = [cell.strip() for cell in row]
            if not 3 <= len(cells) <= 5:
                raise typer.BadParameter(f"{called(path)}, line {number}: has {len(cells)} cells, not {ACTION_HEADER}")
            try:
                found.append(_action(*cells))
            except ValueError as error:
                place = f"line {number}{wrong_column(ACTION_HEADER.split(','), cells, ACTION_READERS)}"
                raise typer.BadParameter(f"{called(path)}, {place}: {error}") from None
    return found


def action_line(action: CorporateAction) -> str:
    """A line as `read_actions` reads it."""
    match action:
        case Split():
            return f"{action.symbol},{action.ex_date},split,{action.ratio!r},"
        case CashDividend():
            return f"{action.symbol},{action.ex_date},cash_dividend,{action.amount!r},{action.pay_date or ''}"
    value = "" if action.delisting_return is None else repr(action.delisting_return)
    return f"{action.symbol},{action.ex_date},delisting,{value},"


def read_instruments(path: Path) -> list[Instrument]:
    """Reads instruments by the names of their columns; a column of another name is a kind of label."""
    rows = numbered_rows(path)
    header = [name.strip() for name in next(rows, (0, []))[1]]
    if "symbol" not in header or "" in header or len(set(header)) < len(header):
        raise typer.BadParameter(f"{called(path)} needs a header with symbol, each name once")
    found = []
    for line, row in rows:
        if len(row) != len(header):
            raise typer.BadParameter(f"{called(path)}, line {line}: has {len(row)} cells, the header has {len(header)}")
        found.append(
            _instrument(f"{called(path)}, line {line}", dict(zip(header, map(str.strip, row), strict=True)), header)
        )
    return found


def _instrument(place: str, cells: dict[str, str], header: Sequence[str]) -> Instrument:
    lot, state = cells.get("lot_size", ""), cells.get("state", "") or "tradable"
    column = "state"
    try:
        choice(instrument_pb2.TradableState, "state", state)
        column = "lot_size"
        lot_size = float(lot) if lot else None
    except ValueError as error:
        said = f"{place}, column {header.index(column) + 1} ({column}): {error}"
        raise typer.BadParameter(said) from None
    return Instrument(
        cells["symbol"],
        cells.get("display_name", ""),
        cells.get("currency", ""),
        {kind: label for kind, label in cells.items() if kind not in INSTRUMENT_COLUMNS and label},
        lot_size,
        cast(TradableState, state.lower()),
    )


def read_universe(path: Path) -> dict[date, list[str]]:
    """Reads the symbols that may be held: lines of date,symbol; those of a date hold until the next date."""
    found: dict[date, list[str]] = {}
    for day, symbol in _converted(path, "date,symbol", (date.fromisoformat, str)):
        found.setdefault(day, []).append(symbol)
    return found


def read_rates(path: Path) -> dict[date, float]:
    """Reads rates per year, as fractions: lines of date,rate; a rate holds from its date on."""
    return dict(_converted(path, "date,rate", (date.fromisoformat, float)))


def read_liquidity(path: Path) -> dict[str, tuple[float, float | None]]:
    """Reads the value traded in a day, in money, and the volatility per year: symbol,daily_value,volatility lines.

    The volatility may be empty or left out.
    """
    lines = _converted(path, "symbol,daily_value,volatility", (str, float, _figure), optional=1)
    return {symbol: (value, volatility) for symbol, value, volatility in lines}


def _figure(cell: str) -> float | None:
    return float(cell) if cell else None


def _converted(
    path: Path, form: str, readers: Sequence[Callable[[str], Any]], wrong: str = "", *, optional: int = 0
) -> Iterator[tuple[Any, ...]]:
    """The converted cells of each line but the header; the last `optional` cells may be left out.

    Raises BadParameter with line and column.
    """
    names = form.split(",")
    wrong = wrong or f"{called(path)} is no file of {form} lines"
    for line, row in numbered_rows(path):
        if row[0].strip() == names[0]:
            continue
        if not len(names) - optional <= len(row) <= len(names):
            raise typer.BadParameter(f"{wrong}: line {line} has {len(row)} cells")
        cells = [cell.strip() for cell in row] + [""] * (len(names) - len(row))
        found = []
        for column, (name, cell, reader) in enumerate(zip(names, cells, readers, strict=True), start=1):
            try:
                found.append(reader(cell))
            except ValueError:
                raise typer.BadParameter(f"{wrong}: line {line}, column {column} ({name}) is {cell!r}") from None
        yield tuple(found)


def _action(symbol: str, ex_date: str, kind: str, value: str = "", pay_date: str = "") -> CorporateAction:
    day = date.fromisoformat(ex_date)
    match kind:
        case "split":
            return Split(symbol, day, float(value))
        case "cash_dividend":
            return CashDividend(symbol, day, float(value), date.fromisoformat(pay_date) if pay_date else None)
        case "delisting":
            return Delisting(symbol, day, float(value) if value else None)
    raise ValueError(f"{kind!r} is no kind of action: split, cash_dividend or delisting")


def wrong_column(names: Sequence[str], cells: Sequence[str], readers: Sequence[Callable[[str], Any]]) -> str:
    """Where a line has a cell that its reader refuses, for an error; empty where each cell by itself can be read."""
    for column, (name, cell, reader) in enumerate(zip(names, cells, readers, strict=False), start=1):
        try:
            reader(cell)
        except ValueError:
            return f", column {column} ({name})"
    return ""


def numbered_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV or Parquet file that are not empty, each with the number of its line."""
    content = content_of(path)
    return rows_from_parquet(content, called(path)) if is_parquet(content) else _rows_of(content, path)


def _rows_of(content: bytes, path: Path) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(io.StringIO(text_of(content, path), newline=""))
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise typer.BadParameter(f"{called(path)}, line {rows.line_num}: {error}") from None
