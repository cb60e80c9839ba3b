"""Backtests over the wire, against a simulation written out here day by day, and what can go wrong."""

import base64
import csv
import gzip
import math
import time
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel

from tests.conftest import ROOT, RunningServer, Wire

BACKTEST = "BacktestService/Backtest"
EPOCH = date(1970, 1, 1)

with gzip.open(ROOT / "data/sp500_stocks.csv.gz", "rt") as file:
    _ROWS = list(csv.reader(file))
STOCKS = _ROWS[0][1:]
DAYS = [(date.fromisoformat(row[0]) - EPOCH).days for row in _ROWS[1:]]
PRICES = np.array([[float(cell) for cell in row[1:]] for row in _ROWS[1:]])


def panel(values: np.ndarray, symbols: list[str], days: list[int]) -> dict[str, Any]:
    return {"symbols": symbols, "dates": days, "values": values.ravel().tolist()}


@pytest.fixture(scope="module")
def sample(sample_server: RunningServer) -> Any:
    with sample_server.channel() as channel:
        yield Wire(channel)


def sample_job(**more: Any) -> dict[str, Any]:
    return {
        "marketData": {"symbols": STOCKS},
        "strategy": {"equalWeight": {}},
        "rebalancing": {"calendar": {"frequency": "FREQUENCY_MONTHLY", "day": "REBALANCE_DAY_FIRST"}},
        "costs": {"commissionBps": 10},
        "wait": "60s",
        **more,
    }


@pytest.mark.parametrize(("fill", "wealth"), [("FILL_SAME_CLOSE", 211.7157150510), ("FILL_NEXT_CLOSE", 207.2732560859)])
def test_the_sample_job(sample: Wire, fill: str, wealth: float) -> None:
    """Final wealth to 1e-9 by the conventions of docs/conventions.md; other engines differ in the fourth digit."""
    answer = sample.call(BACKTEST, sample_job(execution={"fill": fill}))
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED"
    assert answer["result"]["metrics"]["finalWealth"] == pytest.approx(wealth, abs=1e-9)


