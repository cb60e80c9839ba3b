"""The gradient of every measure against finite differences of the measure itself, and Euler's identity."""

import numpy as np
import pytest

from domain.errors import NotSupported
from domain.risk.gradients import scenario_gradient
from domain.risk.measures import RiskMeasure
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import scenario_risk
from tests.families import thinned

GENERATOR = np.random.default_rng(3)
RETURNS = GENERATOR.standard_t(4, 151) * 0.01
UNEVEN = GENERATOR.dirichlet(np.ones(151))
NO_PATH = [measure for measure in RiskMeasure if not measure.is_of_path]
UNEVEN_TOO = [measure for measure in NO_PATH if "RLVAR" not in measure]


PLACES = np.unique(np.concatenate([np.argsort(RETURNS)[:10], np.arange(0, 151, 10)]))


def differences(measure: RiskMeasure, probabilities: np.ndarray | None, level: float) -> np.ndarray:
    step = 1e-7
    found = np.zeros(len(RETURNS))
    for place in PLACES:
        change = np.zeros(len(RETURNS))
        change[place] = step
        more = scenario_risk(measure, Outcomes(RETURNS + change, probabilities), level)
        less = scenario_risk(measure, Outcomes(RETURNS - change, probabilities), level)
        found[place] = (more - less) / (2 * step)
    return found[PLACES]


@pytest.mark.parametrize("measure", thinned(RiskMeasure, 4))
def test_a_gradient_holds_derivatives(measure: RiskMeasure) -> None:
    gradient = scenario_gradient(measure, Outcomes(RETURNS), 0.9)
    risk = scenario_risk(measure, Outcomes(RETURNS), 0.9)
    assert gradient[PLACES] == pytest.approx(differences(measure, None, 0.9), abs=3e-6)
    assert gradient @ RETURNS == pytest.approx(measure.degree * risk, rel=1e-10)


@pytest.mark.parametrize("measure", UNEVEN_TOO)
def test_a_gradient_counts_probabilities(measure: RiskMeasure) -> None:
    gradient = scenario_gradient(measure, Outcomes(RETURNS, UNEVEN), 0.9)
    risk = scenario_risk(measure, Outcomes(RETURNS, UNEVEN), 0.9)
    assert gradient[PLACES] == pytest.approx(differences(measure, UNEVEN, 0.9), abs=3e-6)
    assert gradient @ RETURNS == pytest.approx(measure.degree * risk, rel=1e-10)


@pytest.mark.parametrize("measure", list(RiskMeasure))
def test_a_gradient_is_finite_without_risk(measure: RiskMeasure) -> None:
    outcomes = Outcomes(np.zeros(20))
    gradient = scenario_gradient(measure, outcomes, 0.9)
    assert np.isfinite(gradient).all()
    assert gradient @ outcomes.returns == 0.0


def test_a_drawdown_needs_an_order() -> None:
    with pytest.raises(NotSupported, match="order in time"):
        scenario_gradient(RiskMeasure.ULCER_INDEX, Outcomes(RETURNS, UNEVEN), 0.9)
