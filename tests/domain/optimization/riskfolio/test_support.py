"""Every combination of the table: what Riskfolio-Lib may be asked agrees with us, all else is refused by name."""

from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from domain.errors import NotSupported
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import (
    EqualWeight,
    Hierarchical,
    HierarchicalMethod,
    InverseVolatility,
    MaxDiversification,
    MinRisk,
    Objective,
    RelaxedRiskBudget,
    RiskBudget,
    Tracking,
)
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.riskfolio import support_matrix
from domain.optimization.riskfolio.support import AGREES, Combination, combinations, unsupported_reason
from domain.optimization.riskfolio.support import support_by_combination as table
from domain.optimization.riskfolio.verification import gap_of
from domain.optimization.solution import Engine, Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure
from scripts.riskfolio_combinations import all_objectives, outcome_of, problems_of, text_of, worst_of, written
from tests.conftest import ROOT
from tests.families import sampled

ALLOWED = [combination for combination, outcome in table().items() if outcome == AGREES]
REFUSED = [combination for combination, outcome in table().items() if outcome != AGREES]
WITHOUT_OBJECTIVE = (HierarchicalMethod.HRP, HierarchicalMethod.HERC, HierarchicalMethod.HERC2)


@cache
def asked() -> dict[Combination, tuple[Objective, RiskMeasure]]:
    """What asks for each combination; posing all of it takes seconds."""
    # Backwards, so that the first objective that asks for a combination stays: the others may ask for more than that.
    return {
        combination: (objective, measure)
        for objective, measure in reversed(list(all_objectives()))
        for combination in combinations(problems_of(objective, measure)[0])
    }


def name(combination: Combination) -> str:
    return "-".join(combination).replace(" ", "-")


def by(problem: Problem, engine: EnginePreference) -> Solution:
    return solve(replace(problem, options=SolverOptions(engine=engine)))


@pytest.mark.parametrize("combination", sampled(ALLOWED, 3), ids=name)
def test_it_agrees_on_what_it_may_be_asked(combination: Combination) -> None:
    problem = problems_of(*asked()[combination])[0]
    theirs, ours = by(problem, EnginePreference.RISKFOLIO), by(problem, EnginePreference.FAST)
    assert theirs.certificate.engine is Engine.RISKFOLIO
    assert theirs.certificate.max_constraint_violation <= 1e-8
    if isinstance(problem.objective, Hierarchical) and problem.objective.method in WITHOUT_OBJECTIVE:
        assert theirs.weights == pytest.approx(ours.weights, abs=1e-8)
        assert theirs.certificate.duality_gap is None
        return
    gap = gap_of(problem, theirs.weights, ours.weights)
    assert gap is not None
    assert gap <= 1e-6
    assert theirs.certificate.duality_gap is not None
    assert theirs.certificate.duality_gap <= 1e-6
    if isinstance(problem.objective, RiskBudget | RelaxedRiskBudget):
        assert theirs.weights == pytest.approx(ours.weights, abs=2e-3)


@pytest.mark.exhaustive
@pytest.mark.parametrize("combination", REFUSED, ids=name)
def test_all_else_is_refused_by_name(combination: Combination) -> None:
    """Before anything is solved, with what it did when it was tried."""
    problem = problems_of(*asked()[combination])[0]
    with pytest.raises(NotSupported) as error:
        by(problem, EnginePreference.RISKFOLIO)
    assert error.value.REASON == "NOT_SUPPORTED"
    assert error.value.message.endswith("use AUTO or FAST")
    said = [table()[one] for one in combinations(problem) if table()[one] != AGREES]
    assert any(outcome in error.value.message for outcome in said)


def test_the_table_knows_every_combination_that_can_be_asked() -> None:
    assert set(table()) == set(asked())
    assert len(ALLOWED) > 300


def test_the_table_is_of_the_version_that_runs_and_written_by_its_generator() -> None:
    made = version("riskfolio-lib")
    assert made in str(support_matrix.__doc__)
    assert Path(str(support_matrix.__file__)).read_text() == text_of(table(), made)


def test_the_page_counts_what_the_table_holds() -> None:
    page = (ROOT / "docs/engines.md").read_text()
    assert page == written(page, table())


SAMPLE = [
    ("MIN_RISK", "CONDITIONAL_VALUE_AT_RISK"),
    ("MAX_UTILITY", "SECOND_LOWER_PARTIAL_MOMENT"),
    ("MAX_RATIO", "KURTOSIS"),
    ("MIN_RISK", "SEMI_KURTOSIS"),
    ("RISK_BUDGET", "WORST_REALIZATION"),
    ("RISK_BUDGET", "ULCER_INDEX"),
    ("KELLY", "SECOND_MOMENT"),
    ("WORST_CASE MAX_RATIO", "NONE/BOX"),
    ("WORST_CASE MAX_UTILITY", "ELLIPSOID/BOX"),
    ("HRP", "VALUE_AT_RISK"),
    ("HERC MEDIAN", "PEARSON"),
    ("NCO", "SEMI_DEVIATION"),
    ("NCO", "STANDARD_DEVIATION"),
]


@pytest.mark.parametrize("combination", SAMPLE, ids=name)
def test_trying_again_finds_what_the_table_says(combination: Combination) -> None:
    """By how much it is wrong depends on the machine's rounding; that it is, and how it fails, does not."""
    found = worst_of([outcome_of(problem) for problem in problems_of(*asked()[combination])])
    assert found.split(" by ")[0] == table()[combination].split(" by ")[0]


@pytest.mark.parametrize(
    "objective", [MaxDiversification(), Tracking(np.full(4, 0.25)), EqualWeight(), InverseVolatility()]
)
def test_an_objective_that_it_does_not_have(objective: Objective) -> None:
    problem = replace(problems_of(MinRisk(), RiskMeasure.VARIANCE)[0], objective=objective)
    assert by(problem, EnginePreference.FAST).certificate.engine is not Engine.RISKFOLIO
    with pytest.raises(NotSupported, match=f"{type(objective).__name__} .* does not support it; use AUTO or FAST"):
        by(problem, EnginePreference.RISKFOLIO)


def test_a_distance_that_it_does_not_have() -> None:
    problem = problems_of(Hierarchical(), RiskMeasure.VARIANCE)[0]
    assert unsupported_reason(problem) is None
    unknown = replace(problem, objective=Hierarchical(between_columns=True))
    with pytest.raises(NotSupported, match="between columns"):
        by(unknown, EnginePreference.RISKFOLIO)
    assert np.isfinite(by(unknown, EnginePreference.AUTO).weights).all()
