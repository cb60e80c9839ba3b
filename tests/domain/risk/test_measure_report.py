"""Measures with their contributions, and those that the data do not have."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.analyzer import analyze
from domain.risk.figure import Absent
from domain.risk.measure_report import MeasureReport
from domain.risk.measures import RiskMeasure
from domain.risk.query import RiskQuery

VALUES = np.random.default_rng(9).normal(0.0, 0.01, (40, 2))
WEIGHTS = np.array([0.6, 0.4])
COVARIANCE = np.cov(VALUES.T)
PANEL = ReturnPanel.of("AB", range(40), VALUES)
SCENARIOS = Scenarios.of("AB", VALUES)
MOMENTS = Moments.of("AB", VALUES.mean(axis=0), COVARIANCE, 252.0)


def reported(data: ReturnPanel | Scenarios | Moments, measure: RiskMeasure) -> MeasureReport:
    (found,) = analyze(RiskQuery(data, WEIGHTS, 252.0, measures=(measure,))).measures
    assert found.measure is measure
    return found


@pytest.mark.parametrize(
    ("data", "measure"),
    [
        (SCENARIOS, RiskMeasure.MAX_DRAWDOWN),  # they have no order
        (MOMENTS, RiskMeasure.CONDITIONAL_VALUE_AT_RISK),
        (ReturnPanel.of("AB", [0], VALUES[:1]), RiskMeasure.VARIANCE),
    ],
)
def test_what_the_data_do_not_have(data: ReturnPanel | Scenarios | Moments, measure: RiskMeasure) -> None:
    found = reported(data, measure)
    assert isinstance(found.value, Absent)
    assert found.contributions is None


@pytest.mark.parametrize("data", [PANEL, MOMENTS])
@pytest.mark.parametrize(("measure", "degree"), [(RiskMeasure.VARIANCE, 2), (RiskMeasure.STANDARD_DEVIATION, 1)])
def test_measures_of_the_covariance(data: ReturnPanel | Moments, measure: RiskMeasure, degree: int) -> None:
    """Per period; contributions w_i (Sw)_i, over the deviation for the first degree, sum to the measure."""
    found = reported(data, measure)
    deviation = float(WEIGHTS @ COVARIANCE @ WEIGHTS) ** 0.5
    assert found.value == pytest.approx(deviation**degree)
    assert found.contributions is not None
    parts = WEIGHTS * (COVARIANCE @ WEIGHTS) * deviation ** (degree - 2)
    np.testing.assert_allclose(found.contributions.by_asset, parts, rtol=1e-9)
    assert found.contributions.by_asset.sum() == pytest.approx(deviation**degree)
