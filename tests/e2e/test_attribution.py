"""Attribution of a simulated path over the wire: by hand, in identities on random backtests, and what is refused."""

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel

from tests.conftest import RunningServer, Wire
from tests.e2e.test_simulation import days, fixed, panel, result

BACKTEST = "BacktestService/Backtest"
FIRST = date(2024, 1, 1)
LONG = {"name": "sector=x", "symbols": ["A"]}
GROUPS = [{"name": "sector=one", "symbols": ["A", "B"]}, {"name": "sector=two", "symbols": ["C"]}]


def attribution(**more: Any) -> dict[str, Any]:
    return {"analysis": {"attribution": {"groups": ["sector"], "assetGroups": GROUPS, **more}}}


def prices(count: int, symbols: str = "ABC", seed: int = 1) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    values = 50.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, (count, len(symbols))), axis=0))
    return {symbol: values[:, j].tolist() for j, symbol in enumerate(symbols)}


def contributions(found: dict[str, Any]) -> dict[str, float]:
    return {segment["name"]: segment["contribution"] for segment in found["segments"]}


def benchmark(label: str = "half", **weights: float) -> list[dict[str, Any]]:
    return [{"label": label, "strategy": fixed(**weights)}]


def test_without_a_benchmark_the_parts_sum_to_the_return(wire: Wire) -> None:
    """Two dates by hand: 60 % A and 40 % cash, bought at the first close at 10 bps; A rises 10 %, then falls 5 %.

    The costs are part of the first return. Carino with a benchmark of 0: k = ln(1 + r) / r.
    """
    found = result(
        wire, days(FIRST, 3), {"A": [100.0, 110.0, 104.5]}, strategy=fixed(A=0.6), costs={"commissionBps": 10},
        execution={"fill": "FILL_SAME_CLOSE"}, analysis={"attribution": {}},
    )  # fmt: skip
    cost = 0.6 * 0.001 / (1.0 + 0.6 * 0.001)
    start = 1.0 - cost
    held = 0.6 * start
    ends = [start - held + held * 1.1, start - held + held * 1.1 * 0.95]
    parts = np.array([[held * 0.1, -cost], [held * 1.1 * -0.05 / ends[0], 0.0]])
    returns = np.array([ends[0] - 1.0, ends[1] / ends[0] - 1.0])
    factors = np.log1p(returns) / returns / (math.log(ends[1]) / (ends[1] - 1.0))
    expected = factors @ parts
    answer = found["attribution"]
    assert contributions(answer)["A"] == pytest.approx(expected[0], abs=1e-15)
    assert contributions(answer)["costs"] == pytest.approx(expected[1], abs=1e-15)
    assert answer["excessReturn"] == pytest.approx(ends[1] - 1.0, abs=1e-15)
    assert [s["name"] for s in answer["segments"]] == ["A", "costs", "fees", "cash", "financing", "trading"]
    assert answer["levels"][0]["kind"] == "asset"
    assert "allocation" not in answer["segments"][0]
    assert "benchmark" not in answer
    assert answer == found["strategies"][0]["attribution"]


