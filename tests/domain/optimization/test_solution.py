"""What does not pass does not leave."""

import numpy as np
import pytest

from domain.errors import SolverFailed
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import MinRisk
from domain.optimization.solution import Candidate, Engine
from domain.optimization.verify import verify

PROBLEM = Problem(Moments.of("AB", [0.01, 0.02], [0.04, 0.01, 0.01, 0.09], 12.0), MinRisk())


def candidate(weights: list[float], gap: float | None = 0.0, engine: Engine = Engine.FAST) -> Candidate:
    return Candidate(np.array(weights), engine, "a solver", relative_gap=gap)


@pytest.mark.parametrize(
    ("proposed", "why"),
    [
        (candidate([0.5, np.nan]), "not finite"),
        (candidate([0.5, 0.5 + 2e-8]), "miss a constraint by 2e-08"),
        (candidate([-2e-8, 1.0 + 2e-8]), "miss a constraint by 2e-08"),
        (candidate([0.5, 0.5], 2e-7), "2e-07 away"),
        (candidate([0.5, 0.5], 2e-6, Engine.RISKFOLIO), "2e-06 away"),
        (candidate([0.5, 0.5], float("nan")), "away"),
    ],
)
def test_a_wrong_answer_is_refused(proposed: Candidate, why: str) -> None:
    with pytest.raises(SolverFailed, match=why):
        verify(PROBLEM, proposed)


def test_riskfolio_may_be_a_little_further_away() -> None:
    assert verify(PROBLEM, candidate([0.5, 0.5], 5e-7, Engine.RISKFOLIO)).certificate.duality_gap == 5e-7


def test_every_figure_is_recomputed() -> None:
    solution = verify(PROBLEM, candidate([0.25, 0.75]))
    assert solution.expected_return_annual == pytest.approx(12 * 0.0175)
    variance = 0.25**2 * 0.04 + 0.75**2 * 0.09 + 2 * 0.25 * 0.75 * 0.01
    assert solution.risk == pytest.approx(variance)
    assert solution.volatility_annual == pytest.approx((12 * variance) ** 0.5)
    assert solution.ratio == pytest.approx(12 * 0.0175 / (12 * variance) ** 0.5)
    assert solution.contributions.by_asset.sum() == pytest.approx(solution.volatility_annual)
    assert solution.effective_number_of_assets == pytest.approx(1 / 0.625)
