"""Calls of services outside, against real servers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from absfinance.v1 import strategy_service_pb2_grpc
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight
from google.type.date_pb2 import Date

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import MarketHistory, Remote
from domain.backtest.strategies.decision_log import DecisionsInMemory
from domain.backtest.strategies.remote import RemoteCallFailed, RemoteCallTimedOut
from domain.cancellation import never_cancelled
from domain.errors import Cancelled
from domain.market_data.panel import PricePanel
from server.converters.decision import MOST_VALUES, decide_request_to_bytes
from server.tasks.remote_decisions import RemoteDecisions

NAN = float("nan")
Answer = Callable[[DecideRequest, grpc.ServicerContext], DecideResponse]


class Servicer(strategy_service_pb2_grpc.StrategyServiceServicer):
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[DecideRequest] = []

    def Decide(self, request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:  # noqa: N802  # gRPC's name
        self.asked.append(request)
        return self.answer(request, context)


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, Servicer]]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = Servicer(answer)
    strategy_service_pb2_grpc.add_StrategyServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", servicer
    finally:
        server.stop(None).wait()


@contextmanager
def calling(*allowed: str) -> Iterator[RemoteDecisions]:
    decisions = RemoteDecisions("backtests/one", allowed)
    try:
        yield decisions
    finally:
        decisions.close()


def history(prices: object = ((1.0, NAN), (2.0, 4.0))) -> MarketHistory:
    values = np.array(prices)
    days = np.arange(100, 100 + len(values), dtype=np.int32)
    return MarketHistory(("A", "B"), days, values, np.array([0.25, 0.0]), 252.0, nav=123.5)


def weights(**by_symbol: float) -> DecideResponse:
    return DecideResponse(weights=[AssetWeight(symbol=s, weight=w) for s, w in by_symbol.items()])


def test_the_service_is_told_the_past_and_what_is_held() -> None:
    with serving(lambda request, context: weights(A=0.5, B=0.25)) as (target, servicer), calling(target) as decisions:
        assert decisions.decide(target, "mine", history(), 5.0, never_cancelled) == {"A": 0.5, "B": 0.25}
    (asked,) = servicer.asked
    assert (asked.backtest, asked.label, asked.nav) == ("backtests/one", "mine", 123.5)
    assert asked.date == Date(year=1970, month=4, day=12)
    assert list(asked.prices.symbols) == ["A", "B"]
    assert list(asked.prices.dates) == [100, 101]
    assert list(asked.prices.values) == pytest.approx([1.0, NAN, 2.0, 4.0], nan_ok=True)
    assert [(held.symbol, held.weight) for held in asked.current_weights] == [("A", 0.25)]


def test_of_a_long_past_the_latest_dates_are_sent() -> None:
    dates = MOST_VALUES // 2 + 3
    request = DecideRequest.FromString(decide_request_to_bytes("", "", history(np.arange(2.0 * dates).reshape(-1, 2))))
    assert len(request.prices.values) == MOST_VALUES
    assert request.prices.dates[-1] == 99 + dates
    assert list(request.prices.values[-2:]) == [2.0 * dates - 2, 2.0 * dates - 1]


def test_an_error_of_the_service() -> None:
    def refuse(request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no model today")
        raise AssertionError

    told = "answered FAILED_PRECONDITION: no model today"
    with serving(refuse) as (target, _), calling(target) as decisions, pytest.raises(RemoteCallFailed, match=told):
        decisions.decide(target, "", history(), 5.0, never_cancelled)


def test_a_late_answer() -> None:
    release = threading.Event()

    def wait(request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        release.wait(20.0)
        return weights(A=1.0)

    with serving(wait) as (target, _), calling(target) as decisions:
        with pytest.raises(RemoteCallTimedOut, match=r"did not answer within 0\.2 s"):
            decisions.decide(target, "", history(), 0.2, never_cancelled)
        release.set()


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{free.getsockname()[1]}"
    with calling(target) as decisions, pytest.raises(RemoteCallTimedOut):
        decisions.decide(target, "", history(), 0.3, never_cancelled)


def test_a_cancelled_job_waits_no_longer() -> None:
    release = threading.Event()

    def wait(request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        release.wait(20.0)
        return weights(A=1.0)

    begun = time.monotonic()

    def cancelled() -> None:
        if time.monotonic() - begun > 0.2:
            raise Cancelled("no longer wanted")

    with serving(wait) as (target, _), calling(target) as decisions:
        with pytest.raises(Cancelled):
            decisions.decide(target, "", history(), 20.0, cancelled)
        assert time.monotonic() - begun < 10.0
        release.set()


def test_an_address_that_the_settings_do_not_allow_is_not_called() -> None:
    with serving(lambda request, context: weights(A=1.0)) as (target, servicer), calling("other:1") as decisions:
        with pytest.raises(RemoteCallFailed, match="no longer an address that the settings of the server allow"):
            decisions.decide(target, "", history(), 5.0, never_cancelled)
        assert servicer.asked == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (DecideResponse(weights=[AssetWeight(symbol="A", weight=0.1)] * 2), "A"),
        (weights(Z=0.5), "Z is not a symbol"),
        (weights(A=NAN), "weights[0].weight"),
        (weights(A=2.0), "sum to 1 or less"),
    ],
)
def test_answers_that_cannot_be_used_fail_the_rebalance_alone(answer: DecideResponse, text: str) -> None:
    with serving(lambda request, context: answer) as (target, _), calling(target) as decisions:
        done = simulated(target, decisions, DecisionsInMemory())
    assert [failure.reason for failure in done.failures] == ["REMOTE_WEIGHTS_INVALID"] * 3
    assert text in done.failures[0].message


def test_a_repeated_run_has_the_same_result_after_the_service_is_gone() -> None:
    def momentum(request: DecideRequest, context: grpc.ServicerContext) -> DecideResponse:
        latest = list(request.prices.values)[-2:]
        return weights(A=0.9) if latest[0] > latest[1] else weights(B=0.9)

    log = DecisionsInMemory()
    with serving(momentum) as (target, servicer), calling(target) as decisions:
        first = simulated(target, decisions, log)
        assert len(servicer.asked) == 3
        assert [len(asked.prices.dates) for asked in servicer.asked] == [1, 5, 9]
    with calling() as decisions:
        second = simulated(target, decisions, log)
    assert first.failures == second.failures == ()
    assert first.record is not None
    assert second.record is not None
    assert first.record.nav.tolist() == second.record.nav.tolist()


def simulated(target: str, decisions: RemoteDecisions, log: DecisionsInMemory) -> StrategyOutcome:
    prices = np.exp(np.cumsum(np.random.default_rng(4).normal(0.0, 0.02, (12, 2)), axis=0))
    specification = BacktestSpecification(
        (Remote(target, 5.0),), Rebalancing(EveryPeriods(4)), Fill.SAME_CLOSE
    ).with_decisions(decisions, log)
    plan = prepare(specification, PricePanel.of("AB", range(12), prices))
    return run(plan, lambda _: None, never_cancelled).strategies[0]
