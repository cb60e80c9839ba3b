"""Constraints as limits on the weight vector, defaults included, each under the label it is known by.

Defaults fill what is not constrained: the weights sum to 1, and no weight is negative. A lower bound that the caller
sets on a symbol replaces the default for that symbol; an upper bound alone does not. Where leverage allows shorts, the
default lower bound is -max_short under leverage's label; leverage with max_gross alone allows shorts as far as gross
exposure does.
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import assert_never

import numpy as np

from domain.checks import Vector
from domain.optimization.problem.limits import AbsoluteSum, Box, ContributionBounds, Limit, RiskCap, Row, excess
from domain.optimization.problem.polytope import Polytope
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.selection_limits import SelectionLimit, selection_limit
from domain.optimization.problem.size_limits import check_coefficient_count, check_constraint_count
from domain.optimization.request.constraints import (
    DEFAULT_BUDGET,
    DEFAULT_LONG_ONLY,
    Cardinality,
    ClusterCardinality,
    GroupBounds,
    Leverage,
    Linear,
    MinimumPosition,
    MutualExclusion,
    ReturnFloor,
    RiskContributionBounds,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.portfolio import positions
from domain.records import dataclass
from domain.risk.measures import RiskMeasure


@dataclass(frozen=True)  # without slots: what is asked again and again is kept
class FeasibleSet:
    """All limits on the weights of N symbols."""

    symbols: tuple[str, ...]
    limits: tuple[Limit, ...]

    @property
    def n_assets(self) -> int:
        """N."""
        return len(self.symbols)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label once, in the caller's order, defaults last."""
        return tuple(dict.fromkeys(limit.label for limit in self.limits))

    def only(self, labels: Collection[str]) -> "FeasibleSet":
        """The set that these labels alone describe."""
        chosen = set(labels)
        return FeasibleSet(self.symbols, tuple(limit for limit in self.limits if limit.label in chosen))

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """Limits on single weights."""
        return tuple(limit for limit in self.limits if isinstance(limit, Box))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Limits on weighted sums."""
        return tuple(limit for limit in self.limits if isinstance(limit, Row))

    @cached_property
    def absolute_sums(self) -> tuple[AbsoluteSum, ...]:
        """Limits on sums of absolute values."""
        return tuple(limit for limit in self.limits if isinstance(limit, AbsoluteSum))

    @cached_property
    def risk_caps(self) -> tuple[RiskCap, ...]:
        """Limits on risk."""
        return tuple(limit for limit in self.limits if isinstance(limit, RiskCap))

    @cached_property
    def selection_limits(self) -> tuple[SelectionLimit, ...]:
        """Limits on which weights may be other than 0."""
        return tuple(limit for limit in self.limits if isinstance(limit, SelectionLimit))

    @cached_property
    def contribution_bounds(self) -> tuple[ContributionBounds, ...]:
        """Limits on contributions to the risk."""
        return tuple(limit for limit in self.limits if isinstance(limit, ContributionBounds))

    @property
    def without_contribution_bounds(self) -> "FeasibleSet":
        """The set without limits on contributions to the risk."""
        return FeasibleSet(self.symbols, tuple(one for one in self.limits if not isinstance(one, ContributionBounds)))

    @property
    def without_absolute_sums(self) -> "FeasibleSet":
        """The set without limits on sums of absolute values, which bring variables of their own."""
        kept = tuple(limit for limit in self.limits if not isinstance(limit, AbsoluteSum))
        return FeasibleSet(self.symbols, kept)

    @property
    def is_linear(self) -> bool:
        """Whether the set is a polytope."""
        return not self.risk_caps and not self.selection_limits and not self.contribution_bounds

    @property
    def convex(self) -> "FeasibleSet":
        """The set without limits on which weights may be held."""
        return FeasibleSet(self.symbols, tuple(limit for limit in self.limits if not isinstance(limit, SelectionLimit)))

    @cached_property
    def lower(self) -> Vector:
        """The tightest lower bound of each weight, (N,)."""
        return _tightest(np.maximum, -np.inf, [box.lower for box in self.boxes], self.n_assets)

    @cached_property
    def upper(self) -> Vector:
        """The tightest upper bound of each weight, (N,)."""
        return _tightest(np.minimum, np.inf, [box.upper for box in self.boxes], self.n_assets)

    def violation(self, weights: Vector) -> float:
        """The largest amount by which any limit is missed, 0 if none is."""
        return max((excess(limit, weights) for limit in self.limits), default=0.0)

    def violated(self, weights: Vector, tolerance: float) -> tuple[str, ...]:
        """Labels of the limits that are missed by more than the tolerance."""
        missed = (limit.label for limit in self.limits if excess(limit, weights) > tolerance)
        return tuple(dict.fromkeys(missed))

    def polytope(self) -> Polytope:
        """The set as linear rows; each sum of absolute values brings N auxiliary variables."""
        n_assets, sums, rows = self.n_assets, self.absolute_sums, self.rows
        check_coefficient_count(len(rows), n_assets, len(sums))
        matrix = np.array([row.coefficients for row in rows]).reshape(len(rows), n_assets)
        row_lower = np.array([row.lower for row in rows])
        row_upper = np.array([row.upper for row in rows])
        if not sums:
            return Polytope(matrix, row_lower, row_upper, self.lower, self.upper)
        more = n_assets * len(sums)
        lower = np.concatenate([self.lower, np.zeros(more)])
        upper = np.concatenate([self.upper, np.full(more, np.inf)])
        polytope = Polytope(np.hstack([matrix, np.zeros((len(rows), more))]), row_lower, row_upper, lower, upper)
        for k, one in enumerate(sums):
            polytope = _with_sum(polytope, one, n_assets * (k + 1))
        return polytope


def feasible_set(problem: Problem) -> FeasibleSet:
    """All limits of a problem, the caller's first and the defaults last."""
    check_constraint_count(len(problem.constraints), len(problem.moments.symbols))
    limits: list[Limit] = []
    position = positions(problem.moments.symbols)
    for constraint in problem.constraints:
        match constraint:
            case WeightBounds():
                limits.append(_box(position, constraint))
            case GroupBounds():
                limits.append(_row(position, constraint.label, dict.fromkeys(constraint.symbols, 1.0), constraint))
            case Linear():
                limits.append(_row(position, constraint.label, constraint.terms, constraint))
            case Turnover():
                most, factor = constraint.max_absolute_trades, constraint.absolute_trades_per_unit
                limits.append(AbsoluteSum(constraint.label, problem.start_weights, most, factor=factor))
            case ReturnFloor():
                annual_returns = problem.periods_per_year * problem.moments.expected_returns
                limits.append(Row(constraint.label, annual_returns, constraint.min_return_annual, np.inf))
            case Leverage():
                limits.extend(_leverage(problem, constraint, position))
            case TrackingError():
                risk = problem.risk_in(RiskMeasure.STANDARD_DEVIATION)
                annual = problem.periods_per_year**0.5
                limits.append(RiskCap(constraint.label, risk, constraint.benchmark, constraint.max_annual, annual))
            case RiskLimit():
                risk = problem.risk_in(constraint.risk_measure)
                limits.append(RiskCap(constraint.label, risk, np.zeros(len(risk.symbols)), constraint.maximum))
            case Cardinality() | ClusterCardinality() | MutualExclusion() | MinimumPosition():
                limits.append(selection_limit(constraint, problem.moments.symbols))
            case RiskContributionBounds():
                box = _box(position, constraint)
                limits.append(ContributionBounds(constraint.label, problem.moments.covariance, box.lower, box.upper))
            case _:
                assert_never(
                    constraint
                )  # a constraint without a case here would be dropped, and nothing would verify it
    limits.extend(_defaults(problem, limits))
    return FeasibleSet(problem.moments.symbols, tuple(limits))


