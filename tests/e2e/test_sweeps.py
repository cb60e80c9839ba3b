"""Sweeps over the wire: every trial is there once, compared by a score, and what the best of so many is worth."""

import base64
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_progress import FINAL, follow, wait_until
from tests.processes import standing_still
from tests.vega_lite import check, rows

SYMBOLS = ["A", "B", "C", "D"]
DATES = 200
COSTS = {"path": "costs.commissionBps", "numbers": {"values": [0.0, 10.0, 50.0]}}
LOOKBACKS = {"path": "strategy.optimize.lookbackPeriods", "numbers": {"values": [40, 60]}}


def prices(dates: int = DATES, seed: int = 5) -> dict[str, Any]:
    returns = np.random.default_rng(seed).normal(4e-4, 0.01, (dates, len(SYMBOLS)))
    values = 100.0 * np.cumprod(1.0 + returns, axis=0)
    return {"symbols": SYMBOLS, "dates": list(range(dates)), "values": values.ravel().tolist()}


def base(**more: Any) -> dict[str, Any]:
    return {
        "prices": prices(),
        "periodsPerYear": 252,
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 50}},
        "rebalancing": {"everyPeriods": {"n": 20}},
        **more,
    }


def grid(*axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"grid": {"base": base(**more), "axes": list(axes)}}


def ended(wire: Wire, name: str, seconds: float = 100.0) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def is_over() -> bool:
        nonlocal found
        found = wire.call("BacktestService/GetSweep", {"name": name})
        return found["state"] in FINAL

    wait_until(is_over, seconds)
    return found


def swept(wire: Wire, request: dict[str, Any]) -> dict[str, Any]:
    """A sweep that has succeeded."""
    found = ended(wire, wire.call("BacktestService/Sweep", request)["name"])
    assert found["state"] == "BACKTEST_STATE_SUCCEEDED", found
    return found


def pages(wire: Wire, name: str, size: int, **more: Any) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        request = {"name": name, "pageSize": size, "pageToken": token, **more}
        page = wire.call("BacktestService/ListSweepTrials", request)
        yield from page.get("trials", [])
        token = page.get("nextPageToken", "")
        if not token:
            return


def figures(trial: dict[str, Any]) -> dict[str, Any]:
    return trial["metrics"]


@pytest.fixture(scope="module")
def costly(wire: Wire) -> dict[str, Any]:
    """A sweep of two axes."""
    return swept(wire, grid(COSTS, LOOKBACKS))


def test_every_combination_is_one_trial_in_order(wire: Wire, costly: dict[str, Any]) -> None:
    trials = list(pages(wire, costly["name"], 4))
    assert [one.get("index", 0) for one in trials] == list(range(6))
    set_to = [tuple(one.get("number", 0.0) for one in trial["settings"]) for trial in trials]
    assert set_to == [(cost, lookback) for cost in (0.0, 10.0, 50.0) for lookback in (40.0, 60.0)]
    assert trials[3]["label"] == "costs.commissionBps=10, strategy.optimize.lookbackPeriods=60"
    assert (costly["trialCount"], costly["finishedCount"], costly.get("failedCount", 0)) == (6, 6, 0)


def test_a_trial_has_the_bits_of_the_same_backtest_alone(wire: Wire, costly: dict[str, Any]) -> None:
    trials = list(pages(wire, costly["name"], 6))
    for index, cost, lookback in ((0, 0.0, 40), (5, 50.0, 60)):
        alone = base(costs={"commissionBps": cost}, wait="60s")
        alone["strategy"]["optimize"]["lookbackPeriods"] = lookback
        result = wire.call("BacktestService/Backtest", alone)["result"]
        assert figures(trials[index]) == result["metrics"]


def test_the_best_trial_is_the_one_with_the_highest_score(wire: Wire, costly: dict[str, Any]) -> None:
    trials = list(pages(wire, costly["name"], 10))
    assert all(one["score"] == one["metrics"]["sharpe"] for one in trials)
    best = max(trials, key=lambda one: one["score"])
    assert costly["best"] == best
    ranked = list(pages(wire, costly["name"], 2, order="ORDER_BEST_FIRST"))
    assert [one["score"] for one in ranked] == sorted((one["score"] for one in trials), reverse=True)


