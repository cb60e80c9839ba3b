"""What one strategy of a backtest did, as a message, and what a result repeats of its first strategy."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from absfinance.v1 import attribution_pb2, backtest_pb2
from google.protobuf import json_format

from domain.backtest.metrics import METRICS_VERSION, Performance
from domain.backtest.path_attribution import PathAttribution
from domain.backtest.period_returns import PeriodReturns
from domain.backtest.record import FailedRebalance
from domain.backtest.result import AssetEvent, AssetEventKind, CostTotals, ReconciledNav, StrategyOutcome
from domain.backtest.return_tables import BenchmarkComparison, ReturnTables
from domain.risk.figure import Absent
from domain.risk.relative import RelativeRisk
from domain.significance.validation import Validation
from server.converters import backtest_result as converters

ABSENT = Absent("why")
DAY_0 = {"year": 1970, "month": 1, "day": 1}
DAY_1 = {"year": 1970, "month": 1, "day": 2}
FIGURES = {one.name: float(k) for k, one in enumerate(fields(Performance))}
PERFORMANCE = Performance(**{**FIGURES, "observations": 7, "start_day": 0, "end_day": 1})  # type: ignore[arg-type]
BARE = StrategyOutcome("mine", PERFORMANCE, CostTotals(), 3, ())


def result(**changes: Any) -> backtest_pb2.StrategyResult:
    return converters.strategy_result_to_proto(replace(BARE, **changes), ("A", "B", "C"))


def event(day: int, kind: AssetEventKind = AssetEventKind.SPLIT) -> AssetEvent:
    return AssetEvent(day, "A", kind, 0.0, 2.0, -3.0)


def test_a_benchmark_that_is_a_symbol_has_figures_alone() -> None:
    found = json_format.MessageToDict(result())
    assert (found.pop("label"), found.pop("rebalanceCount")) == ("mine", 3)
    assert found.keys() == {"metrics", "costs"}


def test_metrics() -> None:
    found = result().metrics
    names = [name for name in FIGURES if name not in {"observations", "start_day", "end_day"}]
    assert {name: getattr(found, name) for name in names} == {name: FIGURES[name] for name in names}
    assert all(found.HasField(name) for name in names)
    assert (found.observations, found.metrics_version, dict(found.undefined)) == (7, METRICS_VERSION, {})
    assert (json_format.MessageToDict(found.start_date), json_format.MessageToDict(found.end_date)) == (DAY_0, DAY_1)


def test_a_metric_that_is_not_defined_has_its_reason() -> None:
    found = result(performance=replace(PERFORMANCE, sharpe=ABSENT)).metrics
    assert (found.HasField("sharpe"), dict(found.undefined)) == (False, {"sharpe": "why"})


def test_costs_by_kind() -> None:
    costs = {one.name: float(k) for k, one in enumerate(fields(CostTotals))}
    found = result(costs=CostTotals(**costs)).costs
    assert {name: getattr(found, name) for name in costs} == costs


def test_where_it_ended() -> None:
    found = result(
        final_units=np.array([2.0, 0.0, -1.0]),
        final_cash=0.0,
        final_nav=5.0,
        money_weighted_return=0.0,
        bankrupt_day=1,
        convention_difference=0.0,
    )
    assert [(one.symbol, one.quantity) for one in found.final_holdings] == [("A", 2.0), ("C", -1.0)]
    assert (found.HasField("final_cash"), found.final_cash, found.final_nav) == (True, 0.0, 5.0)
    assert (found.HasField("money_weighted_return"), found.HasField("convention_difference")) == (True, True)
    assert json_format.MessageToDict(found.bankrupt_date) == DAY_1
    assert dict(found.metrics.undefined) == {}
    absent = result(money_weighted_return=ABSENT)
    assert (absent.HasField("money_weighted_return"), absent.metrics.undefined["money_weighted_return"]) == (
        False,
        "why",
    )


def test_decisions_that_failed() -> None:
    (found,) = result(failures=(FailedRebalance(1, "INFEASIBLE", "too much"),)).failed_rebalances
    assert json_format.MessageToDict(found) == {"date": DAY_1, "reason": "INFEASIBLE", "message": "too much"}


@pytest.mark.parametrize(
    ("bankrupt_day", "loss", "is_said"), [(None, 0.0, False), (None, 0.5, True), (1, 0.0, True), (1, 0.5, True)]
)
def test_how_the_net_asset_value_came_about(bankrupt_day: int | None, loss: float, is_said: bool) -> None:
    found = result(bankrupt_day=bankrupt_day, reconciliation=ReconciledNav(1.0, 2.0, 3.0, 4.0, 5.0, loss))
    said = {"uncoveredLoss": loss} if is_said else {}
    assert json_format.MessageToDict(found.reconciliation) == {
        "startNav": 1.0,
        "flows": 2.0,
        "gains": 3.0,
        "costs": 4.0,
        "endNav": 5.0,
        **said,
    }


@pytest.mark.parametrize("kind", AssetEventKind)
def test_events_of_assets(kind: AssetEventKind) -> None:
    found = result(asset_events=(event(1, kind),), asset_event_count=9)
    (one,) = found.asset_events
    assert json_format.MessageToDict(one) == {
        "date": DAY_1,
        "symbol": "A",
        "kind": f"KIND_{kind}",
        "quantityBefore": 0.0,
        "quantityAfter": 2.0,
        "cash": -3.0,
    }
    assert found.asset_event_count == 9


MANY = (
    event(0, AssetEventKind.CASH_DIVIDEND),
    event(1, AssetEventKind.HALT_BEGIN),
    event(2, AssetEventKind.HALT_END),
    event(3),
    event(4, AssetEventKind.CASH_DIVIDEND),
    event(5, AssetEventKind.DELISTING),
)


@pytest.mark.parametrize(
    ("most", "days"),
    [(6, [0, 1, 2, 3, 4, 5]), (5, [0, 1, 2, 3, 5]), (4, [1, 2, 3, 5]), (3, [1, 3, 5]), (2, [3, 5]), (1, [3]), (0, [])],
)
def test_dividends_are_left_out_first_then_halts_the_last_of_each_kind_first(most: int, days: list[int]) -> None:
    assert [one.day for one in converters.listed_events(MANY, most)] == days
    found = converters.strategy_result_to_proto(replace(BARE, asset_events=MANY), (), most)
    assert [one.date.day - 1 for one in found.asset_events] == days


def test_a_result_says_that_events_are_left_out() -> None:
    few, many = replace(BARE, asset_event_count=3), replace(BARE, label="other", asset_event_count=4)
    (warning,) = converters.events_left_out([few, many], 3)
    assert (warning.code, warning.field) == ("ASSET_EVENTS_LEFT_OUT", "corporate_actions")
    assert "4 events of assets concern other; asset_events lists 3 of them" in warning.message


def test_parts_of_a_result() -> None:
    none = np.zeros(0, np.int32)
    periods = PeriodReturns(none, none, np.zeros(0))
    found = result(
        return_tables=ReturnTables(periods, periods, periods, (), 0.5),
        comparisons=(BenchmarkComparison("index", 1, RelativeRisk.absent("why"), 0.0, 0.0),),
        attribution=PathAttribution(0.25, "index"),
        validation=Validation(0.9, 4.0, 0, ABSENT, ABSENT, ABSENT, ABSENT),
    )
    assert found.return_tables.gross_total_return == 0.5
    assert [one.benchmark for one in found.benchmark_comparisons] == ["index"]
    assert found.attribution.excess_return == 0.25
    assert found.statistical_validation.confidence_level == 0.9


def test_a_result_repeats_its_first_strategy_without_what_is_large() -> None:
    level = attribution_pb2.PathAttribution.Level(kind="sector")
    level.daily.dates.append(1)
    first = backtest_pb2.StrategyResult(label="mine", rebalance_count=3, final_cash=1.0, final_nav=0.0)
    first.attribution.levels.append(level)
    first.asset_events.add(symbol="A")
    found = converters.first_of_all(first)
    assert found.keys() == {"final_nav", "asset_events", "attribution"}
    assert (found["final_nav"], found["asset_events"][0].symbol) == (0.0, "A")
    assert [(one.kind, one.HasField("daily")) for one in found["attribution"].levels] == [("sector", False)]
    assert first.attribution.levels[0].HasField("daily")


def test_a_result_repeats_all_that_it_has_a_field_for() -> None:
    whole, part = (one.DESCRIPTOR.fields_by_name for one in (backtest_pb2.BacktestResult, backtest_pb2.StrategyResult))
    assert set(converters._OF_THE_FIRST) == set(whole) & set(part)
