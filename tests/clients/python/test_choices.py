"""The names that a parameter takes are those of the contract, and another name is an error at once."""

from datetime import date
from typing import Any, get_args

import absfin
import pytest
from absfin import Client, RiskOptions, Stored, choices, queries, strategies
from absfin.choices import UnknownChoice, choice
from absfinance.v1 import (
    attribution_pb2,
    backtest_pb2,
    backtest_service_pb2,
    constraint_pb2,
    corporate_action_pb2,
    cost_pb2,
    objective_pb2,
    optimization_pb2,
    reallocation_pb2,
    risk_pb2,
    sweep_pb2,
)
from absfinance.v1.frequency_pb2 import Frequency
from absfinance.v1.instrument_pb2 import TradableState
from absfinance.v1.panel_pb2 import MissingDataPolicy, PriceField
from absfinance.v1.risk_measure_pb2 import RiskMeasure

DriftBand = backtest_pb2.Rebalancing.DriftBand

NOT_REQUESTED = {"closed_form"}
"""Values that only an answer has."""

NAMES = [
    (choices.PriceField, PriceField),
    (choices.MissingData, MissingDataPolicy),
    (choices.Measure, RiskMeasure),
    (choices.RollingFigure, risk_pb2.RollingFigure),
    (choices.Frequency, Frequency),
    (choices.Fill, backtest_pb2.Fill),
    (choices.Series, backtest_service_pb2.BacktestSeries),
    (choices.Score, sweep_pb2.SweepSelection.Score),
    (choices.SelectionScore, backtest_pb2.SelectStrategy.Score),
    (choices.BeforeSelection, backtest_pb2.SelectStrategy.Before),
    (choices.TrialOrder, backtest_service_pb2.ListSweepTrialsRequest.Order),
    (choices.Turnover, constraint_pb2.TurnoverKind),
    (choices.Graph, constraint_pb2.AssetNetwork.Graph),
    (choices.HierarchicalMethod, objective_pb2.Hierarchical.Method),
    (choices.Linkage, objective_pb2.Hierarchical.Linkage),
    (choices.Codependence, objective_pb2.Hierarchical.Codependence),
    (choices.KellyMethod, objective_pb2.Kelly.Method),
    (choices.Uncertainty, objective_pb2.WorstCase.Uncertainty),
    (choices.Engine, optimization_pb2.Engine),
    (choices.TradableState, TradableState),
    (choices.Deviation, reallocation_pb2.TradeOff.Deviation),
    (choices.LotMethod, reallocation_pb2.TaxLimits.LotMethod),
    (choices.JobState, backtest_pb2.BacktestState),
    (choices.AttributionModel, attribution_pb2.AttributionModel),
    (choices.Linking, attribution_pb2.Linking),
    (choices.SegmentKind, attribution_pb2.SegmentKind),
    (choices.LiquidityAllocation, reallocation_pb2.LiquidityAllocation),
    (choices.ReallocationState, reallocation_pb2.ReallocationState),
    (choices.FlowTiming, backtest_pb2.FlowTiming),
    (choices.BandTrigger, DriftBand.BandTrigger),
    (choices.BandScope, DriftBand.BandScope),
    (choices.BandDestination, DriftBand.Destination),
    (choices.Conventions, backtest_pb2.Conventions),
    (choices.AssetEventKind, backtest_pb2.AssetEvent.Kind),
    (choices.DayCount, cost_pb2.DayCount),
    (choices.Hurdle, cost_pb2.PerformanceFee.Hurdle),
    (choices.PriceBasis, corporate_action_pb2.PriceBasis),
    (choices.DividendPolicy, corporate_action_pb2.DividendPolicy),
    (choices.DelistingPolicy, corporate_action_pb2.DelistingPolicy),
]


@pytest.mark.parametrize(("names", "enum"), NAMES)
def test_a_literal_has_every_value_of_its_enum(names: Any, enum: Any) -> None:
    unspecified, *values = enum.keys()
    prefix = unspecified.removesuffix("UNSPECIFIED")
    plain = [value.removeprefix(prefix).lower() for value in values]
    assert list(get_args(names)) == [name for name in plain if name not in NOT_REQUESTED]
    assert [choice(enum, "", name) for name in plain] == values


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Stored("A", field="last"), "field: 'last' is none of close"),
        (lambda: queries.OptimizeQuery(Stored("A"), absfin.min_risk(), risk_measure="beta"), "risk_measure: 'beta'"),
        (lambda: queries.TraceFrontierQuery(Stored("A"), missing_data="ignore"), "missing_data: 'ignore'"),
        (lambda: queries.AnalyzeRiskQuery(Stored("A"), {"A": 1.0}, missing_data="ignore"), "missing_data: 'ignore'"),
        (lambda: queries.EstimateRiskModelQuery(Stored("A"), missing_data="ignore"), "missing_data: 'ignore'"),
        (lambda: queries.BacktestQuery(Stored("A"), strategies.equal_weight(), fill="open"), "fill: 'open' is none of"),
        (lambda: absfin.CashFlow(date(2020, 1, 1), 1.0, "noon"), "timing: 'noon' is none of end_of_day"),
        (lambda: absfin.RecurringCashFlow("hourly", 1.0), "frequency: 'hourly' is none of daily"),
        (lambda: absfin.PerformanceFee(0.2, hurdle="high"), "hurdle: 'high' is none of hard, soft"),
        (lambda: absfin.trading_costs(day_count="act_364"), "day_count: 'act_364' is none of act_365f"),
        (lambda: strategies.drift_band(0.1, to="middle"), "to: 'middle' is none of target, edge, fraction"),
        (
            lambda: queries.BacktestQuery(Stored("A"), strategies.equal_weight(), price_basis="raw"),
            "price_basis: 'raw'",
        ),
        (lambda: queries.BacktestSeriesQuery("backtests/x", "profit"), "series: 'profit' is none of equity, weights"),
        (lambda: RiskOptions(measures=["cvar", "beta"]), "measures: 'beta'"),
        (lambda: RiskOptions(rolling_figures=["alpha"]), "rolling_figures: 'alpha'"),
        (lambda: absfin.turnover(0.1, "both"), "kind: 'both' is none of one_way, two_way"),
        (lambda: absfin.network_limit(graph="tree"), "graph: 'tree'"),
        (lambda: absfin.cluster_limit(codependence="cosine"), "codependence: 'cosine'"),
        (lambda: absfin.hierarchical("hca"), "method: 'hca'"),
        (lambda: absfin.kelly("half"), "method: 'half'"),
        (lambda: absfin.worst_case(absfin.min_risk(), covariance="ball"), "covariance: 'ball'"),
        (lambda: strategies.calendar("fortnightly"), "frequency: 'fortnightly'"),
    ],
)
def test_an_unknown_name_is_an_error_before_any_call(build: Any, words: str) -> None:
    with pytest.raises(UnknownChoice, match=words):
        build()


def test_a_stream_with_an_unknown_name_fails_before_it_is_read() -> None:
    with Client() as client, pytest.raises(UnknownChoice):
        client.trace_frontier(Stored("A"), risk_measure="beta")


def test_options_may_be_iterators() -> None:
    options = RiskOptions(measures=iter(["cvar"]), rolling_window=3, rolling_figures=iter(["beta"]))
    for _ in range(2):
        fields = options.to_fields()
        assert fields["measures"] == ["RISK_MEASURE_CVAR"]
        assert len(fields["rolling"].figures) == 1