RNG = np.random.default_rng(17)
SYMBOLS = ["A", "B", "C"]
SMALL = 100.0 * np.cumprod(1.0 + RNG.normal(0.001, 0.02, (90, 3)), axis=0)
SMALL_DAYS = [18000 + i + 2 * (i // 5) for i in range(90)]  # five days a week


def small_job(**more: Any) -> dict[str, Any]:
    return {"prices": panel(SMALL, SYMBOLS, SMALL_DAYS), "strategy": {"equalWeight": {}}, "wait": "30s", **more}


def simulate(target: np.ndarray, decisions: set[int], delay: int, rate: float, capital: float = 1.0) -> np.ndarray:
    """Day by day, with bisection for wealth after costs: nothing of it is shared with the engine."""
    held, cash, wealth, due = np.zeros(3), capital, [capital], {d + delay for d in decisions}
    for t in range(len(SMALL)):
        if t > 0:
            held = held * SMALL[t] / SMALL[t - 1]
            wealth.append(held.sum() + cash)
        if t in due:
            before = held.sum() + cash
            low, high = 0.0, before
            for _ in range(200):
                middle = (low + high) / 2
                left = before - rate * np.abs(target * middle - held).sum()
                low, high = (middle, high) if left > middle else (low, middle)
            held, cash = target * low, low * (1.0 - target.sum())
            if t > 0:
                wealth[-1] = low
    return np.array(wealth)


def monthly() -> set[int]:
    months = [(EPOCH + timedelta(days=day)).month for day in SMALL_DAYS]
    return {0} | {i for i in range(1, len(months)) if months[i] != months[i - 1]}


@pytest.mark.parametrize(
    ("rebalancing", "decisions"),
    [
        ({"calendar": {}}, monthly()),
        ({"everyPeriods": {"n": 7}}, set(range(0, 90, 7))),
        ({"everyPeriods": {"n": 1}}, set(range(90))),
        ({"never": {}}, {0}),
    ],
    ids=["monthly", "every 7", "daily", "never"],
)
@pytest.mark.parametrize(("fill", "delay"), [("FILL_NEXT_CLOSE", 1), ("FILL_SAME_CLOSE", 0)])
def test_wealth_day_by_day(wire: Wire, rebalancing: dict[str, Any], decisions: set[int], fill: str, delay: int) -> None:
    weights = np.array([0.5, 0.2, 0.1])
    fixed = [{"symbol": symbol, "weight": weight} for symbol, weight in zip(SYMBOLS, weights.tolist(), strict=True)]
    request = small_job(
        strategy={"fixedWeights": {"weights": fixed}},
        rebalancing=rebalancing,
        execution={"fill": fill},
        costs={"commissionBps": 20, "halfSpreadBps": 5},
        initialCapital=1000,
    )
    answer = wire.call(BACKTEST, request)
    expected = simulate(weights, {d for d in decisions if d + delay < 90}, delay, 0.0025, 1000.0)
    equity = series(wire, answer["name"], "BACKTEST_SERIES_EQUITY")[:, 0]
    assert equity == pytest.approx(expected, rel=1e-12)
    metrics = answer["result"]["metrics"]
    assert metrics["finalWealth"] == pytest.approx(expected[-1] / 1000.0, rel=1e-12)
    costs = answer["result"]["costs"]
    assert costs["spread"] == pytest.approx(costs["commission"] / 4.0, rel=1e-12)


def series(wire: Wire, name: str, kind: str, label: str = "") -> np.ndarray:
    header, *rows = wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": kind, "label": label})
    blocks = [
        np.frombuffer(base64.b64decode(piece["rows"]["values"]["data"]), "<f8").reshape(
            [int(n) for n in piece["rows"]["values"]["shape"]]
        )
        for piece in rows
    ]
    values = np.concatenate(blocks)
    assert len(values) == header["header"]["dateCount"]
    return values


def test_every_figure_by_its_definition(wire: Wire) -> None:
    analysis = {"riskFreeRateAnnual": 0.02, "minimumAcceptableReturnAnnual": 0.05}
    request = small_job(costs={"commissionBps": 10}, analysis=analysis, benchmarks=[{"symbol": "B"}])
    answer = wire.call(BACKTEST, request)
    metrics = answer["result"]["metrics"]
    wealth = simulate(np.full(3, 1 / 3), {d for d in monthly() if d < 89}, 1, 0.001)
    r = wealth[1:] / wealth[:-1] - 1.0
    market = SMALL[1:, 1] / SMALL[:-1, 1] - 1.0
    years = (SMALL_DAYS[-1] - SMALL_DAYS[0]) / 365.25
    cagr = wealth[-1] ** (1 / years) - 1.0
    peak = np.maximum.accumulate(wealth)
    shortfall = np.minimum(r - 0.05 / 252, 0.0)
    worst = np.sort(r)
    expected = {
        "cagr": cagr,
        "totalReturn": wealth[-1] - 1.0,
        "volatilityAnnual": r.std(ddof=1) * math.sqrt(252),
        "sharpe": (r.mean() - 0.02 / 252) / r.std(ddof=1) * math.sqrt(252),
        "sortino": (r.mean() - 0.05 / 252) / math.sqrt((shortfall**2).mean()) * math.sqrt(252),
        "maxDrawdown": (1.0 - wealth / peak).max(),
        "calmar": cagr / (1.0 - wealth / peak).max(),
        "valueAtRisk": -np.quantile(r, 0.05),
        # 5 % of 89 returns are 4.45 of them: the four worst and 0.45 of the next.
        "conditionalValueAtRisk": -(worst[:4].sum() + 0.45 * worst[4]) / 4.45,
        "betaToBenchmark": np.cov(r, market)[0, 1] / market.var(ddof=1),
        "trackingErrorAnnual": (r - market).std(ddof=1) * math.sqrt(252),
        "informationRatio": (r - market).mean() / (r - market).std(ddof=1) * math.sqrt(252),
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert (metrics["observations"], metrics["metricsVersion"]) == (89, "2")
    assert answer["result"]["benchmarks"][0]["metrics"]["finalWealth"] == pytest.approx(SMALL[-1, 1] / SMALL[0, 1])


def test_returns_tell_what_prices_tell(wire: Wire) -> None:
    by_prices = wire.call(BACKTEST, small_job(costs={"commissionBps": 10}))
    returns = SMALL[1:] / SMALL[:-1] - 1.0
    request = small_job(costs={"commissionBps": 10}, periodsPerYear=252)
    del request["prices"]
    by_returns = wire.call(BACKTEST, request | {"returns": panel(returns, SYMBOLS, SMALL_DAYS[1:])})
    ours, theirs = by_returns["result"]["metrics"], by_prices["result"]["metrics"]
    assert ours["finalWealth"] == pytest.approx(theirs["finalWealth"], rel=1e-12)
    assert ours["sharpe"] == pytest.approx(theirs["sharpe"], rel=1e-9)


def test_one_bankrupt_asset_of_two_is_a_loss_of_that_asset(wire: Wire) -> None:
    """0.5 x 1.1 x 0 + 0.5 x 1.1 x 1.2 x 1.1 = 0.726; the fall is from 1.1 to 0.66."""
    returns = {"symbols": ["LEH", "B"], "dates": [19723, 19724, 19725, 19726]}
    request = {
        "returns": returns | {"values": [0.1, 0.1, -1.0, 0.2, "NaN", 0.1, "NaN", 0.0]},
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 100}},
        "execution": {"fill": "FILL_SAME_CLOSE"},
        "wait": "60s",
        "periodsPerYear": 252,
    }
    answer = wire.call(BACKTEST, request)
    metrics = answer["result"]["metrics"]
    assert metrics["finalWealth"] == pytest.approx(0.726, rel=1e-12)
    assert metrics["maxDrawdown"] == pytest.approx(0.4, rel=1e-12)
    weights = series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS")
    assert weights[:, 0] == pytest.approx([0.5, 0.5, 0.0, 0.0, 0.0])
    assert weights[:, 1] == pytest.approx([0.5, 0.5, 1.0, 1.0, 1.0])


def test_growth_beyond_a_double_is_absent_with_its_reason(wire: Wire) -> None:
    prices = {"symbols": ["MEME"], "dates": [19800, 19801], "values": [1.0, 8.0]}
    request = {"prices": prices, "strategy": {"equalWeight": {}}, "rebalancing": {"never": {}}, "wait": "60s"}
    answer = wire.call(BACKTEST, request | {"execution": {"fill": "FILL_SAME_CLOSE"}, "periodsPerYear": 252})
    metrics = answer["result"]["metrics"]
    assert (metrics["finalWealth"], metrics["totalReturn"]) == (8.0, 7.0)
    assert "cagr" not in metrics
    assert metrics["undefined"]["cagr"] == metrics["undefined"]["calmar"] == "is too large for a number"


def test_the_order_of_assets_does_not_matter(wire: Wire) -> None:
    turned = panel(SMALL[:, ::-1], SYMBOLS[::-1], SMALL_DAYS)
    optimised = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 20}}
    for strategy in ({"equalWeight": {}}, {"inverseVolatility": {"lookbackPeriods": 20}}, optimised):
        request = small_job(strategy=strategy, costs={"commissionBps": 30})
        straight = wire.call(BACKTEST, request)["result"]["metrics"]["finalWealth"]
        assert wire.call(BACKTEST, request | {"prices": turned})["result"]["metrics"]["finalWealth"] == pytest.approx(
            straight, rel=1e-10
        )