def drifted(weights: list[float], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights at the start of each date and returns of a portfolio that is bought and held, (D, N) and (D,)."""
    levels = np.array(weights) * values / values[0]
    total = levels.sum(axis=1)
    return levels[:-1] / total[:-1, None], total[1:] / total[:-1] - 1.0


@pytest.mark.parametrize("model", ["BRINSON_FACHLER", "BRINSON_HOOD_BEEBOWER"])
def test_brinson_of_drifting_holdings_by_hand(wire: Wire, model: str) -> None:
    """Both sides are bought and held: their weights drift with the prices. GRAP's factors are products."""
    series = prices(40)
    found = result(
        wire, days(FIRST, 40), series, strategy=fixed(A=0.5, B=0.3, C=0.2), benchmarks=benchmark(A=0.2, B=0.2, C=0.6),
        execution={"fill": "FILL_SAME_CLOSE"},
        **attribution(model=f"ATTRIBUTION_MODEL_{model}", linking="LINKING_GRAP", separateInteraction=True),
    )  # fmt: skip
    values = np.column_stack([series[symbol] for symbol in "ABC"])
    changes = values[1:] / values[:-1] - 1.0
    (ours, r), (theirs, b) = drifted([0.5, 0.3, 0.2], values), drifted([0.2, 0.2, 0.6], values)
    before = np.append(1.0, np.cumprod(1.0 + r)[:-1])
    after = np.append(np.cumprod((1.0 + b)[::-1])[::-1][1:], 1.0)
    answer = found["attribution"]
    assert answer["benchmark"] == "half"
    for g, members in enumerate(([0, 1], [2])):
        wp, wb = ours[:, members].sum(axis=1), theirs[:, members].sum(axis=1)
        rp = (ours * changes)[:, members].sum(axis=1) / wp
        rb = (theirs * changes)[:, members].sum(axis=1) / wb
        compared = rb - b if model == "BRINSON_FACHLER" else rb
        expected = [(before * after) @ part for part in ((wp - wb) * compared, wb * (rp - rb), (wp - wb) * (rp - rb))]
        segment = answer["segments"][g]
        assert segment["name"] == ["one", "two"][g]
        assert [segment[name] for name in ("allocation", "selection", "interaction")] == pytest.approx(
            expected, abs=1e-13
        )
        assert segment["meanWeight"] == pytest.approx(wp.mean(), abs=1e-14)
        assert segment["meanBenchmarkWeight"] == pytest.approx(wb.mean(), abs=1e-14)


def test_borrowed_money_is_financing(wire: Wire) -> None:
    """150 % in the benchmark's own asset: what was borrowed earns the benchmark's return less its interest."""
    found = result(
        wire, days(FIRST, 2), {"A": [100.0, 110.0]}, strategy=fixed(A=1.5), benchmarks=benchmark(A=1.0),
        execution={"fill": "FILL_SAME_CLOSE"}, costs={"financingRateAnnual": 0.365}, margin={"maintenanceRatio": 0.1},
        **attribution(assetGroups=[LONG]),
    )  # fmt: skip
    answer = contributions(found["attribution"])
    interest = 0.5 * 0.365 / 365.0
    assert answer["financing"] == pytest.approx(0.5 * 0.1 - interest, abs=1e-14)
    assert answer["x"] == pytest.approx(0.0, abs=1e-15)
    assert found["attribution"]["excessReturn"] == pytest.approx(0.05 - interest, abs=1e-14)


def test_fills_against_the_close_are_trading(wire: Wire) -> None:
    """Bought at an open of 100 that closes at 104: the day earns 4 % on what was bought, and no weight began it."""
    dates = days(FIRST, 3)
    found = result(
        wire, dates, {"A": [99.0, 104.0, 104.0]}, strategy=fixed(A=1.0), execution={"fill": "FILL_NEXT_OPEN"},
        openPrices=panel(dates, A=[99.0, 100.0, 104.0]), analysis={"attribution": {}},
    )  # fmt: skip
    assert contributions(found["attribution"]) == pytest.approx(
        {"A": 0.0, "costs": 0.0, "fees": 0.0, "cash": 0.0, "financing": 0.0, "trading": 0.04}, abs=1e-15
    )


def test_long_and_short_of_one_group_cancel_into_trading(wire: Wire) -> None:
    """A group of +50 % and -50 % has no weight and so no return: its gain is trading."""
    found = result(
        wire, days(FIRST, 2), {"A": [100.0, 110.0], "B": [100.0, 100.0], "C": [1.0, 1.0]},
        strategy=fixed(A=0.5, B=-0.5), execution={"fill": "FILL_SAME_CLOSE"}, **attribution(),
    )  # fmt: skip
    answer = contributions(found["attribution"])
    assert answer["trading"] == pytest.approx(0.05, abs=1e-15)
    assert answer["one"] == 0.0


def test_tax_on_dividends_is_a_part_of_its_own(wire: Wire) -> None:
    """A dividend of 2 on 100, of which 15 % is withheld; the gross dividend is what the asset earned."""
    action = {"symbol": "A", "exDate": {"year": 2024, "month": 1, "day": 2}, "cashDividend": {"amount": 2.0}}
    found = result(
        wire, days(FIRST, 2), {"A": [100.0, 99.0]}, strategy=fixed(A=1.0), execution={"fill": "FILL_SAME_CLOSE"},
        corporateActions=[action], priceBasis="PRICE_BASIS_SPLIT_ADJUSTED", withholdingRate=0.15,
        analysis={"attribution": {}},
    )  # fmt: skip
    answer = contributions(found["attribution"])
    assert (answer["A"], answer["withholding"]) == pytest.approx((0.01, -0.003), abs=1e-15)


EVERYTHING: dict[str, Any] = {
    "costs": {
        "commissionBps": 8, "halfSpreadBps": 3, "cashRateAnnual": 0.02, "financingRateAnnual": 0.05,
        "managementFeeAnnual": 0.01, "performanceFee": {"rate": 0.2, "crystallization": "FREQUENCY_MONTHLY"},
        "borrowBpsAnnual": 50,
    },
    "rebalancing": {"driftBand": {"absolute": 0.02, "destination": "DESTINATION_EDGE"}},
    "delistingPolicy": "DELISTING_POLICY_SHUMWAY_NYSE",
    "cashFlows": [{"date": {"year": 2024, "month": 2, "day": 1}, "amount": 2e5},
                  {"date": {"year": 2024, "month": 3, "day": 5}, "amount": -1e5, "timing": "FLOW_TIMING_START_OF_DAY"}],
    "initialCapital": 1e6,
}  # fmt: skip


@pytest.mark.parametrize("linking", ["CARINO", "MENCHERO", "GRAP", "GEOMETRIC"])
@pytest.mark.parametrize("seed", range(3))
def test_parts_sum_to_the_excess_of_the_net_returns(wire: Wire, linking: str, seed: int) -> None:
    """With costs, fees, flows, bands, leverage, dividends and a delisting, against the wealth that metrics report."""
    series = prices(90, seed=seed)
    series["B"][70:] = [math.nan] * 20
    action = {"symbol": "C", "exDate": {"year": 2024, "month": 2, "day": 10}, "cashDividend": {"amount": 1.5}}
    found = result(
        wire, days(FIRST, 90), series, **EVERYTHING | {"strategy": fixed(A=0.7, B=0.5, C=0.1)},
        benchmarks=benchmark(A=0.3, B=0.3, C=0.3), corporateActions=[action],
        priceBasis="PRICE_BASIS_SPLIT_ADJUSTED", withholdingRate=0.1,
        **attribution(linking=f"LINKING_{linking}", daily=True),
    )  # fmt: skip
    ours = found["metrics"]["finalWealth"]
    theirs = found["benchmarks"][0]["metrics"]["finalWealth"]
    excess = ours / theirs - 1.0 if linking == "GEOMETRIC" else ours - theirs
    answer = found["strategies"][0]["attribution"]
    parts = [segment["contribution"] for segment in answer["segments"]]
    total = math.prod(1.0 + part for part in parts) - 1.0 if linking == "GEOMETRIC" else math.fsum(parts)
    assert total == pytest.approx(excess, abs=1e-10)
    assert answer["excessReturn"] == pytest.approx(excess, abs=1e-12)
    assert all(contributions(answer)[name] != 0.0 for name in ("costs", "fees", "withholding", "one", "two"))
    daily = answer["levels"][0]["daily"]
    assert len(daily["dates"]) == 89
    if linking != "GEOMETRIC":
        by_date = np.array(daily["contributions"]).reshape(89, -1)
        assert np.array(daily["linkingFactors"]) @ by_date == pytest.approx(parts, abs=1e-14)
    assert "daily" not in found["attribution"]["levels"][0]


@pytest.fixture(scope="module")
def labelled(wire: Wire) -> Wire:
    """Stored instruments: A, B and C have sectors, C has no country, D no label, and the index a price alone."""
    groups = {"A": {"sector": "one", "country": "X"}, "B": {"sector": "one", "country": "Y"}, "C": {"sector": "two"}}
    instruments = [{"symbol": f"ATT{s}", "groups": groups.get(s, {})} for s in "ABCD"]
    wire.call("MarketDataService/UpsertInstruments", {"instruments": instruments})
    return wire


def stored_request(**more: Any) -> dict[str, Any]:
    series = {f"ATT{symbol}": values for symbol, values in prices(30, "ABCD").items()}
    return {
        "prices": panel(days(FIRST, 30), **series),
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 5}},
        "periodsPerYear": 252,
        "wait": "60s",
        **more,
    }