def _tightest(choose: np.ufunc, absent: float, bounds: list[Vector], n_assets: int) -> Vector:
    if len(bounds) == 1:
        return bounds[0]
    result: Vector = choose.reduce(bounds) if bounds else np.full(n_assets, absent)
    return result


def _box(position: Mapping[str, int], bounds: WeightBounds | RiskContributionBounds) -> Box:
    named = np.zeros(len(position), dtype=bool)
    named[[position[symbol] for symbol in bounds.symbols] if bounds.symbols else slice(None)] = True
    lower = np.where(named, -np.inf if bounds.lower is None else bounds.lower, -np.inf)
    upper = np.where(named, np.inf if bounds.upper is None else bounds.upper, np.inf)
    return Box(bounds.label, lower, upper)


def _row(position: Mapping[str, int], label: str, terms: Mapping[str, float], bounds: GroupBounds | Linear) -> Row:
    coefficients = np.zeros(len(position))
    for symbol, coefficient in terms.items():
        coefficients[position[symbol]] = coefficient
    lower = -np.inf if bounds.lower is None else bounds.lower
    return Row(label, coefficients, lower, np.inf if bounds.upper is None else bounds.upper)


def _leverage(problem: Problem, leverage: Leverage, position: Mapping[str, int]) -> list[Limit]:
    n_assets = len(problem.moments.symbols)
    limits: list[Limit] = []
    if leverage.budget is not None:
        limits.append(Row(leverage.label, np.ones(n_assets), leverage.budget, leverage.budget))
    if leverage.max_short:
        limits.append(AbsoluteSum(leverage.label, np.zeros(n_assets), leverage.max_short, shorts=True))
    elif leverage.max_short is not None:
        limits.extend(_no_shorts(problem, leverage.label, position))
    if leverage.max_gross is not None:
        limits.append(AbsoluteSum(leverage.label, np.zeros(n_assets), leverage.max_gross))
    return limits


