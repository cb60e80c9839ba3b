"""The returns that PerformanceAnalytics prints figures of, and our report on one series as the whole portfolio."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from domain.market_data.panel import ReturnPanel
from domain.risk.conventions import Conventions
from domain.risk.figure import Absent, Figure
from domain.risk.flow import assess
from domain.risk.report import RiskReport
from domain.risk.specification import RiskSpecification

THEIRS = Conventions(population_deviation=True, mean_beyond_quantile=True, geometric_annual_return=True)
MONTHS = 12


def _read(name: str) -> dict[str, ReturnPanel]:
    """Every column of a file with its NaN; an empty cell is one."""
    with (Path(__file__).parent / name).open(newline="") as file:
        (_, *symbols), *rows = csv.reader(file)
    days = np.array([row[0] for row in rows], dtype="datetime64[D]").astype(np.int32)
    values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    return {symbol: ReturnPanel.of([symbol], days, values[:, i]) for i, symbol in enumerate(symbols)}


_MANAGERS, _EDHEC = _read("managers.csv"), _read("edhec.csv")
MANAGERS, EDHEC = tuple(_MANAGERS), tuple(_EDHEC)
RISK_FREE = "US 3m TR"


def with_gaps(symbol: str) -> ReturnPanel:
    """A series on all dates of its file, NaN where it has no return."""
    return _MANAGERS[symbol] if symbol in _MANAGERS else _EDHEC[symbol]


def series(symbol: str, year: int | None = None) -> ReturnPanel:
    """A series without the dates on which it has no return, of one year where that is given."""
    panel = with_gaps(symbol)
    chosen = ~np.isnan(panel.values[:, 0])
    if year is not None:
        chosen &= panel.dates.astype("datetime64[D]").astype("datetime64[Y]") == np.datetime64(str(year), "Y")
    return ReturnPanel.of([symbol], panel.dates[chosen], panel.values[chosen])


def in_excess(symbol: str, risk_free: str = RISK_FREE) -> ReturnPanel:
    """A series less the risk-free one of each month, which PA takes as its Rf; a request has one rate for all."""
    panel, rates = with_gaps(symbol), with_gaps(risk_free)
    both = ~np.isnan(panel.values[:, 0] - rates.values[:, 0])
    return ReturnPanel.of([symbol], panel.dates[both], (panel.values - rates.values)[both])


def multiplied(panel: ReturnPanel, factor: float) -> ReturnPanel:
    """Every return times a factor."""
    return ReturnPanel.of(panel.symbols, panel.dates, panel.values * factor)


def report(of: ReturnPanel, beside: ReturnPanel | None = None, **wishes: Any) -> RiskReport:
    """Our report on one series, held alone, with PA's conventions unless others are wished for."""
    (symbol,) = of.symbols
    specification = RiskSpecification({symbol: 1.0}, periods_per_year=MONTHS, **{"conventions": THEIRS, **wishes})
    return assess(specification, of, beside).report


def number(figure: Figure) -> float:
    """A figure that is there."""
    assert not isinstance(figure, Absent), figure.reason
    return figure
