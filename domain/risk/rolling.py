"""Figures of rolling windows, by the same functions as the report."""

from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.measures.dispersion import (
    covariance,
    is_constant,
    lower_partial_moment,
    mean,
    semi_deviation,
    standard_deviation,
    standardised_moment,
    upper_partial_moment,
)
from domain.risk.measures.drawdown import compounded_drawdowns, deepest, ulcer_index
from domain.risk.measures.relative import alpha, beta, correlation, divided
from domain.risk.measures.tail import conditional_value_at_risk, value_at_risk

BLOCK = 2_000_000
"""Returns computed with at once, so that memory does not grow with T times the window."""


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
    """Window length and figures. Raises InvalidInput for a window below 2."""

    window: int
    figures: tuple[RollingFigure, ...]

    def __post_init__(self) -> None:
        if self.window < 2:
            raise InvalidInput("rolling.window", f"must be 2 or more, is {self.window}")


@dataclass(frozen=True, slots=True)
class RollingSettings:
    """Parameters of the figures of a window; rates are per period."""

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
    settings: RollingSettings,
    check_cancelled: CancellationCheck = never_cancelled,
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
        check_cancelled()
        blocks.append(_of_windows(figure, windows[i : i + step], others[i : i + step], settings))
    return np.concatenate(blocks)


def _of_windows(figure: RollingFigure, x: Vector, y: Vector, settings: RollingSettings) -> Vector:
    """Of windows (K, W) of the portfolio and of the benchmark, (K,)."""
    if figure.is_relative:
        return _relative(figure, x, y, settings)
    root = settings.periods_per_year**0.5
    match figure:
        case RollingFigure.MEAN_ANNUAL:
            return _times(mean(x), settings.periods_per_year)
        case RollingFigure.VOLATILITY_ANNUAL:
            return _times(_deviation(x, settings), root)
        case RollingFigure.SHARPE:
            return _times(divided(mean(x) - settings.risk_free, _deviation(x, settings)), root)
        case RollingFigure.SORTINO:
            downside = lower_partial_moment(x, 2, settings.acceptable)
            return _times(divided(mean(x) - settings.acceptable, downside), root)
        case RollingFigure.SKEWNESS:
            return _standardised_moment(x, 3, settings)
        case RollingFigure.VALUE_AT_RISK:
            return value_at_risk(x, settings.confidence_level)
        case RollingFigure.CONDITIONAL_VALUE_AT_RISK:
            return conditional_value_at_risk(x, settings.confidence_level)
        case RollingFigure.SEMI_DEVIATION:
            return semi_deviation(x)
        case RollingFigure.EXCESS_KURTOSIS:
            return _standardised_moment(x, 4, settings) - 3.0
        case RollingFigure.OMEGA:
            above = upper_partial_moment(x, 1, settings.acceptable)
            return divided(above, lower_partial_moment(x, 1, settings.acceptable))
        case RollingFigure.MAX_DRAWDOWN:
            return deepest(compounded_drawdowns(x))
        case RollingFigure.ULCER_INDEX:
            return ulcer_index(compounded_drawdowns(x))
    raise ValueError(f"{figure} is a figure against a benchmark")


def _relative(figure: RollingFigure, x: Vector, y: Vector, settings: RollingSettings) -> Vector:
    """Figures against the benchmark, (K,)."""
    root = settings.periods_per_year**0.5
    if figure is RollingFigure.TRACKING_ERROR_ANNUAL:
        return _times(_deviation(x - y, settings), root)
    if figure is RollingFigure.INFORMATION_RATIO:
        return _times(divided(mean(x - y), _deviation(x - y, settings)), root)
    common, benchmark_deviation = covariance(x, y), _deviation(y, settings)
    if figure is RollingFigure.CORRELATION:
        return correlation(common, _deviation(x, settings), benchmark_deviation)
    slope = beta(common, benchmark_deviation)
    if figure is RollingFigure.BETA:
        return slope
    return _times(alpha(mean(x), mean(y), slope, settings.risk_free), settings.periods_per_year)


def _times(figures: Vector, factor: float) -> Vector:
    """In annual units."""
    result: Vector = figures * factor
    return result


def _deviation(x: Vector, settings: RollingSettings) -> Vector:
    return standard_deviation(x, rounding=settings.rounding)


def _standardised_moment(x: Vector, order: int, settings: RollingSettings) -> Vector:
    """NaN where the returns of a window do not vary."""
    varies = ~is_constant(x, rounding=settings.rounding)
    found = np.full(len(x), np.nan)
    found[varies] = standardised_moment(x[varies], order)
    return found
