"""The returns that statistical validation is about: those of the figures of a strategy, and of its benchmarks."""

from collections.abc import Mapping

import numpy as np

from domain.backtest.metrics import (
    Curve,
    MetricSettings,
    common_periods_per_year,
    excess_returns,
    riskless_between,
)
from domain.significance.validation import ComparedReturns, ValidatedReturns


def validated_returns(curve: Curve, settings: MetricSettings, benchmarks: Mapping[str, Curve]) -> ValidatedReturns:
    """Net and excess returns of a curve, and excess returns beside those of each benchmark on their common dates."""
    return ValidatedReturns(
        net=curve.returns,
        excess=excess_returns(curve, settings),
        days=curve.until_ruin.days[1:],
        periods_per_year=settings.periods_per_year,
        compared=tuple(_compared(curve, settings, name, other) for name, other in benchmarks.items()),
    )


def _compared(curve: Curve, settings: MetricSettings, name: str, other: Curve) -> ComparedReturns:
    # Neither side has a return after its net asset value is used up.
    common = np.intersect1d(curve.until_ruin.days, other.until_ruin.days)
    is_whole = np.array_equal(common, curve.until_ruin.days)
    periods = settings.periods_per_year if is_whole else common_periods_per_year(curve.days, common, settings)
    free = riskless_between(curve, settings, common, periods)
    return ComparedReturns(name, curve.at(common).returns - free, other.at(common).returns - free, periods)
