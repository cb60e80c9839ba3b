"""Remote strategies over the wire that answer nonsense, hang, fail or look for the future: failed decisions by name."""

import math
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1 import strategy_service_pb2_grpc
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight

from tests.conftest import RunningServer, Wire
from tests.e2e.test_strategies import BACKTEST, DATES, PRICES, request, result

Answer = Callable[[DecideRequest, grpc.ServicerContext], DecideResponse]


def weights(**given: float) -> DecideResponse:
    return DecideResponse(weights=[AssetWeight(symbol=name, weight=weight) for name, weight in given.items()])


@dataclass
class Service(strategy_service_pb2_grpc.StrategyServiceServicer):
    """Answers as the test says."""

    answer: Answer = lambda *_: weights(A=1.0)
    asked: list[DecideRequest] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)  # nobody waits any longer

    def Decide(self, request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:  # noqa: N802  # gRPC's name
        self.asked.append(request)
        return self.answer(request, context)


@dataclass(frozen=True)
class House:
    """A server and the service that it may ask."""

    wire: Wire
    target: str
    service: Service

    def result(self, answer: Answer, timeout: str = "10s", prices: np.ndarray = PRICES[:6], **more: Any) -> Any:
        """The strategy's result where the service answers like this."""
        self.service.answer = answer
        self.service.asked.clear()
        return result(self.wire, {"remote": {"target": self.target, "timeout": timeout}}, prices, **more)


@pytest.fixture(scope="module")
def house(start_server: Callable[..., RunningServer]) -> Iterator[House]:
    server, service = grpc.server(futures.ThreadPoolExecutor(8)), Service()
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(service, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    running = start_server("--workers", "1", "--strategy-targets", target)
    with running.channel() as channel:
        yield House(Wire(channel), target, service)
    service.ended.set()
    server.stop(None).wait()


def reasons(found: dict[str, Any]) -> list[str]:
    return [one["reason"] for one in found["failedRebalances"]]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (weights(Z=1.0), "Z"),
        (weights(A=math.nan), "finite"),
        (weights(A=math.inf), "finite"),
        (weights(A=60.0, B=40.0), "divide them by 100"),
        (DecideResponse(weights=[AssetWeight(symbol="A", weight=0.1)] * 2), "A"),
    ],
)
def test_an_answer_that_is_no_portfolio_fails_the_decision(house: House, answer: DecideResponse, text: str) -> None:
    """Nothing is bought, every decision has failed, and the job has succeeded."""
    found = house.result(lambda *_: answer)
    assert reasons(found) == ["REMOTE_WEIGHTS_INVALID"] * 6
    assert all(text in one["message"] for one in found["failedRebalances"]), found["failedRebalances"][0]
    assert found["metrics"]["finalWealth"] == 1.0


def test_a_service_that_hangs_fails_its_decision_alone(house: House) -> None:
    """The third decision is never answered: the holdings drift on until the fourth."""

    def hangs_once(asked: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        if len(asked.prices.dates) == 3:
            house.service.ended.wait(20.0)
        return weights(A=0.5)

    found = house.result(hangs_once, timeout="0.5s")
    assert reasons(found) == ["REMOTE_CALL_TIMED_OUT"]
    assert "did not answer within 0.5 s" in found["failedRebalances"][0]["message"]
    held, value = 0.5, 1.0
    for t in range(5):
        change = PRICES[t + 1, 0] / PRICES[t, 0]
        value, held = value * (1.0 - held + held * change), held * change / (1.0 - held + held * change)
        held = held if t + 1 == 2 else 0.5
    assert found["metrics"]["finalWealth"] == pytest.approx(value, rel=1e-12)


def test_a_service_that_fails(house: House) -> None:
    def fails(asked: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        context.abort(grpc.StatusCode.INTERNAL, "no idea")

    found = house.result(fails)
    assert reasons(found) == ["REMOTE_CALL_FAILED"] * 6
    assert f"{house.target} answered INTERNAL: no idea" in found["failedRebalances"][0]["message"]


def test_no_decision_sees_the_future(house: House) -> None:
    """What a service is sent at a date is the same to the bit whatever the prices are after it, and ends with it."""

    def told(prices: np.ndarray) -> list[bytes]:
        house.result(lambda *_: weights(A=0.3, B=0.3), prices=prices, rebalancing={"everyPeriods": {"n": 4}})
        seen = []
        for asked in house.service.asked:
            last = len(asked.prices.dates)
            assert list(asked.prices.dates) == DATES[:last]
            day = asked.date
            assert np.datetime64(f"{day.year}-{day.month:02}-{day.day:02}").astype(int) == DATES[last - 1]
            one = DecideRequest.FromString(asked.SerializeToString())
            one.ClearField("backtest")
            seen.append(one.SerializeToString(deterministic=True))
        return seen

    another = PRICES[:40].copy()
    another[21:] *= np.linspace(1.5, 0.5, 19)[:, None]
    first, second = told(PRICES[:40]), told(another)
    assert len(first) == len(second) == 10
    assert first[:6] == second[:6]  # decisions at dates 0, 4, ..., 20
    assert first[6] != second[6]


@pytest.mark.parametrize("target", ["127.0.0.1:1", "localhost:50051", "elsewhere.example:443", "no address"])
def test_an_address_that_is_not_allowed(house: House, target: str) -> None:
    refused = house.wire.refused(BACKTEST, request({"remote": {"target": target}}))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_INPUT")
    assert refused.fields == ("strategy.remote.target",)
