"""Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk", section 4.

Monthly moments of the S&P 500 index, long-term US government bonds and US small caps (tables 1 and 2), the
minimum-variance portfolio for a mean of 0.011 (table 3), its VaR and CVaR as a normal distribution (table 4).
"""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import ReturnFloor
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solve import solve
from domain.risk.analyzer import analyze
from domain.risk.query import RiskQuery

MOMENTS = Moments.of(
    ("S&P", "Gov Bond", "Small Cap"),
    [0.0101110, 0.0043532, 0.0137058],
    [[0.00324625, 0.00022983, 0.00420395], [0.00022983, 0.00049937, 0.00019247], [0.00420395, 0.00019247, 0.00764097]],
    12,
)
WEIGHTS = np.array([0.452013, 0.115573, 0.432414])


@pytest.mark.parametrize(
    ("confidence", "value_at_risk", "conditional"),
    [(0.90, 0.067847, 0.096975), (0.95, 0.090200, 0.115908), (0.99, 0.132128, 0.152977)],
)
def test_normal_portfolio_of_rockafellar_and_uryasev(
    confidence: float, value_at_risk: float, conditional: float
) -> None:
    report = analyze(RiskQuery(MOMENTS, WEIGHTS, 12, confidence))
    assert report.expected_return_annual / 12 == pytest.approx(0.011, abs=1e-6)
    assert report.dispersion.volatility_per_period == pytest.approx(0.00378529**0.5, rel=2e-6)
    assert report.value_at_risk.gaussian == pytest.approx(value_at_risk, abs=1e-6)
    assert report.conditional_value_at_risk.gaussian == pytest.approx(conditional, abs=1e-6)


def test_their_portfolio_is_the_one_with_the_least_variance() -> None:
    solution = solve(Problem(MOMENTS, MinRisk(), constraints=(ReturnFloor("mean", 0.011 * 12),)))
    assert solution.weights == pytest.approx(WEIGHTS, abs=5e-5)  # the moments are printed to five figures
    assert solution.risk == pytest.approx(0.00378529, abs=1e-8)
