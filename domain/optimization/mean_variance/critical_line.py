"""Every corner portfolio of the mean-variance frontier, exactly: the critical line.

Least x'Sigma x / 2 - lambda mu'x within bounds and a budget has weights that are linear in lambda as long as the same
assets are free. Going down from lambda = infinity, the free set changes where a free weight meets a bound or a bounded
asset's gradient reaches the common one. Markowitz 1956; Bailey & Lopez de Prado 2013, Algorithms 6(1).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.records import dataclass

STEPS_PER_ASSET = 20
"""More changes of the free set than this many for each asset mean that rounding goes in circles."""

TIED = 1e-12
"""Means that differ by less, relative to the largest, are equal."""

INSIDE = 1e-7
"""A weight of the start this far from its bounds is free."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A corner portfolio."""

    weights: Vector  # (N,)
    trade_off: float  # lambda: variance / 2 that one unit of return is worth
    multiplier: float  # of the budget there
    step: int

    def towards(self, other: "Corner", fraction: float) -> "Corner":
        """The efficient portfolio so far on the way to the next corner."""
        kept = 1.0 - fraction
        return Corner(
            kept * self.weights + fraction * other.weights,
            kept * self.trade_off + fraction * other.trade_off,
            kept * self.multiplier + fraction * other.multiplier,
            other.step,
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """Weights and multiplier of the budget while the free set stays: base + lambda * slope."""

    base: Vector  # (N,)
    slope: Vector  # (N,), 0 where bounded
    multiplier_base: float
    multiplier_slope: float

    def at(self, trade_off: float, step: int) -> Corner:
        """The portfolio at a trade-off."""
        weights = self.base + trade_off * self.slope
        return Corner(weights, trade_off, self.multiplier_base + trade_off * self.multiplier_slope, step)


def corners(
    means: Vector, covariance: Matrix, lower: Vector, upper: Vector, budget: float, start: Vector | None = None
) -> Iterator[Corner]:
    """From the highest return down to the least variance; lower bounds are finite, and the set is not empty.

    Portfolios may follow each other unchanged: while only one asset is free, the weights stay and the trade-off falls.
    Between two of them weights, trade-offs and multipliers are all linear.

    `start` is the portfolio of least variance among those with the highest return; without it the highest return is
    taken to belong to one portfolio only. Raises SolverFailed for a covariance that is singular on the free assets.
    """
    weights, free = _highest_return(means, lower, upper, budget)
    if start is not None:
        inside = (start > lower + INSIDE) & (start < upper - INSIDE)
        if inside.any():
            weights, free = np.where(inside, start, np.where(start <= lower + INSIDE, lower, upper)), inside
    trade_off = np.inf
    for step in range(STEPS_PER_ASSET * len(means) + 2):
        line = _line(means, covariance, weights, free, budget)
        following, asset, at_lower = _next_change(line, means, covariance, (lower, upper), free, trade_off)
        corner = line.at(max(following, 0.0), step)
        yield replace(corner, weights=corner.weights.clip(lower, upper))
        if following <= 0.0:
            return
        trade_off, weights = following, corner.weights.copy()
        if free[asset]:
            weights[asset] = lower[asset] if at_lower else upper[asset]
        free[asset] = not free[asset]
    raise SolverFailed("the critical line does not come to its end: the covariance may be close to singular")


def is_tied(means: Vector, lower: Vector, upper: Vector, budget: float) -> bool:
    """Whether several portfolios have the highest return."""
    _, free = _highest_return(means, lower, upper, budget)
    marginal = float(means[free][0])
    return int((np.abs(means - marginal) <= TIED * max(1.0, abs(marginal))).sum()) > 1


def _highest_return(means: Vector, lower: Vector, upper: Vector, budget: float) -> tuple[Vector, NDArray[np.bool_]]:
    """The vertex with the highest return, and the one asset that is free there."""
    weights = lower.copy()
    left = budget - float(lower.sum())
    marginal = int(np.argmax(means))
    for asset in np.argsort(-means, kind="stable").tolist():
        marginal = asset
        taken = min(upper[asset] - lower[asset], left)
        weights[asset] += taken
        left -= taken
        if left <= 0.0:
            break
    free = np.zeros(len(means), dtype=bool)
    free[marginal] = True
    return weights, free


def _line(means: Vector, covariance: Matrix, weights: Vector, free: NDArray[np.bool_], budget: float) -> _Line:
    bounded = np.where(free, 0.0, weights)
    within = covariance[np.ix_(free, free)]
    right = np.column_stack([np.ones(int(free.sum())), means[free], (covariance @ bounded)[free]])
    try:
        ones, returns, held = np.linalg.solve(within, right).T
    except np.linalg.LinAlgError:
        raise SolverFailed("the covariance is singular on the free assets of the critical line") from None
    if not np.isfinite(ones).all() or float(ones.sum()) == 0.0:
        raise SolverFailed("the covariance is singular on the free assets of the critical line")
    left = budget - float(bounded.sum())
    base_multiplier = (left + float(held.sum())) / float(ones.sum())
    slope_multiplier = -float(returns.sum()) / float(ones.sum())
    base, slope = bounded.copy(), np.zeros(len(means))
    base[free] = base_multiplier * ones - held
    slope[free] = slope_multiplier * ones + returns
    return _Line(base, slope, base_multiplier, slope_multiplier)


def _next_change(
    line: _Line,
    means: Vector,
    covariance: Matrix,
    bounds: tuple[Vector, Vector],
    free: NDArray[np.bool_],
    trade_off: float,
) -> tuple[float, int, bool]:
    """The largest lambda below the current one at which the free set changes, the asset, and whether it goes low."""
    lower, upper = bounds
    single = int(free.sum()) == 1
    falls, rises = free & (line.slope > 0.0) & (not single), free & (line.slope < 0.0) & (not single)
    # Gradient of a bounded asset above the common one: it must stay at or above 0 at a lower bound, below at an upper.
    level = covariance @ line.base - line.multiplier_base
    tilt = covariance @ line.slope - means - line.multiplier_slope
    at_lower = ~free & (line.base <= lower)
    enters = (at_lower & (tilt > 0.0)) | (~free & ~at_lower & (tilt < 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.full(len(means), -np.inf)
        found[falls] = ((lower - line.base) / line.slope)[falls]
        found[rises] = ((upper - line.base) / line.slope)[rises]
        found[enters] = (-level / tilt)[enters]
    # Rounding may put a change a hair above where the last one was made.
    found = np.minimum(found, trade_off)
    asset = int(np.argmax(found))
    return float(found[asset]), asset, bool(falls[asset])
