"""Decisions of services outside: the request that they get, and the weights of their answer."""

import numpy as np
import pytest
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight

from domain.backtest.strategies import MarketHistory
from domain.errors import InvalidInput
from server.converters.decision import MOST_VALUES, decide_request_to_bytes, weights_from_bytes


def asked(history: MarketHistory) -> DecideRequest:
    return DecideRequest.FromString(decide_request_to_bytes("backtests/x", "mine", history))


def test_prices_rows_by_date_and_only_what_is_held() -> None:
    history = MarketHistory(
        ("A", "B"), np.array([0, 31], np.int32), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, -0.5]), 252.0, 7.0
    )
    request = asked(history)
    assert (request.backtest, request.label, request.nav) == ("backtests/x", "mine", 7.0)
    assert (request.date.year, request.date.month, request.date.day) == (1970, 2, 1)
    assert (list(request.prices.symbols), list(request.prices.dates)) == (["A", "B"], [0, 31])
    assert list(request.prices.values) == [1.0, 2.0, 3.0, 4.0]
    assert list(request.current_weights) == [AssetWeight(symbol="B", weight=-0.5)]


@pytest.mark.parametrize("more", [0, 1, 5])
def test_the_latest_dates_of_a_past_that_is_too_long(more: int) -> None:
    assets = 1024
    most = MOST_VALUES // assets
    days = np.arange(most + more, dtype=np.int32)
    prices = np.ones((len(days), assets))
    history = MarketHistory(tuple(f"S{i}" for i in range(assets)), days, prices, np.zeros(assets), 252.0)
    request = asked(history)
    assert list(request.prices.dates) == list(range(more, most + more))
    assert len(request.prices.values) == most * assets


def test_the_weights_of_an_answer() -> None:
    answer = DecideResponse(weights=[AssetWeight(symbol="B", weight=0.5), AssetWeight(symbol="A", weight=-0.1)])
    assert weights_from_bytes(answer.SerializeToString()) == {"B": 0.5, "A": -0.1}


def test_answers_that_cannot_be_read() -> None:
    with pytest.raises(InvalidInput, match="no DecideResponse"):
        weights_from_bytes(b"\xff\xff")
    twice = DecideResponse(weights=[AssetWeight(symbol="A", weight=0.5)] * 2)
    with pytest.raises(InvalidInput) as raised:
        weights_from_bytes(twice.SerializeToString())
    assert raised.value.field == "weights[1].symbol"