def test_a_score_of_which_less_is_better(wire: Wire) -> None:
    found = swept(wire, {**grid(COSTS), "selection": {"score": "SCORE_COST_TOTAL"}})
    assert found["best"].get("index", 0) == 0
    assert found["best"]["score"] == 0.0
    assert "tied" not in found


def test_equal_scores_are_told(wire: Wire) -> None:
    never = {"path": "rebalancing.everyPeriods.n", "numbers": {"values": [500, 501, 20]}}
    found = swept(wire, {**grid(never), "selection": {"score": "SCORE_TURNOVER_ANNUAL"}})
    assert (found["best"].get("index", 0), found["tied"]) == (0, [1])


def test_statistics_are_those_of_compare_strategies(wire: Wire, costly: dict[str, Any]) -> None:
    """Over the returns of all trials, as a caller would compute them from each backtest."""
    assert costly["comparedCount"] == 6
    trials = list(pages(wire, costly["name"], 6))
    columns, dates = [], []
    for trial in trials:
        cost, lookback = (one.get("number", 0.0) for one in trial["settings"])
        alone = base(costs={"commissionBps": cost}, wait="60s")
        alone["strategy"]["optimize"]["lookbackPeriods"] = int(lookback)
        name = wire.call("BacktestService/Backtest", alone)["name"]
        days, values = equity(wire, name)
        columns.append(dict(zip(days[1:], values[1:] / values[:-1] - 1.0, strict=True)))
        dates.append(set(days[1:]))
    common = sorted(set.intersection(*dates))
    table = np.array([[column[day] for column in columns] for day in common])
    compared = wire.call(
        "RiskService/CompareStrategies",
        {"returns": {"symbols": [str(i) for i in range(6)], "dates": common, "values": table.ravel().tolist()}},
    )
    assert costly["observations"] == compared["observations"]
    names = ("deflatedSharpe", "deflatedSharpeEffective", "probabilityOfOverfitting", "effectiveTrialCount")
    for name in names:
        assert costly[name] == pytest.approx(compared[name], rel=1e-9), name
    assert costly["spa"] == pytest.approx(compared["spa"])
    assert len(costly.get("stepM", [])) == len(compared.get("stepM", []))


@pytest.fixture(scope="module")
def validated(wire: Wire) -> dict[str, Any]:
    """A sweep whose choice is tested, with cash that earns something."""
    request = grid(COSTS, LOOKBACKS, costs={"cashRateAnnual": 0.03})
    selection = {
        "score": "SCORE_CALMAR",
        "crossValidation": {"groups": 6, "testGroups": 2},
        "purgePeriods": 3,
        "embargoPeriods": 2,
    }
    return swept(wire, {**request, "selection": selection})


def test_the_choice_is_tested_on_dates_that_it_has_not_seen(wire: Wire, validated: dict[str, Any]) -> None:
    found = validated["crossValidation"]
    assert (found["splitCount"], found["pathCount"], found["scoredSplitCount"]) == (15, 5, 15)
    scores = found["pathScores"]
    assert len(scores) == 5
    assert found["pathMean"] == pytest.approx(np.mean(scores))
    assert found["pathStandardDeviation"] == pytest.approx(np.std(scores, ddof=1))
    assert (found["pathLeast"], found["pathGreatest"]) == (min(scores), max(scores))
    assert found["inSampleMean"] > 0.0
    assert 0.0 <= found.get("probabilityOfLoss", 0.0) <= 1.0
    labels = {one.get("index", 0): one["label"] for one in pages(wire, validated["name"], 10)}
    assert all(labels[one.get("index", 0)] == one["label"] for one in found["chosen"])
    assert sum(one["count"] for one in found["chosen"]) == 15
    # Two blocks in the middle: of 199 returns 66 or 67 are tests, and 2 x (3 + 3 + 2) next to them are left out.
    assert found["observations"] - found["leastTrainingPeriods"] == pytest.approx(found["observations"] / 3 + 16, abs=1)
    assert "undefined" not in found


