"""Market metrics: the symbols that are asked for, and the figures that are known."""

import pytest
from absfinance.v1.market_data_service_pb2 import GetMarketMetricsRequest, GetMarketMetricsResponse
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.reallocation.market_metrics import MarketMetrics
from server.converters.market_metrics import metrics_selection_from_proto, metrics_to_bytes
from server.ports.market_data import PriceField, PriceSelection


def test_closing_prices_of_all_dates() -> None:
    found = metrics_selection_from_proto(GetMarketMetricsRequest(symbols=["B", "A"]))
    assert found == PriceSelection(("B", "A"), start=None, end=None, field=PriceField.CLOSE)


def test_a_symbol_that_comes_twice() -> None:
    with pytest.raises(InvalidInput) as raised:
        metrics_selection_from_proto(GetMarketMetricsRequest(symbols=["A", "B", "A"]))
    assert raised.value.field == "symbols[2]"


def test_figures_in_their_units() -> None:
    full = MarketMetrics(
        "A", last_price=1.5, as_of=0, average_daily_volume=0.0, spread_bps=12.0, volatility_annual=0.25
    )
    found = GetMarketMetricsResponse.FromString(metrics_to_bytes([full, MarketMetrics("B")]))
    assert json_format.MessageToDict(found) == {
        "metrics": [
            {
                "symbol": "A",
                "lastPrice": 1.5,
                "averageDailyVolume": 0.0,
                "spreadBps": 12.0,
                "volatilityAnnual": 0.25,
                "asOf": {"year": 1970, "month": 1, "day": 1},
            },
            {"symbol": "B"},
        ]
    }


def test_a_price_that_is_old() -> None:
    metrics = [MarketMetrics("A", last_price=1.0, as_of=8), MarketMetrics("B", last_price=1.0, as_of=0)]
    (warning,) = GetMarketMetricsResponse.FromString(metrics_to_bytes(metrics)).warnings
    assert (warning.code, warning.field) == ("PRICE_STALE", "")
    assert "B (1970-01-01)" in warning.message
