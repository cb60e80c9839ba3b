"""Bars and quotes that are published over a stream: stored batch by batch, and what Reallocate makes of them."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client, Panel, Stored
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest, PublishMarketDataResponse
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub
from google.protobuf import json_format

from server.settings import DATABASE_NAME
from tests.conftest import RunningServer, Wire, refusal_of

DAYS = 60

BATCHES, QUOTES = 32, 2_000
"""Of a fast publisher: half a megabyte each, in names of 256 bytes that nothing is stored of."""

MOST_BUFFERED = 28
"""Of these batches the connection and both ends hold less: HTTP/2 lets a few megabytes through that nobody reads."""


def today() -> int:
    return (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def date_of(day: int) -> dict[str, int]:
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return {"year": found.year, "month": found.month, "day": found.day}


def now(seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.fixture
def published(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server with closes of A and B up to three days ago: 100 and 50."""
    server = start_server()
    days = np.arange(today() - DAYS - 2, today() - 2, dtype=np.int32)
    with Client(server.address) as client:
        client.import_prices(Panel(("A", "B"), days, np.tile([100.0, 50.0], (DAYS, 1))), import_id="base")
    return server


def publish(server: RunningServer, *batches: dict[str, Any]) -> list[PublishMarketDataResponse]:
    """Answers to batches of one stream, the ids of which are their places."""
    messages = [
        json_format.ParseDict({"batchId": str(i), **batch}, PublishMarketDataRequest())
        for i, batch in enumerate(batches)
    ]
    with server.channel() as channel:
        stub: Any = MarketDataServiceStub(channel)
        return list(stub.PublishMarketData(iter(messages), timeout=60))


def bar(symbol: str, day: int, close: float, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "date": date_of(day), "close": close, **more}


def heavy_batches(handed_over: list[int]) -> Iterator[PublishMarketDataRequest]:
    """The batches of a fast publisher; `handed_over` has the numbers of those that the client library has taken."""
    quotes = [{"symbol": "\N{GRINNING FACE}" * 64, "time": now(-1.0), "last": 101.0}] * QUOTES
    batch = json_format.ParseDict({"batchId": "0", "quotes": quotes}, PublishMarketDataRequest())
    for i in range(BATCHES):
        batch.batch_id = str(i)
        handed_over.append(i)
        yield batch


def when_it_stands_still(handed_over: list[int]) -> int:
    """How many batches were handed over once the publisher waits."""
    seen, since = -1, time.monotonic()
    while time.monotonic() < since + 1.0:
        if len(handed_over) != seen:
            seen, since = len(handed_over), time.monotonic()
        time.sleep(0.02)
    return seen


def rejections(answer: PublishMarketDataResponse) -> list[tuple[int, str]]:
    return [(one.index, one.reason) for one in answer.rejected]


def closes(server: RunningServer, symbol: str) -> list[float]:
    with Client(server.address) as client:
        return list(client.prices(Stored([symbol])).values[:, 0])


def test_bars_are_stored_and_corrected_by_revision(published: RunningServer) -> None:
    day = today() - 1
    first, again, lower, other, corrected = publish(
        published,
        {"bars": [bar("A", day, 101.0, revision=1, high=102.0, low=99.0), bar("Z", day, 1.0), bar("A", day + 9, 1.0)]},
        {"bars": [bar("A", day, 101.0, revision=1, high=102.0, low=99.0)]},
        {"bars": [bar("A", day, 77.0)]},
        {"bars": [bar("A", day, 77.0, revision=1)]},
        {"bars": [bar("A", day, 103.0, revision=2), bar("A", day - 1, 102.0)]},
    )
    assert (first.batch_id, first.accepted_count) == ("0", 1)
    assert rejections(first) == [(1, "UNKNOWN_SYMBOL"), (2, "FUTURE_BAR")]
    assert (again.accepted_count, rejections(again)) == (1, [])
    assert rejections(lower) == [(0, "STALE_REVISION")]
    assert rejections(other) == [(0, "CONFLICTING_REVISION")]
    assert corrected.accepted_count == 2
    assert closes(published, "A")[-3:] == [100.0, 102.0, 103.0]


WRONG = [
    ({"bars": [bar("A", 20_000, -1.0)]}, "bars[0].close"),
    ({"bars": [bar("A", 20_000, 5.0, low=6.0)]}, "bars[0].close"),
    ({"bars": [bar("A", 20_000, 1e200)]}, "bars[0].close"),
    ({"bars": [bar("A", 20_000, 5.0) | {"close": "NaN"}]}, "bars[0].close"),
    ({"bars": [bar("A", 20_000, 5.0, volume="Infinity")]}, "bars[0].volume"),
    ({"bars": [{"symbol": "A", "date": {"year": 2024, "month": 2, "day": 30}, "close": 5.0}]}, "bars[0].date"),
    ({"quotes": [{"symbol": "A", "time": "2024-01-01T00:00:00Z"}]}, "quotes[0].last"),
    ({"quotes": [{"symbol": "A", "time": "2024-01-01T00:00:00Z", "last": "NaN"}]}, "quotes[0].last"),
    ({}, "bars"),
]