def test_a_cost_never_raises_wealth(wire: Wire) -> None:
    wealth = [
        wire.call(BACKTEST, small_job(costs={"commissionBps": bps}))["result"]["metrics"]["finalWealth"]
        for bps in (0, 1, 10, 100, 1000)
    ]
    assert wealth == sorted(wealth, reverse=True)
    assert len(set(wealth)) == 5


def test_money_is_conserved_at_every_fill(wire: Wire) -> None:
    answer = wire.call(BACKTEST, small_job(costs={"commissionBps": 50}, rebalancing={"everyPeriods": {"n": 3}}))
    equity = series(wire, answer["name"], "BACKTEST_SERIES_EQUITY")[:, 0]
    weights = series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS")
    units = series(wire, answer["name"], "BACKTEST_SERIES_TRADES").cumsum(axis=0)
    assert weights[1:].sum(axis=1) == pytest.approx(np.ones(89), abs=1e-12)
    assert units * SMALL == pytest.approx(weights * equity[:, None], abs=1e-12)
    before = (units[:-1] * SMALL[1:]).sum(axis=1)
    traded = np.abs(np.diff(units, axis=0) * SMALL[1:]).sum(axis=1)
    assert equity[2:] == pytest.approx((before - 0.005 * traded)[1:], rel=1e-12)
    drawdown = series(wire, answer["name"], "BACKTEST_SERIES_DRAWDOWN")[:, 0]
    assert drawdown.max() == pytest.approx(answer["result"]["metrics"]["maxDrawdown"])


