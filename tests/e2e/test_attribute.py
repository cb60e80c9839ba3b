"""Attribute over the wire: the tables that Bacon prints, what is defined beyond them, and what is refused.

Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd edition 2008, chapters 5 and 8: three markets in
four quarters. Figures are per cent, to the printed digits.
"""

import math
from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.domain.attribution.bacon import (
    BENCHMARK_RETURNS,
    BENCHMARK_WEIGHTS,
    MARKETS,
    PORTFOLIO_RETURNS,
    PORTFOLIO_WEIGHTS,
    QUARTERS,
)

ATTRIBUTE = "RiskService/Attribute"
TABLES = {
    "portfolioWeights": PORTFOLIO_WEIGHTS,
    "benchmarkWeights": BENCHMARK_WEIGHTS,
    "portfolioReturns": PORTFOLIO_RETURNS,
    "benchmarkReturns": BENCHMARK_RETURNS,
}


def panel(values: Any, symbols: tuple[str, ...] = MARKETS) -> dict[str, Any]:
    array = np.asarray(values, float)
    entries = ["NaN" if math.isnan(value) else value for value in array.ravel().tolist()]
    return {"symbols": list(symbols), "dates": QUARTERS[: len(array)].tolist(), "values": entries}


def request(**changed: Any) -> dict[str, Any]:
    """The tables of the book with some of them, or other fields, changed."""
    tables = {name: panel(changed.pop(name) if name in changed else table) for name, table in TABLES.items()}
    return {**tables, **changed}


def percent(found: dict[str, float], *names: str) -> list[float]:
    return [100.0 * found[name] for name in names]


def in_period(answer: dict[str, Any], period: int, name: str) -> list[float]:
    return [100.0 * group[name] for group in answer["periods"][period]["groups"]]


def factors(answer: dict[str, Any]) -> list[float]:
    return [period["linkingFactor"] for period in answer["periods"]]


def test_brinson_hood_beebower(wire: Wire) -> None:
    """Table 5.2 of the first quarter."""
    answer = wire.call(ATTRIBUTE, request(model="ATTRIBUTION_MODEL_BRINSON_HOOD_BEEBOWER", separateInteraction=True))
    assert in_period(answer, 0, "allocation") == pytest.approx([0.0, -0.4, -0.8], abs=1e-10)
    assert in_period(answer, 0, "selection") == pytest.approx([4.0, -0.2, -0.8], abs=1e-10)
    assert in_period(answer, 0, "interaction") == pytest.approx([0.0, -0.1, 0.2], abs=1e-10)


def test_brinson_fachler_is_the_default(wire: Wire) -> None:
    answer = wire.call(ATTRIBUTE, request())
    assert in_period(answer, 0, "allocation") == pytest.approx([0.0, -1.04, -0.16], abs=1e-10)
    assert in_period(answer, 0, "selection") == pytest.approx([4.0, -0.3, -0.6], abs=1e-10)
    assert "interaction" not in answer["totals"]
    assert [group["group"] for group in answer["groups"]] == list(MARKETS)
    assert answer["periods"][0]["date"] == {"year": 2020, "month": 3, "day": 31}
    assert 100.0 * answer["excessReturn"] == pytest.approx(13.265573, abs=5e-7)


def test_carino_is_the_default(wire: Wire) -> None:
    for answer in (wire.call(ATTRIBUTE, request()), wire.call(ATTRIBUTE, request(linking="LINKING_CARINO"))):
        assert factors(answer) == pytest.approx([0.904313, 1.011216, 1.064441, 0.940245], abs=5e-7)
        assert percent(answer["totals"], "allocation", "selection") == pytest.approx([1.1945, 12.0711], abs=5e-5)


def test_menchero(wire: Wire) -> None:
    answer = wire.call(ATTRIBUTE, request(linking="LINKING_MENCHERO"))
    assert answer["mencheroCoefficient"] == pytest.approx(0.978127865, abs=5e-10)
    assert percent(answer["totals"], "allocation", "selection") == pytest.approx([0.9222, 12.3434], abs=5e-5)
    # The coefficient and one number in proportion to the excess of each quarter.
    excess = np.array([8.3 - 6.4, -3.4 + 4.6, -5.0 + 12.5, 4.5 - 2.0]) / 100.0
    slopes = (np.array(factors(answer)) - answer["mencheroCoefficient"]) / excess
    assert slopes == pytest.approx([slopes[0]] * 4, rel=1e-9)


