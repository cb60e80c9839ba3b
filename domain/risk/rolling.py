"""Figures of every stretch of a window's length: how risk went over time."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from domain.checks import Vector
from domain.errors import InvalidInput
from domain.progress import OnProgress, no_progress

BLOCK = 2_000_000
"""Returns that are looked at together, so that memory does not grow with T times the window."""


class RollingFigure(StrEnum):
    """A figure of one window, by the name the contract gives it."""

    MEAN_ANNUAL = "MEAN_ANNUAL"
    VOLATILITY_ANNUAL = "VOLATILITY_ANNUAL"
    SHARPE = "SHARPE"
    SORTINO = "SORTINO"
    SKEWNESS = "SKEWNESS"
    VALUE_AT_RISK = "VALUE_AT_RISK"
    CONDITIONAL_VALUE_AT_RISK = "CONDITIONAL_VALUE_AT_RISK"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    BETA = "BETA"
    CORRELATION = "CORRELATION"
    TRACKING_ERROR_ANNUAL = "TRACKING_ERROR_ANNUAL"
    INFORMATION_RATIO = "INFORMATION_RATIO"
    SEMI_DEVIATION = "SEMI_DEVIATION"
    EXCESS_KURTOSIS = "EXCESS_KURTOSIS"
    OMEGA = "OMEGA"
    ULCER_INDEX = "ULCER_INDEX"
    ALPHA_ANNUAL = "ALPHA_ANNUAL"

    @property
    def is_relative(self) -> bool:
        """Whether it needs a benchmark."""
        return self in _RELATIVE


_RELATIVE = frozenset(
    {
        RollingFigure.BETA,
        RollingFigure.CORRELATION,
        RollingFigure.TRACKING_ERROR_ANNUAL,
        RollingFigure.INFORMATION_RATIO,
        RollingFigure.ALPHA_ANNUAL,
    }
)


@dataclass(frozen=True, slots=True)
class Rolling:
    """What to compute of each window."""

    window: int
    figures: tuple[RollingFigure, ...]

    def __post_init__(self) -> None:
        if self.window < 2:
            raise InvalidInput("rolling.window", f"must be 2 or more, is {self.window}")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What the figures of a window are measured with; rates are per period."""

    periods_per_year: float
    confidence_level: float
    risk_free: float = 0.0
    acceptable: float = 0.0
    rounding: float = 0.0  # a spread up to this is that of a constant


