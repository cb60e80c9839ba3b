"""Tables, weights and corporate actions from CSV files, without pandas."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import typer
from absfinance.v1 import instrument_pb2

from absfin.choices import TradableState, choice
from absfin.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from absfin.data import Instrument, Panel

INSTRUMENT_COLUMNS = ("symbol", "display_name", "currency", "lot_size", "state")
ACTION_HEADER = "symbol,ex_date,kind,value,pay_date"


def read_panel(path: Path) -> Panel:
    """Reads a table: ISO dates in the first column, then one column for each symbol; an empty cell is missing."""
    rows = list(numbered_rows(path))
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise typer.BadParameter(f"{path} needs a header line, a date column and at least one symbol")
    header = rows.pop(0)[1]
    for line, row in rows:
        if len(row) != len(header):
            raise typer.BadParameter(f"{path}, line {line}: has {len(row)} cells, the header has {len(header)}")
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
                return typer.BadParameter(f"{path}, {place}: {cell!r} is {rule}")
    return typer.BadParameter(f"{path} is no table of prices by date")


def read_weights(text: str, symbols: Sequence[str]) -> dict[str, float]:
    """Reads weights from "A=0.6,B=0.4" or a file of symbol,weight lines; "equal" gives each symbol the same."""
    if text == "equal":
        if not symbols:
            raise typer.BadParameter("equal needs --symbols")
        return {symbol: 1.0 / len(symbols) for symbol in symbols}
    pairs = (
        [part.split("=") for part in text.split(",")] if "=" in text else [row for _, row in numbered_rows(Path(text))]
    )
    try:
        return {symbol.strip(): float(weight) for symbol, weight in pairs if symbol.strip() != "symbol"}
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither A=0.6,B=0.4 nor a file of symbol,weight lines") from None


def read_actions(path: Path) -> list[CorporateAction]:
    """Reads lines of symbol,ex_date,kind,value,pay_date, with or without that header.

    Empty last cells may be left out.
    """
    found: list[CorporateAction] = []
    for number, row in numbered_rows(path):
        if row != ACTION_HEADER.split(","):
            try:
                found.append(_action(*(cell.strip() for cell in row)))
            except (TypeError, ValueError) as error:
                raise typer.BadParameter(f"{path}, line {number}: {error}") from None
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
        raise typer.BadParameter(f"{path} needs a header with symbol, each name once")
    found = []
    for line, row in rows:
        if len(row) != len(header):
            raise typer.BadParameter(f"{path}, line {line}: has {len(row)} cells, the header has {len(header)}")
        found.append(_instrument(f"{path}, line {line}", dict(zip(header, map(str.strip, row), strict=True)), header))
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
    try:
        for day, symbol in (row for _, row in numbered_rows(path)):
            if day != "date":
                found.setdefault(date.fromisoformat(day.strip()), []).append(symbol.strip())
    except ValueError:
        raise typer.BadParameter(f"{path} is no file of date,symbol lines") from None
    return found


def read_rates(path: Path) -> dict[date, float]:
    """Reads rates per year, as fractions: lines of date,rate; a rate holds from its date on."""
    try:
        return {
            date.fromisoformat(day): float(rate)
            for day, rate in (row for _, row in numbered_rows(path))
            if day != "date"
        }
    except ValueError:
        raise typer.BadParameter(f"{path} is no file of date,rate lines") from None


def read_liquidity(path: Path) -> dict[str, tuple[float, float | None]]:
    """Reads the value traded in a day, in money, and the volatility per year: symbol,daily_value,volatility lines."""
    try:
        found = {}
        for symbol, value, *more in (row for _, row in numbered_rows(path)):
            if symbol != "symbol":
                found[symbol.strip()] = (float(value), float(more[0]) if more and more[0].strip() else None)
        return found
    except ValueError:
        raise typer.BadParameter(f"{path} is no file of symbol,daily_value,volatility lines") from None


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


def numbered_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of its line."""
    if not path.is_file():
        raise typer.BadParameter(f"no such file: {path}")
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise typer.BadParameter(f"{path}, line {rows.line_num}: {error}") from None
