"""The target of a reallocation by a StrategyService: what it is told, what its answer means, and how it fails."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import grpc
import numpy as np
import pytest
from absfin import Client, Holdings, Panel, Quote, strategies
from absfinance.v1 import strategy_service_pb2_grpc
from absfinance.v1.liquidity_pb2 import LIQUIDITY_STATE_UNKNOWN
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse
from absfinance.v1.liquidity_service_pb2_grpc import LiquidityServiceServicer, add_LiquidityServiceServicer_to_server
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight

from tests.conftest import RunningServer, Wire
from tests.e2e.test_remote_strategies import Answer, Service, weights

REALLOCATE = "ReallocationService/Reallocate"
FIRST = 18_000
DAYS = np.arange(FIRST, FIRST + 30)
PRICES = np.column_stack([10.0 + 0.1 * np.arange(30), 20.0 - 0.1 * np.arange(30)])


@dataclass(frozen=True)
class House:
    """A server with stored prices of A and B, and the service that it may ask."""

    wire: Wire
    target: str
    service: Service

    def ask(self, **more: Any) -> dict[str, Any]:
        strategy = {"target": self.target, **more.pop("strategy", {})}
        request = {
            "portfolio": {"holdings": [{"symbol": "A", "quantity": 100}], "cash": 100},
            "marketData": {"symbols": ["A", "B"]},
            "targetStrategy": strategy,
        }
        return {name: value for name, value in (request | more).items() if value is not None}

    def answered(self, answer: Answer, **more: Any) -> dict[str, Any]:
        self.service.answer = answer
        self.service.asked.clear()
        return self.wire.call(REALLOCATE, self.ask(**more))

    def stored(self) -> int:
        found = self.wire.call("ReallocationService/ListReallocations", {"pageSize": 1000})
        return len(found.get("reallocations", []))


@pytest.fixture(scope="module")
def house(start_server: Callable[..., RunningServer]) -> Iterator[House]:
    server, service = grpc.server(futures.ThreadPoolExecutor(8)), Service()
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(service, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    running = start_server("--workers", "1", "--strategy-targets", target, "--max-remote-seconds", "2")
    with Client(running.address) as client:
        client.import_prices(Panel.of("AB", DAYS, PRICES))
    with running.channel() as channel:
        yield House(Wire(channel), target, service)
    service.ended.set()
    server.stop(None).wait()


def day_of(asked: DecideRequest) -> date:
    return date(asked.date.year, asked.date.month, asked.date.day)


def test_the_weights_are_the_target_and_stored_prices_are_shown(house: House) -> None:
    last = (date(1970, 1, 1) + np.timedelta64(int(DAYS[-1]), "D").item()).isoformat().split("-")
    as_of = dict(zip(("year", "month", "day"), map(int, last), strict=True))
    answer = house.answered(lambda *_: weights(A=0.25, B=0.5), label="mine", asOfDate=as_of, cashFlow=90.0)
    (asked,) = house.service.asked
    assert asked.backtest == ""
    assert asked.label == "mine"
    assert list(asked.prices.symbols) == ["A", "B"]
    assert list(asked.prices.dates) == DAYS.tolist()
    assert list(asked.prices.values) == PRICES.ravel().tolist()
    assert (asked.date.year, asked.date.month, asked.date.day) == tuple(as_of.values())
    # 100 A at 12.9, cash of 100, and 90 more that come in.
    nav = 100 * PRICES[-1, 0] + 190.0
    assert asked.nav == pytest.approx(nav, rel=1e-12)
    (held,) = asked.current_weights
    assert (held.symbol, held.weight) == ("A", pytest.approx(100 * PRICES[-1, 0] / nav, rel=1e-12))
    target = {asset["symbol"]: asset["targetWeight"] for asset in answer["utilization"]["assets"]}
    assert target == {"A": 0.25, "B": 0.5}
    direct = house.ask(targetStrategy=None, asOfDate=as_of, cashFlow=90.0)
    direct["targetWeights"] = {"weights": [{"symbol": "A", "weight": 0.25}, {"symbol": "B", "weight": 0.5}]}
    assert answer["plan"] == house.wire.call(REALLOCATE, direct)["plan"]


def test_prices_of_a_snapshot_are_those_of_the_date(house: House) -> None:
    assets = [{"symbol": "A", "price": 10}, {"symbol": "Z", "price": 5, "currency": "EUR"}]
    snapshot = {"assets": assets, "fxRates": [{"currency": "EUR", "rate": 2}]}
    portfolio = {"holdings": [{"symbol": "A", "quantity": 100}], "currency": "USD"}
    answer = house.answered(lambda *_: weights(Z=1.0), snapshot=snapshot, marketData=None, portfolio=portfolio)
    (asked,) = house.service.asked
    today = datetime.now(UTC).date()
    assert (today - day_of(asked)).days in (0, 1)
    assert list(asked.prices.dates) == [(day_of(asked) - date(1970, 1, 1)).days]
    assert list(asked.prices.values) == [10.0, 10.0]
    assert {t["symbol"]: t["quantity"] for t in answer["plan"]["trades"]} == {"A": -100.0, "Z": 100.0}


def test_nothing_later_than_the_date_of_the_plan_is_told(house: House) -> None:
    """Net asset value is of the last prices: a date before them is refused, and an end date makes room for it."""
    as_of = {"year": 2019, "month": 4, "day": 25}  # day 18011
    house.service.asked.clear()
    refused = house.wire.refused(REALLOCATE, house.ask(asOfDate=as_of))
    assert refused.fields == ("as_of_date",)
    assert house.service.asked == []
    data = {"symbols": ["A", "B"], "endDate": as_of}
    house.answered(lambda *_: weights(A=1.0), asOfDate=as_of, marketData=data, validateOnly=True)
    (asked,) = house.service.asked
    assert asked.prices.dates[-1] == 18_011
    assert asked.nav == pytest.approx(100 * PRICES[11, 0] + 100.0)


@pytest.mark.parametrize("target", ["127.0.0.1:1", "localhost:50051", "elsewhere.example:443", "no address"])
def test_an_address_that_is_not_allowed(house: House, target: str) -> None:
    refused = house.wire.refused(REALLOCATE, house.ask(strategy={"target": target}))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert refused.fields == ("target_strategy.target",)


def test_no_address_is_allowed_by_default(wire: Wire, house: House) -> None:
    assert wire.refused(REALLOCATE, house.ask()).fields == ("target_strategy.target",)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (weights(Z=1.0), "weights[0].symbol: Z is not a symbol of the input"),
        (weights(A=math.nan), "weights[0].weight: must be finite"),
        (weights(A=math.inf), "weights[0].weight: must be finite"),
        (weights(A=0.7, B=0.4), "weights: must sum to 1 or less without leverage, sum to 1.1"),
        (weights(A=60.0, B=40.0), "weights: must be fractions, 0.6 for 60 %"),
        (weights(A=-0.5, B=0.5), "weights[0].weight: must be"),
        (DecideResponse(weights=[AssetWeight(symbol="A", weight=0.1)] * 2), "weights[1].symbol: A appears twice"),
    ],
)
def test_an_answer_that_is_no_portfolio(house: House, answer: DecideResponse, rule: str) -> None:
    before = house.stored()
    house.service.answer = lambda *_: answer
    failed = house.wire.refused(REALLOCATE, house.ask())
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "REMOTE_ANSWER_INVALID")
    assert failed.message.startswith(
        f"the StrategyService at {house.target} sent an answer that cannot be used: {rule}"
    )
    assert house.stored() == before


@pytest.mark.alone
@pytest.mark.parametrize(("strategy", "limit"), [({"timeout": "0.5s"}, 0.5), ({"timeout": "60s"}, 2.0), ({}, 2.0)])
def test_a_service_that_hangs(house: House, strategy: dict[str, str], limit: float) -> None:
    """Its own time limit, or the least of that and the settings."""

    def hangs(asked: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        house.service.ended.wait(5.0)
        return weights(A=1.0)

    before = house.stored()
    house.service.answer = hangs
    began = time.monotonic()
    failed = house.wire.refused(REALLOCATE, house.ask(strategy=strategy))
    assert limit <= time.monotonic() - began < limit + 2.0
    assert (failed.code, failed.reason) == ("DEADLINE_EXCEEDED", "REMOTE_CALL_TIMED_OUT")
    assert failed.message == f"the StrategyService at {house.target} did not answer within {limit:g} s"
    assert house.stored() == before


def test_a_service_that_fails(house: House) -> None:
    def fails(asked: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        context.abort(grpc.StatusCode.INTERNAL, "a SECRET of the model")

    before = house.stored()
    house.service.answer = fails
    failed = house.wire.refused(REALLOCATE, house.ask())
    assert (failed.code, failed.reason) == ("FAILED_PRECONDITION", "REMOTE_CALL_FAILED")
    assert failed.message == f"the StrategyService at {house.target} returned the status INTERNAL"
    assert house.stored() == before


def test_constraints_of_a_decision_cannot_be_disabled(house: House) -> None:
    refused = house.wire.refused(REALLOCATE, house.ask(disabledConstraints=["x"]))
    assert refused.fields == ("disabled_constraints[0]",)


def test_liquidity_and_target_by_services_outside(start_server: Callable[..., RunningServer]) -> None:
    """The decision comes first, and what it requires is assessed."""
    server, service = grpc.server(futures.ThreadPoolExecutor(2)), Service(lambda *_: weights(A=0.25, B=0.75))
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(service, server)
    assessed: list[AssessLiquidityRequest] = []

    class Book(LiquidityServiceServicer):
        def AssessLiquidity(  # noqa: N802  # gRPC's name
            self, request: AssessLiquidityRequest, context: grpc.ServicerContext
        ) -> AssessLiquidityResponse:
            assessed.append(request)
            answer = AssessLiquidityResponse()
            for trade in request.trades:
                answer.assessment.assets.add(symbol=trade.symbol, state=LIQUIDITY_STATE_UNKNOWN)
            return answer

    add_LiquidityServiceServicer_to_server(Book(), server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    running = start_server("--workers", "1", "--strategy-targets", target, "--liquidity-target", target)
    with Client(running.address) as client:
        plan = client.reallocate(
            Holdings({"A": 100}), [Quote("A", 10.0), Quote("B", 10.0)], strategies.remote(target), horizon_days=3
        )
    server.stop(None).wait()
    assert {trade.symbol: trade.quantity for trade in plan.trades} == {"A": -75.0, "B": 75.0}
    assert len(service.asked) == 1
    (request,) = assessed
    assert {trade.symbol: trade.quantity for trade in request.trades} == {"A": -75.0, "B": 75.0}
    assert (request.max_participation, request.horizon_days) == (1.0, 3)
    assert plan.proto.liquidity.from_remote_service
