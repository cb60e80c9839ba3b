"""Figures that no portfolio has are refused by name: linear solvers take 1e20 for infinity, and one stops on it."""

from collections.abc import Callable

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    GroupBounds,
    Leverage,
    Linear,
    MinimumPosition,
    ReturnFloor,
    RiskLimit,
    TrackingError,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import MaxRatio, MaxUtility, MinRisk, RiskBudget, Tracking
from domain.portfolio import weights_by_symbol
from domain.risk.measures import RiskMeasure

ONES = np.ones(2)
MADE: dict[str, Callable[[float], object]] = {
    "upper": lambda v: WeightBounds("b", upper=v),
    "lower": lambda v: GroupBounds("b", ("A",), lower=-v),
    "terms[A].coefficient": lambda v: Linear("b", {"A": v}, upper=1.0),
    "max_short": lambda v: Leverage("b", max_short=v),
    "max_gross": lambda v: Leverage("b", max_gross=v),
    "budget": lambda v: Leverage("b", budget=-v),
    "max_turnover": lambda v: Turnover("b", v),
    "min_return_annual": lambda v: ReturnFloor("b", -v),
    "benchmark[0]": lambda v: TrackingError("b", v * ONES, 0.1),
    "max_annual": lambda v: TrackingError("b", ONES, v),
    "max": lambda v: RiskLimit("b", RiskMeasure.VARIANCE, v),
    "min_weight": lambda v: MinimumPosition("b", v),
    "risk_aversion": MaxUtility,
    "risk_free_rate_annual": MaxRatio,
    "budgets[0]": lambda v: RiskBudget(v * ONES),
    "current_weights[0].weight": lambda v: weights_by_symbol("current_weights", {"A": -v}, ("A",), leveraged=True),
    "expected_returns[0]": lambda v: Problem(Moments.of(("A", "B"), v * ONES, np.eye(2), 1.0), MinRisk()),
    "covariance[0]": lambda v: Problem(Moments.of(("A", "B"), ONES, v * np.eye(2), 1.0), MinRisk()),
    "periods_per_year": lambda v: Problem(Moments.of(("A", "B"), ONES, np.eye(2), v), MinRisk()),
    "current_weights[0]": lambda v: Problem(
        Moments.of(("A", "B"), ONES, np.eye(2), 1.0), MinRisk(), current_weights=v * ONES
    ),
}


@pytest.mark.parametrize("value", [1.1e15, 1e20, 1e308])
@pytest.mark.parametrize("field", MADE)
def test_a_figure_beyond_all_portfolios_is_refused_by_its_field(field: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=r"at most 1e\+15") as raised:
        MADE[field](value)
    assert raised.value.field == field


@pytest.mark.parametrize("field", MADE)
def test_large_figures_of_other_units_are_taken(field: str) -> None:
    MADE[field](1e12)


def test_a_benchmark_too() -> None:
    with pytest.raises(InvalidInput, match="benchmark"):
        Tracking(1e308 * ONES)


def test_a_variance_without_an_inverse_is_refused() -> None:
    with pytest.raises(InvalidInput, match="or at least") as raised:
        Problem(Moments.of(("A", "B"), ONES, np.diag([0.04, 1e-200]), 1.0), MinRisk())
    assert raised.value.field == "covariance[3]"
    Problem(Moments.of(("A", "B"), ONES, np.diag([0.04, 0.0]), 1.0), MinRisk())
