"""Statistical validation of a backtest over the wire, against the figures of its papers and of its own series."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel
from scipy.stats import kurtosis, norm, skew

from tests.conftest import Wire

BACKTEST = "BacktestService/Backtest"
STOCKS = Path(__file__).parents[2] / "data/sp500_stocks.csv.gz"
AGG = Path(__file__).parents[1] / "domain/significance/ledoit_wolf_agg.csv"


def returns_job(columns: dict[str, np.ndarray], periods: float, **more: Any) -> dict[str, Any]:
    """All in the first column from the first price on, so that the path has exactly its returns."""
    table = np.column_stack(list(columns.values()))
    first = next(iter(columns))
    return {
        "returns": {
            "symbols": list(columns),
            "dates": list(range(12_000, 12_000 + len(table))),
            "values": table.ravel().tolist(),
        },
        "periodsPerYear": periods,
        "strategy": {"fixedWeights": {"weights": [{"symbol": first, "weight": 1.0}]}},
        "rebalancing": {"never": {}},
        "execution": {"fill": "FILL_SAME_CLOSE"},
        "wait": "60s",
        **more,
    }


def validated(wire: Wire, job: dict[str, Any], **options: Any) -> dict[str, Any]:
    analysis = {**job.get("analysis", {}), "statisticalValidation": options}
    answer = wire.call(BACKTEST, {**job, "analysis": analysis})
    assert answer["state"] == "BACKTEST_STATE_SUCCEEDED", answer
    found: dict[str, Any] = answer["result"]["statisticalValidation"]
    assert answer["result"]["strategies"][0]["statisticalValidation"] == found
    return found


def noise(t: int = 600, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).standard_t(5, t) * 0.01 + 0.0006


def test_sharpe_difference_of_published_data(wire: Wire) -> None:
    """Ledoit and Wolf 2008, data "agg", T = 120: figures of the authors' program with divisor T - 1."""
    ours, theirs = np.loadtxt(AGG, delimiter=",", comments="#").T / 100.0
    job = returns_job({"A": ours, "B": theirs}, 12.0, benchmarks=[{"symbol": "B"}])
    found = validated(wire, job, resamples=4999, blockLength=5)
    (one,) = found["sharpeDifferences"]
    assert (one["benchmark"], one["observations"]) == ("B", 120)
    assert round(one["difference"], 6) == 0.096706
    assert round(one["standardError"], 6) == 0.052883
    assert round(one["pValue"], 4) == 0.0674
    estimates = {e["method"]: e for e in one["estimates"]}
    assert round(estimates["hac_parzen"]["standardError"], 6) == 0.052553
    assert round(estimates["hac_parzen"]["pValue"], 4) == 0.0657
    assert round(estimates["hac_quadratic_spectral"]["standardError"], 6) == 0.051950
    assert round(estimates["hac_quadratic_spectral"]["pValue"], 4) == 0.0627
    assert estimates["studentised_circular_block_bootstrap"]["pValue"] == pytest.approx(0.084, abs=0.013)
    assert one["blockLength"] == 5.0
    assert one["differenceAnnual"] == pytest.approx(one["difference"] * 12.0**0.5)
    assert round(found["sharpeAnnual"] / 12.0**0.5, 6) == 0.107455


def test_probability_and_track_record_are_those_of_the_excess_series(wire: Wire) -> None:
    """Bailey and Lopez de Prado 2012, equations 11 and 13, of the same excess returns as metrics.sharpe."""
    returns = noise()
    job = returns_job({"A": returns}, 252.0, analysis={"riskFreeRateAnnual": 0.03})
    answer = wire.call(BACKTEST, job)
    found, metrics = answer["result"]["statisticalValidation"], answer["result"]["metrics"]
    excess = returns - 0.03 / 252.0
    ratio = excess.mean() / excess.std(ddof=1)
    factor = 1.0 - skew(excess) * ratio + (kurtosis(excess, fisher=False) - 1.0) / 4.0 * ratio**2
    assert found["sharpeAnnual"] == pytest.approx(metrics["sharpe"], rel=1e-10)
    assert found["sharpeAnnual"] == pytest.approx(ratio * 252.0**0.5, rel=1e-9)
    expected = norm.cdf(ratio * math.sqrt(599.0) / math.sqrt(factor))
    assert found["probabilisticSharpe"] == pytest.approx(expected, rel=1e-8)
    needed = 1.0 + factor * (norm.ppf(0.95) / ratio) ** 2
    assert found["minimumTrackRecordPeriods"] == pytest.approx(needed, rel=1e-7)
    intervals = {one["method"]: (one["lower"], one["upper"]) for one in found["sharpeIntervals"]}
    for method, variance in (("lo_2002", 1.0 + ratio**2 / 2.0), ("mertens_2002", factor)):
        half = norm.ppf(0.975) * math.sqrt(variance / 600.0)
        expected_ends = ((ratio - half) * 252.0**0.5, (ratio + half) * 252.0**0.5)
        assert intervals[method] == pytest.approx(expected_ends, rel=1e-7)
    assert {one["returns"] for one in found["bases"]} == {"excess"}
    assert {one["observations"] for one in found["bases"]} == {600}


