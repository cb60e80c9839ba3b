"""Drawdowns of a path that is short enough to be worked out by hand."""

import pytest

from domain.estimation.moments import scenario_moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure


@pytest.mark.parametrize("measure", [RiskMeasure.AVERAGE_DRAWDOWN, RiskMeasure.ULCER_INDEX], ids=str)
def test_two_periods(measure: RiskMeasure) -> None:
    """A gains 2 % and loses 3 %, B loses 1 %. With w in A the first fall is max(0, 1 - 3w) %, and the second 3w % more.

    Up to w = 1/3 the sum of both depths falls, while the last is 1 %; from there on the last one rises.
    """
    scenarios = Scenarios.from_returns(ReturnPanel.of("AB", [1, 2], [[0.02, -0.01], [-0.03, 0.0]]))
    found = solve(Problem(scenario_moments(scenarios, 252.0), MinRisk(), measure, scenarios=scenarios))
    assert found.weights == pytest.approx([1.0 / 3.0, 2.0 / 3.0], abs=1e-5)
