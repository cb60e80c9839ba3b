"""`max_short` of 0 means no shorts, whatever lower bounds single weights have (decision 0009)."""

import numpy as np
import pytest

from domain.errors import InfeasibleProblem
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Leverage, Linear, WeightBounds
from domain.optimization.request.objectives import (
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
)
from domain.optimization.solve import solve

ROOT = np.array([[1.0, 0.9, 0.2], [0.0, 0.6, 0.1], [0.3, 0.0, 0.8]])
MOMENTS = Moments.of(("A", "B", "C"), [0.02, 0.004, 0.011], 0.01 * ROOT.T @ ROOT, 12)
FLOOR = WeightBounds("floor", -0.3)


@pytest.mark.parametrize(
    "objective", [MinRisk(), MaxReturn(), MaxUtility(2.0), MaxRatio(), RelaxedRiskBudget()], ids=lambda one: str(one)
)
@pytest.mark.parametrize("leverage", [Leverage("none", max_short=0.0), Leverage("none", 0.0, 3.0)])
def test_no_weight_is_short(objective: Objective, leverage: Leverage) -> None:
    found = solve(Problem(MOMENTS, objective, constraints=(leverage, FLOOR)))
    assert found.weights.min() >= 0.0
    assert found.weights == pytest.approx(solve(Problem(MOMENTS, objective)).weights, abs=1e-7)


def test_the_price_is_that_of_the_first_short() -> None:
    moments = Moments.of(("A", "B"), [0.0, 0.0], [0.01, 0.02, 0.02, 0.09], 12)
    found = solve(Problem(moments, MinRisk(), constraints=(FLOOR, Leverage("none", max_short=0.0))))
    assert found.weights == pytest.approx([1.0, 0.0], abs=1e-12)
    price = next(one for one in found.binding if one.label == "none")
    # d variance / d short of (1 + s, -s): 2 (0.01 - 0.02)
    assert (price.symbol, price.shadow_price) == ("B", pytest.approx(0.02, rel=1e-6))


def test_a_conflict_is_relaxed_by_a_sum_of_shorts() -> None:
    short = Linear("short", {"A": 1.0, "B": 1.0}, upper=-0.5)
    with pytest.raises(InfeasibleProblem) as error:
        solve(Problem(MOMENTS, MinRisk(), constraints=(FLOOR, Leverage("none", max_short=0.0), short)))
    # Either alone, and no sum of less: A and B are short by 0.5 together.
    assert error.value.relaxations == {"none": pytest.approx(0.5), "short": pytest.approx(0.5)}