def test_figures_for_the_ratio_and_the_confidence_that_were_asked_for(wire: Wire) -> None:
    """A track record of normal returns: 2.73 years at a ratio of 2 against 1 (Bailey and Lopez de Prado 2012)."""
    returns = norm.ppf((np.arange(4000) + 0.5) / 4000.0)
    np.random.RandomState(1).shuffle(returns)
    returns = 0.01 * (returns / returns.std(ddof=1) + 2.0 / math.sqrt(252.0))
    found = validated(wire, returns_job({"A": returns}, 252.0), benchmarkSharpeAnnual=1.0, resamples=100)
    assert found["minimumTrackRecordPeriods"] / 252.0 == pytest.approx(2.73, abs=0.005)
    stricter = validated(
        wire, returns_job({"A": returns}, 252.0), benchmarkSharpeAnnual=1.0, resamples=100, confidenceLevel=0.99
    )
    ratio = (stricter["minimumTrackRecordPeriods"] - 1.0) / (found["minimumTrackRecordPeriods"] - 1.0)
    assert ratio == pytest.approx((norm.ppf(0.99) / norm.ppf(0.95)) ** 2, rel=1e-9)
    assert stricter["confidenceLevel"] == 0.99


def test_the_error_of_lo(wire: Wire) -> None:
    """Lo 2002, table 2: standard error .1581 of a ratio of 1 in 60 returns."""
    returns = np.random.RandomState(2).randn(60)
    returns = 0.01 * ((returns - returns.mean()) / returns.std(ddof=1) + 1.0)
    found = validated(wire, returns_job({"A": returns}, 1.0), resamples=100)
    lo = next(one for one in found["sharpeIntervals"] if one["method"] == "lo_2002")
    assert round((lo["upper"] - lo["lower"]) / 2.0 / norm.ppf(0.975), 4) == 0.1581


def test_every_result_has_the_formulas_and_says_what_the_others_need(wire: Wire) -> None:
    job = returns_job({"A": noise(), "B": noise(seed=2)}, 252.0, benchmarks=[{"symbol": "B"}])
    result = wire.call(BACKTEST, job)["result"]
    found = result["statisticalValidation"]
    assert len(found["subPeriods"]) == 4
    assert sum(one["observations"] for one in found["subPeriods"]) == 600
    assert "resamples" not in found
    assert "timing_luck_offsets" in found["undefined"]["timing_luck"]
    for name in ("drawdown", "block_length", "sharpe_intervals.stationary_bootstrap", "sharpe_differences.B"):
        assert "set analysis.statistical_validation" in found["undefined"][name]
    assert "number of trials" in found["undefined"]["deflated_sharpe"]
    assert "deflatedSharpe" not in found
    assert "statisticalValidation" not in result["benchmarks"][0]


def test_resampled_figures_depend_on_the_seed_alone(wire: Wire) -> None:
    job = returns_job({"A": noise()}, 252.0, rebalancing={"everyPeriods": {"n": 5}})
    first = validated(wire, {**job, "seed": 5}, resamples=300)
    assert first == validated(wire, {**job, "seed": 5}, resamples=300)
    other = validated(wire, {**job, "seed": 6}, resamples=300)
    assert first["drawdown"] != other["drawdown"]
    assert first["probabilisticSharpe"] == other["probabilisticSharpe"]
    assert first["drawdown"]["paths"] == 250
    assert first["drawdown"]["observed"] == pytest.approx(deepest(noise()), rel=1e-9)


def deepest(returns: np.ndarray) -> float:
    values = np.cumprod(np.append(1.0, 1.0 + returns))
    return float((1.0 - values / np.maximum.accumulate(values)).max())


def test_timing_luck_is_that_of_the_same_request_with_later_calendars(wire: Wire) -> None:
    columns = {"A": noise(400), "B": noise(400, seed=2)}
    job = returns_job(columns, 252.0, rebalancing={"everyPeriods": {"n": 21}}, strategy={"equalWeight": {}})
    found = validated(wire, job, resamples=100, timingLuckOffsets=3)
    outcomes = {one.get("offset", 0): one["totalReturn"] for one in found["timingLuck"]["outcomes"]}
    assert sorted(outcomes) == [0, 1, 2, 3]
    table = np.column_stack(list(columns.values()))
    for offset, total in outcomes.items():
        decisions = {0, *range(offset, 400, 21)}
        assert total == pytest.approx(rebalanced(table, decisions) - 1.0, rel=1e-9)
    ordered = sorted(outcomes.values())
    luck = found["timingLuck"]
    assert (luck["lowest"], luck["highest"]) == (ordered[0], ordered[-1])
    assert luck["median"] == pytest.approx((ordered[1] + ordered[2]) / 2.0)


def rebalanced(returns: np.ndarray, decisions: set[int]) -> float:
    """Final value of equal weights that drift between decisions, filled at the same close."""
    parts = np.zeros(2)
    value = 1.0
    for date in range(len(returns) + 1):  # date 0 is before the first return
        if date:
            parts = parts * (1.0 + returns[date - 1])
            value = float(parts.sum())
        if date in decisions:
            parts = np.full(2, value / 2.0)
    return value


