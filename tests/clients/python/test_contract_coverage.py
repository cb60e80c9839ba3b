"""The client can call every method and set every field that the server serves."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import absfin
import pytest
from absfin import (
    Client,
    Returns,
    aio,
    queries,
    strategies,
)
from absfinance.v1 import (
    admin_service_pb2,
    backtest_pb2,
    backtest_service_pb2,
    constraint_pb2,
    event_service_pb2,
    liquidity_service_pb2,
    market_data_service_pb2,
    objective_pb2,
    optimization_service_pb2,
    portfolio_service_pb2,
    reallocation_service_pb2,
    risk_service_pb2,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from server.converters.not_built import NOT_BUILT
from server.servicers.admin import AdminServicer
from server.servicers.backtests import BacktestServicer
from server.servicers.events import EventServicer
from server.servicers.liquidity import LiquidityServicer
from server.servicers.market_data import MarketDataServicer
from server.servicers.optimization import OptimizationServicer
from server.servicers.portfolios import PortfolioServicer
from server.servicers.reallocation import ReallocationServicer
from server.servicers.risk import RiskServicer
from tests.clients.python.every_query import (
    CONSTRAINTS,
    COSTS,
    OBJECTIVES,
    PANEL,
    QUERIES,
    REBALANCINGS,
    STORED,
    STRATEGIES,
)

PACKAGE = "absfinance.v1."

NOT_SETTABLE = {
    "Instrument.has_prices": "set by the service",
    "BacktestProgressRequest.backtest": "sent by watch",
    "BacktestProgressRequest.after_sequence": "sent by watch",
    "BacktestProgressRequest.epoch": "sent by watch",
    "BacktestProgressRequest.min_interval": "sent by watch",
    "BacktestProgressRequest.heartbeat_interval": "watch relies on the default of the server",
    "WatchEventsRequest.portfolios": "sent by watch_events",
    "WatchEventsRequest.kinds": "sent by watch_events",
    "WatchEventsRequest.after_sequence": "sent by watch_events",
    "WatchEventsRequest.epoch": "sent by watch_events",
    "WatchEventsRequest.min_severity": "sent by watch_events",
    "WatchEventsRequest.heartbeat_interval": "watch_events relies on the default of the server",
    "AssetCost.cost_bps": "the client says trading_cost_bps, which tells 0 from absent",
}

ALSO_BUILT = [  # messages inside the requests that the client builds from its own parameters
    "OptimizeSpec",
    "SolverOptions",
    "MarketImpact",
    "AssetGroup",
    "AssetWeight",
    "Panel",
    "Moments",
    "Scenarios",
    "MarketDataSelection",
    "FactorOptions",
    "RollingOptions",
    "StressScenario",
    "Benchmark",
    "ReallocationLimits",
    "TradeSchedule",
    "TradeSchedule.AlmgrenChriss",
    "TaxLimits",
    "TaxLimits.IdenticalGroup",
    "RecentTrade",
    "OtherPurchase",
    "TaxLot",
    "Thresholds",
    "TargetWeights",
    "MarketSnapshot",
    "MarketSnapshot.Asset",
    "MarketSnapshot.FxRate",
    "TradeOff",
    "Instrument",
    "OptimizeBatchRequest.Universe",
    "OptimizeBatchRequest.Account",
    "ReallocateBatchRequest.Shared",
    "ReallocateBatchRequest.Account",
    "RecordFillsRequest.Fill",
    "RecordFillsRequest.LastPrice",
    "AssessLiquidityRequest.Trade",
    "ImportPricesRequest.Header",
    "ImportPricesRequest.Footer",
    *constraint_pb2.DESCRIPTOR.message_types_by_name,
    *objective_pb2.DESCRIPTOR.message_types_by_name,
    "Rebalancing.Never",
]

OF_A_BACKTEST = [  # messages that a backtest is made of: each field, served or not yet
    "BacktestRequest",
    "CostModel",
    "AssetCost",
    "AssetLiquidity",
    "AlmgrenImpact",
    "AlmgrenImpact.SharesOutstanding",
    "RateStep",
    "PerformanceFee",
    "CashFlow",
    "RecurringCashFlow",
    "CorporateAction",
    "CorporateAction.Split",
    "CorporateAction.CashDividend",
    "CorporateAction.Delisting",
    "Execution",
    "Margin",
    "AnalysisOptions",
    "AttributionOptions",
    "FactorExposures",
    "StatisticalValidationOptions",
    "Strategy",
    "FixedWeights",
    "WeightSchedule",
    "WeightSchedule.Entry",
    "InverseVolatilityStrategy",
    "MomentumStrategy",
    "VolatilityTargetStrategy",
    "CppiStrategy",
    "BlendStrategy",
    "BlendStrategy.Part",
    "RemoteStrategy",
    "SelectStrategy",
    "Rebalancing",
    "Rebalancing.Calendar",
    "Rebalancing.EveryPeriods",
    "Rebalancing.DriftBand",
    "RebalancingDates",
    "UniverseStep",
    "Rebalancing.DriftBand.AssetBand",
    "Rebalancing.DriftBand.GroupBand",
]

SERVICERS = [
    (optimization_service_pb2, OptimizationServicer),
    (risk_service_pb2, RiskServicer),
    (backtest_service_pb2, BacktestServicer),
    (reallocation_service_pb2, ReallocationServicer),
    (portfolio_service_pb2, PortfolioServicer),
    (market_data_service_pb2, MarketDataServicer),
    (liquidity_service_pb2, LiquidityServicer),
    (admin_service_pb2, AdminServicer),
    (event_service_pb2, EventServicer),
]

SERVED = {
    method.name: method
    for module, servicer in SERVICERS
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if method.name in vars(servicer)
}


def messages_of(query: Any) -> Iterator[Message]:
    request = query.request("t") if isinstance(query, queries.PagedQuery) else query.request()
    yield from [request] if isinstance(request, Message) else request


def fields_in(message: Message) -> Iterator[str]:
    """The fields that are set, in a message and those inside it."""
    for field, value in message.ListFields():
        yield field.full_name.removeprefix(PACKAGE)
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for one in value if field.is_repeated else [value]:
                yield from fields_in(one)


REQUESTS = [message for query in QUERIES for message in messages_of(query)]
SET = {
    name
    for message in (*REQUESTS, *CONSTRAINTS, *OBJECTIVES, *STRATEGIES, *REBALANCINGS)
    for name in fields_in(message)
}


def described(name: str) -> Descriptor:
    outer, *inner = name.split(".")
    modules = [module.DESCRIPTOR for module, _ in SERVICERS] + [backtest_pb2.DESCRIPTOR]
    files = {file.name: file for module in modules for file in (module, *module.dependencies)}
    found = next(file.message_types_by_name[outer] for file in files.values() if outer in file.message_types_by_name)
    for one in inner:
        found = found.nested_types_by_name[one]
    return found


@pytest.mark.parametrize("method", sorted(SERVED))
def test_every_field_of_a_request_can_be_set(method: str) -> None:
    assert missing(SERVED[method].input_type) == []


@pytest.mark.parametrize("name", ALSO_BUILT)
def test_every_field_of_a_message_that_the_client_builds_can_be_set(name: str) -> None:
    assert missing(described(name)) == []


@pytest.mark.parametrize("name", OF_A_BACKTEST)
def test_every_field_of_a_backtest_can_be_set(name: str) -> None:
    assert [field for field in fields_of(described(name)) if field not in SET | NOT_SETTABLE.keys()] == []


def test_no_message_of_a_backtest_is_left_out() -> None:
    found, pending = set(), [described("BacktestRequest")]
    while pending:
        message = pending.pop()
        found.add(message.full_name.removeprefix(PACKAGE))
        # The problem of an optimisation and its data are covered by themselves.
        nested = {field.message_type for field in message.fields if field.message_type} - {*map(described, ALSO_BUILT)}
        pending += [one for one in nested if one.full_name.removeprefix(PACKAGE) not in found and one.fields]
    elsewhere = {
        *("google.protobuf.Duration", "google.type.Date", "Benchmark"),
        *("Holding", "TaxLot"),  # a backtest starts from symbols and units, without tax lots
    }
    assert found - elsewhere <= set(OF_A_BACKTEST)


def missing(message: Descriptor) -> list[str]:
    return [name for name in fields_of(message) if name not in SET | NOT_SETTABLE.keys() | NOT_BUILT.keys()]


def fields_of(message: Descriptor) -> list[str]:
    return [field.full_name.removeprefix(PACKAGE) for field in message.fields]


def test_every_method_that_is_served_has_a_query() -> None:
    assert {query.RPC.method for query in QUERIES} | {"BacktestProgress", "WatchEvents"} == set(SERVED)


def test_a_method_of_both_clients_has_the_name_of_its_query() -> None:
    for query in {type(query) for query in QUERIES}:
        name = re.sub("(?<!^)(?=[A-Z])", "_", query.__name__.removesuffix("Query")).lower()
        for client in (Client, aio.Client):
            method = getattr(client, name)
            assert method.__name__ == name
            assert method.__doc__ == query.__doc__
            assert list(inspect.signature(method).parameters)[1:] == list(inspect.signature(query).parameters)


def test_what_is_listed_as_not_settable_is_not_set() -> None:
    assert not {name for name in NOT_SETTABLE if name in SET}


def test_a_query_can_be_sent_twice_with_ids_of_its_own() -> None:
    query = queries.OptimizeQuery(STORED, absfin.min_risk())
    first, second = query.request(), query.request()
    assert first.request_id != second.request_id
    first.request_id = second.request_id
    assert first == second


def test_a_given_number_of_periods_takes_the_place_of_that_of_the_data() -> None:
    returns = Returns(PANEL, 252)
    assert queries.OptimizeQuery(returns, absfin.min_risk()).request().periods_per_year == 252
    assert queries.OptimizeQuery(returns, absfin.min_risk(), periods_per_year=12).request().periods_per_year == 12


def test_costs_are_given_once() -> None:
    with pytest.raises(ValueError, match="either costs or commission_bps"):
        queries.BacktestQuery(STORED, strategies.equal_weight(), commission_bps=1.0, costs=COSTS)


def test_the_engine_of_a_request_is_no_closed_form() -> None:
    with pytest.raises(absfin.choices.UnknownChoice, match="only in certificates"):
        absfin.solver_options(engine="closed_form")
