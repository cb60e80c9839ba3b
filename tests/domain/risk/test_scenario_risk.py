"""Every measure of outcomes against Riskfolio-Lib's own functions, which share no line with ours."""

import warnings
from typing import Any

import numpy as np
import pytest

from domain.errors import NotSupported
from domain.risk.measures import RiskMeasure
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import scenario_risk

RETURNS = np.random.default_rng(0).standard_t(4, 293) * 0.01


def theirs(name: str, *arguments: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from riskfolio.src import RiskFunctions

        found = getattr(RiskFunctions, name)(RETURNS, *arguments)
    return float(found[0] if isinstance(found, tuple) else found)


PEERS: dict[RiskMeasure, tuple[str, float, tuple[Any, ...]]] = {
    # Name, relative tolerance, arguments. Their relativistic ones come from a cone solver; their tail Ginis are sums
    # over a hundred tails where ours are integrals.
    RiskMeasure.SEMI_DEVIATION: ("SemiDeviation", 1e-12, ()),
    RiskMeasure.MEAN_ABSOLUTE_DEVIATION: ("MAD", 1e-12, ()),
    RiskMeasure.GINI_MEAN_DIFFERENCE: ("GMD", 1e-12, ()),
    RiskMeasure.KURTOSIS: ("Kurtosis", 1e-12, ()),
    RiskMeasure.SEMI_KURTOSIS: ("SemiKurtosis", 1e-12, ()),
    RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT: ("LPM", 1e-12, (0, 1)),
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK: ("CVaR_Hist", 1e-12, ()),
    RiskMeasure.TAIL_GINI: ("TG", 1e-4, ()),
    RiskMeasure.TAIL_GINI_RANGE: ("TGRG", 1e-4, ()),
    RiskMeasure.ENTROPIC_VALUE_AT_RISK: ("EVaR_Hist", 1e-9, ()),
    RiskMeasure.RELATIVISTIC_VALUE_AT_RISK: ("RLVaR_Hist", 1e-6, ()),
    RiskMeasure.WORST_REALIZATION: ("WR", 1e-12, ()),
    RiskMeasure.RANGE: ("RG", 1e-12, ()),
    RiskMeasure.CVAR_RANGE: ("CVRG", 1e-12, ()),
    RiskMeasure.EVAR_RANGE: ("EVRG", 1e-9, ()),
    RiskMeasure.RLVAR_RANGE: ("RVRG", 1e-6, ()),
    RiskMeasure.MAX_DRAWDOWN: ("MDD_Abs", 1e-12, ()),
    RiskMeasure.AVERAGE_DRAWDOWN: ("ADD_Abs", 1e-12, ()),
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK: ("CDaR_Abs", 1e-12, ()),
    RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK: ("EDaR_Abs", 1e-9, ()),
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK: ("RLDaR_Abs", 1e-6, ()),
    RiskMeasure.ULCER_INDEX: ("UCI_Abs", 1e-12, ()),
}


@pytest.mark.parametrize("measure", PEERS, ids=str)
def test_a_measure_is_theirs(measure: RiskMeasure) -> None:
    name, tolerance, arguments = PEERS[measure]
    ours = scenario_risk(measure, Outcomes(RETURNS), 0.95)
    assert ours == pytest.approx(theirs(name, *arguments), rel=tolerance)


def test_the_second_lower_partial_moment_has_the_divisor_t() -> None:
    ours = scenario_risk(RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT, Outcomes(RETURNS), 0.95)
    assert ours == pytest.approx(theirs("LPM", 0, 2) * (292 / 293) ** 0.5, rel=1e-12)


def test_a_drawdown_needs_an_order() -> None:
    with pytest.raises(NotSupported, match="order in time"):
        scenario_risk(RiskMeasure.MAX_DRAWDOWN, Outcomes(RETURNS, np.full(293, 1 / 293)), 0.95)