def test_a_decision_uses_the_past_and_nothing_else(wire: Wire) -> None:
    """Prices after the decision are exchanged; the weights decided there stay the same."""
    strategy = {"optimize": {"objective": {"maxRatio": {}}, "lookbackPeriods": 30}}
    changed = SMALL.copy()
    changed[61:] *= 1.0 + 0.5 * RNG.random((29, 3))
    weights = []
    for prices in (SMALL, changed):
        request = small_job(strategy=strategy, rebalancing={"everyPeriods": {"n": 10}})
        answer = wire.call(BACKTEST, request | {"prices": panel(prices, SYMBOLS, SMALL_DAYS)})
        weights.append(series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS"))
    # The first decision is on date 30; the one on date 60 is filled on date 61.
    assert weights[0][:31] == pytest.approx(weights[1][:31], abs=0)
    assert weights[0][31] == pytest.approx(weights[1][31], abs=1e-12)


def test_optimised_weights_are_those_of_optimize(wire: Wire) -> None:
    spec = {"objective": {"minRisk": {}}, "constraints": [{"label": "caps", "weightBounds": {"upper": 0.5}}]}
    answer = wire.call(BACKTEST, small_job(strategy={"optimize": {**spec, "lookbackPeriods": 40}}))
    weights = series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS")[1]
    window = {"prices": panel(SMALL[:41], SYMBOLS, SMALL_DAYS[:41]), **spec}
    direct = [entry["weight"] for entry in wire.call("OptimizationService/Optimize", window)["weights"]]
    assert weights == pytest.approx(direct, abs=1e-9)


def test_a_failed_rebalance_is_a_value_and_the_holdings_drift_on(wire: Wire) -> None:
    """No asset has a positive mean in some windows: the ratio does not exist there."""
    falling = SMALL.copy()
    falling[40:70] = falling[40] * np.cumprod(np.full((30, 1), 0.99), axis=0)
    strategy = {"optimize": {"objective": {"maxRatio": {}}, "lookbackPeriods": 10}}
    request = small_job(strategy=strategy, rebalancing={"everyPeriods": {"n": 5}})
    answer = wire.call(BACKTEST, request | {"prices": panel(falling, SYMBOLS, SMALL_DAYS)})
    (result,) = answer["result"]["strategies"]
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED"
    assert {failure["reason"] for failure in result["failedRebalances"]} <= {
        "NO_POSITIVE_EXCESS_RETURN",
        "PROBLEM_UNBOUNDED",
        "INVALID_INPUT",
    }
    assert len(result["failedRebalances"]) >= 3
    told = [
        notice["milestone"]
        for notice in wire.stream("BacktestService/BacktestProgress", {"backtest": answer["name"]})
        if "milestone" in notice
    ]
    failed = [milestone for milestone in told if milestone["kind"] == "KIND_REBALANCE_FAILED"]
    assert [milestone["simulatedDate"] for milestone in failed] == [f["date"] for f in result["failedRebalances"]]


def test_a_schedule_decides_on_its_own_dates(wire: Wire) -> None:
    def entry(place: int, *weights: float) -> dict[str, Any]:
        day = EPOCH + timedelta(days=SMALL_DAYS[place])
        named = [{"symbol": s, "weight": w} for s, w in zip(SYMBOLS, weights, strict=True)]
        return {"date": {"year": day.year, "month": day.month, "day": day.day}, "weights": named}

    schedule = {"entries": [entry(10, 1.0, 0.0, 0.0), entry(30, 0.0, 0.5, 0.5)]}
    answer = wire.call(BACKTEST, small_job(strategy={"schedule": schedule}, rebalancing={"never": {}}))
    weights = series(wire, answer["name"], "BACKTEST_SERIES_WEIGHTS")
    assert len(weights) == 80
    assert weights[1:21] == pytest.approx(np.tile([1.0, 0.0, 0.0], (20, 1)))
    assert weights[21] == pytest.approx([0.0, 0.5, 0.5])


def test_several_strategies_share_dates_and_data(wire: Wire) -> None:
    strategies = [
        {"label": "mine", "optimize": {"objective": {"riskBudget": {}}, "lookbackPeriods": 25}},
        {"equalWeight": {}},
    ]
    request = small_job(strategies=strategies, benchmarks=[{"label": "half", "strategy": {"equalWeight": {}}}])
    del request["strategy"]
    result = wire.call(BACKTEST, request)["result"]
    assert [one["label"] for one in result["strategies"]] == ["mine", "equal_weight"]
    assert result["metrics"] == result["strategies"][0]["metrics"]
    assert {one["metrics"]["observations"] for one in result["strategies"]} == {64}
    assert result["benchmarks"][0]["metrics"]["finalWealth"] == result["strategies"][1]["metrics"]["finalWealth"]


def test_cash_earns_its_rate(wire: Wire) -> None:
    half = {"fixedWeights": {"weights": [{"symbol": "A", "weight": 0.5}]}}
    request = small_job(
        strategy=half, rebalancing={"never": {}}, costs={"cashRateAnnual": 0.0252, "dayCount": "DAY_COUNT_BARS"}
    )
    wealth = wire.call(BACKTEST, request)["result"]["metrics"]["finalWealth"]
    # All is cash until the first fill on date 1.
    cash = 1.0001 * 0.5 * 1.0001**88
    assert wealth == pytest.approx(cash + 1.0001 * 0.5 * SMALL[-1, 0] / SMALL[1, 0], rel=1e-12)


def test_one_request_id_is_one_job(wire: Wire) -> None:
    first = wire.call(BACKTEST, small_job(requestId="bt-1"))
    assert wire.call(BACKTEST, small_job(requestId="bt-1"))["name"] == first["name"]
    refusal = wire.refused(BACKTEST, small_job(requestId="bt-1", initialCapital=2))
    assert (refusal.code, refusal.reason, refusal.fields) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED", ("request_id",))


def test_jobs_are_listed_and_deleted(wire: Wire) -> None:
    names = [wire.call(BACKTEST, small_job())["name"] for _ in range(3)]
    asked = {"pageSize": 2, "state": "BACKTEST_STATE_SUCCEEDED"}
    page = wire.call("BacktestService/ListBacktests", asked)
    assert [job["name"] for job in page["backtests"]] == names[:0:-1]
    rest = wire.call("BacktestService/ListBacktests", {**asked, "pageToken": page["nextPageToken"]})
    assert rest["backtests"][0]["name"] == names[0]
    refused = wire.refused("BacktestService/ListBacktests", {"pageToken": page["nextPageToken"]})
    assert "other filters" in str(refused)
    answer = wire.call("BacktestService/GetBacktest", {"name": names[0]})
    assert answer["result"]["metrics"]["finalWealth"] > 0
    assert wire.call("BacktestService/DeleteBacktest", {"name": names[0]}) == {}
    for method in ("GetBacktest", "DeleteBacktest", "CancelBacktest"):
        assert wire.refused(f"BacktestService/{method}", {"name": names[0]}).reason == "NOT_FOUND"
    assert wire.call("BacktestService/GetBacktest", {"name": names[1]})["state"] == "BACKTEST_STATE_SUCCEEDED"


def test_validate_only_stores_nothing(wire: Wire) -> None:
    def newest() -> list[str]:
        listed = wire.call("BacktestService/ListBacktests", {"pageSize": 1})
        return [one["name"] for one in listed.get("backtests", [])]

    before = newest()
    assert wire.call(BACKTEST, small_job(validateOnly=True, requestId="checked")) == {}
    assert newest() == before
    made = wire.call(BACKTEST, small_job(requestId="checked"))["name"]  # the check has not taken the id either
    assert newest() == [made]


def test_a_later_import_does_not_reach_a_job_that_is_stored(sample: Wire) -> None:
    first = sample.call(BACKTEST, sample_job())
    again = sample.call(BACKTEST, sample_job())
    assert again["result"]["inputFingerprint"] == first["result"]["inputFingerprint"]
    assert again["result"]["metrics"] == first["result"]["metrics"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (
            {"strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 90}}},
            "strategy.optimize.lookback_periods",
        ),
        ({"strategy": {"fixedWeights": {"weights": [{"symbol": "Z", "weight": 1}]}}}, "strategy.fixed_weights"),
        ({"strategy": {"fixedWeights": {"weights": [{"symbol": "A", "weight": 2e6}]}}}, "strategy.fixed_weights"),
        ({"benchmarks": [{"symbol": "NOT_STORED"}]}, ""),
        ({"prices": panel(-SMALL, SYMBOLS, SMALL_DAYS)}, "prices.values[0]"),
        ({"prices": panel(SMALL[:1], SYMBOLS, SMALL_DAYS[:1])}, ""),
        ({"initialCapital": 0}, "initial_capital"),
        ({"costs": {"commissionBps": -1}}, "costs.commission_bps"),
        ({"costs": {"byAsset": [{"symbol": "Z", "costBps": 1}]}}, "costs.by_asset[0].symbol"),
        (
            {"costs": {"byAsset": [{"symbol": "A", "borrowBpsAnnual": 1}, {"symbol": "Z", "costBps": 1}]}},
            "costs.by_asset[1].symbol",
        ),
        ({"rebalancing": {"everyPeriods": {"n": 0}}}, "rebalancing.every_periods.n"),
        ({"strategy": None}, ""),
        ({"wait": "-1s"}, "wait"),
        (
            {"strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 20,
                "constraints": [{"weightBounds": {"symbols": ["Z"], "upper": 0.1}}]}}},
            "strategy",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_named_and_nothing_is_stored(wire: Wire, change: dict[str, Any], field: str) -> None:
    before = wire.call("BacktestService/ListBacktests", {"pageSize": 1}).get("backtests")
    refusal = wire.refused(BACKTEST, small_job(**change))
    assert refusal.code in ("INVALID_ARGUMENT", "NOT_FOUND"), refusal
    if refusal.code == "INVALID_ARGUMENT":
        assert any(given.startswith(field) for given in refusal.fields), refusal
    assert wire.call("BacktestService/ListBacktests", {"pageSize": 1}).get("backtests") == before


def test_a_gap_in_the_prices_is_named(wire: Wire) -> None:
    values: list[Any] = SMALL.ravel().tolist()
    values[31] = "NaN"
    request = small_job(prices={"symbols": SYMBOLS, "dates": SMALL_DAYS, "values": values})
    refusal = wire.refused(BACKTEST, request)
    assert refusal.fields == ("prices.values[31]",)
    dropped = wire.call(BACKTEST, request | {"missingData": "MISSING_DATA_POLICY_DROP_DATES"})
    assert dropped["result"]["metrics"]["observations"] == 88


def test_a_monthly_benchmark_is_annualised_by_its_months(server: RunningServer, wire: Wire) -> None:
    """A daily strategy beside stored prices of month ends: figures of common months, never of 252 periods a year."""
    rng = np.random.default_rng(83)
    days = [17532 + i + 2 * (i // 5) for i in range(780)]
    daily = 100.0 * np.cumprod(1.0 + rng.normal(0.0006, 0.01, 780))
    months = [(date(1970, 1, 1) + timedelta(day)).strftime("%Y-%m") for day in days]
    ends = [i for i in range(779) if months[i] != months[i + 1]]
    factor = 1.0 + rng.normal(0.005, 0.03, len(ends))
    index = daily[ends] * np.cumprod(factor)
    with Client(server.address) as client:
        client.import_prices(Panel.of(["MONTHLY"], [days[i] for i in ends], index.reshape(-1, 1)), import_id="monthly")
    request = {
        "prices": panel(daily.reshape(-1, 1), ["X"], days),
        "strategy": {"equalWeight": {}},
        "rebalancing": {"never": {}},
        "execution": {"fill": "FILL_SAME_CLOSE"},
        "benchmarks": [{"label": "bm", "symbol": "MONTHLY"}],
        "wait": "60s",
    }
    result = wire.call(BACKTEST, request)["result"]
    ours, theirs = (values[1:] / values[:-1] - 1.0 for values in (daily[ends], index))
    a_year = 12.0  # of the dates that both have
    active = ours - theirs
    metrics = result["metrics"]
    assert metrics["betaToBenchmark"] == pytest.approx(np.cov(ours, theirs)[0, 1] / theirs.var(ddof=1), rel=1e-9)
    assert metrics["trackingErrorAnnual"] == pytest.approx(active.std(ddof=1) * a_year**0.5, rel=1e-9)
    assert metrics["informationRatio"] == pytest.approx(active.mean() / active.std(ddof=1) * a_year**0.5, rel=1e-9)
    own = result["benchmarks"][0]["metrics"]
    assert own["volatilityAnnual"] == pytest.approx(theirs.std(ddof=1) * 12.0**0.5, rel=0.02)


def test_a_stored_benchmark_must_overlap(sample: Wire) -> None:
    request = small_job(benchmarks=[{"symbol": "SP500"}])
    request["prices"]["dates"] = [day + 20000 for day in SMALL_DAYS]
    assert sample.refused(BACKTEST, request).fields == ("benchmarks[0].symbol",)


def test_33_years_of_minimum_variance_in_a_second(sample: Wire) -> None:
    """A figure to look at, not a race: the limit is ten times what it takes."""
    strategy = {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 252}}
    started = time.monotonic()
    answer = sample.call(BACKTEST, sample_job(strategy=strategy))
    assert answer["result"]["strategies"][0]["rebalanceCount"] > 380
    assert time.monotonic() - started < 10.0