def test_paths_of_one_trial_have_the_figure_of_its_backtest(wire: Wire) -> None:
    """Its two trials are the same: every path is this trial on all dates."""
    same = {"path": "rebalancing.everyPeriods.n", "numbers": {"values": [500, 501]}}
    for score, name in (
        ("SCORE_SHARPE", "sharpe"),
        ("SCORE_SORTINO", "sortino"),
        ("SCORE_MAX_DRAWDOWN", "maxDrawdown"),
    ):
        selection = {"score": score, "crossValidation": {"groups": 4, "testGroups": 1}}
        request = grid(same, costs={"cashRateAnnual": 0.03}, analysis={"minimumAcceptableReturnAnnual": 0.02})
        found = swept(wire, {**request, "selection": selection})
        assert found["crossValidation"]["pathScores"] == pytest.approx([found["best"]["metrics"][name]], rel=1e-9)
        assert "needs two paths" in found["crossValidation"]["undefined"]["path_standard_deviation"]


@pytest.mark.parametrize(
    ("selection", "field", "rule"),
    [
        ({"purgePeriods": 3}, "selection.purge_periods", "give cross_validation too"),
        ({"embargoPeriods": 3}, "selection.embargo_periods", "give cross_validation too"),
        ({"crossValidation": {"groups": 20, "testGroups": 9}}, "selection.cross_validation.groups", "at most 1000"),
        ({"crossValidation": {"groups": 4, "testGroups": 4}}, "selection.cross_validation.test_groups", "from 1 to 3"),
        ({"crossValidation": {"groups": 4}}, "selection.cross_validation.test_groups", "greater than or equal to 1"),
        (
            {"crossValidation": {"groups": 4, "testGroups": 1}, "score": "SCORE_COST_TOTAL"},
            "selection.cross_validation",
            "cost_total",
        ),
    ],
)
def test_a_test_of_the_choice_that_cannot_be_is_refused(
    wire: Wire, selection: dict[str, Any], field: str, rule: str
) -> None:
    refusal = wire.refused("BacktestService/Sweep", {**grid(COSTS), "selection": selection})
    assert field in refusal.fields, refusal
    assert rule in refusal.message


def test_a_test_of_the_choice_that_the_data_do_not_allow_has_a_reason(wire: Wire) -> None:
    selection = {"crossValidation": {"groups": 4, "testGroups": 1}, "purgePeriods": 1000}
    found = swept(wire, {**grid(COSTS), "selection": selection})
    assert "crossValidation" not in found
    assert "training dates" in found["undefined"]["cross_validation"]
    relative = {"crossValidation": {"groups": 4, "testGroups": 1}, "score": "SCORE_INFORMATION_RATIO"}
    assert "benchmark" in swept(wire, {**grid(COSTS), "selection": relative})["undefined"]["cross_validation"]


def test_earlier_sweeps_on_the_same_data_count(wire: Wire) -> None:
    """Deleted ones too: what was tried was tried."""
    own = {"prices": prices(seed=91)}
    first = swept(wire, grid(COSTS, **own))
    assert first["triedCount"] == "3"
    assert first["deflatedSharpeAllSweeps"] == pytest.approx(first["deflatedSharpe"])
    assert first["deflatedSharpeAllSweepsEffective"] == pytest.approx(first["deflatedSharpeEffective"])
    wire.call("BacktestService/DeleteBacktest", {"name": first["name"]})
    second = swept(wire, grid(LOOKBACKS, **own))
    assert second["triedCount"] == "5"
    assert second["deflatedSharpeAllSweeps"] < second["deflatedSharpe"]
    assert swept(wire, grid(COSTS, prices=prices(seed=92)))["triedCount"] == "3"


