"""Callers that write, read, solve, ask for backtests and follow them, and tell the ledger what they were told."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from absfinance.v1.backtest_service_pb2 import BacktestProgressRequest, BacktestRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from absfinance.v1.portfolio_service_pb2 import (
    CreatePortfolioRequest,
    GetPortfolioRequest,
    UpdatePortfolioRequest,
)
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from google.protobuf import json_format

from scripts.chaos_run.ledger import Ledger

CALL_SECONDS = 15.0
STREAM_SECONDS = 10.0
KINDS = 3
DATES = (500, 1500, 3000)
"""Of each kind of job: from a blink to seconds."""

TOLD = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}
"""What callers may be told while something is out of order: all of them say that the call can be tried again."""

OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.max_reconnect_backoff_ms", 500), ("grpc.use_local_subchannel_pool", 1))


def job(kind: int, request_id: str) -> BacktestRequest:
    """Daily minimum variance of ten assets; the same kind gives the same figures."""
    dates = DATES[kind]
    moves = np.random.default_rng(kind).normal(0.0002, 0.01, (dates, 10))
    stated = {
        "prices": {
            "symbols": [f"S{i}" for i in range(10)],
            "dates": list(range(dates)),
            "values": (100.0 * np.cumprod(1.0 + moves, axis=0)).ravel().tolist(),
        },
        "periodsPerYear": 252,
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 60}},
        "rebalancing": {"everyPeriods": {"n": 1}},
        "costs": {"commissionBps": 5},
        "requestId": request_id,
    }
    return json_format.ParseDict(stated, BacktestRequest())


def optimization() -> OptimizeRequest:
    """Two assets."""
    moments = {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12}
    return json_format.ParseDict({"moments": moments, "objective": {"minRisk": {}}}, OptimizeRequest())


@dataclass
class Callers:
    """Threads, each with a connection of its own."""

    address: str
    ledger: Ledger
    seed: int
    most_jobs: int
    ended: threading.Event = field(default_factory=threading.Event)
    finished: dict[str, str] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begins."""
        work = [self._write, self._write, self._solve, self._ask, self._follow, self._follow]
        for number, one in enumerate(work):
            self._threads.append(threading.Thread(target=self._repeat, args=(one, number), daemon=True))
            self._threads[-1].start()

    def end(self) -> None:
        """Lets each finish its call."""
        self.ended.set()
        for thread in self._threads:
            thread.join(CALL_SECONDS + 30)
            if thread.is_alive():
                self.ledger.complain("a call never ended")

    def _repeat(self, work: Callable[["Caller"], None], number: int) -> None:
        with grpc.insecure_channel(self.address, options=OPTIONS) as channel:
            caller = Caller(channel, random.Random(f"{self.seed}-{number}"), number)  # noqa: S311  # a load, not a secret
            while not self.ended.is_set():
                try:
                    work(caller)
                    self.ledger.answered("OK")
                    pause = 0.02
                except grpc.RpcError as error:
                    self._note(error)
                    pause = 0.3
                self.ended.wait(pause)

    def _note(self, error: Any) -> None:
        code = error.code().name
        self.ledger.answered(code)
        if code not in TOLD:
            self.ledger.complain(f"{code}: {error.details()}")

    def _write(self, caller: "Caller") -> None:
        stub, ledger = PortfolioServiceStub(caller.channel), self.ledger
        cash = float(caller.next_number())
        if not caller.portfolios or caller.chosen.random() < 0.3:
            identity = f"c{caller.number}-{int(cash)}"
            ledger.sending(f"portfolios/{identity}", cash)
            asked = CreatePortfolioRequest(portfolio_id=identity, request_id=identity)
            asked.portfolio.currency, asked.portfolio.cash = "USD", cash
            _until_answered(self, lambda: stub.CreatePortfolio(asked, timeout=CALL_SECONDS))
            ledger.acknowledged(f"portfolios/{identity}", cash)
            caller.portfolios.append(f"portfolios/{identity}")
            return
        name = caller.chosen.choice(caller.portfolios)
        known = stub.GetPortfolio(GetPortfolioRequest(name=name), timeout=CALL_SECONDS)
        ledger.read(name, known.cash)
        change = UpdatePortfolioRequest()
        change.portfolio.name, change.portfolio.etag, change.portfolio.cash = name, known.etag, cash
        change.update_mask.paths.append("cash")
        ledger.sending(name, cash)
        stub.UpdatePortfolio(change, timeout=CALL_SECONDS)
        ledger.acknowledged(name, cash)

    def _solve(self, caller: "Caller") -> None:
        answer = OptimizationServiceStub(caller.channel).Optimize(optimization(), timeout=CALL_SECONDS)
        if abs(sum(one.weight for one in answer.weights) - 1.0) > 1e-9:
            self.ledger.complain("weights that do not add up")

    def _ask(self, caller: "Caller") -> None:
        if len(self.ledger.asked) >= self.most_jobs:
            self.ended.wait(1.0)
            return
        again = list(self.ledger.jobs)
        if again and caller.chosen.random() < 0.2:
            request_id = caller.chosen.choice(again)
            kind = self.ledger.asked[request_id]
        else:
            request_id, kind = f"r{self.seed}-{caller.next_number()}", caller.chosen.randrange(KINDS)
            self.ledger.asking(request_id, kind)
        stub = BacktestServiceStub(caller.channel)
        answer = _until_answered(self, lambda: stub.Backtest(job(kind, request_id), timeout=CALL_SECONDS))
        self.ledger.accepted(request_id, answer.name)
        self.ended.wait(1.0)

    def _follow(self, caller: "Caller") -> None:
        known = [name for name in list(self.ledger.jobs.values()) if name not in self.finished]
        if not known:
            self.ended.wait(0.5)
            return
        name = caller.chosen.choice(known)
        last, epoch = caller.places.get(name, (0, ""))
        asked = BacktestProgressRequest(backtest=name, after_sequence=last, epoch=epoch)
        for event in BacktestServiceStub(caller.channel).BacktestProgress(asked, timeout=STREAM_SECONDS):
            if event.WhichOneof("event") not in ("milestone", "finished"):
                continue
            if event.sequence <= caller.places.get(name, (0, ""))[0]:
                self.ledger.complain(f"{name} told {event.sequence} again")
            caller.places[name] = (event.sequence, event.epoch)
            if event.WhichOneof("event") == "finished":
                self.finished[name] = str(event.finished.state)


@dataclass
class Caller:
    """One of them: its connection, its choices, and what it knows."""

    channel: grpc.Channel
    chosen: random.Random
    number: int
    portfolios: list[str] = field(default_factory=list)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    _numbers: int = 0

    def next_number(self) -> int:
        """A number that no other caller has had."""
        self._numbers += 1
        return self._numbers * 100 + self.number


def _until_answered(callers: Callers, call: Callable[[], Any]) -> Any:
    """Sends the same request, with the same id, until it is answered, or until the run is over."""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if callers.ended.is_set() or error.code().name not in TOLD:  # type: ignore[attr-defined]
                raise
            callers.ledger.answered(error.code().name)  # type: ignore[attr-defined]
            callers.ended.wait(0.3)
