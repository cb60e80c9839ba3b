"""Forecasts of value at risk and expected shortfall one period ahead, each from the returns before it alone."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import ROUNDING, Matrix, Vector, finite, open_fraction, same_length
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.filtered import DECAY, ewma_variances
from domain.risk.measures.tail import tail_weights
from domain.risk.parametric import (
    Shape,
    cornish_fisher_value_at_risk,
    gaussian_conditional_value_at_risk,
    gaussian_value_at_risk,
)
from domain.risk.validation.exceptions import series
from domain.risk.validation.simulation import Draw

BLOCK = 1_000_000
"""Returns of windows to hold at once, 8 MB."""


class ForecastMethod(StrEnum):
    """The distribution that a forecast assumes for the next return."""

    HISTORICAL = "HISTORICAL"  # the returns of the window, each as likely as the other
    GAUSSIAN = "GAUSSIAN"  # normal, with the mean and the deviation of the window, divisor W - 1
    CORNISH_FISHER = "CORNISH_FISHER"  # the same, its quantile corrected for skewness and kurtosis
    EWMA = "EWMA"  # normal, with mean 0 and exponentially weighted variance


@dataclass(frozen=True, slots=True)
class Forecasts:
    """The forecast made before each of T returns. Losses are positive."""

    value_at_risk: Vector  # (T,)
    expected_shortfall: Vector | None = None  # (T,)
    draw: Draw | None = None  # of returns from the forecast distributions, where these are known

    def __post_init__(self) -> None:
        risk = series("forecasts.value_at_risk", self.value_at_risk)
        if self.expected_shortfall is None:
            return
        shortfall = finite("forecasts.expected_shortfall", self.expected_shortfall)
        same_length("forecasts.expected_shortfall", shortfall, "forecasts.value_at_risk", risk)
        below = shortfall < risk - 1e-9 * np.abs(risk)
        if below.any():
            place = int(np.argmax(below))
            raise InvalidInput(f"forecasts.expected_shortfall[{place}]", "must not be below value at risk")


def rolling_forecasts(
    returns: Vector,
    window: int,
    confidence_level: float,
    method: ForecastMethod,
    decay: float = DECAY,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Forecasts:
    """Forecasts for returns[window:] of a series (T,), (T - window,) of them.

    HISTORICAL, GAUSSIAN and CORNISH_FISHER see the `window` returns before each; EWMA starts from the mean square of
    the first ones and sees all that follow: variance_(t+1) = decay variance_t + (1 - decay) return_t^2.
    """
    observed = series("returns", returns)
    open_fraction("confidence_level", confidence_level)
    open_fraction("decay", decay)
    least = 2 if method in (ForecastMethod.GAUSSIAN, ForecastMethod.CORNISH_FISHER) else 1
    if not least <= window < len(observed):
        raise InvalidInput("window", f"must be {least} or more and below the {len(observed)} returns, is {window}")
    match method:
        case ForecastMethod.HISTORICAL:
            return _historical(observed, window, confidence_level, check_cancelled)
        case ForecastMethod.GAUSSIAN:
            mean, deviation = _moments(observed, window, check_cancelled)[:2]
            return _normal(mean, deviation, confidence_level)
        case ForecastMethod.CORNISH_FISHER:
            moments = _moments(observed, window, check_cancelled).T.tolist()
            risk = [cornish_fisher_value_at_risk(Shape(m, d, s, k), confidence_level) for m, d, s, k in moments]
            return Forecasts(np.array(risk))
        case ForecastMethod.EWMA:
            start = float(np.mean(observed[:window] ** 2))
            deviation = np.sqrt(ewma_variances(observed[window:-1], decay, start))
            return _normal(np.zeros(len(deviation)), deviation, confidence_level)


def _historical(returns: Vector, window: int, confidence_level: float, check_cancelled: CancellationCheck) -> Forecasts:
    worst_first = np.arange(window, dtype=np.float64)
    weights = tail_weights(worst_first, confidence_level)

    def measured(block: Matrix) -> Matrix:
        ordered = np.sort(block, axis=1)
        quantile = np.quantile(ordered, 1.0 - confidence_level, axis=1)
        return np.vstack([0.0 - quantile, 0.0 - ordered @ weights])

    def draw(generator: np.random.Generator, count: int) -> Matrix:
        places = generator.integers(0, window, (count, len(returns) - window))
        drawn: Matrix = returns[places + np.arange(len(returns) - window)]
        return drawn

    risk, shortfall = _over_windows(returns, window, measured, check_cancelled)
    return Forecasts(risk, shortfall, draw)


def _normal(mean: Vector, deviation: Vector, confidence_level: float) -> Forecasts:
    def draw(generator: np.random.Generator, count: int) -> Matrix:
        drawn: Matrix = mean + deviation * generator.standard_normal((count, len(mean)))
        return drawn

    risk = deviation * gaussian_value_at_risk(0.0, 1.0, confidence_level) - mean
    shortfall = deviation * gaussian_conditional_value_at_risk(0.0, 1.0, confidence_level) - mean
    return Forecasts(risk, shortfall, draw)


def _moments(returns: Vector, window: int, check_cancelled: CancellationCheck) -> Matrix:
    """Mean, deviation, population skewness and excess kurtosis of each window, (4, T - W); 0 for a constant."""
    correction = (window / (window - 1)) ** 0.5

    def measured(block: Matrix) -> Matrix:
        mean = block.mean(axis=1)
        deviations = block - mean[:, None]
        constant = np.ptp(block, axis=1) <= ROUNDING * (1.0 + np.abs(block).max(axis=1))
        spread = np.where(constant, 1.0, np.sqrt((deviations * deviations).mean(axis=1)))
        deviations /= spread[:, None]
        square = deviations * deviations
        figures = (spread * correction, (square * deviations).mean(axis=1), (square * square).mean(axis=1) - 3.0)
        return np.vstack([mean, *(np.where(constant, 0.0, figure) for figure in figures)])

    return _over_windows(returns, window, measured, check_cancelled)


def _over_windows(
    returns: Vector, window: int, measured: Callable[[Matrix], Matrix], check_cancelled: CancellationCheck
) -> Matrix:
    """Measures of blocks of windows (M, W) as columns (K, M), for every window that a return follows."""
    found = []
    for block in _blocks(returns, window):
        check_cancelled()
        found.append(measured(block))
    return np.hstack(found)


def _blocks(returns: Vector, window: int) -> Iterator[Matrix]:
    windows = sliding_window_view(returns[:-1], window)
    size = max(1, BLOCK // window)
    for start in range(0, len(windows), size):
        yield windows[start : start + size]
