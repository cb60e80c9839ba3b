"""The cost model of an optimisation: figures of the message in the domain's units, and what is refused by name."""

from typing import Any

import pytest
from absfinance.v1.cost_pb2 import CostModel as CostModelProto
from google.protobuf import json_format

from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput, NotSupported
from server.converters.cost import cost_from_proto


def converted(**fields: Any) -> CostModel:
    return cost_from_proto(json_format.ParseDict(fields, CostModelProto()))


def test_all_fields() -> None:
    model = converted(
        commissionBps=3.0,
        halfSpreadBps=2.0,
        byAsset=[{"symbol": "A", "costBps": 7.0}],
        impact={"squareRoot": {"coefficient": 0.9}},
        fixedFee=4.0,
        portfolioValue=1e6,
        liquidity=[{"symbol": "A", "dailyValue": 5e6, "volatilityAnnual": 0.2}, {"symbol": "B", "dailyValue": 1e6}],
        borrowBpsAnnual=50.0,
    )
    assert model.linear == LinearCost(3.0, 2.0, {"A": 7.0})
    assert model.impact == SquareRootImpact(0.9)
    assert (model.fixed_fee, model.portfolio_value) == (4.0, 1e6)
    assert model.liquidity == {"A": Liquidity(5e6, 0.2), "B": Liquidity(1e6, None)}
    assert model.borrow_rate_annual == pytest.approx(0.005)


def test_what_is_not_given() -> None:
    model = converted(commissionBps=3.0)
    assert (model.impact, model.portfolio_value, model.fixed_fee, model.borrow_rate_annual) == (None, None, 0.0, 0.0)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cashRateAnnual": 0.01}, "costs.cash_rate_annual"),
        ({"financingRateAnnual": 0.01}, "costs.financing_rate_annual"),
        ({"impact": {"almgren": {}}}, "use costs.impact.square_root"),
    ],
)
def test_what_an_optimisation_cannot_use(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        converted(**fields)


@pytest.mark.parametrize("name", ["byAsset", "liquidity"])
def test_a_symbol_that_comes_twice(name: str) -> None:
    path = {"byAsset": "by_asset", "liquidity": "liquidity"}[name]
    with pytest.raises(InvalidInput) as raised:
        converted(**{name: [{"symbol": "A"}, {"symbol": "B"}, {"symbol": "A"}]})
    assert raised.value.field == f"costs.{path}[2].symbol"
