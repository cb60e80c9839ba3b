"""Our engine: everything that a request costs it, checked data, a checked problem and a verified solution."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from constrained import BAND, TRADES, Limits
from market import FRONTIER_POINTS, Array, Market, Run
from numpy.typing import NDArray

from domain.errors import NoPositiveExcessReturn
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import Constraint, GroupBounds, Turnover, TurnoverKind, WeightBounds
from domain.optimization.request.objectives import Hierarchical, MaxRatio, MinRisk, Objective, RiskBudget
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.optimization.walk.decisions import WalkObjective, decide_windows
from domain.optimization.walk.windows import window_moments
from domain.risk.measures import RiskMeasure
from domain.risk.measures.tail import conditional_value_at_risk

NO_RATIO = NoPositiveExcessReturn
"""Raised where no asset has a positive mean, so that no ratio is positive."""

YEAR = 252.0


def our_jobs(market: Market) -> Mapping[str, Run]:
    """The jobs that peers have too."""
    dates = np.arange(len(market.returns))

    def quadratic(objective: Objective) -> Run:
        return lambda: solve(Problem(_moments(market), objective)).weights

    def min_cvar() -> Array:
        scenarios = Scenarios.from_returns(ReturnPanel.of(market.names, dates, market.returns))
        measure = RiskMeasure.CONDITIONAL_VALUE_AT_RISK
        return solve(Problem(_moments(market), MinRisk(), measure, scenarios=scenarios)).weights

    def tree() -> Array:
        # From returns alone, as every peer of this job.
        panel = ReturnPanel.of(market.names, dates, market.returns)
        return solve(build_problem(Specification(Hierarchical(), periods_per_year=YEAR), panel)).weights

    def frontier() -> Array:
        found = trace_frontier(Problem(_moments(market), MinRisk()), FRONTIER_POINTS, lambda: None)
        return np.array([solution.weights for solution in found])

    return {
        "min_variance": quadratic(MinRisk()),
        "max_ratio": quadratic(MaxRatio()),
        "min_cvar": min_cvar,
        "risk_parity": quadratic(RiskBudget()),
        "hrp": tree,
        "frontier": frontier,
    }


def our_walks(returns: Array, ends: NDArray[np.int64], lookback: int) -> Mapping[str, Run]:
    """All decisions of a walk at once, weights (D, N) from the returns; a window without a proof is solved alone."""
    objectives: Mapping[str, WalkObjective] = {
        "min_variance": MinRisk(),
        "max_ratio": MaxRatio(),
        "risk_parity": RiskBudget(),
        "hrp": Hierarchical(),
    }

    def decide(objective: WalkObjective) -> Array:
        moments = window_moments(returns, ends, lookback)
        found = decide_windows(moments, objective, YEAR)
        for window in np.flatnonzero(~found.proven).tolist():
            with contextlib.suppress(NO_RATIO):
                given = moments.expected_returns[window], moments.covariances[window]
                names = [f"S{i}" for i in range(returns.shape[1])]
                found.weights[window] = solve(Problem(Moments.of(names, *given, YEAR), objective)).weights
        return found.weights

    return {name: partial(decide, objective) for name, objective in objectives.items()}


def our_constrained(market: Market, limits: Limits) -> Run:
    """Minimum variance within caps, sector bands and, where it is limited, turnover."""
    sectors = [tuple(name for name, inside in zip(market.names, row, strict=True) if inside) for row in limits.sectors]
    bands = [GroupBounds(f"sector {k}", members, *BAND) for k, members in enumerate(sectors)]
    rules: list[Constraint] = [WeightBounds("caps", 0.0, limits.cap), *bands]
    if limits.turnover:
        rules.append(Turnover("turnover", TRADES, TurnoverKind.ONE_WAY))

    def run() -> Array:
        problem = Problem(_moments(market), MinRisk(), constraints=tuple(rules), current_weights=limits.held)
        return solve(problem).weights

    return run


def cvar(market: Market) -> Callable[[Array], float]:
    """The mean of the worst 5 % of the losses of a portfolio."""
    return lambda weights: conditional_value_at_risk(market.returns @ weights, 0.95)


def _moments(market: Market) -> Moments:
    return Moments.of(market.names, market.means, market.covariance, YEAR)
