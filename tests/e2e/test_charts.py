"""Charts over the wire: specifications with their data, and what is said where there is none."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_backtest import (
    DAYS,
    PRICES,
    SMALL,
    SMALL_DAYS,
    STOCKS,
    SYMBOLS,
    panel,
    sample_job,
    series,
    small_job,
)
from tests.vega_lite import check, rows

CHARTS = "BacktestService/GetBacktestCharts"
BACKTEST = "BacktestService/Backtest"


@pytest.fixture(scope="module")
def sample(sample_server: RunningServer) -> Any:
    with sample_server.channel() as channel:
        yield Wire(channel)


@pytest.fixture(scope="module")
def finished(sample: Wire) -> str:
    """A monthly job over 33 years with a benchmark that is a symbol."""
    benchmarks = [{"symbol": "AAPL", "label": "Apple"}]
    job = sample_job(benchmarks=benchmarks, strategies=[{"label": "equal", "equalWeight": {}}])
    del job["strategy"]
    answer = sample.call(BACKTEST, job)
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED"
    return str(answer["name"])


@pytest.fixture(scope="module")
def drawn(sample: Wire, finished: str) -> dict[str, dict[str, Any]]:
    return {one["chart"]: one["spec"] for one in sample.call(CHARTS, {"name": finished})["charts"]}


def charts(wire: Wire, method: str, **request: Any) -> dict[str, dict[str, Any]]:
    return {one["chart"]: one["spec"] for one in wire.call(method, request)["charts"]}


def test_all_charts_that_a_backtest_has_data_for(drawn: dict[str, dict[str, Any]]) -> None:
    assert list(drawn) == [
        "CHART_EQUITY",
        "CHART_DRAWDOWN",
        "CHART_MONTHLY_RETURNS",
        "CHART_ROLLING_RETURNS",
        "CHART_ROLLING_RISK",
        "CHART_WEIGHTS",
        "CHART_CONTRIBUTIONS",
        "CHART_COSTS",
    ]


@pytest.mark.parametrize("chart", ["EQUITY", "MONTHLY_RETURNS", "ROLLING_RISK", "WEIGHTS", "COSTS"])
def test_a_chart_is_drawn_as_it_was_sent(drawn: dict[str, dict[str, Any]], chart: str) -> None:
    check(drawn[f"CHART_{chart}"])


def test_equity_is_the_series_of_the_backtest(sample: Wire, finished: str, drawn: dict[str, dict[str, Any]]) -> None:
    values = series(sample, finished, "BACKTEST_SERIES_EQUITY")[:, 0]
    by_date = dict(zip((str(np.datetime64(day, "D")) for day in DAYS), values.tolist(), strict=True))
    equal = [row for row in rows(drawn["CHART_EQUITY"]) if row["label"] == "equal"]
    assert all(row["value"] == by_date[row["date"]] for row in equal)
    assert max(row["value"] for row in equal) == values.max()
    apple = {row["date"]: row["value"] for row in rows(drawn["CHART_EQUITY"]) if row["label"] == "Apple"}
    prices = PRICES[:, STOCKS.index("AAPL")]
    last = str(np.datetime64(DAYS[-1], "D"))
    assert apple[last] == pytest.approx(prices[-1] / prices[0], rel=1e-12)


def test_months_are_those_of_a_data_frame(sample: Wire, finished: str, drawn: dict[str, dict[str, Any]]) -> None:
    """Against pandas: the last value of each month over that of the month before."""
    import pandas as pd

    values = series(sample, finished, "BACKTEST_SERIES_EQUITY")[:, 0]
    curve = pd.Series(values, pd.to_datetime(DAYS, unit="D"))
    last = pd.concat([curve.iloc[:1], curve.resample("ME").last()])
    expected = (last / last.shift(1) - 1.0).iloc[1:]
    found = [row for row in rows(drawn["CHART_MONTHLY_RETURNS"]) if row["month"] != "Year"]
    assert len(found) == len(expected)
    for row, (day, value) in zip(found, expected.items(), strict=True):
        assert (row["year"], row["month"]) == (day.year, day.strftime("%b"))
        assert row["value"] == pytest.approx(value, abs=1e-13)


def test_contributions_sum_to_the_total_return(sample: Wire, finished: str, drawn: dict[str, dict[str, Any]]) -> None:
    total = sample.call("BacktestService/GetBacktest", {"name": finished})["result"]["metrics"]["totalReturn"]
    found = {row["name"]: row["value"] for row in rows(drawn["CHART_CONTRIBUTIONS"])}
    assert sum(found.values()) == pytest.approx(total, rel=1e-12)
    assert found["costs, fees, cash and fills"] < 0.0


def test_a_dark_theme(sample: Wire, finished: str, drawn: dict[str, dict[str, Any]]) -> None:
    request = {"name": finished, "charts": ["CHART_DRAWDOWN"], "theme": "CHART_THEME_DARK"}
    dark = charts(sample, CHARTS, **request)["CHART_DRAWDOWN"]
    light = drawn["CHART_DRAWDOWN"]
    assert dark["config"]["background"] != light["config"]["background"]
    assert {**dark, "config": None} == {**light, "config": None}


def test_charts_come_in_the_order_of_the_request(sample: Wire, finished: str) -> None:
    wanted = ["CHART_WEIGHTS", "CHART_EQUITY"]
    assert list(charts(sample, CHARTS, name=finished, charts=wanted)) == wanted


@pytest.mark.parametrize(
    ("request_fields", "field", "words"),
    [
        ({"charts": ["CHART_EQUITY", "CHART_FRONTIER"]}, "charts[1]", "CHART_FRONTIER is no chart of a backtest"),
        ({"charts": ["CHART_TIMING_LUCK"]}, "charts[0]", "analysis.statistical_validation.timing_luck_offsets"),
        ({"charts": ["CHART_ATTRIBUTION"]}, "charts[0]", "needs analysis.attribution"),
        ({"charts": ["CHART_EQUITY", "CHART_EQUITY"]}, "charts", "unique"),
        ({"charts": [99]}, "charts[0]", "must be one of CHART_EQUITY"),
        ({"charts": ["CHART_UNSPECIFIED"]}, "charts[0]", ""),
        ({"theme": 9}, "theme", ""),
        ({"label": "nobody"}, "label", "'nobody' is the label of no strategy of this backtest; it has equal"),
        ({"label": "Apple"}, "label", "it has equal"),
    ],
)
def test_what_is_refused(sample: Wire, finished: str, request_fields: dict[str, Any], field: str, words: str) -> None:
    refusal = sample.refused(CHARTS, {"name": finished, **request_fields})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))
    assert words in refusal.message


def test_backtests_that_are_not_there(sample: Wire) -> None:
    assert sample.refused(CHARTS, {"name": "backtests/none"}).reason == "NOT_FOUND"


def test_what_never_changes_has_no_contributions(wire: Wire) -> None:
    """The first decision is filled at the last of two dates."""
    two = {"symbols": ["A", "B"], "dates": SMALL_DAYS[:2], "values": [50.0, 20.0, 51.0, 19.0]}
    name = wire.call(BACKTEST, {**small_job(), "prices": two})["name"]
    drawn = charts(wire, CHARTS, name=name)
    assert "CHART_EQUITY" in drawn
    assert "CHART_CONTRIBUTIONS" not in drawn
    refusal = wire.refused(CHARTS, {"name": name, "charts": ["CHART_CONTRIBUTIONS"]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("charts[0]",))
    assert "a net asset value that changes" in refusal.message


def test_a_backtest_that_runs_or_has_failed(sample: Wire) -> None:
    slow = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 252}}
    job = sample_job(strategy=slow, rebalancing={"everyPeriods": {"n": 1}})
    del job["wait"]
    name = sample.call(BACKTEST, job)["name"]
    refusal = sample.refused(CHARTS, {"name": name})
    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "BACKTEST_RUNNING")
    sample.call("BacktestService/CancelBacktest", {"name": name})
    refusal = sample.refused(CHARTS, {"name": name})
    assert refusal.reason == "NOT_FOUND"
    assert "cancelled" in refusal.message


def test_several_strategies_and_a_benchmark_that_is_one(wire: Wire) -> None:
    job = small_job(
        strategies=[
            {"label": "one", "equalWeight": {}},
            {"label": "two", "inverseVolatility": {"lookbackPeriods": 20}},
        ],
        benchmarks=[{"strategy": {"label": "three", "fixedWeights": {"weights": [{"symbol": "A", "weight": 1.0}]}}}],
    )
    del job["strategy"]
    name = wire.call(BACKTEST, job)["name"]
    labels = {
        label: list(dict.fromkeys(row["label"] for row in rows(charts(wire, CHARTS, **more)["CHART_EQUITY"])))
        for label, more in ((label, {"name": name, "label": label}) for label in ("", "two", "three"))
    }
    assert labels == {"": ["one", "two", "three"], "two": ["two", "three"], "three": ["three"]}
    held = rows(charts(wire, CHARTS, name=name, label="three", charts=["CHART_WEIGHTS"])["CHART_WEIGHTS"])
    assert [row["value"] for row in held if row["label"] == "A"][-1] == pytest.approx(1.0)


MOMENTS = {
    "symbols": ["A", "B", "C"],
    "expectedReturns": [0.05, 0.08, 0.12],
    "covariance": [0.04, 0.01, 0.0, 0.01, 0.09, 0.02, 0.0, 0.02, 0.16],
    "periodsPerYear": 1,
}


def test_charts_of_an_optimization(wire: Wire) -> None:
    method = "OptimizationService/GetOptimizationCharts"
    answer = wire.call("OptimizationService/Optimize", {"moments": MOMENTS, "objective": {"maxRatio": {}}})
    name = answer["name"]
    assert list(charts(wire, method, name=name)) == ["CHART_WEIGHTS", "CHART_CONTRIBUTIONS"]
    found = charts(wire, method, name=name, frontier={"moments": MOMENTS})
    assert list(found) == ["CHART_WEIGHTS", "CHART_CONTRIBUTIONS", "CHART_FRONTIER"]
    for specification in found.values():
        check(specification)
    points = rows(found["CHART_FRONTIER"])
    assert len(points) == 31
    assert points[-1]["risk"] == answer["volatilityAnnual"]
    # The portfolio of the highest ratio lies on the frontier.
    frontier = sorted((row["risk"], row["return"]) for row in points[:-1])
    at = np.interp(points[-1]["risk"], [risk for risk, _ in frontier], [value for _, value in frontier])
    assert points[-1]["return"] == pytest.approx(at, abs=1e-4)
    assert points[-1]["return"] >= at
    total = sum(row["value"] for row in rows(found["CHART_CONTRIBUTIONS"]))
    assert total == pytest.approx(answer["volatilityAnnual"], rel=1e-12)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"charts": ["CHART_FRONTIER"]}, "charts[0]", "needs frontier in the request"),
        ({"charts": ["CHART_EQUITY"]}, "charts[0]", "is no chart of an optimization"),
        ({"frontier": {"moments": {**MOMENTS, "symbols": ["A", "B", "D"]}}}, "frontier", "symbols"),
        ({"frontier": {"moments": MOMENTS, "points": 201}}, "frontier.points", "at most 200"),
        ({"frontier": {"moments": {**MOMENTS, "covariance": [1.0]}}}, "frontier.moments.covariance", ""),
        ({"frontier": {"marketData": {"symbols": ["NONE"]}}}, None, "NONE"),
    ],
)
def test_what_charts_of_an_optimization_refuse(
    wire: Wire, fields: dict[str, Any], field: str | None, words: str
) -> None:
    name = wire.call("OptimizationService/Optimize", {"moments": MOMENTS, "objective": {"minRisk": {}}})["name"]
    refusal = wire.refused("OptimizationService/GetOptimizationCharts", {"name": name, **fields})
    assert words in refusal.message
    if field is not None:
        assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))


def test_charts_of_a_risk_report(wire: Wire) -> None:
    weights = [{"symbol": symbol, "weight": 1 / 3} for symbol in SYMBOLS]
    analysis = {
        "prices": panel(SMALL, SYMBOLS, SMALL_DAYS),
        "weights": weights,
        "rolling": {"window": 20},
        "clusters": {},
    }
    found = charts(wire, "RiskService/GetRiskCharts", analysis=analysis)
    assert list(found) == [
        "CHART_EQUITY",
        "CHART_DRAWDOWN",
        "CHART_MONTHLY_RETURNS",
        "CHART_ROLLING_RISK",
        "CHART_WEIGHTS",
        "CHART_CONTRIBUTIONS",
        "CHART_CORRELATION",
    ]
    for specification in found.values():
        check(specification)
    report = wire.call("RiskService/AnalyzeRisk", analysis)
    fall = min(row["value"] for row in rows(found["CHART_DRAWDOWN"]))
    assert -fall == pytest.approx(report["maxDrawdown"], rel=1e-12)
    for chart in ("CHART_EQUITY", "CHART_MONTHLY_RETURNS"):
        assert "at constant weights, without costs" in found[chart]["title"]["subtitle"]
    grown = rows(found["CHART_EQUITY"])[-1]["value"]
    assert grown == pytest.approx(np.prod(1.0 + (SMALL[1:] / SMALL[:-1] - 1.0) @ np.full(3, 1 / 3)), rel=1e-12)
    rolled = [row["value"] for row in rows(found["CHART_ROLLING_RISK"]) if row["view"] == 0]
    assert len(rolled) == 89 - 20 + 1


@pytest.mark.parametrize(
    ("fields", "chart", "field", "words"),
    [
        ({}, "CHART_ROLLING_RISK", "charts[0]", "needs analysis.rolling"),
        ({}, "CHART_LIQUIDITY", "charts[0]", "is no chart of a risk report"),
        ({"rolling": {"window": 500}}, "CHART_EQUITY", "analysis.rolling.window", "at most the number of returns"),
        ({"weights": [{"symbol": "X", "weight": 1.0}]}, "CHART_EQUITY", "analysis.weights[0].symbol", "X"),
    ],
)
def test_what_charts_of_a_risk_report_refuse(
    wire: Wire, fields: dict[str, Any], chart: str, field: str, words: str
) -> None:
    weights = [{"symbol": symbol, "weight": 1 / 3} for symbol in SYMBOLS]
    analysis = {"prices": panel(SMALL, SYMBOLS, SMALL_DAYS), "weights": weights, **fields}
    refusal = wire.refused("RiskService/GetRiskCharts", {"analysis": analysis, "charts": [chart]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))
    assert words in refusal.message


def test_a_risk_report_without_dates_has_no_curve(wire: Wire) -> None:
    analysis = {"moments": MOMENTS, "weights": [{"symbol": "A", "weight": 1.0}]}
    assert "CHART_EQUITY" not in charts(wire, "RiskService/GetRiskCharts", analysis=analysis)
    refusal = wire.refused("RiskService/GetRiskCharts", {"analysis": analysis, "charts": ["CHART_EQUITY"]})
    assert (refusal.fields, "in the order of time" in refusal.message) == (("charts[0]",), True)


def test_charts_of_a_reallocation(wire: Wire) -> None:
    method = "ReallocationService/GetReallocationCharts"
    market = [{"symbol": "A", "price": 10.0, "averageDailyVolume": 1000.0}, {"symbol": "B", "price": 20.0}]
    answer = wire.call(
        "ReallocationService/Reallocate",
        {
            "portfolio": {"holdings": [{"symbol": "A", "quantity": 100.0}], "cash": 0.0},
            "snapshot": {"assets": market},
            "targetWeights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]},
        },
    )
    found = charts(wire, method, name=answer["name"])
    assert list(found) == ["CHART_WEIGHTS", "CHART_LIQUIDITY"]
    for specification in found.values():
        check(specification)
    after = {row["symbol"]: row["value"] for row in rows(found["CHART_WEIGHTS"]) if row["portfolio"] == "after"}
    assert after == {"A": pytest.approx(0.5), "B": pytest.approx(0.5)}
    by_symbol = {row["symbol"]: row for row in rows(found["CHART_LIQUIDITY"])}
    assert by_symbol["A"]["days"] > 0.0
    assert by_symbol["B"] == {"symbol": "B", "state": "unknown"}
    bare = wire.call(
        "ReallocationService/Reallocate",
        {
            "portfolio": {"holdings": [{"symbol": "A", "quantity": 100.0}], "cash": 0.0},
            "snapshot": {"assets": [{"symbol": "A", "price": 10.0}, {"symbol": "B", "price": 20.0}]},
            "targetWeights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]},
        },
    )
    assert list(charts(wire, method, name=bare["name"])) == ["CHART_WEIGHTS"]
    refusal = wire.refused(method, {"name": bare["name"], "charts": ["CHART_LIQUIDITY"]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("charts[0]",))
    assert "needs the average daily volume" in refusal.message
    refusal = wire.refused(method, {"name": answer["name"], "charts": ["CHART_WEIGHTS", "CHART_EQUITY"]})
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("charts[1]",))
    assert wire.refused(method, {"name": "reallocations/none"}).reason == "NOT_FOUND"


def test_the_tables_of_a_result(sample: Wire, finished: str, drawn: dict[str, dict[str, Any]]) -> None:
    result = sample.call("BacktestService/GetBacktest", {"name": finished})["result"]
    tables = result["returnTables"]
    assert result["strategies"][0]["returnTables"] == tables
    cells = [row for row in rows(drawn["CHART_MONTHLY_RETURNS"]) if row["month"] != "Year"]
    assert tables["months"]["returns"] == [row["value"] for row in cells]
    assert tables["months"]["endDates"][-1] == DAYS[-1]
    returns = tables["months"]["returns"]
    assert tables["bestMonths"]["returns"] == sorted(returns, reverse=True)[:5]
    assert tables["worstYears"]["returns"] == sorted(tables["years"]["returns"])[:5]
    values = series(sample, finished, "BACKTEST_SERIES_EQUITY")[:, 0]
    assert tables["worstPeriods"]["returns"] == pytest.approx(sorted(values[1:] / values[:-1] - 1.0)[:5], abs=1e-14)
    assert [one["years"] for one in tables["rolling"]] == [1, 3, 5]
    gross = series(sample, finished, "BACKTEST_SERIES_GROSS_EQUITY")[:, 0]
    assert tables["grossTotalReturn"] == pytest.approx(gross[-1] - 1.0, rel=1e-12)
    assert tables["grossTotalReturn"] > result["metrics"]["totalReturn"]
    benchmark = result["benchmarks"][0]
    assert "grossTotalReturn" not in benchmark["returnTables"]
    assert "benchmarkComparisons" not in benchmark


def test_a_comparison_with_each_benchmark(wire: Wire) -> None:
    benchmarks: list[dict[str, Any]] = [{"symbol": "A"}, {"strategy": {"label": "own", "equalWeight": {}}}]
    result = wire.call(BACKTEST, small_job(benchmarks=benchmarks))["result"]
    symbol, own = result["benchmarkComparisons"]
    metrics = result["metrics"]
    assert (symbol["benchmark"], symbol["observations"]) == ("A", 89)
    assert symbol["beta"] == metrics["betaToBenchmark"]
    assert symbol["trackingErrorAnnual"] == metrics["trackingErrorAnnual"]
    equity = series(wire, wire.call(BACKTEST, small_job(benchmarks=benchmarks))["name"], "BACKTEST_SERIES_EQUITY")[:, 0]
    ours, theirs = equity[1:] / equity[:-1] - 1.0, SMALL[1:, 0] / SMALL[:-1, 0] - 1.0
    assert symbol["battingAverage"] == pytest.approx((ours > theirs).mean())
    assert symbol["captureUp"] == pytest.approx(ours[theirs > 0.0].mean() / theirs[theirs > 0.0].mean(), rel=1e-10)
    assert symbol["excessReturn"] == pytest.approx(equity[-1] - SMALL[-1, 0] / SMALL[0, 0], rel=1e-10)
    # A strategy that is its own benchmark never beats it.
    assert (own["benchmark"], own["battingAverage"], own["excessReturn"]) == ("own", 0.0, 0.0)
    assert own["undefined"]["information_ratio"] == "the active return does not vary"


def test_series_of_the_account_over_the_wire(wire: Wire) -> None:
    name = wire.call(BACKTEST, small_job(costs={"commissionBps": 10}, initialCapital=1000))["name"]
    found = {
        kind: series(wire, name, f"BACKTEST_SERIES_{kind}")
        for kind in ("HOLDINGS", "CASH", "EXPOSURES", "CONTRIBUTIONS", "COSTS", "TURNOVER", "NAV", "WEIGHTS")
    }
    nav, held = found["NAV"][:, 0], found["HOLDINGS"]
    np.testing.assert_allclose((held * SMALL).sum(axis=1) + found["CASH"][:, 0], nav, rtol=1e-12)
    np.testing.assert_allclose(found["EXPOSURES"][:, 3], found["WEIGHTS"].sum(axis=1), atol=1e-14)
    gained = held[:-1] * np.diff(SMALL, axis=0) / nav[:-1, None]
    np.testing.assert_allclose(found["CONTRIBUTIONS"][1:], gained, atol=1e-14)
    assert found["COSTS"].sum() == pytest.approx(2 * 10e-4 * found["TURNOVER"].sum(), rel=1e-2)
    header = next(
        iter(wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": "BACKTEST_SERIES_EXPOSURES"}))
    )
    assert header["header"]["symbols"] == ["long", "short", "gross", "net", "cash"]


def test_the_chart_of_an_attribution(wire: Wire) -> None:
    job = small_job(benchmarks=[{"symbol": "A"}], costs={"commissionBps": 10}, analysis={"attribution": {}})
    answer = wire.call(BACKTEST, job)
    drawn = charts(wire, CHARTS, name=answer["name"], charts=["CHART_ATTRIBUTION"])["CHART_ATTRIBUTION"]
    check(drawn)
    attribution = answer["result"]["attribution"]
    segments = {one["name"]: one["contribution"] for one in attribution["segments"]}
    largest = max(map(abs, segments.values()))
    segments = {name: part for name, part in segments.items() if abs(part) > 1e-14 * largest}
    assert {row["name"]: row["value"] for row in rows(drawn)} == segments
    assert sum(segments.values()) == pytest.approx(attribution["excessReturn"], abs=1e-10)
    assert "CHART_ATTRIBUTION" in charts(wire, CHARTS, name=answer["name"])


def test_the_chart_of_timing_luck(wire: Wire) -> None:
    analysis = {"statisticalValidation": {"timingLuckOffsets": 3, "resamples": 100}}
    answer = wire.call(BACKTEST, small_job(analysis=analysis))
    drawn = charts(wire, CHARTS, name=answer["name"], charts=["CHART_TIMING_LUCK"])["CHART_TIMING_LUCK"]
    check(drawn)
    band = answer["result"]["statisticalValidation"]["timingLuck"]["band"]
    assert [(row["lowest"], row["highest"], row["chosen"]) for row in rows(drawn)] == [
        pytest.approx((low / middle - 1.0, high / middle - 1.0, own / middle - 1.0))
        for low, high, own, middle in zip(band["lowest"], band["highest"], band["chosen"], band["median"], strict=True)
    ]
    assert [row["date"] for row in rows(drawn)] == [str(np.datetime64(day, "D")) for day in band["dates"]]
    assert band["chosen"][-1] / band["chosen"][0] - 1.0 == pytest.approx(answer["result"]["metrics"]["totalReturn"])
