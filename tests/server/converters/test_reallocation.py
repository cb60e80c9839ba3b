"""Reallocation requests as commands: portfolio, market, target and limits, and their defaults."""

from typing import Any

import pytest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.request import Limits, Thresholds
from server.commands.reallocation import Mandate, OptimizedTarget, ReallocateCommand
from server.converters.reallocation import reallocate_command_from_proto
from server.ports.market_data import PriceSelection

ASSET = {"symbol": "A", "price": 10.0}
SNAPSHOT = {"snapshot": {"assets": [ASSET]}}
PORTFOLIO = {"portfolio": {"holdings": [{"symbol": "A", "quantity": 3.0}], "cash": 2.0}}
TWICE = [{"symbol": "A", "weight": 0.5}] * 2


def converted(**fields: Any) -> ReallocateCommand:
    if "marketData" not in fields:
        fields = SNAPSHOT | fields
    if "portfolioName" not in fields:
        fields = PORTFOLIO | fields
    return reallocate_command_from_proto(json_format.ParseDict(fields, ReallocateRequest()))


def test_few_fields() -> None:
    found = converted()
    assert found.portfolio == Mandate(Portfolio({"A": 3.0}, 2.0), None, None)
    assert found.market == Snapshot({"A": Quote(10.0)})
    assert (found.target, found.thresholds, found.limits, found.costs) == (None, None, Limits(), LinearCost())
    assert (found.horizon_days, found.id, found.label, found.request_id) == (1, None, "", None)
    assert not found.validate_only


def test_many_fields() -> None:
    found = converted(
        portfolioName="portfolios/x",
        thresholds={"driftBand": 0.05},
        limits={
            "maxParticipation": 0.1,
            "minTradeValue": 5.0,
            "cashFloor": 7.0,
            "maxTurnover": 0.3,
            "fractional": True,
        },
        horizonDays=4,
        reallocationId="mine",
        label="l",
        requestId="r",
        validateOnly=True,
    )
    assert (found.portfolio, found.thresholds) == ("x", Thresholds(None, 0.05))
    assert found.limits == Limits(0.1, 5.0, 7.0, 0.3, True)
    assert (found.horizon_days, found.id, found.label, found.request_id) == (4, "mine", "l", "r")
    assert found.validate_only


def test_a_request_is_told_by_its_content() -> None:
    first, again, other = converted(requestId="r"), converted(requestId="s"), converted(horizonDays=2)
    assert first.body == again.body != other.body
    assert first.content == again.content != other.content


def test_an_asset_with_all_fields() -> None:
    more = {"averageDailyVolume": 100.0, "spreadBps": 4.0, "volatilityAnnual": 0.2, "lotSize": 5.0, "halted": True}
    found = converted(snapshot={"assets": [ASSET | more]})
    assert found.market == Snapshot({"A": Quote(10.0, 100.0, 4.0, 0.2, 5.0, True)})


def test_a_market_that_is_stored() -> None:
    market = converted(marketData={"symbols": ["A"]}).market
    assert market == PriceSelection(("A",))
    assert isinstance(market, PriceSelection)
    assert market.symbols_path == "market_data.symbols"


def test_targets() -> None:
    assert converted(targetWeights={"weights": TWICE[:1]}).target == {"A": 0.5}
    for fields, lookback in (({"lookbackPeriods": 9}, 9), ({}, None)):
        target = converted(targetOptimize={"objective": {"minRisk": {}}, **fields}).target
        assert isinstance(target, OptimizedTarget)
        assert target.lookback == lookback


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"snapshot": {"assets": [ASSET, ASSET]}}, "snapshot.assets[1].symbol"),
        ({"snapshot": {"assets": [ASSET, {"symbol": "B", "price": -1.0}]}}, "snapshot.assets[1].price"),
        ({"portfolio": {"holdings": [{"symbol": "A"}, {"symbol": "A"}]}}, "portfolio.holdings[1].symbol"),
        ({"targetWeights": {"weights": TWICE}}, "target_weights.weights[1].symbol"),
        (
            {"targetOptimize": {"objective": {"tracking": {"benchmark": TWICE}}}},
            "target_optimize.objective.tracking.benchmark[1].symbol",
        ),
        ({"marketData": {"symbols": ["A", "A"]}}, "market_data.symbols[1]"),
        ({"limits": {"maxParticipation": 2.0}}, "limits.max_participation"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(**fields)
    assert raised.value.field == named