def test_a_sweep_has_a_chart_of_its_scores(wire: Wire, costly: dict[str, Any]) -> None:
    request = {"name": costly["name"], "theme": "CHART_THEME_DARK"}
    drawn = wire.call("BacktestService/GetBacktestCharts", request)["charts"]
    assert [one["chart"] for one in drawn] == ["CHART_SWEEP_SURFACE"]
    check(drawn[0]["spec"])
    points = {(row["x"], row["y"]): row["value"] for row in rows(drawn[0]["spec"])}
    trials = list(pages(wire, costly["name"], 10))
    settings = [tuple(one.get("number", 0.0) for one in trial["settings"]) for trial in trials]
    assert points == dict(zip(settings, (one["score"] for one in trials), strict=True))
    marked = [(row["x"], row["y"]) for row in rows(drawn[0]["spec"]) if row.get("best")]
    assert marked == [settings[costly["best"].get("index", 0)]]


def test_what_a_sweep_has_no_chart_of_is_refused(wire: Wire, costly: dict[str, Any]) -> None:
    method, name = "BacktestService/GetBacktestCharts", costly["name"]
    refusal = wire.refused(method, {"name": name, "charts": ["CHART_EQUITY"]})
    assert "CHART_EQUITY is no chart of a sweep" in refusal.message
    assert "label" in wire.refused(method, {"name": name, "label": "momentum"}).fields
    listed = swept(wire, {"trials": {"backtests": [base(), base(label="second")]}})
    refusal = wire.refused(method, {"name": listed["name"], "charts": ["CHART_SWEEP_SURFACE"]})
    assert "is a list of backtests" in refusal.message


def equity(wire: Wire, name: str) -> tuple[list[int], np.ndarray]:
    days: list[int] = []
    values: list[np.ndarray] = []
    for piece in wire.stream("BacktestService/GetBacktestSeries", {"name": name, "series": "BACKTEST_SERIES_EQUITY"}):
        if "rows" in piece:
            days += piece["rows"]["dates"]
            values.append(np.frombuffer(base64.b64decode(piece["rows"]["values"]["data"])))
    return days, np.concatenate(values)


def test_a_trial_that_fails_is_a_value(wire: Wire) -> None:
    """A withdrawal of more than there is ends one trial, and no other one."""
    amounts = {"path": "initialCapital", "numbers": {"values": [1e6, 1.0, 1e5]}}
    request = grid(amounts, cashFlows=[{"date": {"year": 1970, "month": 3, "day": 25}, "amount": -50.0}])
    found = swept(wire, request)
    trials = list(pages(wire, found["name"], 10))
    failed = [one for one in trials if one["state"] == "BACKTEST_STATE_FAILED"]
    assert (found["failedCount"], len(trials)) == (1, 3)
    assert failed == [trials[1]]
    assert "withdrawal" in failed[0]["error"]["message"]
    assert "score" not in failed[0]
    assert list(pages(wire, found["name"], 10, state="BACKTEST_STATE_FAILED")) == failed


def test_a_list_of_backtests_with_data_of_their_own(wire: Wire) -> None:
    listed = [
        base(label="first"),
        base(strategy={"equalWeight": {}}),
        base(prices=prices(150, 6), strategy={"equalWeight": {}}),
    ]
    found = swept(wire, {"trials": {"backtests": listed}})
    trials = list(pages(wire, found["name"], 10))
    assert [one["label"] for one in trials] == ["first", "equal_weight [1]", "equal_weight [2]"]
    alone = wire.call("BacktestService/Backtest", {**listed[2], "wait": "60s"})["result"]
    assert figures(trials[2]) == alone["metrics"]


def test_strategies_enums_dates_and_durations_are_parameters(wire: Wire) -> None:
    momentum = {"momentum": {"lookbackPeriods": 20, "topN": 2}}
    strategies = {"path": "strategy", "strategies": {"values": [{"equalWeight": {}}, momentum]}}
    fills = {"path": "execution.fill", "strings": {"values": ["FILL_NEXT_CLOSE", "FILL_SAME_CLOSE"]}}
    whole = {"path": "fractionalHoldings", "strings": {"values": ["true", "false"]}}
    dates = {"path": "cashFlows[0].date", "strings": {"values": ["1970-02-25"]}}
    flow = {"date": {"year": 1970, "month": 2, "day": 20}, "amount": 5.0}
    request = grid(strategies, fills, whole, dates, initialCapital=1e5, cashFlows=[flow])
    request["grid"]["base"]["strategy"] = {"equalWeight": {}}
    found = swept(wire, request)
    trials = list(pages(wire, found["name"], 10))
    assert found["trialCount"] == 8
    assert [one["settings"][0]["strategy"] for one in trials] == ["equal_weight"] * 4 + ["momentum"] * 4
    assert len({one["metrics"]["totalReturn"] for one in trials}) == 8


