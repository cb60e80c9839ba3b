"""Risk reports over the wire, against definitions written out here in numpy and scipy."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.conftest import Wire

ANALYZE = "RiskService/AnalyzeRisk"
RNG = np.random.default_rng(7)
T, P = 250, 252.0
RETURNS = 0.01 * RNG.standard_t(5, (T, 3)) @ np.array([[1.0, 0.4, 0.2], [0.0, 0.8, 0.1], [0.0, 0.0, 1.1]]) + 0.0004
WEIGHTS = np.array([0.5, 0.3, 0.2])
BENCHMARK = 0.6 * RETURNS[:, 0] + 0.004 * RNG.standard_normal(T)
DATES = list(range(12000, 12000 + T))


def panel(values: np.ndarray, symbols: str = "ABC", dates: list[int] | None = None) -> dict[str, Any]:
    return {"symbols": list(symbols), "dates": dates or DATES[: len(values)], "values": values.ravel().tolist()}


def weights(values: np.ndarray = WEIGHTS, symbols: str = "ABC") -> list[dict[str, Any]]:
    return [{"symbol": symbol, "weight": float(w)} for symbol, w in zip(symbols, values, strict=True)]


def ask(**more: Any) -> dict[str, Any]:
    return {"returns": panel(RETURNS), "weights": weights(), "periodsPerYear": P, **more}


@pytest.fixture(scope="module")
def report(wire: Wire) -> dict[str, Any]:
    return wire.call(ANALYZE, ask(benchmark=panel(BENCHMARK, "M"), confidenceLevel=0.9, riskFreeRateAnnual=0.02))


R = RETURNS @ WEIGHTS


def test_mean_volatility_and_sharpe(report: dict[str, Any]) -> None:
    assert report["expectedReturnAnnual"] == pytest.approx(R.mean() * P, rel=1e-12)
    assert report["volatilityPerPeriod"] == pytest.approx(R.std(ddof=1), rel=1e-12)
    assert report["volatilityAnnual"] == pytest.approx(R.std(ddof=1) * P**0.5, rel=1e-12)
    assert report["sharpe"] == pytest.approx((R.mean() * P - 0.02) / (R.std(ddof=1) * P**0.5), rel=1e-12)
    assert report["observations"] == T
    assert report["periodsPerYear"] == P


def test_value_at_risk(report: dict[str, Any]) -> None:
    z, s, k = stats.norm.ppf(0.1), stats.skew(R), stats.kurtosis(R)
    bent = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    df, location, scale = stats.t.fit(R)  # a simplex search, to about four digits
    variances = [float(np.mean(R**2))]
    for value in R:
        variances.append(0.94 * variances[-1] + 0.06 * value**2)
    rescaled = R / np.sqrt(variances[:-1]) * variances[-1] ** 0.5
    assert report["valueAtRisk"] == {
        "studentT": pytest.approx(-(location + scale * stats.t.ppf(0.1, df)), rel=1e-3),
        "filteredHistorical": pytest.approx(-np.quantile(rescaled, 0.1), rel=1e-10),
        "historical": pytest.approx(-np.quantile(R, 0.1), rel=1e-12),
        "gaussian": pytest.approx(-(R.mean() + z * R.std(ddof=1)), rel=1e-12),
        "cornishFisher": pytest.approx(-(R.mean() + bent * R.std(ddof=1)), rel=1e-10),
    }
    assert report["quantileMethod"] == "linear"


def test_conditional_value_at_risk(report: dict[str, Any]) -> None:
    """Rockafellar and Uryasev 2000: the least over a of a + E[(L - a)+] / (1 - level), here by trying every loss."""
    losses = -R
    candidates = losses + np.maximum(losses[:, None] - losses, 0.0).mean(axis=0) / 0.1
    z = stats.norm.ppf(0.1)
    given = report["conditionalValueAtRisk"]
    assert given["studentT"] > report["valueAtRisk"]["studentT"]
    assert given["filteredHistorical"] > report["valueAtRisk"]["filteredHistorical"]
    assert given["cornishFisher"] >= report["valueAtRisk"]["cornishFisher"]
    assert {name: given[name] for name in ("historical", "gaussian")} == {
        "historical": pytest.approx(candidates.min(), rel=1e-12),
        "gaussian": pytest.approx(-R.mean() + R.std(ddof=1) * stats.norm.pdf(z) / 0.1, rel=1e-10),
    }


def test_drawdown_counts_the_starting_capital(report: dict[str, Any]) -> None:
    wealth = np.cumprod(np.append(1.0, 1.0 + R))
    assert report["maxDrawdown"] == pytest.approx((1 - wealth / np.maximum.accumulate(wealth)).max(), rel=1e-12)


def test_shape(report: dict[str, Any]) -> None:
    assert report["skewness"] == pytest.approx(stats.skew(R), rel=1e-10)
    assert report["excessKurtosis"] == pytest.approx(stats.kurtosis(R), rel=1e-10)


def test_beside_a_benchmark(report: dict[str, Any]) -> None:
    active = R - BENCHMARK
    line = stats.linregress(BENCHMARK, R)
    assert report["betaToBenchmark"] == pytest.approx(line.slope, rel=1e-10)
    assert report["correlationToBenchmark"] == pytest.approx(line.rvalue, rel=1e-10)
    assert report["trackingErrorAnnual"] == pytest.approx(active.std(ddof=1) * P**0.5, rel=1e-12)
    assert report["informationRatio"] == pytest.approx(active.mean() / active.std(ddof=1) * P**0.5, rel=1e-10)


def test_contributions_are_derivatives_and_sum_to_the_volatility(report: dict[str, Any]) -> None:
    covariance = np.cov(RETURNS.T) * P
    given = np.array([entry["contribution"] for entry in report["contributions"]])

    def volatility(w: np.ndarray) -> float:
        return float(w @ covariance @ w) ** 0.5

    step = 1e-6
    slopes = [(volatility(WEIGHTS + step * e) - volatility(WEIGHTS - step * e)) / (2 * step) for e in np.eye(3)]
    assert given == pytest.approx(WEIGHTS * slopes, rel=1e-7)
    assert given.sum() == pytest.approx(report["volatilityAnnual"], rel=1e-12)


def test_correlation(report: dict[str, Any]) -> None:
    assert report["correlation"]["symbols"] == ["A", "B", "C"]
    assert report["correlation"]["values"] == pytest.approx(np.corrcoef(RETURNS.T).ravel(), rel=1e-10)


PRICES = 100.0 * np.cumprod(np.vstack([np.ones(3), 1.0 + RETURNS]), axis=0)
PRICE_DATES = [11999, *DATES]


def test_prices_tell_what_their_returns_tell(wire: Wire, report: dict[str, Any]) -> None:
    index = 50.0 * np.cumprod(np.append(1.0, 1.0 + BENCHMARK))
    request = {
        "prices": panel(PRICES, dates=PRICE_DATES),
        "benchmark": panel(index, "M", dates=PRICE_DATES),
        "weights": weights(),
        "confidenceLevel": 0.9,
        "riskFreeRateAnnual": 0.02,
    }
    inferred = wire.call(ANALYZE, request)
    assert inferred["periodsPerYear"] == 365.0  # of dates on every day of the week
    answer = wire.call(ANALYZE, request | {"periodsPerYear": 252})
    for name in ("volatilityAnnual", "sharpe", "maxDrawdown", "betaToBenchmark", "informationRatio", "skewness"):
        assert answer[name] == pytest.approx(report[name], rel=1e-9)


def test_holdings_are_weighed_at_the_last_price(wire: Wire) -> None:
    quantity, cash = np.array([10.0, -2.0, 5.0]), 300.0
    worth = quantity * PRICES[-1]
    expected = RETURNS @ (worth / (worth.sum() + cash))
    request = {
        "prices": panel(PRICES, dates=PRICE_DATES),
        "holdings": [{"symbol": s, "quantity": q} for s, q in zip("ABC", quantity.tolist(), strict=True)],
        "cash": cash,
    }
    answer = wire.call(ANALYZE, request)
    assert answer["volatilityPerPeriod"] == pytest.approx(expected.std(ddof=1), rel=1e-9)
    assert answer["contributions"][1]["contribution"] < 0.0


def test_scenarios_count_by_probability(wire: Wire) -> None:
    """Rockafellar and Uryasev 2002, section 4: losses in few atoms, one of them split by the level."""
    request = {
        "scenarios": {
            "symbols": ["A"],
            "values": [0.10, 0.02, -0.05, -0.20],
            "probabilities": [0.4, 0.4, 0.15, 0.05],
            "periodsPerYear": 12,
        },
        "weights": weights(np.array([1.0]), "A"),
        "confidenceLevel": 0.9,
    }
    answer = wire.call(ANALYZE, request)
    # The worst tenth of the probability: 0.05 at 0.20 and half of that again at 0.05.
    assert answer["conditionalValueAtRisk"]["historical"] == pytest.approx((0.05 * 0.20 + 0.05 * 0.05) / 0.10)
    assert answer["valueAtRisk"]["historical"] == pytest.approx(0.05)
    assert "time" in answer["undefined"]["max_drawdown"]


def test_moments_give_what_moments_can(wire: Wire) -> None:
    covariance = np.cov(RETURNS.T)
    moments = {
        "symbols": ["A", "B", "C"],
        "expectedReturns": RETURNS.mean(axis=0).tolist(),
        "covariance": covariance.ravel().tolist(),
        "periodsPerYear": P,
    }
    answer = wire.call(ANALYZE, {"moments": moments, "weights": weights()})
    assert answer["volatilityAnnual"] == pytest.approx((WEIGHTS @ covariance @ WEIGHTS * P) ** 0.5, rel=1e-12)
    assert set(answer["valueAtRisk"]) == {"gaussian"}
    assert "Infinity" not in str(answer)
    assert "value_at_risk.historical" in answer["undefined"]
    assert "maxDrawdown" not in answer


def test_a_drawdown_has_its_dates(wire: Wire) -> None:
    prices = np.array([[10.0], [8.0], [6.0], [9.0], [11.0], [10.5]])
    answer = wire.call(ANALYZE, {"prices": panel(prices, "A"), "weights": weights(np.array([1.0]), "A")})
    assert answer["maxDrawdown"] == pytest.approx(0.4)
    period = answer["maxDrawdownPeriod"]
    assert [period[name]["day"] for name in ("peakDate", "troughDate", "recoveryDate")] == [9, 11, 13]


def test_only_common_dates_count_beside_a_benchmark(wire: Wire) -> None:
    late = {"symbols": ["M"], "dates": DATES[100:], "values": BENCHMARK[100:].tolist()}
    answer = wire.call(ANALYZE, ask(benchmark=late))
    assert answer["betaToBenchmark"] == pytest.approx(stats.linregress(BENCHMARK[100:], R[100:]).slope, rel=1e-10)
    assert answer["observations"] == T


def test_what_is_not_defined_says_why(wire: Wire) -> None:
    flat = {"returns": panel(np.full((10, 1), 0.01), "A"), "weights": weights(np.array([1.0]), "A")}
    answer = wire.call(ANALYZE, {**flat, "periodsPerYear": 12})
    assert answer["volatilityAnnual"] == 0.0
    assert "sharpe" not in answer
    assert {"sharpe", "skewness", "beta_to_benchmark"} <= set(answer["undefined"])
    assert answer["undefined"]["correlation[A]"] == "the asset does not vary"
    assert "NaN" not in str(answer)


def test_a_constant_asset_is_left_out_of_the_correlation(wire: Wire) -> None:
    returns = np.column_stack([RETURNS[:, 0], np.full(T, 0.001), RETURNS[:, 2]])
    answer = wire.call(ANALYZE, ask(returns=panel(returns)))
    assert answer["correlation"]["symbols"] == ["A", "C"]
    assert answer["correlation"]["values"] == pytest.approx(np.corrcoef(returns[:, [0, 2]].T).ravel(), rel=1e-10)


def test_a_benchmark_that_does_not_overlap_says_so(wire: Wire) -> None:
    answer = wire.call(ANALYZE, ask(benchmark=panel(BENCHMARK, "M", [d + 9000 for d in DATES])))
    assert "betaToBenchmark" not in answer
    assert "in common" in answer["undefined"]["beta_to_benchmark"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weights": []}, ""),
        ({"weights": [{"symbol": "Z", "weight": 1.0}]}, "weights[0].symbol"),
        ({"weights": [{"symbol": "A", "weight": 0.5}] * 2}, "weights[1].symbol"),
        ({"weights": [{"symbol": "A", "weight": 1.5}]}, "weights"),
        ({"confidenceLevel": 1.0}, "confidence_level"),
        ({"confidenceLevel": "NaN"}, "confidence_level"),
        ({"periodsPerYear": 0}, "periods_per_year"),
        ({"periodsPerYear": None}, "periods_per_year"),
        ({"benchmark": panel(np.ones((T, 2)) * 0.01, "MN")}, "benchmark.symbols"),
        ({"benchmark": panel(BENCHMARK, "M"), "benchmarkSymbol": "M"}, "benchmark_symbol"),
        ({"benchmarkSymbol": "NOT_STORED"}, "benchmark_symbol"),
        ({"cash": 5.0, "holdings": [{"symbol": "A", "quantity": 1.0}], "weights": []}, "holdings"),
        ({"returns": panel(np.where(RETURNS[3, 1] == RETURNS, np.nan, RETURNS))}, "returns.values[10]"),
        ({"returns": panel(RETURNS[:0])}, "returns"),
    ],
)
def test_the_field_is_named(wire: Wire, change: dict[str, Any], field: str) -> None:
    refusal = wire.refused(ANALYZE, _json(ask(**change)))
    assert refusal.code in ("INVALID_ARGUMENT", "NOT_FOUND"), refusal
    if refusal.code == "INVALID_ARGUMENT":
        assert any(given.startswith(field) for given in refusal.fields), refusal


def _json(request: dict[str, Any]) -> dict[str, Any]:
    """NaN is the string "NaN" in protobuf's JSON."""
    values = request["returns"]["values"]
    request["returns"]["values"] = ["NaN" if v != v else v for v in values]
    return request