def test_grap(wire: Wire) -> None:
    answer = wire.call(ATTRIBUTE, request(linking="LINKING_GRAP"))
    assert factors(answer) == pytest.approx([0.851445, 0.966578, 1.067102, 0.993869], abs=5.5e-7)
    assert percent(answer["totals"], "allocation", "selection") == pytest.approx([1.2360, 12.0296], abs=5e-5)


def test_geometric(wire: Wire) -> None:
    answer = wire.call(ATTRIBUTE, request(linking="LINKING_GEOMETRIC"))
    allocation, selection = percent(answer["totals"], "allocation", "selection")
    assert (allocation, selection) == pytest.approx((1.2853, 13.1881), abs=5e-5)
    assert 100.0 * answer["excessReturn"] == pytest.approx(14.642923, abs=5e-7)
    totals, groups = answer["totals"], answer["groups"]
    product = (1.0 + totals["allocation"]) * (1.0 + totals["selection"]) - 1.0
    assert product == pytest.approx(answer["excessReturn"], abs=1e-14)
    of_groups = math.prod((1.0 + group["allocation"]) * (1.0 + group["selection"]) for group in groups) - 1.0
    assert of_groups == pytest.approx(answer["excessReturn"], abs=1e-14)
    assert "linkingFactor" not in answer["periods"][0]
    assert "mencheroCoefficient" not in answer


@pytest.mark.parametrize("model", ["BRINSON_FACHLER", "BRINSON_HOOD_BEEBOWER"])
@pytest.mark.parametrize("linking", ["CARINO", "MENCHERO", "GRAP"])
@pytest.mark.parametrize("apart", [False, True])
def test_parts_sum_to_the_excess_return(wire: Wire, model: str, linking: str, apart: bool) -> None:
    """And the parts of each period x its factor to those of the groups."""
    choice = {"model": f"ATTRIBUTION_MODEL_{model}", "linking": f"LINKING_{linking}", "separateInteraction": apart}
    answer = wire.call(ATTRIBUTE, request(**choice))
    names = ["allocation", "selection", *(["interaction"] if apart else [])]
    assert sum(answer["totals"][name] for name in names) == pytest.approx(answer["excessReturn"], abs=1e-14)
    assert answer["excessReturn"] == pytest.approx(answer["portfolioReturn"] - answer["benchmarkReturn"], abs=1e-15)
    for g, group in enumerate(answer["groups"]):
        for name in names:
            linked = sum(p["linkingFactor"] * p["groups"][g][name] for p in answer["periods"])
            assert group[name] == pytest.approx(linked, abs=1e-15)


def test_what_weights_are_short_of_one_is_cash(wire: Wire) -> None:
    """A tenth in cash with a return of 0: allocation -0.1 x the return of the benchmark, 6.4 %."""
    weights = PORTFOLIO_WEIGHTS[:1] - [[0.1, 0.0, 0.0]]
    one = {name: table[:1] for name, table in TABLES.items()} | {"portfolioWeights": weights}
    answer = wire.call(ATTRIBUTE, request(**one))
    cash = answer["groups"][-1]
    assert cash["group"] == "cash"
    assert 100.0 * cash["allocation"] == pytest.approx(-0.64, abs=1e-12)
    assert cash["selection"] == 0.0
    assert answer["excessReturn"] == pytest.approx(0.063 - 0.064, abs=1e-15)
    total = sum(group["allocation"] + group["selection"] for group in answer["groups"])
    assert total == pytest.approx(answer["excessReturn"], abs=1e-15)
    named = {name: panel(table, ("cash", "B", "C")) for name, table in one.items()}
    assert wire.call(ATTRIBUTE, named)["groups"][-1]["group"] == "uninvested"