def test_the_band_of_the_sample_stocks(wire: Wire) -> None:
    """Final wealth with decisions every 21 dates, on each of the 21 calendars: 202.6 to 222.3; 20 stocks, 10 bps."""
    panel = read_panel(STOCKS)
    job = {
        "prices": {
            "symbols": list(panel.symbols),
            "dates": np.asarray(panel.dates).astype(int).tolist(),
            "values": panel.values.ravel().tolist(),
        },
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 21}},
        "execution": {"fill": "FILL_SAME_CLOSE"},
        "costs": {"commissionBps": 10},
        "wait": "60s",
    }
    luck = validated(wire, job, resamples=100, timingLuckOffsets=20)["timingLuck"]
    assert len(luck["outcomes"]) == 21
    assert round(luck["lowest"] + 1.0, 1) == 202.6
    assert round(luck["highest"] + 1.0, 1) == 222.3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rebalancing": {"never": {}}}, "no dates of rebalancing"),
        ({"rebalancing": {"everyPeriods": {"n": 1}}}, "every date"),
    ],
)
def test_where_there_is_no_other_calendar(wire: Wire, change: dict[str, Any], reason: str) -> None:
    found = validated(wire, {**returns_job({"A": noise(60)}, 252.0), **change}, resamples=100, timingLuckOffsets=2)
    assert reason in found["undefined"]["timing_luck"]
    assert "timingLuck" not in found


def test_shifted_calendars_count_in_the_progress_of_the_job(wire: Wire) -> None:
    columns = {"A": noise(400), "B": noise(400, seed=2)}
    job = returns_job(columns, 252.0, rebalancing={"everyPeriods": {"n": 21}}, strategy={"equalWeight": {}})
    job["analysis"] = {"statisticalValidation": {"resamples": 100, "timingLuckOffsets": 3}}
    name = wire.call(BACKTEST, job)["name"]
    news = list(wire.stream("BacktestService/BacktestProgress", {"backtest": name}))
    stages = [one["milestone"] for one in news if one.get("milestone", {}).get("kind") == "KIND_STAGE"]
    assert [one["label"] for one in stages] == [
        "equal_weight",
        "equal_weight, 1 date later",
        "equal_weight, 2 dates later",
        "equal_weight, 3 dates later",
    ]
    assert {one["stageCount"] for one in stages} == {4}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"resamples": 99}, "resamples"),
        ({"resamples": 100_001}, "resamples"),
        ({"timingLuckOffsets": 65}, "timing_luck_offsets"),
        ({"blockLength": 0.9}, "block_length"),
        ({"blockLength": 601.0}, "block_length"),
        ({"confidenceLevel": 0.0}, "confidence_level"),
        ({"subPeriods": 1}, "sub_periods"),
    ],
)
def test_bad_options_name_their_field(wire: Wire, options: dict[str, Any], field: str) -> None:
    job = {**returns_job({"A": noise()}, 252.0), "analysis": {"statisticalValidation": options}}
    refused = wire.refused(BACKTEST, job)
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.fields == (f"analysis.statistical_validation.{field}",)


def test_too_many_shifted_simulations_are_refused(wire: Wire) -> None:
    job = returns_job({"A": noise(60)}, 252.0, rebalancing={"everyPeriods": {"n": 30}})
    del job["strategy"]
    job["strategies"] = [{"equalWeight": {}, "label": f"s{i}"} for i in range(9)]
    job["analysis"] = {"statisticalValidation": {"timingLuckOffsets": 29}}
    refused = wire.refused(BACKTEST, job)
    assert refused.fields == ("analysis.statistical_validation.timing_luck_offsets",)


@pytest.mark.parametrize("t", [1, 2, 9])
def test_few_returns_have_reasons(wire: Wire, t: int) -> None:
    found = validated(wire, returns_job({"A": noise(t)}, 252.0), resamples=100)
    assert "at least" in found["undefined"]["drawdown"]
    assert "resamples" not in found  # 0: there was no bootstrap
    assert "sub_periods" in found["undefined"]
    assert ("probabilisticSharpe" in found) == (t > 1)


def test_returns_that_do_not_vary_have_reasons(wire: Wire) -> None:
    found = validated(wire, returns_job({"A": np.full(60, 0.0001)}, 252.0), resamples=100)
    assert found["undefined"]["probabilistic_sharpe"] == "the portfolio's returns do not vary"
    assert "sharpeIntervals" not in found
    assert "resamples" not in found


def test_a_long_validation_is_cancelled(wire: Wire) -> None:
    job = returns_job({"A": noise(6_000)}, 252.0, analysis={"statisticalValidation": {"resamples": 100_000}})
    job["wait"] = "0s"
    name = wire.call(BACKTEST, job)["name"]
    time.sleep(0.5)
    wire.call("BacktestService/CancelBacktest", {"name": name})
    for _ in range(200):
        state = wire.call("BacktestService/GetBacktest", {"name": name})["state"]
        if state == "BACKTEST_STATE_CANCELLED":
            return
        time.sleep(0.1)
    pytest.fail(f"the job is {state}")
