"""Data at the edge: every objective and measure gives verified weights or says in a typed error what is wrong.

SolverFailed would be a report of our own failure, and anything else a crash.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from domain.errors import DomainError, SolverFailed
from domain.estimation.clustering import Linkage
from domain.market_data.panel import ReturnPanel
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import Cardinality, Constraint, Leverage, RiskLimit
from domain.optimization.request.objectives import (
    EqualWeight,
    Hierarchical,
    HierarchicalMethod,
    InverseVolatility,
    Kelly,
    KellyMethod,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
    Uncertainty,
    WorstCase,
)
from domain.optimization.request.specification import Specification, TrackingErrorBySymbol
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import thinned

RNG = np.random.default_rng(3)
DATA = {
    "one asset": RNG.normal(0, 0.01, (30, 1)),
    "constant": np.full((20, 3), 0.001),
    "one constant": np.column_stack([RNG.normal(0, 0.01, 20), np.zeros(20), RNG.normal(0, 0.02, 20)]),
    "twins": np.repeat(RNG.normal(0, 0.01, (40, 2)), 2, axis=1),
    "more assets than dates": RNG.normal(0, 0.01, (10, 15)),
    "enormous": np.abs(RNG.normal(0, 3.0, (40, 3))),
    "never down": np.abs(RNG.normal(0, 0.01, (40, 3))) + 1e-4,
    "never up": -np.abs(RNG.normal(0, 0.01, (40, 3))),
    "ruin": np.vstack([RNG.normal(0, 0.01, (30, 3)), [-1.0, -1.0, -1.0]]),
    "zero": np.zeros((10, 2)),
}
LIMITS: dict[str, tuple[Constraint | TrackingErrorBySymbol, ...]] = {
    "none": (),
    "tracking error": (TrackingErrorBySymbol("te", {"S0": 1.0}, 0.2),),
    "one asset held": (Cardinality("one", 1),),
    "a tail limit": (RiskLimit("tail", RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.02),),
    "shorts": (Leverage("short", max_short=0.3, max_gross=1.6),),
}


ANSWERS = {
    "none": (87, 33, 34, 87, 63, 63, 63, 62, 61, 33),
    "tracking error": (21, 10, 11, 21, 20, 13, 20, 19, 18, 10),
    "one asset held": (16, 7, 8, 10, 10, 9, 9, 8, 7, 7),
    "a tail limit": (0, 10, 11, 21, 20, 20, 20, 19, 0, 10),
    "shorts": (18, 8, 11, 18, 14, 16, 16, 16, 15, 8),
}
"""Weights that are found, by limits and then in the order of DATA; whoever changes what is answered says so here.

None in two cells: one asset's tail and a ruin are beyond the limit on tails, whatever is held.
"""


def problems() -> Iterator[tuple[Objective, RiskMeasure]]:
    for objective in (MinRisk(), MaxRatio(), RiskBudget()):
        for measure in RiskMeasure:
            yield objective, measure
    others: list[Objective] = [MaxReturn(), MaxUtility(3.0), MaxDiversification(), RelaxedRiskBudget(None, 0.1)]
    others += [Kelly(method) for method in KellyMethod]
    others += [WorstCase(goal, Uncertainty.ELLIPSOID, Uncertainty.BOX) for goal in (MinRisk(), MaxRatio(), MaxReturn())]
    others += [Hierarchical(method, Linkage.WARD) for method in HierarchicalMethod]
    for one in (*others, EqualWeight(), InverseVolatility()):
        yield one, RiskMeasure.VARIANCE


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("data", thinned(DATA, 3))
def test_weights_or_a_typed_error(data: str, limits: str) -> None:
    values = DATA[data]
    panel = ReturnPanel.of(tuple(f"S{i}" for i in range(values.shape[1])), np.arange(len(values)), values)
    answered = 0
    for objective, measure in problems():
        if limits != "none" and measure not in (RiskMeasure.VARIANCE, RiskMeasure.CONDITIONAL_VALUE_AT_RISK):
            continue
        wanted = Specification(objective, measure, constraints=LIMITS[limits], periods_per_year=252.0)
        try:
            weights = solve(build_problem(wanted, panel)).weights
        except SolverFailed as error:
            pytest.fail(f"{objective} {measure}: {error}")
        except DomainError:
            continue
        answered += 1
        assert np.isfinite(weights).all()
    assert answered == ANSWERS[limits][list(DATA).index(data)]
