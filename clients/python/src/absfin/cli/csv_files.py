"""Tables, weights and corporate actions from CSV files, without pandas."""

import csv
import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import typer

from absfin.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from absfin.data import Panel

ACTION_HEADER = "symbol,ex_date,kind,value,pay_date"


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


def read_actions(path: Path) -> list[CorporateAction]:
    """Reads lines of symbol,ex_date,kind,value,pay_date, with or without that header.

    Empty last cells may be left out.
    """
    found: list[CorporateAction] = []
    for number, row in enumerate(_rows(path), start=1):
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


def read_universe(path: Path) -> dict[date, list[str]]:
    """Reads the symbols that may be held: lines of date,symbol; those of a date hold until the next date."""
    found: dict[date, list[str]] = {}
    try:
        for day, symbol in _rows(path):
            if day != "date":
                found.setdefault(date.fromisoformat(day.strip()), []).append(symbol.strip())
    except ValueError:
        raise typer.BadParameter(f"{path} is no file of date,symbol lines") from None
    return found


def read_rates(path: Path) -> dict[date, float]:
    """Reads rates per year, as fractions: lines of date,rate; a rate holds from its date on."""
    try:
        return {date.fromisoformat(day): float(rate) for day, rate in _rows(path) if day != "date"}
    except ValueError:
        raise typer.BadParameter(f"{path} is no file of date,rate lines") from None


def read_liquidity(path: Path) -> dict[str, tuple[float, float | None]]:
    """Reads the value traded in a day, in money, and the volatility per year: symbol,daily_value,volatility lines."""
    try:
        found = {}
        for symbol, value, *more in _rows(path):
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


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        raise typer.BadParameter(f"no such file: {path}")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [row for row in csv.reader(content.decode("utf-8-sig").splitlines()) if row]
