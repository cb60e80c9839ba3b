"""How a reallocation is restricted and what it weighs, the currencies of a snapshot, and its covariance."""

from typing import Any

import numpy as np
import pytest
from absfinance.v1 import reallocation_pb2 as pb
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.currencies import Currencies
from domain.reallocation.modes import Deviation, Direction, Modes
from domain.reallocation.tracking_error import ActiveRisk
from server.converters.modes import active_risk_from_proto, currencies_from_proto, modes_from_proto


def modes(**fields: Any) -> Modes:
    return modes_from_proto(json_format.ParseDict(fields, ReallocateRequest()))


def currencies(**snapshot: Any) -> Currencies:
    return currencies_from_proto(json_format.ParseDict(snapshot, pb.MarketSnapshot()))


def active_risk(*volatilities: float | None, correlation: list[float]) -> ActiveRisk | None:
    snapshot = pb.MarketSnapshot(
        assets=[pb.MarketSnapshot.Asset(symbol="ABC"[i], volatility_annual=one) for i, one in enumerate(volatilities)],
        correlation=correlation,
    )
    return active_risk_from_proto(snapshot)


def test_modes_that_are_all_set() -> None:
    found = modes(
        direction="DIRECTION_SELL_ONLY",
        noNewNames=True,
        cashFlow=-100.0,
        retainCash=True,
        tradeOff={"costAversion": 2.0, "taxAversion": 3.0, "deviation": "DEVIATION_TRACKING_ERROR"},
    )
    assert found == Modes(
        direction=Direction.SELL_ONLY,
        no_new_names=True,
        cash_flow=-100.0,
        retain_cash=True,
        cost_aversion=2.0,
        tax_aversion=3.0,
        deviation=Deviation.TRACKING_ERROR,
    )


def test_modes_of_a_request_that_says_nothing_of_them() -> None:
    assert modes() == Modes()
    assert modes(cashFlow=0.0, tradeOff={}) == Modes()


@pytest.mark.parametrize("direction", pb.Direction.values())
def test_directions_have_their_names_on_the_wire(direction: int) -> None:
    name = pb.Direction.Name(direction).removeprefix("DIRECTION_")
    assert modes(direction=direction).direction is Direction("BOTH" if name == "UNSPECIFIED" else name)


@pytest.mark.parametrize("deviation", pb.TradeOff.Deviation.values())
def test_deviations_have_their_names_on_the_wire(deviation: int) -> None:
    name = pb.TradeOff.Deviation.Name(deviation).removeprefix("DEVIATION_")
    found = modes(tradeOff={"deviation": deviation}).deviation
    assert found is Deviation("DRIFT" if name == "UNSPECIFIED" else name)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"direction": "DIRECTION_BUY_ONLY", "cashFlow": -1.0}, "direction"),
        ({"direction": "DIRECTION_SELL_ONLY", "cashFlow": 1.0}, "direction"),
        ({"cashFlow": 1e300}, "cash_flow"),
        ({"tradeOff": {"costAversion": -1.0}}, "trade_off.cost_aversion"),
        ({"tradeOff": {"taxAversion": 1e7}}, "trade_off.tax_aversion"),
    ],
)
def test_modes_that_contradict_one_another(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        modes(**fields)
    assert raised.value.field == named


def test_currencies_of_assets_and_their_rates() -> None:
    found = currencies(
        assets=[{"symbol": "A", "currency": "CHF"}, {"symbol": "B"}, {"symbol": "C", "currency": "JPY"}],
        fxRates=[
            {"currency": "CHF", "rate": 1.1, "previousRate": 1.05},
            {"currency": "JPY", "rate": 0.007, "previousRate": 0.008},
        ],
    )
    assert found == Currencies(
        of_assets={"A": "CHF", "C": "JPY"},
        rates={"CHF": 1.1, "JPY": 0.007},
        previous_rates={"CHF": 1.05, "JPY": 0.008},
    )
    assert currencies(fxRates=[{"currency": "CHF", "rate": 1.1}]).previous_rates == {}
    assert currencies() == Currencies()


@pytest.mark.parametrize(
    ("rates", "named"),
    [
        ([{"currency": "CHF", "rate": 1.0}, {"currency": "CHF", "rate": 1.0}], "fx_rates[1].currency"),
        ([{"currency": "CHF", "rate": 1.0}, {"currency": "JPY"}], "fx_rates[1].rate"),
        ([{"currency": "CHF", "rate": 1.0, "previousRate": 0.0}], "fx_rates[0].previous_rate"),
        (
            [{"currency": "CHF", "rate": 1.0, "previousRate": 1.0}, {"currency": "JPY", "rate": 1.0}],
            "fx_rates[1].previous_rate",
        ),
    ],
)
def test_rates_that_are_refused(rates: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        currencies(fxRates=rates)
    assert raised.value.field == f"snapshot.{named}"


def test_the_covariance_is_of_volatilities_per_year() -> None:
    found = active_risk(0.1, 0.2, correlation=[1.0, 0.5, 0.5, 1.0])
    assert found is not None
    wanted = [[0.01, 0.01], [0.01, 0.04]]
    np.testing.assert_allclose(found.covariance_annual(["A", "B"]), wanted, rtol=1e-12)
    assert active_risk(0.1, 0.2, correlation=[]) is None


def test_a_volatility_of_zero_is_one() -> None:
    found = active_risk(0.0, 0.2, correlation=[1.0, 0.0, 0.0, 1.0])
    assert found is not None
    assert found.covariance_annual(["A"])[0, 0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("volatilities", "correlation", "named", "rule"),
    [
        ((0.1, 0.2), [1.0, 0.5, 0.5], "correlation", "2 x 2 entries for its assets, has 3"),
        ((0.1, None), [1.0, 0.5, 0.5, 1.0], "assets[1].volatility_annual", "must be given with correlation"),
        ((0.1, 0.2), [1.0, 0.5, 0.5, 0.9], "correlation", "ones on its diagonal"),
        ((0.1, 0.2), [1.0, 1.5, 1.5, 1.0], "correlation", "from -1 to 1"),
        ((0.1, 0.2), [1.0, 0.5, 0.1, 1.0], "correlation", "symmetric"),
    ],
)
def test_correlations_that_are_refused(
    volatilities: tuple[float | None, ...], correlation: list[float], named: str, rule: str
) -> None:
    with pytest.raises(InvalidInput, match=rule) as raised:
        active_risk(*volatilities, correlation=correlation)
    assert raised.value.field == f"snapshot.{named}"
