"""Goals over the wire beyond the usual ones: measures by rank, higher moments, the worst covariance."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.e2e.test_breadth import MEASURES, MU, OPTIMIZE, PANEL, RETURNS, RNG, SIGMA, asked, weights_of

RANKED_MEASURES = ["GINI_MEAN_DIFFERENCE", "TAIL_GINI", "TAIL_GINI_RANGE", "CVAR_RANGE"]


@pytest.mark.parametrize("measure", RANKED_MEASURES)
def test_utility_and_ratio_of_measures_by_rank(wire: Wire, measure: str) -> None:
    name = f"RISK_MEASURE_{measure}"
    utility = wire.call(OPTIMIZE, asked({"maxUtility": {"riskAversion": 1.5}}, riskMeasure=name))
    ratio = wire.call(OPTIMIZE, asked({"maxRatio": {"riskFreeRateAnnual": 0.03}}, riskMeasure=name))

    def figures(answer: dict[str, Any]) -> tuple[float, float]:
        gain, risk = answer["expectedReturnAnnual"], answer["risk"]
        return gain - 0.75 * 252 * risk, (gain - 0.03) / risk

    weights_of(utility), weights_of(ratio)
    # No portfolio of the frontier that the least risk draws does better, and the best of it comes close.
    low, high = ratio["expectedReturnAnnual"] * 0.5, utility["expectedReturnAnnual"] * 2
    for floor in np.linspace(low, min(high, 252 * MU.max()), 8):
        least = {"returnFloor": {"minReturnAnnual": float(floor)}}
        rival = figures(wire.call(OPTIMIZE, asked({"minRisk": {}}, least, riskMeasure=name)))
        assert rival[0] <= figures(utility)[0] * (1 + 1e-7)
        assert rival[1] <= figures(ratio)[1] * (1 + 1e-7)
    for answer, place in ((utility, 0), (ratio, 1)):
        own = {"returnFloor": {"minReturnAnnual": answer["expectedReturnAnnual"]}}
        same = wire.call(OPTIMIZE, asked({"minRisk": {}}, own, riskMeasure=name))
        assert figures(same)[place] == pytest.approx(figures(answer)[place], rel=1e-6)


@pytest.mark.parametrize("goal", [{"maxUtility": {"riskAversion": 1.5}}, {"maxRatio": {"riskFreeRateAnnual": 0.03}}])
def test_goals_of_an_ordered_weighted_average(wire: Wire, goal: dict[str, Any]) -> None:
    """With CVaR's weights it is CVaR."""
    weights = [1 / 6] * 6 + [0.0] * 114
    averaged = wire.call(OPTIMIZE, asked({"owa": {"weights": weights, **goal}}))
    known = wire.call(OPTIMIZE, asked(goal, riskMeasure="RISK_MEASURE_CVAR"))
    assert weights_of(averaged) == pytest.approx(weights_of(known), abs=1e-5)
    assert averaged["ratio"] == pytest.approx(known["ratio"], rel=1e-5)
    refusal = wire.refused(OPTIMIZE, asked({"owa": {"weights": weights, **goal}}, costs={"commissionBps": 5}))
    assert refusal.reason == "NOT_SUPPORTED"
    assert "trading costs" in refusal.message


def test_limits_and_frontiers_of_measures_by_rank(wire: Wire) -> None:
    gini = "RISK_MEASURE_GINI_MEAN_DIFFERENCE"
    traced = list(
        wire.stream(
            "OptimizationService/TraceFrontier",
            {"returns": PANEL, "periodsPerYear": 252, "riskMeasure": gini, "points": 4},
        )
    )
    assert len(traced) == 4
    middle = traced[2]
    limit = {"label": "gini", "riskLimit": {"riskMeasure": gini, "max": middle["risk"]}}
    answer = wire.call(OPTIMIZE, asked({"maxReturn": {}}, limit))
    assert answer["expectedReturnAnnual"] == pytest.approx(middle["expectedReturnAnnual"], rel=1e-5)
    assert MEASURES["GINI_MEAN_DIFFERENCE"](weights_of(answer)) <= middle["risk"] + 1e-8  # type: ignore[misc]
    assert {b["label"] for b in answer["binding"]} >= {"gini"}
    refusal = wire.refused(
        OPTIMIZE, asked({"minRisk": {}}, {**limit, "riskLimit": {"riskMeasure": gini, "max": 0.5 * traced[-1]["risk"]}})
    )
    assert refusal.reason == "PROBLEM_INFEASIBLE"
    assert refusal.conflicts["gini"] == pytest.approx(0.5 * traced[-1]["risk"], rel=1e-4)


