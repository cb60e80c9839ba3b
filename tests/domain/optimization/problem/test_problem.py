"""A problem whose parts do not fit together is refused, with the part named."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import GroupBounds, Leverage, Turnover, WeightBounds
from domain.optimization.request.objectives import MaxUtility, MinRisk, RiskBudget

MOMENTS = Moments.of(("A", "B"), [0.01, 0.02], [0.04, 0.01, 0.01, 0.09], 12)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("constraints[0].symbols", {"constraints": (WeightBounds("x", 0.0, 1.0, ("C",)),)}),
        ("constraints[1].label", {"constraints": (WeightBounds("x", 0.0), WeightBounds("x", 0.1))}),
        ("constraints", {"constraints": (Leverage("x", 0.3), Leverage("y", 0.2))}),
        ("current_weights", {"constraints": (Turnover("x", 0.3),)}),
        ("current_weights[1]", {"current_weights": np.array([0.5, np.nan])}),
        ("current_weights", {"current_weights": np.array([0.5])}),
        ("confidence_level", {"confidence_level": 1.0}),
        ("objective.risk_budget.budgets", {"objective": RiskBudget(np.ones(3))}),
    ],
)
def test_the_part_that_does_not_fit_is_named(field: str, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as error:
        Problem(**{"moments": MOMENTS, "objective": MinRisk(), **arguments})
    assert error.value.field == field


def test_bounds_that_cross_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"0\.6 > 0\.4"):
        WeightBounds("x", 0.6, 0.4)
    with pytest.raises(InvalidInput, match="no member"):
        GroupBounds("x", (), 0.0, 0.4)
    with pytest.raises(InvalidInput, match="risk_aversion"):
        MaxUtility(-1.0)


def test_the_budget_is_one_unless_leverage_says_otherwise() -> None:
    assert Problem(MOMENTS, MinRisk()).budget == 1.0
    assert Problem(MOMENTS, MinRisk(), constraints=(Leverage("l", budget=0.0),)).budget == 0.0