@pytest.mark.parametrize(
    ("axis", "field", "rule"),
    [
        ({"path": "costs.commision", "numbers": {"values": [1]}}, "grid.axes[0].path", "has no field commision"),
        ({"path": "costs", "numbers": {"values": [1]}}, "grid.axes[0].path", "is a message"),
        ({"path": "prices.values", "numbers": {"values": [1]}}, "grid.axes[0].path", "have the same prices"),
        ({"path": "requestId", "strings": {"values": ["a"]}}, "grid.axes[0].path", "no parameter"),
        ({"path": "cashFlows.amount", "numbers": {"values": [1]}}, "grid.axes[0].path", "say which entry"),
        ({"path": "cashFlows[0].amount", "numbers": {"values": [1]}}, "grid.axes[0].path", "has 0 cash_flows"),
        ({"path": "strategy.momentum.topN", "numbers": {"values": [1]}}, "grid.axes[0].path", "only one can be"),
        ({"path": "costs.commissionBps", "strings": {"values": ["a"]}}, "grid.axes[0].strings", "takes numbers"),
        ({"path": "execution.fill", "numbers": {"values": [1]}}, "grid.axes[0].numbers", "takes strings"),
        (
            {"path": "execution.fill", "strings": {"values": ["FILL_NEXT_CLOSE", "LATER"]}},
            "grid.axes[0].strings.values[1]",
            "must be one of",
        ),
        (
            {"path": "strategy.optimize.lookbackPeriods", "numbers": {"values": [50, 50.5]}},
            "grid.axes[0].numbers.values[1]",
            "whole number",
        ),
        ({"path": "costs.commissionBps", "numbers": {"values": [5, 5]}}, "grid.axes[0].numbers.values[1]", "differ"),
        (
            {"path": "costs.commissionBps", "numbers": {"values": [5, -5]}},
            "grid.base.costs.commission_bps",
            "trial 1 (costs.commissionBps=-5)",
        ),
        (
            {"path": "strategy.optimize.lookbackPeriods", "numbers": {"values": [50, 5000]}},
            "grid.base.strategy.optimize.lookback_periods",
            "trial 1 (strategy.optimize.lookbackPeriods=5000)",
        ),
    ],
)
def test_an_axis_that_cannot_be_is_refused_when_it_is_sent(
    wire: Wire, axis: dict[str, Any], field: str, rule: str
) -> None:
    refusal = wire.refused("BacktestService/Sweep", grid(axis))
    assert refusal.code == "INVALID_ARGUMENT"
    assert field in refusal.fields, refusal
    assert rule in refusal.message


def test_size_is_checked_before_anything_is_expanded(wire: Wire) -> None:
    many = [{"path": path, "numbers": {"values": list(range(200))}} for path in ("seed", "costs.commissionBps")]
    started = time.monotonic()
    refusal = wire.refused("BacktestService/Sweep", grid(*many))
    assert "200 x 200 = 40000" in refusal.message
    assert time.monotonic() - started < 30.0


def test_what_says_how_a_request_is_kept_belongs_to_the_sweep(wire: Wire) -> None:
    refusal = wire.refused("BacktestService/Sweep", grid(COSTS, requestId="r"))
    assert "grid.base.request_id" in refusal.fields
    several = grid(COSTS)
    several["grid"]["base"].pop("strategy")
    several["grid"]["base"]["strategies"] = [{"equalWeight": {}}, {"momentum": {"lookbackPeriods": 20, "topN": 2}}]
    assert "must be one" in wire.refused("BacktestService/Sweep", several).message