def test_what_is_wrong_ends_the_stream_and_keeps_what_was_acknowledged(published: RunningServer) -> None:
    """The stream is refused by the field of its batch; the batch before was acknowledged and stays."""
    good = {"batchId": "good", "bars": [bar("B", today() - 1, 51.0)]}
    with published.channel() as channel:
        stub: Any = MarketDataServiceStub(channel)
        for batch, field in WRONG:
            sent = [json_format.ParseDict(one, PublishMarketDataRequest()) for one in (good, {"batchId": "x", **batch})]
            answers = stub.PublishMarketData(iter(sent), timeout=60)
            assert next(answers).accepted_count == 1
            with pytest.raises(grpc.RpcError) as error:
                next(answers)
            refusal = refusal_of(error.value)
            assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
            assert set(refusal.fields) == {field}
    assert closes(published, "B")[-1] == 51.0


def test_a_stream_that_stops_in_the_middle(published: RunningServer) -> None:
    """The connection goes away after one answer: what was acknowledged is stored, and the same stream goes on."""
    batches = [{"bars": [bar("A", today() - 2 + i, 200.0 + i)]} for i in range(2)]

    def cut() -> Iterator[PublishMarketDataRequest]:
        yield json_format.ParseDict({"batchId": "0", **batches[0]}, PublishMarketDataRequest())
        time.sleep(30)

    with published.channel() as channel:
        stub: Any = MarketDataServiceStub(channel)
        stream = stub.PublishMarketData(cut(), timeout=60)
        assert next(stream).accepted_count == 1
        stream.cancel()
    assert closes(published, "A")[-1] == 200.0
    assert [one.accepted_count for one in publish(published, *batches)] == [1, 1]
    assert closes(published, "A")[-2:] == [200.0, 201.0]


def test_reallocate_plans_at_the_latest_quotes(published: RunningServer) -> None:
    """A quote of a later date than the last close is the price; one of a market that ends on a date is not."""
    quotes = [
        {"symbol": "A", "time": now(), "bid": 119.0, "ask": 121.0},
        {"symbol": "B", "time": now(3600.0), "last": 60.0},
    ]
    (answer,) = publish(published, {"quotes": quotes})
    assert (answer.accepted_count, rejections(answer)) == (1, [(1, "FUTURE_QUOTE")])
    request = {
        "portfolio": {"holdings": [{"symbol": "A", "quantity": 10}], "cash": 1200.0},
        "marketData": {"symbols": ["A", "B"]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 0.5}]},
        "validateOnly": True,
    }
    with published.channel() as channel:
        wire = Wire(channel)
        found = wire.call("ReallocationService/Reallocate", request)
        assert found["summary"]["navBefore"] == 10 * 120.0 + 1200.0
        assert "trades" not in found.get("plan", {})  # 1200 of 2400 is half
        ended = {"symbols": ["A", "B"], "endDate": date_of(today() - 3)}
        earlier = wire.call("ReallocationService/Reallocate", {**request, "marketData": ended})
    assert earlier["summary"]["navBefore"] == 10 * 100.0 + 1200.0


def test_an_older_quote_is_rejected_and_the_same_one_is_not(published: RunningServer) -> None:
    newer = {"symbol": "A", "time": now(-1.0), "last": 101.0}
    older = {"symbol": "A", "time": now(-60.0), "last": 99.0}
    first, second, third = publish(published, {"quotes": [newer]}, {"quotes": [newer]}, {"quotes": [older]})
    assert (first.accepted_count, second.accepted_count) == (1, 1)
    assert rejections(third) == [(0, "STALE_QUOTE")]


def test_a_publisher_is_held_back_while_the_store_waits(published: RunningServer) -> None:
    """Another process writes to the file: the publisher waits, and every batch is answered, in its order."""
    handed_over: list[int] = []
    with closing(sqlite3.connect(published.data_dir / DATABASE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with published.channel() as channel:
            stub: Any = MarketDataServiceStub(channel)
            answers = stub.PublishMarketData(heavy_batches(handed_over), timeout=100)
            waiting = when_it_stands_still(handed_over)
            other.execute("ROLLBACK")
            outcomes = [(one.batch_id, len(one.rejected)) for one in answers]
    assert 0 < waiting < MOST_BUFFERED
    assert outcomes == [(str(i), QUOTES) for i in range(BATCHES)]