def test_the_worst_covariance_of_an_ellipsoid(wire: Wire) -> None:
    """It multiplies every variance, also with shorts: the answer is that of a larger aversion."""
    squared = 32.6705733409  # chi-squared quantile at 0.95 with 21 degrees of freedom
    factor = 1 + (squared * 2 / 120) ** 0.5
    short = {"leverage": {"maxShort": 0.3}}
    doubt = {"worstCase": {"maxUtility": {"riskAversion": 2.0}, "covariance": "UNCERTAINTY_ELLIPSOID"}}
    careful = weights_of(wire.call(OPTIMIZE, asked(doubt, short)))
    plain = weights_of(wire.call(OPTIMIZE, asked({"maxUtility": {"riskAversion": 2.0 * factor}}, short)))
    assert careful == pytest.approx(plain, abs=1e-5)
    assert careful.min() < -0.01

    def worst(held: np.ndarray) -> float:
        return float(252 * (held @ MU - held @ SIGMA @ held * factor))

    assert all(worst(0.99 * careful + 0.01 * rival) <= worst(careful) for rival in RNG.dirichlet(np.ones(6), 50))


def test_four_moments(wire: Wire) -> None:
    """The expansion of a power utility with an aversion of 6."""
    a, b, c = 3.0, 7.0, 14.0
    objective = {"higherMoments": {"variance": a, "skewness": b, "kurtosis": c}}
    answer = wire.call(OPTIMIZE, asked(objective))
    w = weights_of(answer)

    def worth(held: np.ndarray) -> float:
        x = RETURNS @ held
        z = x - x.mean()
        return float(x.mean() - (a * z**2 - b * z**3 + c * z**4).mean())

    rivals = [*RNG.dirichlet(np.ones(6), 300), *(0.99 * w + 0.01 * RNG.dirichlet(np.ones(6), 100))]
    assert all(worth(rival) <= worth(w) + 1e-12 for rival in rivals)
    least = weights_of(wire.call(OPTIMIZE, asked({"higherMoments": {"kurtosis": 1.0, "ignoreMean": True}})))
    known = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, riskMeasure="RISK_MEASURE_KURTOSIS")))
    assert least == pytest.approx(known, abs=1e-4)
    few = weights_of(wire.call(OPTIMIZE, asked(objective, {"cardinality": {"maxAssets": 2}})))
    assert np.count_nonzero(few) <= 2
    assert worth(few) <= worth(w)


def test_moments_that_are_not_convex_are_refused_by_name(wire: Wire) -> None:
    refusal = wire.refused(OPTIMIZE, asked({"higherMoments": {"variance": 1.0, "skewness": 2.0, "kurtosis": 1.0}}))
    assert refusal.reason == "INVALID_INPUT"
    assert refusal.fields == ("objective.higher_moments.skewness",)
    assert "8/3 x variance x kurtosis" in refusal.message
    refusal = wire.refused(OPTIMIZE, asked({"higherMoments": {}}))
    assert refusal.fields == ("objective.higher_moments.variance",)
    moments = {"symbols": ["A"], "expectedReturns": [0.01], "covariance": [0.04], "periodsPerYear": 12}
    request = {"moments": moments, "objective": {"higherMoments": {"variance": 1.0, "kurtosis": 1.0}}}
    refusal = wire.refused(OPTIMIZE, request)
    assert refusal.reason == "NOT_SUPPORTED"
    assert "higher moments need returns, prices or scenarios" in refusal.message