def test_a_request_id_starts_one_sweep(wire: Wire) -> None:
    request = {**grid(COSTS), "requestId": "sweep-once", "sweepId": "mine", "label": "costs"}
    first = wire.call("BacktestService/Sweep", request)
    assert first["name"] == "sweeps/mine"
    assert wire.call("BacktestService/Sweep", request)["name"] == "sweeps/mine"
    other = {**grid(LOOKBACKS), "requestId": "sweep-once", "sweepId": "mine", "label": "costs"}
    assert wire.refused("BacktestService/Sweep", other).reason == "REQUEST_ID_REUSED"
    taken = {**grid(COSTS), "sweepId": "mine"}
    assert wire.refused("BacktestService/Sweep", taken).reason == "ALREADY_EXISTS"
    assert ended(wire, "sweeps/mine")["label"] == "costs"


def test_a_sweep_is_no_backtest(wire: Wire, costly: dict[str, Any]) -> None:
    name = costly["name"].replace("sweeps/", "backtests/")
    assert wire.refused("BacktestService/GetBacktest", {"name": name}).reason == "NOT_FOUND"
    listed = wire.call("BacktestService/ListBacktests", {"pageSize": 1000}).get("backtests", [])
    assert all(one["name"].startswith("backtests/") for one in listed)
    refusal = wire.refused("BacktestService/GetSweep", {"name": "sweeps/none"})
    assert refusal.reason == "NOT_FOUND"
    assert "sweeps/none" in refusal.message
    assert "backtests/" not in refusal.message


def test_progress_tells_how_many_trials_are_over_and_the_best(wire: Wire) -> None:
    name = wire.call("BacktestService/Sweep", grid(COSTS, LOOKBACKS))["name"]
    messages = list(follow(wire, name))
    assert messages[-1]["finished"]["result"] == name
    kinds = [one["milestone"]["kind"] for one in messages if "milestone" in one]
    assert kinds.count("KIND_BEST_TRIAL") >= 1
    ticks = [one["tick"] for one in messages if "tick" in one]
    assert ticks[-1]["sweep"]["finishedCount"] == 6
    assert ticks[-1]["sweep"]["bestScore"] == ended(wire, name)["best"]["score"]
    assert not {"nav", "simulatedDate"} & set(ticks[-1])


def test_a_sweep_is_cancelled_and_deleted(wire: Wire) -> None:
    many = {"path": "seed", "numbers": {"values": list(range(200))}}
    request = grid(many)
    request["grid"]["base"] |= {"strategy": TAIL_RISK, "rebalancing": {"everyPeriods": {"n": 1}}}
    name = wire.call("BacktestService/Sweep", request)["name"]
    assert wire.refused("BacktestService/DeleteBacktest", {"name": name}).reason == "BACKTEST_RUNNING"
    assert wire.call("BacktestService/CancelBacktest", {"name": name})["name"] == name
    found = ended(wire, name)
    assert found["state"] == "BACKTEST_STATE_CANCELLED"
    wire.call("BacktestService/DeleteBacktest", {"name": name})
    assert wire.refused("BacktestService/GetSweep", {"name": name}).reason == "NOT_FOUND"
    assert wire.refused("BacktestService/ListSweepTrials", {"name": name}).reason == "NOT_FOUND"


@pytest.mark.parametrize("order", ["ORDER_SWEEP", "ORDER_BEST_FIRST"])
def test_trials_are_listed_while_others_run_and_after_a_cancellation(wire: Wire, order: str) -> None:
    """No trial is on two pages though others end between them, and filters hold."""
    amounts = {"path": "initialCapital", "numbers": {"values": [1.0, *range(100_000, 100_400)]}}
    request = grid(amounts, cashFlows=[{"date": {"year": 1970, "month": 3, "day": 25}, "amount": -50.0}])
    request["grid"]["base"] |= {"strategy": TAIL_RISK, "rebalancing": {"everyPeriods": {"n": 4}}}
    name = wire.call("BacktestService/Sweep", request)["name"]
    succeeded = {"order": order, "state": "BACKTEST_STATE_SUCCEEDED"}
    wait_until(lambda: len(list(pages(wire, name, 1000, **succeeded))) >= 10, 60)
    seen = []
    for trial in pages(wire, name, 3, order=order):
        seen.append(trial)
        if len(seen) == 4:
            before = len(list(pages(wire, name, 1000)))
            wait_until(lambda before=before: len(list(pages(wire, name, 1000))) > before, 60)  # type: ignore[misc]
    assert len({one.get("index", 0) for one in seen}) == len(seen) >= 10
    wire.call("BacktestService/CancelBacktest", {"name": name})
    assert ended(wire, name)["state"] == "BACKTEST_STATE_CANCELLED"
    found = list(pages(wire, name, 7, order=order))
    assert {one.get("index", 0) for one in seen} <= {one.get("index", 0) for one in found}
    assert all(one in found for one in seen)
    (failed,) = pages(wire, name, 1, order=order, state="BACKTEST_STATE_FAILED")
    assert "withdrawal" in failed["error"]["message"]
    assert [one for one in found if one != failed] == list(pages(wire, name, 5, **succeeded))
    if order == "ORDER_BEST_FIRST":
        assert found[-1] == failed
        assert [one["score"] for one in found[:-1]] == sorted((one["score"] for one in found[:-1]), reverse=True)


