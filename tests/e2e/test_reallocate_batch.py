"""Many portfolios in one market: each keyed, each what Reallocate alone would answer, a failure a value."""

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest, ReallocateBatchResponse
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc.error_details_pb2 import ErrorInfo

from tests.conftest import Wire, refusal_of

SNAPSHOT = {"assets": [{"symbol": "A", "price": 10}, {"symbol": "B", "price": 20}]}
HALVES = {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]}
SHARED = {"snapshot": SNAPSHOT, "targetWeights": HALVES, "limits": {"cashFloor": 20}, "costs": {"commissionBps": 5}}


def batch(channel: grpc.Channel, *parts: dict[str, Any]) -> dict[str, ReallocateBatchResponse]:
    def sent() -> Iterator[ReallocateBatchRequest]:
        for part in parts:
            yield ParseDict(part, ReallocateBatchRequest())

    found = list(ReallocationServiceStub(channel).ReallocateBatch(sent(), timeout=60))
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def account(key: str, cash: float = 1000.0, **more: Any) -> dict[str, Any]:
    portfolio = {} if "portfolioName" in more else {"portfolio": {"cash": cash}}
    return {"account": {"key": key, **portfolio, **more}}


def reason(outcome: ReallocateBatchResponse) -> str:
    info = ErrorInfo()
    assert outcome.error.details[0].Unpack(info)
    return str(info.reason)


def test_each_portfolio_gets_what_it_would_get_alone(channel: grpc.Channel, wire: Wire) -> None:
    own = {"targetWeights": {"weights": [{"symbol": "B", "weight": 1}]}, "limits": {"minTradeValue": 30}}
    accounts = [account(f"k{i}", 1000.0 + 37 * i) for i in range(120)] + [account("own", 500, **own)]
    found = batch(channel, {"shared": SHARED}, *accounts)
    assert len(found) == 121
    for one in (accounts[0], accounts[63], accounts[-1]):
        fields = {name: value for name, value in one["account"].items() if name != "key"}
        alone = wire.call("ReallocationService/Reallocate", {**SHARED, **fields, "validateOnly": True})
        assert MessageToDict(found[one["account"]["key"]].result) == alone
    assert {trade.symbol for trade in found["own"].result.plan.trades} == {"B"}


def test_without_shared_volume_each_portfolio_is_answered_before_the_stream_is_closed(channel: grpc.Channel) -> None:
    """A caller who sends the next portfolio only after the answer to the one before has one each time."""
    sent: queue.SimpleQueue[ReallocateBatchRequest | None] = queue.SimpleQueue()
    sent.put(ParseDict({"shared": SHARED}, ReallocateBatchRequest()))
    call = ReallocationServiceStub(channel).ReallocateBatch(iter(sent.get, None), timeout=60)
    for key in ("one", "two", "three"):
        sent.put(ParseDict(account(key), ReallocateBatchRequest()))
        answer = next(call)
        assert (answer.key, answer.HasField("result")) == (key, True)
    sent.put(None)
    assert list(call) == []


def test_stored_portfolios_with_their_mandates(channel: grpc.Channel, wire: Wire) -> None:
    mandate = {"weights": {"weights": [{"symbol": "A", "weight": 1}]}}
    stored = {"holdings": [{"symbol": "B", "quantity": 10}], "mandate": mandate}
    name = wire.call("PortfolioService/CreatePortfolio", {"portfolio": stored})["name"]
    found = batch(
        channel,
        {"shared": {"snapshot": SNAPSHOT}},
        account("here", portfolioName=name),
        account("gone", portfolioName="portfolios/gone"),
        account("without"),
    )
    assert [(t.symbol, t.quantity) for t in found["here"].result.plan.trades] == [("B", -10.0), ("A", 20.0)]
    assert (reason(found["gone"]), reason(found["without"])) == ("NOT_FOUND", "INVALID_INPUT")
    assert found["here"].result.name == ""  # nothing is stored


def test_a_failure_is_a_value(channel: grpc.Channel) -> None:
    found = batch(
        channel,
        {"shared": SHARED},
        account("good"),
        account("bad", targetWeights={"weights": [{"symbol": "A", "weight": 2}]}),
        account("twice", portfolio={"holdings": [{"symbol": "A"}, {"symbol": "A"}]}),
        account("rule", portfolio={"currency": "dollars"}),
    )
    assert found["good"].HasField("result")
    for key, text in (("bad", "target_weights.weights"), ("twice", "portfolio.holdings[1]"), ("rule", "currency")):
        assert reason(found[key]) in ("INVALID_INPUT", "STRING_PATTERN")
        assert text in found[key].error.message


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ([], ("shared",)),
        ([account("first")], ("account",)),
        ([{"shared": SHARED}, {"shared": SHARED}], ("shared",)),
        ([{"shared": {"targetWeights": HALVES}}], ("shared",)),
    ],
)
def test_what_every_account_shares_comes_first_and_once(
    channel: grpc.Channel, parts: list[dict[str, Any]], fields: tuple[str, ...]
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        batch(channel, *parts)
    assert refusal_of(raised.value).fields == fields
