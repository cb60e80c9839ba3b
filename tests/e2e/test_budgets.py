"""Risk budgets of assets and factors within limits, and bounds on risk contributions, over the wire."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire

OPTIMIZE = "OptimizationService/Optimize"
FEASIBILITY = {"checkFeasibility": True, "validateOnly": True}
SYMBOLS = list("ABCDEF")
RNG = np.random.default_rng(33)
RETURNS = (
    RNG.normal(size=(100, 1)) * 0.006 + RNG.normal(size=(100, 6)) * [0.004, 0.006, 0.01, 0.012, 0.015, 0.02] + 4e-4
)
PANEL = {"symbols": SYMBOLS, "dates": list(range(100)), "values": RETURNS.ravel().tolist()}
SIGMA = np.cov(RETURNS.T)
LOADINGS = np.array([[1.0, 0.1], [0.8, 0.5], [1.1, 0.2], [0.9, 0.9], [1.2, 0.4], [0.7, 1.1]])
SHORTS = {"label": "shorts", "leverage": {"maxShort": 50}}
CAPS = {"label": "shares", "riskContributionBounds": {"upper": 0.2}}


def asked(objective: dict[str, Any], *constraints: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"returns": PANEL, "periodsPerYear": 252, "objective": objective, "constraints": list(constraints), **more}


def weights_of(answer: dict[str, Any]) -> np.ndarray:
    assert answer["certificate"]["maxConstraintViolation"] <= 1e-8
    assert answer["certificate"].get("dualityGap", 0.0) <= 1e-7
    return np.array([w.get("weight", 0.0) for w in answer["weights"]])


def factors(given: list[float], loadings: np.ndarray = LOADINGS, **more: Any) -> dict[str, Any]:
    listed = [
        {
            "factor": f"F{k}",
            "budget": budget,
            "loadings": [{"symbol": s, "loading": float(x)} for s, x in zip(SYMBOLS, loadings[:, k], strict=True)],
        }
        for k, budget in enumerate(given)
    ]
    return {"riskBudget": {"factorBudgets": listed, **more}}


def test_factors_carry_their_budgets(wire: Wire) -> None:
    w = weights_of(wire.call(OPTIMIZE, asked(factors([3.0, 1.0]), SHORTS)))
    pull = SIGMA @ w
    shares = (LOADINGS.T @ w) * (np.linalg.pinv(LOADINGS) @ pull) / (w @ pull)
    assert shares == pytest.approx([0.75, 0.25], abs=1e-9)
    assert LOADINGS @ np.linalg.pinv(LOADINGS) @ pull == pytest.approx(pull, abs=1e-9 * np.abs(pull).max())
    assert w.sum() == pytest.approx(1.0)


def test_factor_budgets_stay_long_by_default(wire: Wire) -> None:
    """Where a lower bound does not bind, d (volatility - lambda sum b ln y) is 0; where it does, it is not below 0."""
    loadings, budgets = LOADINGS * [1.0, -1.0] + [0.0, 0.6], np.array([0.5, 0.5])
    answer = wire.call(OPTIMIZE, asked(factors([0.5, 0.5], loadings)))
    w = weights_of(answer)
    assert w.min() >= 0.0
    held = w > 1e-6
    assert not held.all()
    assert {one["label"] for one in answer["binding"]} == {"default:long_only"}
    slope, pull = SIGMA @ w / (w @ SIGMA @ w) ** 0.5, loadings @ (budgets / (loadings.T @ w))
    factor = float(slope[held] @ pull[held] / (pull[held] @ pull[held]))
    assert slope[held] == pytest.approx(factor * pull[held], rel=1e-4)
    assert (slope - factor * pull >= -1e-6 * np.abs(slope).max()).all()


REFUSED = {
    "beside budgets": (factors([1.0], budgets=[{"symbol": "A", "budget": 1}]), "objective.risk_budget.factor_budgets"),
    "a factor twice": (
        {"riskBudget": {"factorBudgets": factors([1.0])["riskBudget"]["factorBudgets"] * 2}},
        "objective.risk_budget.factor_budgets[1].factor",
    ),
    "loadings of nothing": (factors([1.0], 0.0 * LOADINGS), "objective.risk_budget.factor_budgets[0].loadings"),
    "one factor as two": (
        factors([1.0, 1.0], LOADINGS[:, [0, 0]]),
        "objective.risk_budget.factor_budgets[1].loadings",
    ),
    "a stranger": (
        {"riskBudget": {"factorBudgets": [{"factor": "F", "budget": 1, "loadings": [{"symbol": "Z", "loading": 1}]}]}},
        "objective.risk_budget.factor_budgets[0].loadings[0].symbol",
    ),
    "a budget of nothing": (factors([0.0]), "objective.risk_budget.factor_budgets[0].budget"),
}


@pytest.mark.parametrize(("objective", "field"), REFUSED.values(), ids=REFUSED)
def test_factor_budgets_that_make_no_sense_name_their_field(wire: Wire, objective: dict[str, Any], field: str) -> None:
    refusal = wire.refused(OPTIMIZE, asked(objective))
    assert refusal.code == "INVALID_ARGUMENT"
    assert refusal.fields == (field,)


def test_a_singular_covariance_is_refused_for_factor_budgets(wire: Wire) -> None:
    moments = {"symbols": ["A", "B"], "covariance": [0.04, 0.04, 0.04, 0.04], "periodsPerYear": 12}
    one = {"factor": "F", "budget": 1, "loadings": [{"symbol": "A", "loading": 1}]}
    refusal = wire.refused(OPTIMIZE, {"moments": moments, "objective": {"riskBudget": {"factorBudgets": [one]}}})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("moments.covariance",))


def test_budgets_of_cvar_within_bounds(wire: Wire) -> None:
    """No portfolio of the same bounds has a smaller CVaR and a larger sum of logarithms at once."""
    bounds = {"label": "band", "weightBounds": {"lower": 0.1, "upper": 0.22}}
    answer = wire.call(OPTIMIZE, asked({"riskBudget": {}}, bounds, riskMeasure="RISK_MEASURE_CVAR"))
    w = weights_of(answer)
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    assert w.min() >= 0.1 - 1e-9
    assert w.max() <= 0.22 + 1e-9

    def risk(x: np.ndarray) -> float:
        return float(np.sort(-RETURNS @ x)[::-1][:5].mean())

    assert answer["risk"] == pytest.approx(risk(w), rel=1e-9)
    rivals = np.clip(w + RNG.normal(0, 0.02, (5000, 6)), 0.1, 0.22)
    better = [x for x in rivals if risk(x) < risk(w) * (1 - 1e-6) and np.log(x).sum() > np.log(w).sum() + 1e-6]
    assert not better


def test_budgets_within_a_group(wire: Wire) -> None:
    group = {"label": "calm", "groupBounds": {"symbols": ["A", "B"], "upper": 0.4}}
    answer = wire.call(OPTIMIZE, asked({"riskBudget": {}}, group))
    w = weights_of(answer)
    assert w[:2].sum() == pytest.approx(0.4, abs=1e-6)
    # Inside and outside the group the contributions are equal, each among themselves but for the group's push.
    carried = w * (SIGMA @ w)
    assert carried[2:] == pytest.approx(np.full(4, carried[2:].mean()), rel=1e-4)
    assert (carried / w)[:2] - carried[2:].mean() / w[:2] == pytest.approx(
        np.full(2, float(np.mean((carried / w)[:2] - carried[2:].mean() / w[:2]))), rel=1e-3
    )
    assert {one["label"] for one in answer["binding"]} == {"calm"}


@pytest.mark.parametrize("objective", [{"minRisk": {}}, {"maxUtility": {"riskAversion": 4}}, {"maxRatio": {}}], ids=str)
def test_shares_of_the_risk_stay_within_their_bounds(wire: Wire, objective: dict[str, Any]) -> None:
    free = wire.call(OPTIMIZE, asked(objective))
    assert max(one.get("fraction", 0.0) for one in free["riskContributions"]) > 0.2
    answer = wire.call(OPTIMIZE, asked(objective, CAPS))
    w = weights_of(answer)
    shares = w * (SIGMA @ w) / (w @ SIGMA @ w)
    assert shares.max() <= 0.2 + 1e-8
    assert [one.get("fraction", 0.0) for one in answer["riskContributions"]] == pytest.approx(shares, abs=1e-9)


def test_the_least_variance_with_bounded_shares_has_no_better(wire: Wire) -> None:
    w = weights_of(wire.call(OPTIMIZE, asked({"minRisk": {}}, CAPS)))
    rivals = [*RNG.dirichlet(np.ones(6), 20000), *(w * np.exp(RNG.normal(0, 0.03, (20000, 6))))]
    rivals = [x / x.sum() for x in rivals]
    kept = [x for x in rivals if (x * (SIGMA @ x)).max() <= 0.2 * (x @ SIGMA @ x)]
    assert len(kept) > 50
    assert all(x @ SIGMA @ x >= w @ SIGMA @ w * (1 - 1e-7) for x in kept)


def test_a_least_share_is_carried(wire: Wire) -> None:
    least = {"label": "least", "riskContributionBounds": {"lower": 0.25, "symbols": ["F"]}}
    answer = wire.call(OPTIMIZE, asked({"minRisk": {}}, least, riskMeasure="RISK_MEASURE_CVAR"))
    w = weights_of(answer)
    assert w[5] * (SIGMA @ w)[5] / (w @ SIGMA @ w) == pytest.approx(0.25, abs=1e-6)


def test_shares_that_cannot_add_up_are_a_conflict(wire: Wire) -> None:
    narrow = {"label": "narrow", "riskContributionBounds": {"upper": 0.16}}
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, narrow))
    assert refusal.reason == "PROBLEM_INFEASIBLE"
    assert refusal.conflicts == {"narrow": pytest.approx(1 / 6 - 0.16, abs=1e-6)}


def test_bounds_with_shorts_are_refused_by_label(wire: Wire) -> None:
    refusal = wire.refused(OPTIMIZE, asked({"minRisk": {}}, CAPS, SHORTS))
    assert refusal.reason == "NOT_SUPPORTED"
    assert "shares" in refusal.message