def test_a_filter_and_an_order_of_a_sweep_that_succeeded(wire: Wire, costly: dict[str, Any]) -> None:
    best = list(pages(wire, costly["name"], 1, order="ORDER_BEST_FIRST", state="BACKTEST_STATE_SUCCEEDED"))
    assert best == list(pages(wire, costly["name"], 1000, order="ORDER_BEST_FIRST"))
    assert list(pages(wire, costly["name"], 1, state="BACKTEST_STATE_FAILED")) == []


def test_a_trial_has_its_warnings(wire: Wire) -> None:
    """Those of the same backtest alone: about its request, and about its simulation."""
    request = grid(COSTS)
    request["grid"]["base"]["strategy"] = {"momentum": {"lookbackPeriods": 20, "topN": 9}}
    trials = list(pages(wire, swept(wire, request)["name"], 10))
    alone = wire.call("BacktestService/Backtest", {**request["grid"]["base"], "wait": "60s"})
    expected = [*alone.get("warnings", []), *alone["result"].get("warnings", [])]
    assert expected
    assert trials[0]["warnings"] == expected


def test_request_ids_of_backtests_and_sweeps_are_others(wire: Wire) -> None:
    """Whatever the id of a backtest looks like."""
    sweep = wire.call("BacktestService/Sweep", {**grid(COSTS), "requestId": "twice", "wait": "60s"})
    for request_id in ("twice", "sweeps/twice"):
        backtest = wire.call("BacktestService/Backtest", base(requestId=request_id))
        assert backtest["name"].startswith("backtests/")
        assert backtest["requestId"] == request_id
    assert sweep["requestId"] == "twice"
    assert wire.call("BacktestService/Sweep", {**grid(COSTS), "requestId": "twice"})["name"] == sweep["name"]
    assert wire.call("BacktestService/CancelBacktest", {"name": sweep["name"]})["requestId"] == "twice"


def test_stopping_a_sweep_that_is_over_changes_nothing(wire: Wire, costly: dict[str, Any]) -> None:
    before = wire.call("BacktestService/GetSweep", {"name": costly["name"]})
    stopped = wire.call("BacktestService/CancelBacktest", {"name": costly["name"]})
    assert (stopped["name"], stopped["state"]) == (costly["name"], "BACKTEST_STATE_SUCCEEDED")
    assert wire.call("BacktestService/GetSweep", {"name": costly["name"]}) == before


COMMISSION = {"path": "costs.commissionBps", "numbers": {"values": [0, 10]}}


@pytest.mark.parametrize(
    ("axes", "field", "rule"),
    [
        (
            [COMMISSION, COMMISSION | {"path": "costs.commission_bps"}],
            "grid.axes[1].path",
            "would replace what costs.commissionBps sets",
        ),
        (
            [
                {"path": "strategy.label", "strings": {"values": ["a", "b"]}},
                {"path": "strategy", "strategies": {"values": [{"equalWeight": {}}]}},
            ],
            "grid.axes[1].path",
            "would replace what strategy.label sets",
        ),
        (
            [{"path": "marketData.startDate", "strings": {"values": ["2020-01-02", "20200102"]}}],
            "grid.axes[0].strings.values[1]",
            "is values[0] again",
        ),
    ],
)
def test_axes_that_set_the_same_twice_are_refused(
    wire: Wire, axes: list[dict[str, Any]], field: str, rule: str
) -> None:
    refusal = wire.refused("BacktestService/Sweep", grid(*axes))
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,)), refusal
    assert rule in refusal.message