def rolling_figure(
    figure: RollingFigure,
    returns: Vector,
    benchmark: Vector | None,
    window: int,
    yardstick: Yardstick,
    on_progress: OnProgress = no_progress,
) -> Vector:
    """The figure of the windows that end at the returns W - 1 to T - 1, (T - W + 1,); NaN where it is not defined.

    Raises InvalidInput for a window longer than the returns, and without a benchmark where one is needed.
    """
    if window > len(returns):
        raise InvalidInput("rolling.window", f"must be at most the number of returns, {len(returns)}, is {window}")
    if figure.is_relative and benchmark is None:
        raise InvalidInput("rolling.figures", f"{figure} needs a benchmark")
    windows = sliding_window_view(returns, window)
    others = windows if benchmark is None else sliding_window_view(benchmark, window)
    step = max(1, BLOCK // window)
    blocks = []
    for i in range(0, len(windows), step):
        on_progress()
        blocks.append(_of_windows(figure, windows[i : i + step], others[i : i + step], yardstick))
    return np.concatenate(blocks)


def _of_windows(figure: RollingFigure, x: Vector, y: Vector, yardstick: Yardstick) -> Vector:
    """Of windows (K, W) of the portfolio and of the benchmark."""
    root = yardstick.periods_per_year**0.5
    match figure:
        case RollingFigure.MEAN_ANNUAL:
            return np.asarray(x.mean(axis=1) * yardstick.periods_per_year)
        case RollingFigure.VOLATILITY_ANNUAL:
            return np.asarray(_deviation(x, yardstick) * root)
        case RollingFigure.SHARPE:
            return np.asarray(_over(x.mean(axis=1) - yardstick.risk_free, _deviation(x, yardstick)) * root)
        case RollingFigure.SORTINO:
            shortfall = np.minimum(x - yardstick.acceptable, 0.0)
            return np.asarray(_over(x.mean(axis=1) - yardstick.acceptable, np.sqrt((shortfall**2).mean(axis=1))) * root)
        case RollingFigure.SKEWNESS:
            deviation, away = _deviation(x, yardstick), x - x.mean(axis=1, keepdims=True)
            return np.asarray(
                _over((away**3).mean(axis=1), np.where(deviation > 0.0, (away**2).mean(axis=1) ** 1.5, 0.0))
            )
        case RollingFigure.VALUE_AT_RISK:
            return np.asarray(-np.quantile(x, 1.0 - yardstick.confidence_level, axis=1))
        case RollingFigure.CONDITIONAL_VALUE_AT_RISK:
            return _conditional_value_at_risk(x, yardstick.confidence_level)
        case RollingFigure.SEMI_DEVIATION:
            below = np.minimum(x - x.mean(axis=1, keepdims=True), 0.0)
            return np.asarray(np.sqrt((below * below).sum(axis=1) / (x.shape[1] - 1)))
        case RollingFigure.EXCESS_KURTOSIS:
            deviation, squares = _deviation(x, yardstick), (x - x.mean(axis=1, keepdims=True)) ** 2
            spread = np.where(deviation > 0.0, squares.mean(axis=1) ** 2, 0.0)
            return _over((squares * squares).mean(axis=1), spread) - 3.0
        case RollingFigure.OMEGA:
            above = np.maximum(x - yardstick.acceptable, 0.0).mean(axis=1)
            return _over(above, np.maximum(yardstick.acceptable - x, 0.0).mean(axis=1))
        case RollingFigure.MAX_DRAWDOWN:
            return np.asarray(_drawdowns(x).max(axis=1))
        case RollingFigure.ULCER_INDEX:
            return np.asarray(np.sqrt((_drawdowns(x) ** 2).mean(axis=1)))
        case RollingFigure.TRACKING_ERROR_ANNUAL:
            return np.asarray(_deviation(x - y, yardstick) * root)
        case RollingFigure.INFORMATION_RATIO:
            return np.asarray(_over((x - y).mean(axis=1), _deviation(x - y, yardstick)) * root)
    covariance = ((x - x.mean(axis=1, keepdims=True)) * y).sum(axis=1) / (x.shape[1] - 1)
    ours, theirs = _deviation(x, yardstick), _deviation(y, yardstick)
    beta = _over(_over(covariance, theirs), theirs)
    if figure is RollingFigure.BETA:
        return beta
    if figure is RollingFigure.ALPHA_ANNUAL:
        reference = y.mean(axis=1) - yardstick.risk_free
        return np.asarray((x.mean(axis=1) - yardstick.risk_free - beta * reference) * yardstick.periods_per_year)
    return np.clip(_over(_over(covariance, theirs), ours), -1.0, 1.0)


def _deviation(x: Vector, yardstick: Yardstick) -> Vector:
    """With the divisor W - 1, exactly 0 for what does not vary."""
    result: Vector = np.where(np.ptp(x, axis=1) <= yardstick.rounding, 0.0, x.std(axis=1, ddof=1))
    return result


def _conditional_value_at_risk(x: Vector, confidence_level: float) -> Vector:
    """Rockafellar and Uryasev's, the atom at the border counted by its fraction."""
    count = x.shape[1]
    tail = (1.0 - confidence_level) * count
    counted = np.clip(tail - np.arange(count), 0.0, 1.0)
    result: Vector = -np.sort(x, axis=1) @ counted / counted.sum()
    return result


def _drawdowns(x: Vector) -> Vector:
    """Compounded, (K, W), the capital at the start of each window being its first peak; 1 once it is used up."""
    growth = np.maximum(1.0 + x, 0.0)
    level = np.cumprod(growth, axis=1)
    peaks = np.maximum(np.maximum.accumulate(level, axis=1), 1.0)
    result: Vector = 1.0 - level / peaks
    return result


def _over(above: Vector, below: Vector) -> Vector:
    """NaN where the denominator is zero."""
    result: Vector = np.where(below > 0.0, above / np.where(below > 0.0, below, 1.0), np.nan)
    return result