def test_levels_are_those_of_stored_labels(labelled: Wire) -> None:
    request = stored_request(analysis={"attribution": {"groups": ["sector", "country"]}})
    answer = labelled.call(BACKTEST, request)["result"]["attribution"]
    by_kind = {level["kind"]: level["segments"] for level in answer["levels"]}
    assert [s["name"] for s in by_kind["sector"]][:3] == ["one", "two", "unlabelled"]
    assert [s["name"] for s in by_kind["country"]][:3] == ["X", "Y", "unlabelled"]
    assert by_kind["country"][2]["kind"] == "SEGMENT_KIND_UNLABELLED"
    assert answer["segments"] == by_kind["sector"]
    for segments in by_kind.values():
        assert math.fsum(s["contribution"] for s in segments) == pytest.approx(answer["excessReturn"], abs=1e-12)
    assert by_kind["sector"][0]["contribution"] == pytest.approx(
        by_kind["country"][0]["contribution"] + by_kind["country"][1]["contribution"], abs=1e-15
    )


def test_labels_of_the_request_replace_those_of_a_kind(labelled: Wire) -> None:
    """And labels are part of what the fingerprint is of."""
    given = [{"name": "sector=all", "symbols": [f"ATT{s}" for s in "ABCD"]}]
    options = {"groups": ["sector", "country"], "assetGroups": given}
    first = labelled.call(BACKTEST, stored_request(analysis={"attribution": options}))["result"]
    second = labelled.call(BACKTEST, stored_request(analysis={"attribution": {"groups": ["sector", "country"]}}))
    names = [[s["name"] for s in level["segments"]][:2] for level in first["attribution"]["levels"]]
    assert names == [["all", "costs"], ["X", "Y"]]
    assert first["inputFingerprint"] != second["result"]["inputFingerprint"]