def test_a_group_without_weight_takes_the_return_of_the_other_side(wire: Wire) -> None:
    """One period: the portfolio holds no A, the benchmark no C."""
    tables = {
        "portfolioWeights": [[0.0, 0.6, 0.4]],
        "benchmarkWeights": [[0.5, 0.5, 0.0]],
        "portfolioReturns": [[math.nan, 0.03, 0.10]],
        "benchmarkReturns": [[0.02, 0.01, math.nan]],
    }
    answer = wire.call(ATTRIBUTE, request(**tables, separateInteraction=True))
    a, b, c = answer["groups"]
    total = 0.015
    assert (a["allocation"], a["selection"], a["interaction"]) == pytest.approx((-0.5 * (0.02 - total), 0.0, 0.0))
    assert (b["selection"], b["interaction"]) == pytest.approx((0.5 * 0.02, 0.1 * 0.02))
    assert (c["allocation"], c["selection"], c["interaction"]) == pytest.approx((0.4 * (0.10 - total), 0.0, 0.0))
    tables["benchmarkReturns"] = [[0.02, 0.01, 0.04]]  # the return of a segment that the benchmark does not hold
    known = wire.call(ATTRIBUTE, request(**tables))["groups"][2]
    assert (known["allocation"], known["selection"]) == pytest.approx((0.4 * (0.04 - total), 0.4 * 0.06))


def test_equal_returns_have_the_limits_of_the_factors(wire: Wire) -> None:
    """Carino's k is 1 / (1 + r) where both returns of a period are equal, and K 1 / (1 + R) where the totals are."""
    weights = [[1.0], [1.0]]
    same = {"portfolioWeights": weights, "benchmarkWeights": weights}

    def two(ours: list[float], theirs: list[float], linking: str) -> dict[str, Any]:
        tables = {**same, "portfolioReturns": [[r] for r in ours], "benchmarkReturns": [[r] for r in theirs]}
        return wire.call(ATTRIBUTE, {n: panel(t, ("A",)) for n, t in tables.items()} | {"linking": linking})

    answer = two([0.1, 0.05], [0.1, 0.02], "LINKING_CARINO")
    whole = (math.log(1.1 * 1.05) - math.log(1.1 * 1.02)) / (1.1 * 0.03)
    expected = [1.0 / 1.1 / whole, (math.log(1.05) - math.log(1.02)) / 0.03 / whole]
    assert factors(answer) == pytest.approx(expected, rel=1e-12)
    answer = two([0.1, 0.2], [0.2, 0.1], "LINKING_CARINO")
    slope = math.log(1.1 / 1.2) / -0.1 * (1.1 * 1.2)
    assert factors(answer) == pytest.approx([slope, slope], rel=1e-12)
    answer = two([0.1, 0.1], [0.1, 0.1], "LINKING_MENCHERO")
    assert factors(answer) == pytest.approx([1.1, 1.1], rel=1e-12)
    assert answer["mencheroCoefficient"] == pytest.approx(1.1, rel=1e-12)


def test_columns_are_matched_by_name(wire: Wire) -> None:
    other = request()
    other["benchmarkReturns"] = panel(BENCHMARK_RETURNS[:, ::-1], MARKETS[::-1])
    assert wire.call(ATTRIBUTE, other) == wire.call(ATTRIBUTE, request())


def test_periods_can_be_left_out(wire: Wire) -> None:
    full, short = wire.call(ATTRIBUTE, request()), wire.call(ATTRIBUTE, request(withoutPeriods=True))
    assert "periods" not in short
    assert short == {name: value for name, value in full.items() if name != "periods"}


EXPOSURES = np.array([[1.0, 0.2], [0.8, -0.4], [1.1, 0.5]])
FACTOR_RETURNS = np.array([[0.08, 0.01], [-0.03, 0.02], [-0.1, -0.01], [0.03, 0.02]])


def exposures(**more: Any) -> dict[str, Any]:
    return {"factors": ["market", "size"], "symbols": list(MARKETS), "values": EXPOSURES.ravel().tolist(), **more}


