"""Calls of a strategy inside another one: it sees its own lookback, and what it says has its path."""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.protocol import PlannedWeights, Strategy
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.warnings import ResultWarning


def decide_inner(strategy: Strategy, path: str, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
    """The weights of a strategy inside another one, from the dates that it sees. An InvalidInput names its path."""
    try:
        return strategy.decide(history.latest(strategy.lookback_window.most_dates), check_cancelled)
    except InvalidInput as error:
        raise error.with_path_prefix(path) from None


def check_inner(
    strategy: Strategy, path: str, history: MarketHistory, check_cancelled: CancellationCheck
) -> tuple[ResultWarning, ...]:
    """The warnings of a strategy inside another one, with its path. An InvalidInput names it too."""
    try:
        warnings = strategy.check(history.latest(strategy.lookback_window.most_dates), check_cancelled)
    except InvalidInput as error:
        raise error.with_path_prefix(path) from None
    return tuple(warning.with_path_prefix(path) for warning in warnings)


def planned_inner(
    strategy: Strategy,
    path: str,
    symbols: tuple[str, ...],
    dates: NDArray[np.int32],
    listed: NDArray[np.bool_] | None,
) -> PlannedWeights | None:
    """What a strategy inside another one plans. An InvalidInput names its path."""
    try:
        return strategy.planned(symbols, dates, listed)
    except InvalidInput as error:
        raise error.with_path_prefix(path) from None
