"""Every objective and constraint over the wire, against independent computations."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from sklearn.covariance import OAS, LedoitWolf

from tests.conftest import Wire, refusal_of
from tests.reference.test_black_litterman import COVARIANCE as COUNTRIES

OPTIMIZE = "OptimizationService/Optimize"

SYMBOLS = list("ABCDEF")
RNG = np.random.default_rng(11)
RETURNS = RNG.normal(0.0006, 0.01, (300, 6)) @ (np.eye(6) + 0.3)
MEANS, COVARIANCE = RETURNS.mean(axis=0), np.cov(RETURNS.T)
P = 252.0


def request(objective: dict[str, Any], *constraints: dict[str, Any], **more: Any) -> dict[str, Any]:
    moments = {
        "symbols": SYMBOLS,
        "expectedReturns": MEANS.tolist(),
        "covariance": COVARIANCE.ravel().tolist(),
        "periodsPerYear": P,
    }
    return {"moments": moments, "objective": objective, "constraints": list(constraints), **more}


def weights_of(answer: dict[str, Any]) -> np.ndarray:
    assert [entry["symbol"] for entry in answer["weights"]] == SYMBOLS
    return np.array([entry["weight"] for entry in answer["weights"]])


def slsqp(objective: Any, lower: float = 0.0, upper: float = 1.0, *more: Any) -> np.ndarray:
    """The best of many starts by another solver."""
    best = None
    for start in [np.full(6, 1 / 6), *RNG.dirichlet(np.ones(6), 6)]:
        found = minimize(
            objective,
            start,
            method="SLSQP",
            bounds=[(lower, upper)] * 6,
            constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1.0}, *more],
            options={"ftol": 1e-15, "maxiter": 1000},
        )
        if found.success and (best is None or found.fun < best.fun):
            best = found
    assert best is not None
    return best.x


def variance(w: np.ndarray) -> float:
    return float(w @ COVARIANCE @ w) * 1e4


def minus_sharpe(w: np.ndarray) -> float:
    return -float(P * MEANS @ w - 0.01) / float(P * w @ COVARIANCE @ w) ** 0.5


def minus_diversification(w: np.ndarray) -> float:
    return -float(np.sqrt(np.diag(COVARIANCE)) @ w) / float(w @ COVARIANCE @ w) ** 0.5


def minus_utility(w: np.ndarray) -> float:
    return -P * float(MEANS @ w - 2.0 * w @ COVARIANCE @ w)


CAPS = {"label": "caps", "weightBounds": {"upper": 0.35}}
SMOOTH = {
    "least variance": ({"minRisk": {}}, variance),
    "best Sharpe ratio": ({"maxRatio": {"riskFreeRateAnnual": 0.01}}, minus_sharpe),
    "best diversification": ({"maxDiversification": {}}, minus_diversification),
    "best utility": ({"maxUtility": {"riskAversion": 4}}, minus_utility),
}


@pytest.mark.parametrize("upper", [1.0, 0.35])
@pytest.mark.parametrize(("objective", "function"), SMOOTH.values(), ids=SMOOTH)
def test_no_other_solver_finds_better(wire: Any, objective: dict[str, Any], function: Any, upper: float) -> None:
    answer = wire.call(OPTIMIZE, request(objective, *([CAPS] if upper < 1 else [])))
    ours = weights_of(answer)
    theirs = slsqp(function, 0.0, upper)
    assert function(ours) <= function(theirs) + 1e-9 * abs(function(theirs))
    assert ours == pytest.approx(theirs, abs=2e-4)
    assert answer["certificate"]["dualityGap"] <= 1e-7
    assert answer["certificate"]["maxConstraintViolation"] <= 1e-8


def test_figures_are_those_of_the_weights(wire: Any) -> None:
    answer = wire.call(OPTIMIZE, request({"maxRatio": {"riskFreeRateAnnual": 0.01}}))
    w = weights_of(answer)
    assert answer["expectedReturnAnnual"] == pytest.approx(P * MEANS @ w)
    assert answer["volatilityAnnual"] == pytest.approx((P * w @ COVARIANCE @ w) ** 0.5)
    assert answer["risk"] == pytest.approx(w @ COVARIANCE @ w)
    assert answer["ratio"] == pytest.approx(-minus_sharpe(w))
    assert answer["diversification"] == pytest.approx(-minus_diversification(w))
    assert answer["effectiveNumberOfAssets"] == pytest.approx(1 / (w @ w))
    contributions = [entry["contribution"] for entry in answer["riskContributions"]]
    assert sum(contributions) == pytest.approx(answer["volatilityAnnual"], rel=1e-10)


def test_standard_deviation_is_the_root_of_variance(wire: Any) -> None:
    by_variance = wire.call(OPTIMIZE, request({"minRisk": {}}))
    by_deviation = wire.call(OPTIMIZE, request({"minRisk": {}}, riskMeasure="RISK_MEASURE_STANDARD_DEVIATION"))
    assert by_deviation["risk"] == pytest.approx(by_variance["risk"] ** 0.5)
    assert weights_of(by_deviation) == pytest.approx(weights_of(by_variance))


def test_highest_return_fills_the_best_up_to_their_caps(wire: Any) -> None:
    w = weights_of(wire.call(OPTIMIZE, request({"maxReturn": {}}, CAPS)))
    order = np.argsort(-MEANS)
    assert w[order] == pytest.approx([0.35, 0.35, 0.3, 0, 0, 0], abs=1e-9)


def test_a_return_floor_binds_and_has_its_price(wire: Any) -> None:
    free = wire.call(OPTIMIZE, request({"minRisk": {}}))
    floor = free["expectedReturnAnnual"] + 0.03

    def risk_at(level: float) -> dict[str, Any]:
        return wire.call(
            OPTIMIZE, request({"minRisk": {}}, {"label": "floor", "returnFloor": {"minReturnAnnual": level}})
        )

    answer = risk_at(floor)
    assert answer["expectedReturnAnnual"] == pytest.approx(floor, abs=1e-9)
    price = next(b["shadowPrice"] for b in answer["binding"] if b["label"] == "floor")
    step = 1e-5
    slope = (risk_at(floor + step)["risk"] - risk_at(floor - step)["risk"]) / (2 * step)
    assert price == pytest.approx(slope, rel=1e-4)


def test_equal_risk_contributions(wire: Any) -> None:
    answer = wire.call(OPTIMIZE, request({"riskBudget": {}}))
    assert [entry["fraction"] for entry in answer["riskContributions"]] == pytest.approx([1 / 6] * 6, abs=1e-10)


def test_given_risk_budgets(wire: Any) -> None:
    shares = [5, 1, 1, 1, 1, 1]
    budgets = [{"symbol": s, "budget": b} for s, b in zip(SYMBOLS, shares, strict=True)]
    answer = wire.call(OPTIMIZE, request({"riskBudget": {"budgets": budgets}}))
    assert [entry["fraction"] for entry in answer["riskContributions"]] == pytest.approx(
        np.array(shares) / 10, abs=1e-10
    )


def test_bounded_risk_budgets_minimise_their_definition(wire: Any) -> None:
    """volatility - lambda sum b ln w within bounds, by another solver, with the lambda that the answer implies."""
    lower, upper = 0.16, 0.175
    limits = {"label": "band", "weightBounds": {"lower": lower, "upper": upper}}
    w = weights_of(wire.call(OPTIMIZE, request({"riskBudget": {}}, limits)))
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    volatility = (w @ COVARIANCE @ w) ** 0.5
    inside = (w > lower + 1e-6) & (w < upper - 1e-6)
    assert inside.any()
    assert not inside.all()
    multipliers = w * (COVARIANCE @ w) / volatility * 6
    value = multipliers[inside].mean()
    assert multipliers[inside] == pytest.approx(np.full(inside.sum(), value), rel=1e-7)

    def definition(x: np.ndarray) -> float:
        return 1e3 * float((x @ COVARIANCE @ x) ** 0.5 - value / 6 * np.log(x).sum())

    theirs = minimize(definition, w, method="L-BFGS-B", bounds=[(lower, upper)] * 6, options={"ftol": 1e-15}).x
    assert theirs == pytest.approx(w, abs=1e-5)


def test_formulas(wire: Any) -> None:
    assert weights_of(wire.call(OPTIMIZE, request({"equalWeight": {}}))) == pytest.approx([1 / 6] * 6)
    inverse = 1 / np.sqrt(np.diag(COVARIANCE))
    answer = wire.call(OPTIMIZE, request({"inverseVolatility": {}}))
    assert weights_of(answer) == pytest.approx(inverse / inverse.sum())
    assert "dualityGap" not in answer["certificate"]


def test_shorts_and_gross_exposure(wire: Any) -> None:
    leverage = {"label": "130/30", "leverage": {"maxShort": 0.3, "maxGross": 1.6}}
    w = weights_of(wire.call(OPTIMIZE, request({"maxUtility": {"riskAversion": 4}}, leverage)))
    assert w.sum() == pytest.approx(1.0, abs=1e-8)
    assert -w[w < 0].sum() == pytest.approx(0.3, abs=1e-8)
    theirs = slsqp(minus_utility, -0.3, 1.3, {"type": "ineq", "fun": lambda x: 0.3 - np.maximum(-x, 0).sum()})
    assert minus_utility(w) <= minus_utility(theirs) + 1e-8


def test_a_market_neutral_portfolio(wire: Any) -> None:
    leverage = {"label": "neutral", "leverage": {"maxGross": 2.0, "budget": 0.0}}
    w = weights_of(wire.call(OPTIMIZE, request({"maxRatio": {}}, leverage)))
    assert w.sum() == pytest.approx(0.0, abs=1e-8)
    assert np.abs(w).sum() <= 2.0 + 1e-8
    # Without the gross limit the direction is known: Sigma^-1 (mu - m 1) with m such that the sum is zero.
    inverse = np.linalg.inv(COVARIANCE)
    m = (inverse @ MEANS).sum() / inverse.sum()
    direction = inverse @ (MEANS - m)
    assert w / np.abs(w).sum() == pytest.approx(direction / np.abs(direction).sum(), abs=1e-6)


@pytest.mark.parametrize(("kind", "two_way"), [("TURNOVER_KIND_ONE_WAY", 0.2), ("TURNOVER_KIND_TWO_WAY", 0.1)])
def test_turnover_from_the_current_weights(wire: Any, kind: str, two_way: float) -> None:
    current = np.full(6, 1 / 6)
    limit = {"label": "slow", "turnover": {"maxTurnover": 0.1, "kind": kind}}
    held = [{"symbol": s, "weight": w} for s, w in zip(SYMBOLS, current.tolist(), strict=True)]
    answer = wire.call(
        OPTIMIZE, request({"minRisk": {}}, limit, currentWeights=held, costs={"commissionBps": 10, "halfSpreadBps": 5})
    )
    w = weights_of(answer)
    traded = np.abs(w - current).sum()
    assert traded == pytest.approx(two_way, abs=1e-7)
    assert answer["turnoverOneWay"] == pytest.approx(traded / 2)
    assert answer["cost"] == pytest.approx(traded * 0.0015)
    theirs = slsqp(variance, 0.0, 1.0, {"type": "ineq", "fun": lambda x: two_way - np.abs(x - current).sum()})
    assert variance(w) <= variance(theirs) * (1 + 1e-6)


def test_groups_and_sums(wire: Any) -> None:
    listed = {"groups": [{"name": "g", "symbols": ["A", "B"]}]}
    group = {"label": "g", "groupBounds": {"group": "g", "lower": 0.5, "upper": 0.6}}
    linear = {
        "label": "tilt",
        "linear": {
            "terms": [{"symbol": "C", "coefficient": 1}, {"symbol": "D", "coefficient": -1}],
            "lower": 0.05,
            "upper": 0.05,
        },
    }
    w = weights_of(wire.call(OPTIMIZE, request({"minRisk": {}}, group, linear, **listed)))
    assert 0.5 - 1e-8 <= w[0] + w[1] <= 0.6 + 1e-8
    assert w[2] - w[3] == pytest.approx(0.05, abs=1e-8)


def test_cash_is_what_the_budget_leaves(wire: Any) -> None:
    w = weights_of(wire.call(OPTIMIZE, request({"minRisk": {}}, {"label": "cash", "leverage": {"budget": 0.8}})))
    full = weights_of(wire.call(OPTIMIZE, request({"minRisk": {}})))
    assert w == pytest.approx(0.8 * full, abs=1e-9)


CONFLICTS = {
    "caps below the budget": (
        [{"label": "caps", "weightBounds": {"upper": 0.15}}],
        {"caps": 1 / 6 - 0.15, "default:budget": 0.1},
    ),
    "a floor above every mean": (
        [{"label": "floor", "returnFloor": {"minReturnAnnual": 9.0}}],
        {"floor": 9.0 - P * MEANS.max(), "default:budget": None, "default:long_only": None},
    ),
    "two groups above one": (
        [
            {"label": "g", "groupBounds": {"symbols": ["A", "B"], "lower": 0.7}},
            {"label": "h", "groupBounds": {"symbols": ["C", "D"], "lower": 0.5}},
        ],
        {"g": 0.2, "h": 0.2, "default:long_only": None, "default:budget": 0.2},
    ),
    "bounds of two labels that cross": (
        [
            {"label": "least", "weightBounds": {"lower": 0.5, "symbols": ["A"]}},
            {"label": "most", "weightBounds": {"upper": 0.3, "symbols": ["A"]}},
            {"label": "idle", "weightBounds": {"upper": 0.9, "symbols": ["B"]}},
        ],
        {"least": 0.2, "most": 0.2},
    ),
}


@pytest.mark.parametrize(("constraints", "expected"), CONFLICTS.values(), ids=CONFLICTS)
@pytest.mark.parametrize("objective", [{"minRisk": {}}, {"maxReturn": {}}, {"maxRatio": {}}, {"riskBudget": {}}])
def test_a_conflict_is_named_exactly(
    wire: Any, constraints: list[dict[str, Any]], expected: dict[str, float | None], objective: dict[str, Any]
) -> None:
    refusal = wire.refused(OPTIMIZE, request(objective, *constraints))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "PROBLEM_INFEASIBLE")
    assert set(refusal.conflicts) == set(expected)
    for label, relaxation in expected.items():
        if relaxation is not None:
            assert refusal.conflicts[label] == pytest.approx(relaxation, abs=1e-6), label
    for label in (c["label"] for c in constraints if c["label"] in expected):
        rest = [c for c in constraints if c["label"] != label]
        if set(expected) - {"default:budget", "default:long_only"} == {label}:
            assert weights_of(wire.call(OPTIMIZE, request(objective, *rest))).sum() == pytest.approx(1.0)


def test_no_positive_excess_return_is_an_outcome_of_its_own(wire: Any) -> None:
    refusal = wire.refused(OPTIMIZE, request({"maxRatio": {"riskFreeRateAnnual": 5.0}}))
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "NO_POSITIVE_EXCESS_RETURN")


def test_every_input_gives_the_same_answer(wire: Any) -> None:
    prices = np.vstack([np.ones(6), np.cumprod(1 + RETURNS, axis=0)])
    weekdays = [4 + 7 * (i // 5) + i % 5 for i in range(301)]  # from Monday, 1970-01-05
    inputs = [
        {"prices": {"symbols": SYMBOLS, "dates": weekdays, "values": prices.ravel().tolist()}},
        {
            "returns": {"symbols": SYMBOLS, "dates": list(range(300)), "values": RETURNS.ravel().tolist()},
            "periodsPerYear": P,
        },
    ]
    expected = weights_of(wire.call(OPTIMIZE, request({"minRisk": {}})))
    for data in inputs:
        answer = wire.call(OPTIMIZE, {**data, "objective": {"minRisk": {}}})
        assert weights_of(answer) == pytest.approx(expected, abs=1e-9)
        assert answer["periodsPerYear"] == P
    scenarios = {"symbols": SYMBOLS, "values": RETURNS.ravel().tolist(), "periodsPerYear": P}
    answer = wire.call(OPTIMIZE, {"scenarios": scenarios, "objective": {"minRisk": {}}})
    assert weights_of(answer) == pytest.approx(expected, abs=1e-9)


def test_ewma_weights_the_recent_past(wire: Any) -> None:
    data = {"returns": {"symbols": SYMBOLS, "dates": list(range(300)), "values": RETURNS.ravel().tolist()}}
    estimation = {"covariance": {"ewma": {"halfLife": 20}}}
    answer = wire.call(
        OPTIMIZE, {**data, "periodsPerYear": P, "objective": {"equalWeight": {}}, "estimation": estimation}
    )
    decay = 0.5 ** (np.arange(299, -1, -1) / 20)
    decay /= decay.sum()
    covariance = np.cov(RETURNS.T, aweights=decay, ddof=0)
    w = np.full(6, 1 / 6)
    assert answer["risk"] == pytest.approx(w @ covariance @ w, rel=1e-10)


@pytest.mark.parametrize("engine", ["ENGINE_FAST", "ENGINE_RISKFOLIO"])
def test_least_cvar_is_that_of_the_linear_program(wire: Any, engine: str) -> None:
    """Rockafellar & Uryasev 2000, equation 17, solved by another hand."""
    level, count = 0.9, len(RETURNS)
    data = {"returns": {"symbols": SYMBOLS, "dates": list(range(300)), "values": RETURNS.ravel().tolist()}}
    answer = wire.call(
        OPTIMIZE,
        {
            **data,
            "periodsPerYear": P,
            "objective": {"minRisk": {}},
            "riskMeasure": "RISK_MEASURE_CVAR",
            "confidenceLevel": level,
            "constraints": [CAPS],
            "solver": {"engine": engine.replace("ENGINE_FAST", "ENGINE_AUTO")},
        },
        timeout=120,
    )
    cost = np.concatenate([np.zeros(6), [1.0], np.full(count, 1 / (count * (1 - level)))])
    rows = np.hstack([-RETURNS, -np.ones((count, 1)), -np.eye(count)])
    best = linprog(
        cost,
        A_ub=rows,
        b_ub=np.zeros(count),
        A_eq=np.concatenate([np.ones(6), np.zeros(count + 1)])[None, :],
        b_eq=[1.0],
        bounds=[(0, 0.35)] * 6 + [(None, None)] + [(0, None)] * count,
    )
    assert answer["risk"] == pytest.approx(best.fun, rel=1e-6)
    assert answer["certificate"]["engine"] == engine
    assert answer["certificate"]["dualityGap"] <= 1e-6
    losses = np.sort(-RETURNS @ weights_of(answer))[::-1]
    assert answer["risk"] == pytest.approx(losses[:30].mean(), rel=1e-9)  # 10 % of 300 is a whole number
    refusal = wire.refused(
        OPTIMIZE,
        {
            **data,
            "periodsPerYear": P,
            "objective": {"minRisk": {}},
            "riskMeasure": "RISK_MEASURE_CVAR",
            "constraints": [{"label": "caps", "weightBounds": {"upper": 0.1}}],
        },
    )
    assert set(refusal.conflicts) == {"caps", "default:budget"}


def test_one_request_id_has_one_answer(wire: Any) -> None:
    body = request({"minRisk": {}}, requestId="once")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wire.call(OPTIMIZE, body), range(8)))
    assert len({answer["name"] for answer in answers}) == 1
    refusal = wire.refused(OPTIMIZE, request({"maxReturn": {}}, requestId="once"))
    assert (refusal.code, refusal.reason, refusal.fields) == (
        "INVALID_ARGUMENT",
        "REQUEST_ID_REUSED",
        ("request_id",),
    )


def test_results_are_kept_and_listed_newest_first(wire: Any) -> None:
    made = [wire.call(OPTIMIZE, request({"minRisk": {}}, requestId=f"kept {i}")) for i in range(3)]
    kept = wire.call("OptimizationService/GetOptimization", {"name": made[1]["name"]})
    assert kept == made[1]
    assert kept["requestId"] == "kept 1"
    names: list[str] = []
    token = ""
    for _ in itertools.count():
        page = wire.call("OptimizationService/ListOptimizations", {"pageSize": 2, "pageToken": token})
        names += [item["name"] for item in page["optimizations"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert names[:3] == [answer["name"] for answer in reversed(made)]
    assert len(names) == len(set(names))


def test_validate_only_stores_nothing(wire: Any) -> None:
    before = wire.call("OptimizationService/ListOptimizations", {"pageSize": 1})
    assert wire.call(OPTIMIZE, request({"minRisk": {}}, validateOnly=True)) == {}
    assert wire.call("OptimizationService/ListOptimizations", {"pageSize": 1}) == before


def test_a_riskless_asset_makes_the_ratio_unbounded(wire: Any) -> None:
    moments = {
        "symbols": ["A", "B"],
        "expectedReturns": [0.01, 0.02],
        "covariance": [0, 0, 0, 0.09],
        "periodsPerYear": 12,
    }
    refusal = wire.refused(OPTIMIZE, {"moments": moments, "objective": {"maxRatio": {}}})
    assert refusal.reason == "PROBLEM_UNBOUNDED"


def test_one_asset_has_all_the_weight(wire: Any) -> None:
    moments = {"symbols": ["A"], "expectedReturns": [0.01], "covariance": [0.04], "periodsPerYear": 12}
    for objective in ("minRisk", "maxReturn", "maxRatio", "riskBudget", "equalWeight", "maxDiversification"):
        answer = wire.call(OPTIMIZE, {"moments": moments, "objective": {objective: {}}})
        assert answer["weights"] == [{"symbol": "A", "weight": 1.0}]


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_returns_does_not_matter(wire: Any, scale: float) -> None:
    body = request({"maxRatio": {}})
    expected = weights_of(wire.call(OPTIMIZE, body))
    body["moments"]["covariance"] = (COVARIANCE.ravel() * scale**2).tolist()
    body["moments"]["expectedReturns"] = (MEANS * scale).tolist()
    assert weights_of(wire.call(OPTIMIZE, body)) == pytest.approx(expected, abs=1e-8)


def test_a_singular_covariance_has_an_answer(wire: Any) -> None:
    few = RETURNS[:4]
    body = request({"minRisk": {}})
    body["moments"]["covariance"] = np.cov(few.T).ravel().tolist()
    body["moments"]["repairCovariance"] = True
    answer = wire.call(OPTIMIZE, body)
    assert answer["certificate"]["dualityGap"] <= 1e-7


DATES = list(range(15000, 15301))
LEVELS = 100.0 * np.cumprod(np.vstack([np.ones(6), 1.0 + RETURNS]), axis=0)
PRICE_INPUT = {"symbols": SYMBOLS, "dates": DATES, "values": LEVELS.ravel().tolist()}


@pytest.mark.parametrize(
    ("covariance", "estimator"),
    [
        ({"ledoitWolf": {}}, LedoitWolf()),
        ({"ledoitWolf": {"target": "TARGET_SCALED_IDENTITY"}}, LedoitWolf()),
        ({"oas": {}}, OAS()),
    ],
)
def test_shrunk_covariance_is_that_of_scikit_learn(wire: Wire, covariance: dict[str, Any], estimator: Any) -> None:
    request = {"prices": PRICE_INPUT, "objective": {"minRisk": {}}, "estimation": {"covariance": covariance}}
    answer = wire.call(OPTIMIZE, request)
    weights = weights_of(answer)
    expected = estimator.fit(LEVELS[1:] / LEVELS[:-1] - 1.0).covariance_
    assert answer["risk"] == pytest.approx(weights @ expected @ weights, rel=1e-9)


@pytest.mark.parametrize("target", ["TARGET_CONSTANT_CORRELATION", "TARGET_SINGLE_FACTOR"])
def test_other_targets_keep_the_variances(wire: Wire, target: str) -> None:
    estimation = {"covariance": {"ledoitWolf": {"target": target}}}
    request = {"prices": PRICE_INPUT, "objective": {"inverseVolatility": {}}, "estimation": estimation}
    inverse = 1.0 / (LEVELS[1:] / LEVELS[:-1] - 1.0).std(axis=0)
    assert weights_of(wire.call(OPTIMIZE, request)) == pytest.approx(inverse / inverse.sum(), rel=1e-9)


def test_black_litterman_weights_of_he_and_litterman(wire: Wire) -> None:
    """He & Litterman 1999, table 4: the view on Germany at risk aversion 2.5, with the budget of their weights."""
    symbols = ["AUL", "CAN", "FRA", "GER", "JAP", "UKG", "USA"]
    market = [0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615]
    view = {
        "terms": [{"symbol": s, "weight": w} for s, w in {"GER": 1.0, "FRA": -0.295, "UKG": -0.705}.items()],
        "expectedReturnAnnual": 0.05,
    }
    prior = {
        "marketWeights": [{"symbol": s, "weight": w} for s, w in zip(symbols, market, strict=True)],
        "riskAversion": 2.5,
    }
    request = {
        "moments": {"symbols": symbols, "covariance": COUNTRIES.ravel().tolist(), "periodsPerYear": 1},
        "estimation": {"views": {"views": [view], "prior": prior}},
        "objective": {"maxUtility": {"riskAversion": 2.5}},
        "constraints": [{"leverage": {"budget": 0.951, "maxShort": 1.0}}],
    }
    weights = [entry["weight"] for entry in wire.call(OPTIMIZE, request)["weights"]]
    assert 100 * np.array(weights) == pytest.approx([1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6], abs=0.25)


def test_a_sure_view_is_met(wire: Wire) -> None:
    view = {"terms": [{"symbol": "A", "weight": 1}], "expectedReturnAnnual": 0.5, "confidence": 1.0}
    estimation = {"views": {"method": "METHOD_IDZOREK", "views": [view]}}
    only_a = {"label": "a", "weightBounds": {"symbols": ["A"], "lower": 1.0}}
    answer = wire.call(OPTIMIZE, request({"maxReturn": {}}, only_a, estimation=estimation))
    assert answer["expectedReturnAnnual"] == pytest.approx(0.5, rel=1e-12)


def test_estimators_have_no_place_beside_moments(wire: Wire) -> None:
    refusal = wire.refused(OPTIMIZE, request({"minRisk": {}}, estimation={"covariance": {"oas": {}}}))
    assert refusal.fields == ("estimation",)


FRONTIER = "OptimizationService/TraceFrontier"


def test_corners_of_the_frontier_are_streamed(wire: Wire) -> None:
    found = list(wire.stream(FRONTIER, {"moments": request({})["moments"]}))
    assert [point.get("index", 0) for point in found] == list(range(len(found)))
    assert found[0]["expectedReturnAnnual"] == pytest.approx(P * MEANS.max())
    least = wire.call(OPTIMIZE, request({"minRisk": {}}))
    assert [w["weight"] for w in found[-1]["weights"]] == pytest.approx(weights_of(least), abs=1e-7)
    for point in found:
        assert point["certificate"]["dualityGap"] <= 1e-7
        weights = np.array([w["weight"] for w in point["weights"]])
        best = slsqp(variance, 0.0, 1.0, {"type": "eq", "fun": lambda w, m=MEANS @ weights: 1e3 * (MEANS @ w - m)})
        assert weights @ COVARIANCE @ weights <= best @ COVARIANCE @ best * (1.0 + 1e-6)


def test_points_of_the_cvar_frontier(wire: Wire) -> None:
    returns = {"symbols": SYMBOLS, "dates": DATES[1:], "values": RETURNS.ravel().tolist()}
    asked = {"returns": returns, "periodsPerYear": P, "riskMeasure": "RISK_MEASURE_CVAR", "points": 5}
    found = list(wire.stream(FRONTIER, asked))
    steps = np.diff([point["expectedReturnAnnual"] for point in found])
    assert steps == pytest.approx(np.full(4, steps[0]), rel=1e-5)
    assert sorted((point["risk"] for point in found), reverse=True) == [point["risk"] for point in found]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"moments": {k: v for k, v in request({})["moments"].items() if k != "expectedReturns"}}, "INVALID_INPUT"),
        ({"moments": request({})["moments"], "constraints": [{"weightBounds": {"upper": 0.1}}]}, "PROBLEM_INFEASIBLE"),
        ({"moments": request({})["moments"], "constraints": [{"leverage": {"maxShort": 0.1}}]}, "NOT_SUPPORTED"),
    ],
)
def test_a_frontier_that_is_not_there(wire: Wire, asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        list(wire.stream(FRONTIER, asked))
    assert refusal_of(raised.value).reason == reason