def test_factors_by_exposures(wire: Wire) -> None:
    """Active exposure x return of the factor in each period, linked like the rest; specific is what is left."""
    given = exposures(returns=panel(FACTOR_RETURNS, ("market", "size")))
    answer = wire.call(ATTRIBUTE, request(factors=given))
    active = (PORTFOLIO_WEIGHTS - BENCHMARK_WEIGHTS) @ EXPOSURES
    expected = np.array(factors(answer)) @ (active * FACTOR_RETURNS)
    market, size, specific = answer["factors"]["segments"]
    assert [one["contribution"] for one in (market, size)] == pytest.approx(expected.tolist(), abs=1e-14)
    assert [one["meanExposure"] for one in (market, size)] == pytest.approx(active.mean(axis=0).tolist(), abs=1e-14)
    assert (specific["name"], specific["kind"]) == ("specific", "SEGMENT_KIND_SPECIFIC")
    total = sum(one["contribution"] for one in (market, size, specific))
    assert total == pytest.approx(answer["excessReturn"], abs=1e-14)


def test_factor_returns_are_estimated_from_the_segments(wire: Wire) -> None:
    """The regression of the returns of a period on exposures, by numpy; geometric parts compound."""
    answer = wire.call(ATTRIBUTE, request(factors=exposures(), linking="LINKING_GEOMETRIC"))
    estimated = np.linalg.lstsq(EXPOSURES, PORTFOLIO_RETURNS.T, rcond=None)[0].T
    parts = (PORTFOLIO_WEIGHTS - BENCHMARK_WEIGHTS) @ EXPOSURES * estimated
    ours = (PORTFOLIO_WEIGHTS * PORTFOLIO_RETURNS).sum(axis=1)
    theirs = (BENCHMARK_WEIGHTS * BENCHMARK_RETURNS).sum(axis=1)
    changes = (1.0 + ours) / (1.0 + theirs) - 1.0
    expected = np.expm1((np.log1p(changes) / changes / (1.0 + theirs)) @ parts)
    segments = answer["factors"]["segments"]
    assert [one["contribution"] for one in segments[:2]] == pytest.approx(expected.tolist(), abs=1e-13)
    product = math.prod(1.0 + one["contribution"] for one in segments) - 1.0
    assert product == pytest.approx(answer["excessReturn"], abs=1e-13)


def test_factors_by_regression(wire: Wire) -> None:
    """Slopes and fit by numpy, with an intercept, which stays in specific."""
    market = FACTOR_RETURNS[:, :1]
    answer = wire.call(ATTRIBUTE, request(regressionFactors=panel(market, ("market",))))
    excess = ((PORTFOLIO_WEIGHTS * PORTFOLIO_RETURNS) - (BENCHMARK_WEIGHTS * BENCHMARK_RETURNS)).sum(axis=1)
    slope, intercept = np.polyfit(market[:, 0], excess, 1)
    left = excess - intercept - slope * market[:, 0]
    found = answer["regression"]
    assert found["rSquared"] == pytest.approx(1.0 - left.var() / excess.var(), abs=1e-12)
    assert found["segments"][0]["meanExposure"] == pytest.approx(slope, rel=1e-12)
    expected = slope * float(np.array(factors(answer)) @ market[:, 0])
    assert found["segments"][0]["contribution"] == pytest.approx(expected, abs=1e-14)
    assert sum(one["contribution"] for one in found["segments"]) == pytest.approx(answer["excessReturn"], abs=1e-14)


