"""The data of a request: each kind of input, and which of two places says periods per year."""

from typing import Any

import numpy as np
import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.panel_pb2 import MarketDataSelection, MissingDataPolicy
from absfinance.v1.panel_pb2 import Panel as PanelProto
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput
from server.converters.market_input import (
    market_input_from_proto,
    missing_data_from_proto,
    price_field_from_proto,
    price_field_to_proto,
    selection_from_proto,
    volumes_from_proto,
)
from server.ports.market_data import PriceField, PriceSelection

PANEL = {"symbols": ["A", "B"], "dates": [3, 5], "values": [1.0, 2.0, 3.0, 4.0]}
MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09]}
SCENARIOS = {"symbols": ["A", "B"], "values": [0.1, 0.2, -0.1, 0.3], "probabilities": [0.25, 0.75]}


def converted(periods: float | None = None, **fields: Any) -> tuple[MarketInput | PriceSelection, float | None]:
    return market_input_from_proto(json_format.ParseDict(fields, OptimizeRequest()), periods)


def selected(**fields: Any) -> PriceSelection:
    return selection_from_proto(json_format.ParseDict(fields, MarketDataSelection()))


@pytest.mark.parametrize(("name", "kind"), [("prices", PricePanel), ("returns", ReturnPanel)])
@pytest.mark.parametrize("periods", [None, 12.0])
def test_panels(name: str, kind: type, periods: float | None) -> None:
    panel, found = converted(periods, **{name: PANEL})
    assert isinstance(panel, kind)
    assert isinstance(panel, PricePanel | ReturnPanel)
    assert (panel.symbols, panel.dates.tolist()) == (("A", "B"), [3, 5])
    assert panel.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found == periods


def test_stored_prices_say_where_they_are_named() -> None:
    selection, periods = converted(252.0, marketData={"symbols": ["A"]})
    assert selection == PriceSelection(("A",)).under("market_data")
    assert isinstance(selection, PriceSelection)
    assert (selection.symbols_path, periods) == ("market_data.symbols", 252.0)


def test_moments_without_expected_returns() -> None:
    moments, periods = converted(moments={**MOMENTS, "periodsPerYear": 12})
    assert isinstance(moments, Moments)
    assert moments.expected_returns.tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(moments.covariance, [[0.04, 0.01], [0.01, 0.09]])
    assert (moments.periods_per_year, periods) == (12.0, 12.0)


def test_moments_with_expected_returns() -> None:
    moments, _ = converted(252.0, moments={**MOMENTS, "expectedReturns": [0.01, 0.02]})
    assert isinstance(moments, Moments)
    assert (moments.expected_returns.tolist(), moments.periods_per_year) == ([0.01, 0.02], 252.0)


def test_a_covariance_is_repaired_where_that_is_asked_for() -> None:
    broken = {"symbols": ["A", "B"], "covariance": [0.04, 0.08, 0.08, 0.09], "periodsPerYear": 12}
    with pytest.raises(InvalidInput):
        converted(moments=broken)
    moments, _ = converted(moments={**broken, "repairCovariance": True})
    assert isinstance(moments, Moments)
    assert np.linalg.eigvalsh(moments.covariance).min() >= -1e-12


def test_scenarios() -> None:
    scenarios, periods = converted(scenarios={**SCENARIOS, "periodsPerYear": 52})
    assert isinstance(scenarios, Scenarios)
    assert scenarios.values.tolist() == [[0.1, 0.2], [-0.1, 0.3]]
    assert (scenarios.probabilities.tolist(), periods) == ([0.25, 0.75], 52.0)


@pytest.mark.parametrize(("name", "fields"), [("moments", MOMENTS), ("scenarios", SCENARIOS)])
def test_periods_per_year_are_said_once_or_alike(name: str, fields: dict[str, Any]) -> None:
    assert converted(12.0, **{name: {**fields, "periodsPerYear": 12}})[1] == 12.0
    for periods, own in ((252.0, {"periodsPerYear": 12}), (None, {})):
        with pytest.raises(InvalidInput) as raised:
            converted(periods, **{name: {**fields, **own}})
        assert raised.value.field == f"{name}.periods_per_year"


def test_an_error_names_the_input() -> None:
    with pytest.raises(InvalidInput) as raised:
        converted(prices={**PANEL, "dates": [5, 3]})
    assert raised.value.field.startswith("prices.dates")


def test_volumes_may_be_zero_but_not_negative() -> None:
    sent = {**PANEL, "values": [0.0, 2.0, 3.0, 4.0]}
    assert volumes_from_proto(json_format.ParseDict(sent, PanelProto())).values.tolist() == [[0.0, 2.0], [3.0, 4.0]]
    sent["values"] = [0.0, 2.0, -3.0, -4.0]
    with pytest.raises(InvalidInput) as raised:
        volumes_from_proto(json_format.ParseDict(sent, PanelProto()))
    assert raised.value.field == "values[2]"


def test_volumes_that_fill_no_grid() -> None:
    with pytest.raises(InvalidInput):
        volumes_from_proto(json_format.ParseDict({**PANEL, "values": [1.0, 2.0, 3.0]}, PanelProto()))


def test_a_selection_with_all_fields() -> None:
    dates = {"startDate": {"year": 1970, "month": 1, "day": 3}, "endDate": {"year": 1970, "month": 1, "day": 3}}
    assert selected(symbols=["A", "B"], field="PRICE_FIELD_OPEN", **dates) == PriceSelection(
        ("A", "B"), None, 2, 2, PriceField.OPEN
    )


def test_a_universe_is_named_by_its_field() -> None:
    found = selected(universe="index=X")
    assert (found.symbols, found.universe, found.symbols_path) == ((), "index=X", "universe")
    assert (found.start, found.end, found.field) == (None, None, PriceField.CLOSE)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {
                "startDate": {"year": 1970, "month": 1, "day": 4},
                "endDate": {"year": 1970, "month": 1, "day": 3},
            },
            "end_date",
        ),
        ({"symbols": ["A", "B", "A"]}, "symbols[2]"),
    ],
)
def test_selections_that_contradict_themselves(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        selected(**fields)
    assert raised.value.field == named


@pytest.mark.parametrize("field", PriceField)
def test_price_fields_go_and_come_back(field: PriceField) -> None:
    assert price_field_from_proto(price_field_to_proto(field)) is field


@pytest.mark.parametrize("value", MissingDataPolicy.values())
def test_policies_have_their_names_on_the_wire(value: MissingDataPolicy) -> None:
    name = MissingDataPolicy.Name(value).removeprefix("MISSING_DATA_POLICY_")
    assert str(missing_data_from_proto(value)) == ("FAIL" if name == "UNSPECIFIED" else name)
