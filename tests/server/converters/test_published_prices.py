"""Published bars and quotes: what is there, what was left out, and what is refused by its field."""

from typing import Any

import pytest
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from server.converters.published_prices import PublishedBatch, batch_from_proto, outcome_to_proto
from server.ports.changes import Quote
from server.ports.published import Bar, Outcome, Rejection

DAY = {"year": 2024, "month": 1, "day": 2}


def batch(**message: Any) -> PublishedBatch:
    return batch_from_proto(json_format.ParseDict({"batchId": "b", **message}, PublishMarketDataRequest()))


def test_what_is_left_out_is_unknown_and_not_zero() -> None:
    whole = {"open": 9.0, "high": 12.0, "low": 8.0, "volume": 0.0, "revision": 3}
    found = batch(
        bars=[{"symbol": "A", "date": DAY, "close": 10.0}, {"symbol": "B", "date": DAY, "close": 10.0, **whole}]
    )
    assert found.bars == (Bar("A", 19_724, 10.0, 0), Bar("B", 19_724, 10.0, 3, 9.0, 12.0, 8.0, 0.0))
    assert (found.id, found.quotes) == ("b", ())


def test_the_time_of_a_quote_is_in_whole_microseconds() -> None:
    found = batch(quotes=[{"symbol": "A", "time": "1970-01-01T00:00:01.000002999Z", "ask": 2.0}])
    assert found.quotes == (Quote("A", 1_000_002, None, 2.0, None),)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"quotes": [{"symbol": "A", "time": "2024-01-02T00:00:00Z"}]}, "quotes[0].last"),
        ({"quotes": [{"symbol": "A", "time": "2024-01-02T00:00:00Z", "bid": 1e22}]}, "quotes[0].bid"),
        ({"bars": [{"symbol": "A", "date": DAY, "close": 1e-22}]}, "bars[0].close"),
        ({"bars": [{"symbol": "A", "date": {"year": 2024, "month": 2, "day": 30}, "close": 1.0}]}, "bars[0].date"),
        ({"bars": [{"symbol": "A", "date": DAY, "close": 10.0, "high": 9.0}]}, "bars[0].close"),
        ({"bars": [{"symbol": "A", "date": DAY, "close": 10.0, "open": 1.0, "low": 2.0}]}, "bars[0].open"),
    ],
)
def test_what_is_no_price_is_refused_by_its_field(message: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        batch(**message)
    assert refused.value.field == field


def test_rejections_are_in_the_order_of_their_places() -> None:
    answer = outcome_to_proto("b", Outcome(1, {2: Rejection.STALE_QUOTE, 0: Rejection.FUTURE_QUOTE}))
    assert (answer.batch_id, answer.accepted_count) == ("b", 1)
    assert [(one.index, one.reason) for one in answer.rejected] == [(0, "FUTURE_QUOTE"), (2, "STALE_QUOTE")]