LOST = np.where(np.arange(12).reshape(4, 3) == 3, -4.0, PORTFOLIO_RETURNS)
GAP = np.where(np.arange(12).reshape(4, 3) == 4, np.nan, PORTFOLIO_WEIGHTS)
COLLAPSE = {
    "portfolioWeights": [[1.0, 0.0]],
    "benchmarkWeights": [[0.5, 0.5]],
    "portfolioReturns": [[0.1, math.nan]],
    "benchmarkReturns": [[-1.0, 0.5]],
}


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        (request(portfolioReturns=LOST), "portfolio_returns", "more than nothing in every period"),
        (request(benchmarkReturns=LOST), "benchmark_returns", "2020-06-30"),
        (request(portfolioReturns=LOST, linking="LINKING_GEOMETRIC"), "portfolio_returns", "more than nothing"),
        (request(portfolioWeights=GAP), "portfolio_weights.values[4]", "0 for none"),
        (request(portfolioReturns=GAP), "portfolio_returns.values[4]", "where portfolio_weights has a weight"),
        (request(benchmarkWeights=BENCHMARK_WEIGHTS[:3]), "benchmark_weights.dates", "must be those of"),
        (request() | {"portfolioReturns": panel(TABLES["portfolioReturns"], ("UK", "Japan", "EU"))},
         "portfolio_returns.symbols", "EU is in one of the two alone"),
        (request() | {"portfolioReturns": {**panel(PORTFOLIO_RETURNS), "values": [0.1] * 11}},
         "portfolio_returns.values", "12 entries, has 11"),
        ({n: panel(t, ("A", "B")) for n, t in COLLAPSE.items()} | {"linking": "LINKING_GEOMETRIC"},
         "linking", "must be another one than GEOMETRIC"),
        (request(factors=exposures(symbols=["UK", "Japan"], values=[1, 2, 3, 4])), "factors.symbols", "US has no"),
        (request(factors=exposures(values=[1, 2, 3])), "factors.values", "3 symbols x 2 factors = 6 entries, has 3"),
        (request(factors=exposures(values=[1, 2, 1, 2, 1, 2])), "factors.values", "tell the factors apart"),
        (request(factors=exposures(returns=panel(FACTOR_RETURNS[:3], ("market", "size")))),
         "factors.returns.dates", "2020-12-31 is missing"),
        (request(factors=exposures(returns=panel(FACTOR_RETURNS, ("market", "value")))),
         "factors.returns.symbols", "in one of the two alone"),
        (request(regressionFactors=panel(np.ones((4, 1)), ("flat",))), "regression_factors.symbols", "does not vary"),
        (request(regressionFactors=panel(np.eye(4)[:, :3], ("a", "b", "c"))), "regression_factors.dates", "at least 5"),
        (request(regressionFactors=panel(FACTOR_RETURNS[:, [0, 0]], ("a", "b"))),
         "regression_factors.values", "do not depend on one another"),
        (request(portfolioWeights=PORTFOLIO_WEIGHTS * 1e300), "portfolio_weights.values[0]", "at most 1e+15"),
    ],
)  # fmt: skip
def test_refused(wire: Wire, sent: dict[str, Any], field: str, words: str) -> None:
    refusal = wire.refused(ATTRIBUTE, sent)
    assert refusal.code == "INVALID_ARGUMENT"
    assert field in refusal.fields
    assert words in refusal.message


def test_figures_of_any_size_are_numbers_or_refused(wire: Wire) -> None:
    many = np.tile(PORTFOLIO_RETURNS + 1e14, (1, 1))
    for linking in ("CARINO", "MENCHERO", "GRAP", "GEOMETRIC"):
        answer = wire.call(ATTRIBUTE, request(portfolioReturns=many, linking=f"LINKING_{linking}"))
        assert math.isfinite(answer["excessReturn"])
    long = {"dates": list(range(40)), "symbols": ["A"]}
    sent = {n: {**long, "values": [1e14 if n == "portfolioReturns" else 1.0] * 40} for n in TABLES}
    refusal = wire.refused(ATTRIBUTE, sent)
    assert refusal.code == "INVALID_ARGUMENT"
    assert "more than a number can hold" in refusal.message


def test_what_does_not_fit_into_one_message_is_said(wire: Wire) -> None:
    names = tuple(f"{'segment' * 8}{i}" for i in range(60))
    rows = np.arange(700)

    def wide(value: float) -> dict[str, Any]:
        return {"symbols": list(names), "dates": rows.tolist(), "values": [value] * (60 * 700)}

    sent = {name: wide(1.0 / 60 if "Weights" in name else 0.001) for name in TABLES}
    refusal = wire.refused(ATTRIBUTE, sent)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("without_periods",))
    assert wire.call(ATTRIBUTE, sent | {"withoutPeriods": True})["excessReturn"] == pytest.approx(0.0, abs=1e-12)
