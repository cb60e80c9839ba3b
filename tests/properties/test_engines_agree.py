"""Six hundred random problems, many of them singular: ours and Riskfolio-Lib's answers have one objective."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import NoPositiveExcessReturn, SolverFailed, UnboundedProblem
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, GroupBounds, Leverage, ReturnFloor, WeightBounds
from domain.optimization.request.objectives import MaxRatio, MaxUtility, MinRisk, Objective
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio.verification import RISK_FLOOR
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from tests.families import blocks

BLOCKS, EACH = 10, 64
MEASURES = (
    RiskMeasure.VARIANCE,
    RiskMeasure.VARIANCE,
    RiskMeasure.VARIANCE,
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
    RiskMeasure.SEMI_DEVIATION,
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK,
    RiskMeasure.WORST_REALIZATION,
    RiskMeasure.ULCER_INDEX,
)
KINDS = ("regular", "regular", "regular", "nearly twins", "twins", "few returns", "never moves", "repaired")
SINGULAR = 1e12
"""Condition number from which a covariance is singular to double precision, or all but."""


def drawn(seed: int) -> Problem:
    """Of eight, one each has an asset all but twice, one twice, fewer returns than assets, one that never moves, and a
    covariance that is none before our repair, which both are given."""
    generator = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    size = int(generator.integers(2, 9))
    count = (
        int(generator.integers(3, size + 1)) if kind == "few returns" and size > 3 else int(generator.integers(30, 90))
    )
    measure = MEASURES[seed % len(MEASURES)]
    returns = generator.standard_t(5, (count, size)) * 0.01 + generator.normal(0.0006, 0.0006, size)
    returns += generator.standard_t(5, (count, 1)) * 0.005
    if kind == "nearly twins":
        returns = np.hstack([returns, returns[:, :1] + generator.normal(0, 1e-9, (count, 1))])
    if kind == "twins":
        returns = np.hstack([returns, returns[:, :1]])
    if kind == "never moves":
        returns = np.hstack([returns, np.zeros((count, 1))])
    names = tuple(f"A{i}" for i in range(returns.shape[1]))
    panel = ReturnPanel.of(names, np.arange(count), returns.clip(-0.5))
    moments = estimate_moments(panel, Estimation(), 252.0)
    if kind == "repaired":
        shift = float(np.linalg.eigvalsh(moments.covariance)[:2].mean())  # its smallest eigenvalue becomes negative
        broken = moments.covariance - shift * np.eye(size)
        moments = Moments.of(names, moments.expected_returns, broken, 252.0, repair_covariance=True)
        measure = RiskMeasure.VARIANCE
    objectives: tuple[Objective, ...] = (MinRisk(), MinRisk(), MaxUtility(float(generator.uniform(1, 20))), MaxRatio())
    possible: tuple[tuple[Constraint, ...], ...] = (
        (),
        (WeightBounds("caps", None, float(generator.uniform(0.55, 0.9))),),
        (GroupBounds("group", names[:1], 0.1, 0.6),),
        (ReturnFloor("floor", 252 * float(np.quantile(panel.values.mean(axis=0), 0.8))),),
        (Leverage("short", max_short=0.2), WeightBounds("b", -0.2, 1.2)),
    )
    return Problem(
        moments,
        objectives[int(generator.integers(0, 4))],
        measure,
        constraints=possible[int(generator.integers(0, len(possible)))],
        scenarios=Scenarios.from_returns(panel),
        options=SolverOptions(engine=EnginePreference.FAST),
    )


def is_singular(problem: Problem) -> bool:
    values = np.linalg.eigvalsh(problem.moments.covariance)
    return bool(values[0] * SINGULAR <= values[-1])


@pytest.mark.parametrize("block", blocks(1, 4, BLOCKS))
def test_one_objective(block: int) -> None:
    counted: Counter[str] = Counter()
    refused: list[str] = []
    for seed in range(block * EACH, (block + 1) * EACH):
        problem = drawn(seed)
        try:
            ours = solve(problem)
        except (NoPositiveExcessReturn, UnboundedProblem):  # few returns can leave no risk at all
            counted["without an answer"] += 1
            continue
        assert ours.certificate.duality_gap is not None
        assert ours.certificate.duality_gap <= 1e-7
        try:
            theirs = solve(replace(problem, options=SolverOptions(engine=EnginePreference.RISKFOLIO)))
        except SolverFailed as error:
            refused.append(error.message)
            counted["refused"] += 1
            continue
        counted["agreed"] += 1
        counted["singular"] += is_singular(problem)
        mine, other = objective_value(problem, ours.weights), objective_value(problem, theirs.weights)
        # An objective may be zero: beneath a thousandth of a typical deviation a difference is rounding. A utility
        # counts the deviation of a period many times.
        aversion = problem.objective.risk_aversion if isinstance(problem.objective, MaxUtility) else 0.0
        typical = problem.deviation.scale * max(0.5 * aversion * problem.periods_per_year, 1.0)
        assert mine == pytest.approx(other, rel=1e-6, abs=1e-6 * RISK_FLOOR * typical), seed
    # What does not stand beside the proven answer is not one, and says so.
    assert all("Riskfolio-Lib" in said or "away from a proven bound" in said for said in refused), refused
    asked = EACH - counted["without an answer"]
    assert counted["agreed"] >= 0.9 * asked, counted
    assert counted["singular"] >= 0.2 * EACH, counted


def test_enough_of_them_are_singular() -> None:
    problems = [drawn(seed) for seed in range(BLOCKS * EACH)]
    assert len(problems) >= 500
    assert sum(map(is_singular, problems)) >= 200
    assert sum(problem.moments.repair is not None for problem in problems) >= 50
