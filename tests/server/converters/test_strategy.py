"""Strategies: each kind with its figures, strategies inside others, and the path of what is wrong."""

from typing import Any

import pytest
from absfinance.v1.backtest_pb2 import Strategy as StrategyProto
from google.protobuf import json_format

from domain.backtest.strategies import (
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    Momentum,
    Optimized,
    Part,
    Remote,
    Strategy,
    VolatilityTarget,
    WeightSchedule,
    inverse_volatility,
)
from domain.errors import InvalidInput
from domain.optimization.request.objectives import MinRisk
from server.converters.strategy import strategy_from_proto

EQUAL = {"equalWeight": {}}
INNER = EqualWeightStrategy("equal_weight")
ALL = [{"symbol": "A", "weight": 1.0}]
MORE = [{"symbol": "A", "weight": 1.5}]
SECOND = {"year": 1970, "month": 1, "day": 2}
TARGET = {"targetAnnual": 0.1, "lookbackPeriods": 20}


def converted(*, leveraged: bool = False, **fields: Any) -> Strategy:
    return strategy_from_proto(json_format.ParseDict(fields, StrategyProto()), leveraged=leveraged)


@pytest.mark.parametrize(
    ("fields", "strategy"),
    [
        (EQUAL, EqualWeightStrategy("equal_weight")),
        (EQUAL | {"label": "mine"}, EqualWeightStrategy("mine")),
        ({"fixedWeights": {"weights": ALL}}, FixedWeights({"A": 1.0}, "fixed_weights")),
        ({"schedule": {"entries": [{"date": SECOND, "weights": ALL}]}}, WeightSchedule(((1, {"A": 1.0}),), "schedule")),
        ({"momentum": {"lookbackPeriods": 9, "topN": 3, "skipPeriods": 2}}, Momentum(9, 3, 2, "momentum")),
        ({"cppi": {"base": EQUAL, "floor": 0.8, "multiplier": 3.0}}, Cppi(INNER, 0.8, 3.0, "cppi")),
        (
            {"volatilityTarget": {"base": EQUAL, **TARGET}},
            VolatilityTarget(INNER, 0.1, 20, 1.0, "volatility_target"),
        ),
        (
            {"blend": {"parts": [{"strategy": EQUAL, "weight": 0.25}, {"strategy": EQUAL, "weight": 0.75}]}},
            Blend((Part(INNER, 0.25), Part(INNER, 0.75)), "blend"),
        ),
        ({"remote": {"target": "localhost:1"}}, Remote("localhost:1", 10.0, "remote")),
        ({"remote": {"target": "localhost:1", "timeout": "2.5s"}}, Remote("localhost:1", 2.5, "remote")),
    ],
)
def test_every_kind(fields: dict[str, Any], strategy: Strategy) -> None:
    assert converted(**fields) == strategy


@pytest.mark.parametrize(("fields", "lookback"), [({}, None), ({"lookbackPeriods": 20}, 20)])
def test_lookbacks(fields: dict[str, Any], lookback: int | None) -> None:
    assert converted(inverseVolatility=fields) == inverse_volatility(lookback, "inverse_volatility")
    optimized = converted(optimize={"objective": {"minRisk": {}}, **fields}, label="best")
    assert isinstance(optimized, Optimized)
    assert (optimized.lookback, optimized.label) == (lookback, "best")
    assert optimized.specification.objective == MinRisk()


def test_leverage_is_said_by_the_request() -> None:
    volatility = {"base": {"fixedWeights": {"weights": MORE}}, **TARGET, "maxLeverage": 2.0}
    found = converted(leveraged=True, volatilityTarget=volatility)
    assert isinstance(found, VolatilityTarget)
    assert (found.max_leverage, found.base) == (2.0, FixedWeights({"A": 1.5}, "fixed_weights", leveraged=True))
    for leveraged in (False, True):
        fixed = converted(leveraged=leveraged, fixedWeights={"weights": MORE})
        assert fixed == FixedWeights({"A": 1.5}, "fixed_weights", leveraged=leveraged)
        schedule = converted(leveraged=leveraged, schedule={"entries": [{"date": SECOND, "weights": MORE}]})
        assert schedule == WeightSchedule(((1, {"A": 1.5}),), "schedule", leveraged=leveraged)
    parts = {"parts": [{"strategy": EQUAL, "weight": 1.5}]}
    assert converted(leveraged=True, blend=parts) == Blend((Part(INNER, 1.5),), "blend", leveraged=True)
    with pytest.raises(InvalidInput):
        converted(blend=parts)
    assert converted(leveraged=True, remote={"target": "x:1"}) == Remote("x:1", 10.0, "remote", leveraged=True)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"fixedWeights": {"weights": ALL + ALL}}, "fixed_weights.weights[1].symbol"),
        ({"schedule": {"entries": [{"date": SECOND, "weights": ALL + ALL}]}}, "schedule.entries[0].weights[1].symbol"),
        ({"schedule": {"entries": [{"date": {"year": 1970}, "weights": ALL}]}}, "schedule.entries[0].date"),
        (
            {"blend": {"parts": [{"strategy": EQUAL}, {"strategy": {"fixedWeights": {"weights": ALL + ALL}}}]}},
            "blend.parts[1].strategy.fixed_weights.weights[1].symbol",
        ),
        ({"cppi": {"base": {"fixedWeights": {"weights": ALL + ALL}}}}, "cppi.base.fixed_weights.weights[1].symbol"),
        (
            {"volatilityTarget": {"base": {"fixedWeights": {"weights": ALL + ALL}}}},
            "volatility_target.base.fixed_weights.weights[1].symbol",
        ),
        ({"optimize": {"objective": {"tracking": {"benchmark": ALL + ALL}}}}, "optimize.objective.tracking.benchmark"),
    ],
)
def test_what_is_wrong_is_named_from_the_outermost(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(**fields)
    assert raised.value.field.startswith(named)
