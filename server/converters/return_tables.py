"""Tables of a backtest as messages."""

import numpy as np
from absfinance.v1 import backtest_pb2
from numpy.typing import NDArray

from domain.backtest.period_returns import PeriodReturns
from domain.backtest.return_tables import LISTED, BenchmarkComparison, MovingReturns, ReturnTables
from domain.market_data.panel import civil_date
from domain.risk.figure import Absent, known
from server.converters.dates import civil_to_proto

_COMPARED = (
    "beta",
    "correlation",
    "alpha_annual",
    "tracking_error_annual",
    "information_ratio",
    "capture_up",
    "capture_down",
    "batting_average",
    "excess_return",
)
"""Figures of a comparison that the contract has."""


def return_tables_to_proto(tables: ReturnTables) -> backtest_pb2.ReturnTables:
    """The tables of one strategy or benchmark."""
    result = backtest_pb2.ReturnTables(
        months=_periods(tables.months),
        years=_periods(tables.years),
        rolling=map(_rolling, tables.moving),
        gross_total_return=None if tables.gross_total_return is None else known(tables.gross_total_return),
    )
    for name, returns in (("periods", tables.periods), ("months", tables.months), ("years", tables.years)):
        getattr(result, f"best_{name}").CopyFrom(_some(returns, returns.best(LISTED)))
        getattr(result, f"worst_{name}").CopyFrom(_some(returns, returns.worst(LISTED)))
    return result


def comparison_to_proto(comparison: BenchmarkComparison) -> backtest_pb2.BenchmarkComparison:
    """A strategy against one benchmark."""
    figures = {name: comparison.figures[name] for name in _COMPARED}
    return backtest_pb2.BenchmarkComparison(
        benchmark=comparison.benchmark,
        observations=comparison.observations,
        **{name: known(figure) for name, figure in figures.items()},
        undefined={name: figure.reason for name, figure in figures.items() if isinstance(figure, Absent)},
    )


def _some(returns: PeriodReturns, places: NDArray[np.intp]) -> backtest_pb2.PeriodReturns:
    return _periods(returns.at(places))


def _periods(returns: PeriodReturns) -> backtest_pb2.PeriodReturns:
    return backtest_pb2.PeriodReturns(
        start_dates=returns.starts.tolist(), end_dates=returns.ends.tolist(), returns=returns.values.tolist()
    )


def _rolling(moving: MovingReturns) -> backtest_pb2.RollingReturns:
    return backtest_pb2.RollingReturns(
        years=moving.years,
        count=moving.count,
        latest=moving.latest,
        lowest=moving.lowest,
        median=moving.median,
        highest=moving.highest,
        positive_fraction=moving.positive_fraction,
        lowest_end_date=civil_to_proto(civil_date(moving.lowest_end)),
        highest_end_date=civil_to_proto(civil_date(moving.highest_end)),
    )