def test_a_benchmark_that_is_an_asset_of_the_input(labelled: Wire) -> None:
    """It is held: all of it in its own group."""
    options = {"attribution": {"groups": ["sector"]}}
    request = stored_request(analysis=options, benchmarks=[{"symbol": "ATTC"}])
    answer = labelled.call(BACKTEST, request)["result"]["attribution"]
    assert [s.get("meanBenchmarkWeight") for s in answer["segments"]][:2] == [0.0, 1.0]
    assert math.fsum(s["contribution"] for s in answer["segments"]) == pytest.approx(answer["excessReturn"], abs=1e-12)


def test_factors_of_what_was_held(wire: Wire) -> None:
    """One factor that every asset has with exposure 1, without cash: the active exposure is 0, and all is specific."""
    exposures = {"factors": ["all", "size"], "symbols": ["A", "B", "C"], "values": [1, 0, 1, 1, 1, 2]}
    found = result(
        wire, days(FIRST, 40), prices(40), strategy=fixed(A=0.5, B=0.3, C=0.2),
        benchmarks=benchmark(A=0.2, B=0.2, C=0.6), execution={"fill": "FILL_SAME_CLOSE"},
        **attribution(factors=exposures), costs={"commissionBps": 10},
    )  # fmt: skip
    answer = found["attribution"]
    parts = {one["name"]: one for one in answer["factors"]["segments"]}
    assert parts["size"]["meanExposure"] == pytest.approx(0.7 - 1.4, abs=0.1)
    assert parts["all"]["meanExposure"] == pytest.approx(0.0, abs=1e-4)
    assert set(parts) == {"all", "size", "specific", "costs", "fees", "cash", "financing", "trading"}
    total = math.fsum(one["contribution"] for one in parts.values())
    assert total == pytest.approx(answer["excessReturn"], abs=1e-10)


def test_a_regression_explains_what_is_made_of_its_factor(wire: Wire) -> None:
    """All in A, whose returns are the factor: slope 1, fit 1, nothing specific."""
    series = prices(40, "A")
    changes = np.diff(series["A"]) / series["A"][:-1]
    dates = days(FIRST, 40)
    found = result(
        wire, dates, series, strategy=fixed(A=1.0), execution={"fill": "FILL_SAME_CLOSE"},
        analysis={"attribution": {"regressionFactors": panel(dates[1:], F=changes.tolist())}},
    )  # fmt: skip
    factor, specific = found["attribution"]["regression"]["segments"]
    assert factor["meanExposure"] == pytest.approx(1.0, abs=1e-10)
    assert factor["contribution"] == pytest.approx(found["metrics"]["totalReturn"], abs=1e-10)
    assert specific["contribution"] == pytest.approx(0.0, abs=1e-10)
    assert found["attribution"]["regression"]["rSquared"] == pytest.approx(1.0, abs=1e-12)


