"""A scenario of no probability has no say in the worst realization."""

from dataclasses import replace

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import RiskLimit
from domain.optimization.request.objectives import MaxReturn, MaxUtility, MinRisk
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

WORST = RiskMeasure.WORST_REALIZATION
VALUES = np.array([[-0.01, -0.04], [0.02, 0.01], [0.03, 0.02], [-0.5, 0.0]])


def problem(last: float) -> Problem:
    """A is better and has the smaller worst loss, but for the last scenario, where it loses half."""
    probabilities = np.array([0.3, 0.3, 0.4 - last, last])
    moments = Moments.of("AB", np.array([0.03, 0.01]), np.cov(VALUES.T), 12.0)
    return Problem(moments, MinRisk(), scenarios=Scenarios.of("AB", VALUES, probabilities), risk_measure=WORST)


@pytest.mark.parametrize(
    "changes",
    [{}, {"objective": MaxReturn(), "constraints": (RiskLimit("x", WORST, 0.1),)}, {"objective": MaxUtility(1.0)}],
)
def test_what_cannot_happen_does_not_count(changes: dict[str, object]) -> None:
    found = solve(replace(problem(0.0), **changes))  # type: ignore[arg-type]  # fields of a problem
    assert found.weights == pytest.approx([1.0, 0.0], abs=1e-6)


def test_what_hardly_ever_happens_does() -> None:
    """Losses of 0.01 a + 0.04 b and 0.5 a are least where they are equal."""
    assert solve(problem(0.001)).weights == pytest.approx([0.04 / 0.53, 0.49 / 0.53], abs=1e-6)