def test_tokens_of_other_lists_are_refused(wire: Wire, costly: dict[str, Any]) -> None:
    page = wire.call("BacktestService/ListSweepTrials", {"name": costly["name"], "pageSize": 2})
    request = {"name": costly["name"], "pageToken": page["nextPageToken"], "order": "ORDER_BEST_FIRST"}
    assert "other filters" in wire.refused("BacktestService/ListSweepTrials", request).message
    request = {"name": costly["name"], "pageToken": "x"}
    assert "page_token" in wire.refused("BacktestService/ListSweepTrials", request).fields


TAIL_RISK = {
    "optimize": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_CVAR", "lookbackPeriods": 60},
}
"""Decisions that take a millisecond each, so that a sweep takes seconds."""

KILLS = int(os.environ.get("ABSFIN_SWEEP_KILLS", "1"))
"""How often the server is killed in the middle of a sweep."""


@pytest.mark.timeout(60 + 90 * KILLS)
def test_a_sweep_of_a_server_that_is_killed_loses_no_trial_and_doubles_none(
    start_server: Callable[..., RunningServer],
) -> None:
    trials = 8 + 6 * KILLS
    many = {"path": "costs.commissionBps", "numbers": {"values": list(range(trials))}}
    request = grid(many)
    request["grid"]["base"] |= {"strategy": TAIL_RISK, "rebalancing": {"everyPeriods": {"n": 2}}}
    running = start_server("--workers", "2")
    with running.channel() as channel:
        name = Wire(channel).call("BacktestService/Sweep", request)["name"]
    for kill in range(KILLS):
        with running.channel() as channel:
            wire, wanted = Wire(channel), 2 + 6 * kill
            next(one for one in follow(wire, name, minInterval="0.05s") if told_count(one) >= wanted)
            with standing_still(running.job_workers()):
                wait_until(lambda wire=wire, wanted=wanted: finished_count(wire, name) >= wanted, 90)  # type: ignore[misc]
                os.kill(running.process.pid, signal.SIGKILL)
                running.process.wait(20)
        running = start_server("--workers", "1", data_dir=running.data_dir)
    with running.channel() as channel:
        wire = Wire(channel)
        found = ended(wire, name)
        listed = list(pages(wire, name, 1000))
        kinds = [one["milestone"]["kind"] for one in follow(wire, name) if "milestone" in one]
        assert found["finishedCount"] == trials
        assert [one.get("index", 0) for one in listed] == list(range(trials))
        assert all(one["state"] == "BACKTEST_STATE_SUCCEEDED" for one in listed)
        assert kinds.count("KIND_RESUMED") == KILLS
        again = ended(wire, wire.call("BacktestService/Sweep", request)["name"], 60.0 + 30.0 * KILLS)
        assert list(pages(wire, again["name"], 1000)) == listed
        assert {**again, **same(found)} == found
        # Counted once, however often it was taken over.
        assert (found["triedCount"], again["triedCount"]) == (str(trials), str(2 * trials))


def same(found: dict[str, Any]) -> dict[str, Any]:
    """What differs between two runs of one sweep."""
    by_all = ("triedCount", "deflatedSharpeAllSweeps", "deflatedSharpeAllSweepsEffective")
    return {name: found[name] for name in ("name", "createTime", "finishTime", *by_all)}


def told_count(notice: dict[str, Any]) -> int:
    """Trials that are over, as a tick tells at once."""
    count: int = notice.get("tick", {}).get("sweep", {}).get("finishedCount", 0)
    return count


def finished_count(wire: Wire, name: str) -> int:
    """Trials that are over, as is stored half a second later."""
    count: int = wire.call("BacktestService/GetSweep", {"name": name}).get("finishedCount", 0)
    return count
