"""Decisions of many windows of one panel, each independent of the others, with a proof for each.

Least variance, the best ratio, equal risk contributions and HRP, long-only and fully invested: what a walk-forward of a
plain strategy asks again and again. The answers are those of `solve` on each window's sample moments, to its proof's
tolerance; a window whose proof does not pass has none here, and whoever asks solves it by itself.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import never_cancelled
from domain.checks import LARGEST_FIGURE, Matrix, Vector
from domain.estimation.clustering import Linkage
from domain.estimation.moments import Estimation
from domain.market_data.moments import SMALLEST_VARIANCE
from domain.optimization.request.objectives import (
    CodependenceMeasure,
    Hierarchical,
    HierarchicalMethod,
    MaxRatio,
    MinRisk,
    RiskBudget,
)
from domain.optimization.request.solver_options import EnginePreference
from domain.optimization.request.specification import Specification
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, GAP_TOLERANCE, VALUE_FLOOR
from domain.optimization.walk.complementarity import solve_complementarity
from domain.optimization.walk.hierarchy import hierarchical_weights
from domain.optimization.walk.risk_parity import equal_risk_gaps, equal_risk_points
from domain.optimization.walk.windows import WindowMoments
from domain.records import dataclass
from domain.risk.measures import RiskMeasure

WalkObjective = MinRisk | MaxRatio | RiskBudget | Hierarchical


@dataclass(frozen=True, slots=True)
class WalkDecisions:
    """Weights of D windows, and how far each objective value may be from a proven bound, relative to it."""

    weights: Matrix  # (D, N), NaN where there is no proven answer
    gaps: Vector  # (D,), 0 for a hierarchy, which has no objective

    @property
    def proven(self) -> NDArray[np.bool_]:
        """Which windows have an answer, (D,)."""
        return np.asarray(np.isfinite(self.weights).all(axis=1))


def walk_objective(specification: Specification) -> WalkObjective | None:
    """The objective of a specification that is solved as arrays; None for one with anything else to it."""
    plain = Specification(specification.objective, specification.risk_measure, estimation=Estimation())
    differs = (
        specification.constraints
        or specification.costs is not None
        or specification.estimation != plain.estimation
        or specification.options.engine is EnginePreference.RISKFOLIO
    )
    if differs or not specification.risk_measure.is_quadratic:
        return None
    objective = specification.objective
    match objective:
        case MinRisk() | MaxRatio():
            return objective
        case RiskBudget(budgets=None):
            return objective
        case Hierarchical(method=HierarchicalMethod.HRP, codependence=CodependenceMeasure.PEARSON):
            by_correlation = not objective.between_columns and objective.linkage is not Linkage.DBHT
            return objective if by_correlation and specification.risk_measure is RiskMeasure.VARIANCE else None
    return None


def decide_windows(
    moments: WindowMoments,
    objective: WalkObjective,
    periods_per_year: float,
    check_cancelled: Callable[[], None] = never_cancelled,
) -> WalkDecisions:
    """The decisions of all windows; figures that `Moments.require_solvable` refuses have none."""
    moments = _solvable(moments)
    match objective:
        case MinRisk():
            found = _least_variances(moments, check_cancelled)
        case MaxRatio(risk_free):
            found = _best_ratios(moments, risk_free / periods_per_year, check_cancelled)
        case RiskBudget():
            found = _equal_risks(moments, check_cancelled)
        case Hierarchical():
            weights = hierarchical_weights(moments.covariances, objective, check_cancelled)
            found = WalkDecisions(weights, np.zeros(len(weights)))
    return verified(found)


def _solvable(moments: WindowMoments) -> WindowMoments:
    """With no numbers in the place of covariances that are too small or too large to calculate with."""
    covariances, means = moments.covariances, moments.expected_returns
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        # No number compares as False.
        moderate = (np.abs(covariances).max(axis=(1, 2)) <= LARGEST_FIGURE) & (
            np.abs(means).max(axis=1) <= LARGEST_FIGURE
        )
        small = ((variances > 0.0) & (variances < SMALLEST_VARIANCE)).any(axis=1)
    refused = ~moderate | small
    if not refused.any():
        return moments
    return WindowMoments(means, np.where(refused[:, None, None], np.nan, covariances))


def _least_variances(moments: WindowMoments, check_cancelled: Callable[[], None]) -> WalkDecisions:
    scaled = _scaled(moments)
    points = solve_complementarity(scaled, np.ones(moments.expected_returns.shape), check_cancelled)
    weights = points / points.sum(axis=1, keepdims=True)
    marginal = np.matvec(scaled, weights)
    variances = np.vecdot(weights, marginal)
    # No long-only weights of sum 1 have less than the least marginal variance against these ones.
    gaps = (variances - marginal.min(axis=1)) / np.maximum(0.5 * variances, VALUE_FLOOR)
    return WalkDecisions(weights, np.maximum(gaps, 0.0))


def _best_ratios(moments: WindowMoments, risk_free: float, check_cancelled: Callable[[], None]) -> WalkDecisions:
    scaled, excess = _scaled(moments), moments.expected_returns - risk_free
    highest = excess.max(axis=1)
    some = highest > 0.0
    targets = excess / np.where(some, highest, np.nan)[:, None]
    points = np.full(targets.shape, np.nan)
    points[some] = solve_complementarity(scaled[some], targets[some], check_cancelled)
    weights = points / points.sum(axis=1, keepdims=True)
    return WalkDecisions(weights, ratio_gaps(scaled, targets, points))


def ratio_gaps(hessians: NDArray[np.float64], targets: Matrix, points: Matrix) -> Vector:
    """How far the ratio a'z / |z| may be below the highest one, relative to it, (D,); the largest of a is 1.

    a'v <= k (Hz)'v <= k |z| |v| for all v >= 0, with k such that a <= k Hz (Cauchy-Schwarz in H). Where a is not above
    0 no k need do, and what is missing counts as it is: an asset that is left out although it would hedge.
    """
    marginal = np.matvec(hessians, points)
    with np.errstate(all="ignore"):
        needed = np.where(targets > 0.0, targets / np.where(marginal > 0.0, marginal, 0.0), 0.0).max(axis=1)
        missing = np.where(targets > 0.0, 0.0, targets - needed[:, None] * marginal).max(axis=1)
        gaps = needed * np.vecdot(points, marginal) / np.vecdot(targets, points) - 1.0
    result: Vector = np.maximum(np.maximum(gaps, missing), 0.0)
    return result


def _equal_risks(moments: WindowMoments, check_cancelled: Callable[[], None]) -> WalkDecisions:
    with np.errstate(all="ignore"):
        volatilities = np.sqrt(np.diagonal(moments.covariances, axis1=1, axis2=2))
        correlations = moments.covariances / (volatilities[:, :, None] * volatilities[:, None, :])
    points = equal_risk_points(correlations, check_cancelled)
    weights = points / volatilities
    return WalkDecisions(weights / weights.sum(axis=1, keepdims=True), equal_risk_gaps(correlations, points))


def _scaled(moments: WindowMoments) -> NDArray[np.float64]:
    """Covariances of a mean variance of 1, (D, N, N)."""
    scales = np.trace(moments.covariances, axis1=1, axis2=2) / moments.covariances.shape[1]
    result: NDArray[np.float64] = moments.covariances / np.where(scales > 0.0, scales, np.nan)[:, None, None]
    return result


def verified(found: WalkDecisions) -> WalkDecisions:
    """Weights whose proof passes as `verify` has it; the others are no answer."""
    with np.errstate(invalid="ignore"):
        misses = np.maximum(np.abs(found.weights.sum(axis=1) - 1.0), -found.weights.min(axis=1))
        passes = (misses <= FEASIBILITY_TOLERANCE) & (found.gaps <= GAP_TOLERANCE)
    return WalkDecisions(np.where(passes[:, None], found.weights, np.nan), np.where(passes, found.gaps, np.inf))
