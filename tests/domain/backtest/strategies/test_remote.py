"""Remote strategies: what is asked, what is recorded, and what comes of answers that cannot be used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import FailedRebalance, RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import Blend, Cppi, FixedWeights, MarketHistory, Part, Remote, Strategy
from domain.backtest.strategies.decision_log import DecisionLog, DecisionsInMemory, RecordedDecision
from domain.backtest.strategies.remote import RemoteCallFailed, RemoteCallTimedOut
from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import PricePanel

PRICES = np.exp(np.cumsum(np.random.default_rng(4).normal(0.0, 0.02, (12, 2)), axis=0))
PANEL = PricePanel.of("AB", range(12), PRICES)


@dataclass
class Service:
    """Answers with the latest winner, or what it is told to; it remembers what it was asked."""

    answer: Callable[[MarketHistory], Mapping[str, float]] | None = None
    asked: list[tuple[str, str, list[int]]] = field(default_factory=list)

    def decide(
        self,
        target: str,
        label: str,
        history: MarketHistory,
        timeout_seconds: float,
        check_cancelled: CancellationCheck,
    ) -> Mapping[str, float]:
        assert timeout_seconds == 10.0
        self.asked.append((target, label, history.dates.tolist()))
        if self.answer is not None:
            return self.answer(history)
        return {history.symbols[int(np.argmax(history.prices[-1]))]: 0.75}


@dataclass
class Watched:
    """A log that says in which order things happen."""

    events: list[str]
    inner: DecisionsInMemory = field(default_factory=DecisionsInMemory)

    def find(self, path: str, day: int) -> RecordedDecision | None:
        return self.inner.find(path, day)

    def store(self, path: str, day: int, decision: RecordedDecision) -> RecordedDecision:
        self.events.append(f"stored {day}")
        return self.inner.store(path, day, decision)


def specified(*strategies: Strategy) -> BacktestSpecification:
    return BacktestSpecification(strategies, Rebalancing(EveryPeriods(4)), Fill.SAME_CLOSE)


def simulated(
    service: Service, log: DecisionLog, strategy: Strategy | None = None
) -> tuple[RecordPart, tuple[FailedRebalance, ...]]:
    specification = specified(strategy or Remote("host:1")).with_decisions(service, log)
    done = run(prepare(specification, PANEL), lambda _: None, never_cancelled).strategies[0]
    assert done.record is not None
    return done.record, done.failures


def test_the_service_sees_the_past_of_each_decision_and_its_weights_are_held() -> None:
    service = Service()
    record, failures = simulated(service, DecisionsInMemory())
    assert failures == ()
    assert service.asked == [("host:1", "remote", list(range(day + 1))) for day in (0, 4, 8)]
    winners = PRICES[[0, 4, 8]].argmax(axis=1)
    for units, date, winner in zip(record.units, (0, 4, 8), winners, strict=True):
        assert units[winner] * PRICES[date, winner] == pytest.approx(0.75 * record.nav[date])
        assert units[1 - winner] == 0.0


def test_preparing_asks_nobody() -> None:
    service = Service()
    prepare(specified(Remote("host:1")).with_decisions(service, DecisionsInMemory()), PANEL)
    assert service.asked == []


def test_a_recorded_decision_is_not_asked_for_again() -> None:
    log, silent = DecisionsInMemory(), Service(lambda _: {"A": 0.1})
    first, _ = simulated(Service(), log)
    second, _ = simulated(silent, log)
    assert silent.asked == []
    assert second.units.tolist() == first.units.tolist()
    assert second.nav.tolist() == first.nav.tolist()


def test_a_failure_is_recorded_too() -> None:
    def unavailable(_: MarketHistory) -> Mapping[str, float]:
        raise RemoteCallFailed("host:1 answered UNAVAILABLE")

    log = DecisionsInMemory()
    _, before = simulated(Service(unavailable), log)
    healthy = Service()
    _, after = simulated(healthy, log)
    assert healthy.asked == []
    assert before == after
    assert [failure.reason for failure in after] == ["REMOTE_CALL_FAILED"] * 3


def test_a_decision_is_stored_before_it_is_used() -> None:
    """Where it cannot be stored, the run ends and nothing is traded."""
    events: list[str] = []
    service = Service()

    def answering(history: MarketHistory) -> Mapping[str, float]:
        events.append(f"asked {history.dates[-1]}")
        return {"A": 0.5}

    service.answer = answering
    specification = specified(Remote("host:1")).with_decisions(service, Watched(events))

    def seen(backtest: BacktestRun) -> None:
        fills = (
            0 if backtest.simulation is None else sum(len(part.indices) for part in backtest.simulation.record.parts)
        )
        events.append(f"{fills} fills")

    run(prepare(specification, PANEL), seen, never_cancelled)
    assert events == ["0 fills", "asked 0", "stored 0", "1 fills", "asked 4", "stored 4", "2 fills",
                      "asked 8", "stored 8", "3 fills", "3 fills"]  # fmt: skip


def test_of_two_decisions_the_one_stored_first_is_used() -> None:
    """Another attempt stores its decision between the look and the answer."""
    log = DecisionsInMemory()

    def late(history: MarketHistory) -> Mapping[str, float]:
        log.store("strategy.remote", int(history.dates[-1]), RecordedDecision({"B": 1.0}))
        return {"A": 1.0}

    record, _ = simulated(Service(late), log)
    assert (record.units[:, 0] == 0.0).all()
    assert (record.units[:, 1] > 0.0).all()


def test_a_run_that_is_continued_asks_only_what_is_missing() -> None:
    log, service = DecisionsInMemory(), Service()
    specification = specified(Remote("host:1")).with_decisions(service, log)
    plan = prepare(specification, PANEL)
    saved: list[tuple[Checkpoint, list[RecordPart]]] = []
    whole = run(
        plan, lambda b: saved.append((b.checkpoint(), list(b.records[0]))), never_cancelled
    ).strategies[0].record  # fmt: skip
    assert whole is not None
    for checkpoint, parts in saved:
        service.asked.clear()
        again = run(plan, lambda _: None, never_cancelled, checkpoint, [parts]).strategies[0].record
        assert service.asked == []
        assert again is not None
        assert again.nav.tolist() == whole.nav.tolist()
    checkpoint, parts = saved[1]
    del log.decisions["strategy.remote", 8]
    run(plan, lambda _: None, never_cancelled, checkpoint, [parts])
    assert [dates[-1] for _, _, dates in service.asked] == [8]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"Z": 0.5}, "Z is not a symbol of the input"),
        ({"A": float("nan")}, "weights[0].weight"),
        ({"A": float("inf")}, "weights[0].weight"),
        ({"A": 1e300}, "weights[0].weight"),
        ({"A": 0.7, "B": 0.7}, "must sum to 1 or less without leverage, sum to 1.4"),
    ],
)
def test_weights_that_cannot_be_used_are_a_failed_rebalance(answer: Mapping[str, float], text: str) -> None:
    record, failures = simulated(Service(lambda _: answer), DecisionsInMemory())
    assert [failure.reason for failure in failures] == ["REMOTE_WEIGHTS_INVALID"] * 3
    assert text in failures[0].message
    assert failures[0].message.startswith("host:1 sent ")
    assert record.nav.tolist() == [1.0] * 12


def test_percentages_are_no_leverage() -> None:
    _, failures = simulated(
        Service(lambda _: {"A": 60.0, "B": 40.0}), DecisionsInMemory(), Remote("host:1", leveraged=True)
    )
    assert [failure.reason for failure in failures] == ["REMOTE_WEIGHTS_INVALID"] * 3
    assert "they sum to 100, so divide them by 100" in failures[0].message


def test_leverage_where_it_is_allowed() -> None:
    record, failures = simulated(
        Service(lambda _: {"A": 0.7, "B": 0.7}), DecisionsInMemory(), Remote("host:1", leveraged=True)
    )
    assert failures == ()
    assert float(record.units[0] @ PRICES[0]) == pytest.approx(1.4)


def test_holdings_drift_on_after_a_late_answer() -> None:
    def late_once(history: MarketHistory) -> Mapping[str, float]:
        if history.dates[-1] == 4:
            raise RemoteCallTimedOut("host:1 did not answer within 10 s")
        return {"A": 1.0} if history.dates[-1] == 0 else {"B": 1.0}

    record, failures = simulated(Service(late_once), DecisionsInMemory())
    assert [(failure.day, failure.reason) for failure in failures] == [(4, "REMOTE_CALL_TIMED_OUT")]
    assert record.nav[:9] == pytest.approx(PRICES[:9, 0] / PRICES[0, 0])
    assert record.units[-1][0] == 0.0


def test_a_cancelled_call_is_no_decision() -> None:
    def cancelled(_: MarketHistory) -> Mapping[str, float]:
        raise Cancelled("no longer wanted")

    log = DecisionsInMemory()
    with pytest.raises(Cancelled):
        simulated(Service(cancelled), log)
    assert log.decisions == {}


def test_two_of_the_same_name_inside_others_have_decisions_of_their_own() -> None:
    log, service = DecisionsInMemory(), Service()
    one, other = Remote("host:1"), Cppi(Remote("host:1"), 0.5, 2.0)
    simulated(service, log, Blend((Part(one, 0.5), Part(other, 0.25), Part(FixedWeights({"A": 1.0}), 0.25))))
    assert len(service.asked) == 6
    assert {path for path, _ in log.decisions} == {
        "strategy.blend.parts[0].strategy.remote",
        "strategy.blend.parts[1].strategy.cppi.base.remote",
    }


def test_without_a_connection_there_is_no_decision() -> None:
    done = run(prepare(specified(Remote("host:1")), PANEL), lambda _: None, never_cancelled).strategies[0]
    assert [failure.reason for failure in done.failures] == ["REMOTE_DECISION_FAILED"] * 3


@pytest.mark.parametrize(("target", "seconds", "field"), [("", 1.0, "target"), ("h:1", 0.0, "timeout")])
def test_fields_out_of_range(target: str, seconds: float, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Remote(target, seconds)
    assert raised.value.field == field