def _no_shorts(problem: Problem, label: str, position: Mapping[str, int]) -> list[Limit]:
    """A bound of 0 where the caller's own lower bound allows a short; elsewhere the default is long-only already."""
    own = [_box(position, one).lower for one in problem.constraints if isinstance(one, WeightBounds)]
    lower = _tightest(np.maximum, -np.inf, own, len(position))
    shortable = np.isfinite(lower) & (lower < 0.0)
    if not shortable.any():
        return []
    # As bounds: a sum of at most 0 would leave an interior-point method no room to work in.
    floor = np.where(shortable, 0.0, -np.inf)
    return [Box(label, floor, np.full(len(position), np.inf), is_short_limit=True)]


def _defaults(problem: Problem, given: list[Limit]) -> list[Limit]:
    n_assets = len(problem.moments.symbols)
    leverage = problem.leverage
    own = [box.lower for box in given if isinstance(box, Box)]
    unset = np.isneginf(_tightest(np.maximum, -np.inf, own, n_assets))
    lowest, label = 0.0, DEFAULT_LONG_ONLY
    if leverage is not None and (shorts := _largest_short(leverage)) > 0.0:
        lowest, label = -shorts, leverage.label
    limits: list[Limit] = []
    if unset.any():
        limits.append(Box(label, np.where(unset, lowest, -np.inf), np.full(n_assets, np.inf)))
    if leverage is None or leverage.budget is None:
        limits.append(Row(DEFAULT_BUDGET, np.ones(n_assets), 1.0, 1.0))
    return limits


def _largest_short(leverage: Leverage) -> float:
    """What a single weight may fall to: by max_short, or by gross exposure where that alone is set."""
    if leverage.max_short is not None:
        return leverage.max_short
    if leverage.max_gross is not None:
        budget = 1.0 if leverage.budget is None else leverage.budget
        return max(0.0, (leverage.max_gross - budget) / 2.0)
    return 0.0


def _with_sum(polytope: Polytope, limit: AbsoluteSum, start: int) -> Polytope:
    """Adds u >= |w - centre| (or u >= -w) and sum u <= maximum; the columns from `start` are u."""
    n_assets, total = len(limit.centre), polytope.matrix.shape[1]
    above = np.zeros((n_assets, total))
    above[:, :n_assets] = np.eye(n_assets)
    above[:, start : start + n_assets] = np.eye(n_assets)
    below = above.copy()
    below[:, :n_assets] *= -1.0
    capped = np.zeros((1, total))
    capped[0, start : start + n_assets] = 1.0
    # u + w >= centre, u - w >= -centre, sum u <= maximum; shorts need only the first of the two.
    blocks = [above, capped] if limit.shorts else [above, below, capped]
    lowers = [limit.centre, np.array([-np.inf])] if limit.shorts else [limit.centre, -limit.centre, np.array([-np.inf])]
    free = np.full(n_assets, np.inf)
    uppers = [free, np.array([limit.maximum])] if limit.shorts else [free, free, np.array([limit.maximum])]
    return Polytope(
        np.vstack([polytope.matrix, *blocks]),
        np.concatenate([polytope.row_lower, *lowers]),
        np.concatenate([polytope.row_upper, *uppers]),
        polytope.lower,
        polytope.upper,
    )