def test_wealth_that_is_used_up_is_said(wire: Wire) -> None:
    found = result(
        wire, days(FIRST, 4), {"A": [100.0, 100.0, 10.0, 10.0]}, strategy=fixed(A=3.0),
        margin={"maintenanceRatio": 0.05}, execution={"fill": "FILL_SAME_CLOSE"}, analysis={"attribution": {}},
    )  # fmt: skip
    answer = found["attribution"]
    assert answer["excessReturn"] == -1.0
    assert "used up" in answer["undefined"]["segments"]
    assert "segments" not in answer


@pytest.mark.parametrize(
    ("options", "more", "field", "words"),
    [
        ({"groups": ["region"]}, {}, "analysis.attribution.groups[0]", "no asset of the input has a label"),
        ({"groups": ["sector", "sector"]}, {}, "analysis.attribution.groups[1]", "appears twice"),
        ({"groups": ["a=b"]}, {}, "analysis.attribution.groups[0]", "without '='"),
        ({"assetGroups": [*GROUPS, GROUPS[0]]}, {}, "analysis.attribution.asset_groups[2].name", "appears twice"),
        ({"assetGroups": [{"name": "x", "symbols": ["A"]}]}, {}, "analysis.attribution.asset_groups[0].name",
         "kind=name"),
        ({"assetGroups": [{"name": "x=y", "symbols": ["A"]}]}, {}, "analysis.attribution.asset_groups[0].name",
         "groups do not name"),
        ({"assetGroups": [*GROUPS, LONG]}, {}, "analysis.attribution.asset_groups[2].symbols[0]", "has a label"),
        ({"assetGroups": [{"name": "sector=x", "symbols": ["Z"]}]}, {},
         "analysis.attribution.asset_groups[0].symbols[0]", "not a symbol"),
        ({}, {"benchmarks": [{"symbol": "SPX"}]}, "benchmarks[0].symbol", "price series without weights"),
        ({"assetGroups": GROUPS[:1]}, {"benchmarks": [{"symbol": "C"}]}, "benchmarks[0].symbol",
         "C has no weights by sector"),
        ({"factors": {"factors": ["f"], "symbols": ["A", "B"], "values": [1, 2]}}, {},
         "analysis.attribution.factors.symbols", "C has no exposures"),
        ({"factors": {"factors": ["f"], "symbols": ["A", "B", "C"], "values": [1, 2]}}, {},
         "analysis.attribution.factors.values", "3 entries, has 2"),
        ({"factors": {"factors": ["specific"], "symbols": ["A", "B", "C"], "values": [1, 2, 3]}}, {},
         "analysis.attribution.factors.factors[0]", "what the factors leave"),
        ({"regressionFactors": panel(days(FIRST, 2), F=[0.1, 0.2])}, {},
         "analysis.attribution.regression_factors.dates", "2024-01-03 is missing"),
        ({"regressionFactors": panel(days(FIRST, 30), F=[0.1] * 30)}, {},
         "analysis.attribution.regression_factors.symbols", "does not vary"),
    ],
)  # fmt: skip
def test_refused_before_anything_is_simulated(
    server: RunningServer, wire: Wire, options: dict[str, Any], more: dict[str, Any], field: str, words: str
) -> None:
    if "benchmarks" in more and more["benchmarks"][0]["symbol"] == "SPX":
        with Client(server.address) as client:
            stored = Panel.of(["SPX"], days(FIRST, 30), np.linspace(100.0, 120.0, 30)[:, None])
            client.import_prices(stored, import_id="attribution-spx")
    sent = {
        "prices": panel(days(FIRST, 30), **prices(30)), "strategy": {"equalWeight": {}}, "periodsPerYear": 252,
        "analysis": {"attribution": {"groups": ["sector"], "assetGroups": GROUPS} | options}, **more,
    }  # fmt: skip
    if "groups" in options:
        del sent["analysis"]["attribution"]["assetGroups"]
    refusal = wire.refused(BACKTEST, sent)
    assert refusal.code == "INVALID_ARGUMENT"
    assert field in refusal.fields
    assert words in refusal.message
