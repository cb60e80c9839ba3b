"""Schedules of trades, and the market impact of a plan as a message."""

from decimal import Decimal
from typing import Any

import pytest
from absfinance.v1 import reallocation_pb2 as pb
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms
from domain.reallocation.trade_impact import QUANTILES, AssetImpact, TradeImpact
from domain.reallocation.trade_schedule import RemainingUnits, TradeSchedule
from server.converters.execution import impact_to_proto, schedule_from_proto, set_schedule

LEAST = {"periods": 1, "temporary": 0.1}


def terms(**fields: Any) -> ScheduleTerms:
    return schedule_from_proto(json_format.ParseDict({"almgrenChriss": fields}, pb.TradeSchedule()))


def test_all_terms() -> None:
    found = terms(
        riskAversion=1e-6,
        periods=5,
        temporary=0.3,
        permanent=0.2,
        fixed=0.05,
        volatilities=[0.9, 0.8],
        correlation=[1.0, 0.5, 0.5, 1.0],
        hedge=True,
    )
    assert found == ScheduleTerms(
        risk_aversion=1e-6,
        periods=5,
        temporary=0.3,
        permanent=0.2,
        fixed=0.05,
        volatilities=(0.9, 0.8),
        correlation=(1.0, 0.5, 0.5, 1.0),
        hedge=True,
    )
    assert len(pb.TradeSchedule.AlmgrenChriss.DESCRIPTOR.fields) == 8, "a field that this test does not set"


def test_what_is_not_given() -> None:
    found = terms(**LEAST)
    assert (found.risk_aversion, found.permanent, found.fixed) == (0.0, 0.0, 0.0)
    assert (found.volatilities, found.correlation, found.hedge) == (None, None, False)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"hedge": True}, "hedge"),
        ({"periods": 0}, "periods"),
        ({"temporary": 0.0}, "temporary"),
        ({"permanent": -1.0}, "permanent"),
        ({"permanent": 0.2}, "temporary"),
        ({"fixed": -1.0}, "fixed"),
        ({"volatilities": [1.0, -1.0]}, "volatilities[1]"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        terms(**{**LEAST, **fields})
    assert raised.value.field == f"schedule.almgren_chriss.{named}"


def test_a_schedule_in_its_plan() -> None:
    plan = pb.ReallocationPlan()
    assets = (RemainingUnits("A", (2.0, 0.0)), RemainingUnits("B", (-1.0, -3.0)))
    set_schedule(plan, TradeSchedule(assets, expected_cost=7.0, standard_deviation=0.0))
    assert (plan.expected_cost, plan.cost_standard_deviation) == (7.0, 0.0)
    assert plan.HasField("cost_standard_deviation")
    assert [(one.symbol, list(one.remaining)) for one in plan.schedule] == [("A", [2.0, 0.0]), ("B", [-1.0, -3.0])]


def test_a_plan_without_a_schedule() -> None:
    plan = pb.ReallocationPlan()
    set_schedule(plan, None)
    assert plan == pb.ReallocationPlan()


def test_impact() -> None:
    assets = (AssetImpact("A", permanent_bps=1.0, temporary_bps=2.0, expected_cost=3.0),)
    found = impact_to_proto(TradeImpact(assets, charges=(Decimal(3), Decimal("0.5")), variance=16.0))
    assert found is not None
    (asset,) = found.assets
    assert asset == pb.ImpactSimulation.Asset(symbol="A", permanent_bps=1.0, temporary_bps=2.0, expected_cost=3.0)
    assert (found.expected_cost, found.cost_volatility) == (3.5, 4.0)
    assert [one.probability for one in found.quantiles] == list(QUANTILES)
    assert [one.cost for one in found.quantiles][2] == pytest.approx(3.5)
    # The 95 % quantile of a normal distribution is 1.644854 standard deviations above its mean.
    assert found.quantiles[4].cost == pytest.approx(3.5 + 1.644854 * 4.0, rel=1e-6)


def test_no_impact_where_there_is_no_law_or_no_trade() -> None:
    assert impact_to_proto(None) is None
    assert impact_to_proto(TradeImpact((), charges=(), variance=0.0)) is None
