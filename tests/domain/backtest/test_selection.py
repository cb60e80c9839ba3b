"""Nested selection: what is chosen from the accounts of candidates, and how a run with a selection goes."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from domain.backtest import simulator
from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.metrics import Curve, MetricSettings, figure_of_returns, performance
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome, StrategyOutcome
from domain.backtest.selection import NO_SCORE, Selection
from domain.backtest.shifted_calendars import SELECTS
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import (
    BeforeSelection,
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    MarketHistory,
    Momentum,
    Part,
    Remote,
    Select,
    SelectionScore,
    Strategy,
)
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput, MissingMarketData
from domain.market_data.panel import PricePanel
from domain.risk.figure import Absent
from domain.significance.settings import ValidationSettings
from domain.warnings import ResultWarning

T = 120
PRICES = 100.0 * np.cumprod(1.0 + np.random.RandomState(3).randn(T, 3) * 0.02, axis=0)
COSTS = CostModel(LinearCost(10.0, 5.0))
A, B = FixedWeights({"A": 1.0}, "a"), FixedWeights({"B": 1.0}, "b")
CANDIDATES = (EqualWeightStrategy(), A, Momentum(10, 1))


def panel(prices: np.ndarray = PRICES) -> PricePanel:
    return PricePanel.of("ABC"[: prices.shape[1]], range(len(prices)), prices)


def specification(strategy: Strategy, every: int = 5, **more: object) -> BacktestSpecification:
    rules = more.pop("rebalancing", None) or Rebalancing(EveryPeriods(every))
    return BacktestSpecification((strategy,), rules, costs=COSTS, **more)  # type: ignore[arg-type]


def outcome(one: BacktestSpecification, prices: np.ndarray = PRICES) -> BacktestOutcome:
    return run(prepare(one, panel(prices)), lambda backtest: None, never_cancelled)


def selected(done: BacktestOutcome) -> Selection:
    found = done.strategies[0].selection
    assert found is not None
    return found


def nav(done: StrategyOutcome) -> Vector:
    assert done.record is not None
    return done.record.nav


@dataclass(frozen=True, slots=True)
class FailsOn(WithoutDates, FromHistory):
    """All in one asset, but on some days there are no weights."""

    asset: int
    days: tuple[int, ...]
    label: str = "fails"
    kind: str = "optimize"

    @property
    def lookback_window(self) -> LookbackWindow:
        return LookbackWindow()

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        if int(history.dates[-1]) in self.days:
            raise MissingMarketData("there is nothing to decide with")
        return np.eye(len(history.symbols))[self.asset]


@pytest.mark.parametrize("cash", [False, True])
@pytest.mark.parametrize("values", ["varied", "constant", "two dates", "ruin"])
def test_a_score_is_the_figure_of_the_performance(values: str, cash: bool) -> None:
    curves = {"varied": PRICES[:, 0], "constant": np.ones(9), "two dates": PRICES[:2, 0], "ruin": np.array([2.0, 1, 0])}
    levels = curves[values]
    curve = Curve(np.arange(len(levels), dtype=np.int32), levels)
    earned = np.linspace(0.0, 1e-4, len(levels)) if cash else None
    rates = MetricSettings(252.0, 0.01, 0.02, earned)
    every = performance(curve, rates, turnover=0.0, cost_total=0.0, benchmark=None)
    for score in SelectionScore:
        assert figure_of_returns(curve, rates, score.value) == getattr(every, score.value), score
    with pytest.raises(ValueError, match="no figure of returns alone"):
        figure_of_returns(Curve(curve.days[:2], PRICES[:2, 0]), rates, "beta_to_benchmark")


@given(
    decision=some.integers(14, 33),
    seed=some.integers(0, 2**32 - 1),
    lookback=some.integers(2, 30),
    purge=some.sampled_from([0, 0, 2]),
    score=some.sampled_from(SelectionScore),
)
@example(decision=20, seed=1, lookback=10, purge=0, score=SelectionScore.TOTAL_RETURN)
@settings(max_examples=6, deadline=None)
def test_prices_after_a_decision_never_change_what_was_chosen_by_then(
    decision: int, seed: int, lookback: int, purge: int, score: SelectionScore
) -> None:
    last = 10 + 3 * decision  # the date of a decision: the close of the next one is not known
    one = specification(Select(CANDIDATES, lookback, score, purge), every=3)
    later = PRICES.copy()
    later[last + 1 :] *= np.exp(np.random.RandomState(seed).randn(T - last - 1, 3))
    before, after = selected(outcome(one)), selected(outcome(one, later))
    mine = [(each.day, each.candidate, each.in_sample) for each in before.choices if each.day <= last]
    assert mine == [(each.day, each.candidate, each.in_sample) for each in after.choices if each.day <= last]
    assert 0 < len(mine) < len(before.choices)


@pytest.mark.parametrize("tranches", [1, 3])
def test_an_interrupted_run_continues_to_the_same_bits(tranches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut while candidates are simulated and while the selection is, thrown away to the last checkpoint, resumed."""
    monkeypatch.setattr(simulator, "STRETCH", 60)
    rules = Rebalancing(EveryPeriods(6), tranches=tranches)
    plan = prepare(specification(Select(CANDIDATES, 20), rebalancing=rules), panel())
    whole = run(plan, lambda backtest: None, never_cancelled)
    records: list[list[RecordPart]] = []
    checkpoint: Checkpoint | None = None
    done, reached = None, set()
    for _ in range(200):
        events = 0

        def stop_now_and_then(backtest: BacktestRun) -> None:
            nonlocal events, checkpoint
            events += 1
            reached.add(backtest.strategy_index)
            if events == 3:
                checkpoint = backtest.checkpoint()
                for index, part in checkpoint.parts:
                    records.extend([] for _ in range(len(records), index + 1))
                    records[index].append(part)
            if events == 5:
                raise Cancelled("the power went out")

        try:
            done = run(plan, stop_now_and_then, never_cancelled, checkpoint, records)
            break
        except Cancelled:
            continue
    assert done is not None
    assert reached == {0, 1, 2, 3}
    assert selected(done) == selected(whole)
    assert nav(done.strategies[0]).tobytes() == nav(whole.strategies[0]).tobytes()


@pytest.mark.parametrize("score", [SelectionScore.SHARPE, SelectionScore.MAX_DRAWDOWN])
def test_of_equal_candidates_the_first_is_chosen(score: SelectionScore) -> None:
    found = selected(outcome(specification(Select((A, replace(A, label="again"), B), 20, score))))
    assert "again" not in {one.candidate for one in found.choices}
    assert {"a", "b"} == {one.candidate for one in found.choices}
    assert dict(found.chosen)["again"] == 0


def test_the_direction_of_a_score() -> None:
    calm = np.column_stack([100.0 * 1.001 ** (np.arange(T) + np.arange(T) % 2), PRICES[:, 0]])
    for score in SelectionScore:
        found = selected(outcome(specification(Select((B, A), 20, score)), calm))
        risk = score not in {SelectionScore.CAGR, SelectionScore.TOTAL_RETURN}
        if risk and score.higher_is_better is False:
            assert {one.candidate for one in found.choices} == {"a"}, score
    rising = np.column_stack([100.0 * 1.01 ** np.arange(T), 100.0 * 1.001 ** np.arange(T)])
    for score in (SelectionScore.TOTAL_RETURN, SelectionScore.CAGR):
        assert {
            one.candidate for one in selected(outcome(specification(Select((B, A), 20, score)), rising)).choices
        } == {"a"}


def test_a_candidate_that_fails_on_the_date_is_not_chosen() -> None:
    rising = np.column_stack([100.0 * 1.01 ** np.arange(T), 100.0 * 1.001 ** np.arange(T)])
    days = (40, 60)
    one = Select((FailsOn(0, days, "best"), B), 20, SelectionScore.TOTAL_RETURN)
    done = outcome(specification(one, every=10), rising)
    assert [(each.day, each.candidate) for each in selected(done).choices if each.candidate != "best"] == [
        (40, "b"),
        (60, "b"),
    ]
    assert done.strategies[0].failures == ()


def test_where_all_candidates_fail_the_rebalancing_fails_and_the_weights_stay() -> None:
    rising = np.column_stack([100.0 * 1.01 ** np.arange(T), 100.0 * 1.001 ** np.arange(T)])
    one = Select((FailsOn(0, (40,), "best"), FailsOn(1, (40,), "other")), 20, SelectionScore.TOTAL_RETURN)
    done = outcome(specification(one, every=10), rising)
    (failure,) = done.strategies[0].failures
    assert (failure.day, failure.reason) == (40, "NO_CANDIDATE")
    assert "all 2 candidates failed, the first of them: best: there is nothing to decide with" in failure.message
    choice = next(each for each in selected(done).choices if each.day == 40)
    assert choice.candidate is None
    assert isinstance(choice.in_sample, Absent)
    assert selected(done).compared == len(selected(done).choices) - 1
    # What it holds is as before: all in the best one, which nothing is traded for.
    assert nav(done.strategies[0])[-1] / nav(done.strategies[0])[45] == pytest.approx(1.01 ** (T - 46), rel=1e-12)


def test_without_scores_it_stays_as_before_the_first_selection() -> None:
    """In cash nothing varies, and a Sharpe ratio is not defined."""
    cash = FixedWeights({"A": 0.0}, "cash")
    found = outcome(specification(Select((cash, replace(cash, label="too")), 20, before=BeforeSelection.CASH)))
    assert {one.candidate for one in selected(found).choices} == {None}
    assert selected(found).choices[0].in_sample == Absent(NO_SCORE)
    assert selected(found).compared == 0
    assert isinstance(selected(found).loss_share, Absent)
    assert nav(found.strategies[0])[-1] == 1.0


@pytest.mark.parametrize(
    ("before", "weights"),
    [
        (BeforeSelection.FIRST_CANDIDATE, {"A": 1.0}),
        (BeforeSelection.EQUAL_PARTS, {"A": 0.5, "B": 0.5}),
        (BeforeSelection.CASH, {"A": 0.0}),
    ],
)
def test_what_is_held_before_the_first_selection(before: BeforeSelection, weights: dict[str, float]) -> None:
    selection = outcome(specification(Select((A, B), 50, purge_periods=3, before=before)))
    plain = outcome(specification(FixedWeights(weights)))
    first = selected(selection).choices[0].day
    assert first == 55  # the first decision that has 53 periods behind it
    assert np.array_equal(nav(selection.strategies[0])[: first + 1], nav(plain.strategies[0])[: first + 1])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"rebalancing": Rebalancing(EveryPeriods(6), tranches=3)},
        {"rebalancing": Rebalancing(EveryPeriods(9), band=DriftBand(BandWidth(absolute=0.02)))},
        {"cash_flows": (CashFlow(30, 0.2), CashFlow(70, -0.1))},
        {"initial_holdings": {"B": 0.01}},
        {"lag_periods": 2},
    ],
    ids=str,
)
def test_a_selection_among_equal_candidates_is_that_candidate(more: dict[str, object]) -> None:
    """Whatever the account is asked to do, and with the account as the candidate sees it."""
    one = Momentum(10, 2)
    plain = outcome(specification(one, **dict(more)))
    chosen = outcome(specification(Select((one, replace(one, label="again")), 20), **dict(more)))
    assert nav(chosen.strategies[0]) == pytest.approx(nav(plain.strategies[0]), rel=1e-13)
    assert len(selected(chosen).choices) > 5


def test_selections_are_some_decisions_apart_and_the_chosen_one_decides_in_between() -> None:
    found = selected(outcome(specification(Select(CANDIDATES, 20, reselect_every=3), every=5)))
    assert [one.day for one in found.choices] == [30, 45, 60, 75, 90, 105]


def test_a_warning_is_told_of_the_chosen_candidate_alone() -> None:
    falling = np.column_stack([100.0 * 0.97 ** np.arange(T), 100.0 * 1.001 ** np.arange(T)])
    insured = Cppi(A, 0.9, 8.0, "insured")
    done = outcome(specification(Select((B, insured), 20, SelectionScore.TOTAL_RETURN), every=5), falling)
    assert {one.candidate for one in selected(done).choices} == {"b"}
    assert done.strategies[0].failures == ()


def test_a_benchmark_may_select_and_the_strategies_stay_as_they_are() -> None:
    mine = specification(EqualWeightStrategy("mine"))
    done = outcome(replace(mine, benchmarks=(Select(CANDIDATES, 20),)))
    beside = outcome(replace(mine, benchmarks=(Momentum(10, 1),)))  # which starts as late
    assert np.array_equal(nav(done.strategies[0]), nav(beside.strategies[0]))
    assert done.strategies[0].performance.total_return == beside.strategies[0].performance.total_return
    assert done.strategies[0].selection is None
    assert done.benchmarks[0].selection is not None


def test_later_calendars_are_told_to_be_left_out() -> None:
    one = replace(specification(Select(CANDIDATES, 20)), validation=ValidationSettings(timing_luck_offsets=3))
    assert outcome(one).strategies[0].timing_luck == Absent(SELECTS)


@pytest.mark.parametrize(
    ("strategy", "field", "rule"),
    [
        (Select((A, B), T), "strategy.select.lookback_periods", "leave no selection"),
        (Select((A, B), 60, purge_periods=60), "strategy.select.lookback_periods", "leave no selection"),
        (
            Blend((Part(Select((A, B), 9), 1.0),)),
            "strategy.blend.parts[0].strategy.select",
            "must not be inside another",
        ),
        (
            Select((A, Select((A, B), 9)), 9),
            "strategy.select.candidates[1].select",
            "must not be inside another",
        ),
        (Select((A, Remote("here:1")), 9), "strategy.select.candidates[1].remote", "must not be a candidate"),
        (
            Select((A, FixedWeights({"Z": 1.0})), 9),
            "strategy.select.candidates[1].fixed_weights.weights[0].symbol",
            "is not a symbol",
        ),
    ],
)
def test_what_is_refused(strategy: Strategy, field: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule) as raised:
        prepare(specification(strategy), panel())
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Select((A,), 9), "candidates"),
        (lambda: Select((A, A), 9), "candidates"),
        (lambda: Select((A, B), 1), "lookback_periods"),
        (lambda: Select((A, B), 9, purge_periods=-1), "purge_periods"),
        (lambda: Select((A, B), 9, reselect_every=0), "reselect_every"),
    ],
)
def test_fields_out_of_range(make: object, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        make()  # type: ignore[operator]
    assert raised.value.field == field


def test_more_work_than_a_backtest_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.backtest.candidate_runs.MOST_RETURNS", 799)
    with pytest.raises(InvalidInput, match="times 20 selections and 2 candidates"):
        prepare(specification(Select((A, B), 20), every=5), panel())
    monkeypatch.setattr("domain.backtest.candidate_runs.MOST_CANDIDATES", 3)
    strategies = (Select((A, B), 20, label="x", reselect_every=2), Select((A, B), 20, label="y", reselect_every=2))
    with pytest.raises(InvalidInput, match="at most 3 candidates"):
        prepare(replace(specification(A), strategies=strategies), panel())


def test_more_scores_than_a_backtest_may_need_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all strategies together: nothing is told, and nothing is stored, while they are computed."""
    monkeypatch.setattr("domain.backtest.candidate_runs.MOST_SCORES", 79)
    strategies = (Select((A, B), 20, label="x"), Select((A, B), 20, label="y"))
    prepare(specification(strategies[0], every=5), panel())
    with pytest.raises(InvalidInput, match="more than 79 scores") as raised:
        prepare(replace(specification(A, every=5), strategies=strategies), panel())
    assert raised.value.field.endswith(".reselect_every")


def test_decisions_that_are_dropped_are_refused() -> None:
    """They would be told as choices that the account has never made."""
    dropped = Rebalancing(EveryPeriods(5), min_periods_between=20)
    with pytest.raises(InvalidInput, match="must be absent with a selection") as raised:
        replace(specification(Select((A, B), 20)), rebalancing=dropped)
    assert raised.value.field == "rebalancing.min_periods_between"


def test_the_fall_from_past_to_what_followed() -> None:
    """Means, slope and losses by their definitions, over the choices that have both scores."""
    found = selected(outcome(specification(Select(CANDIDATES, 20, SelectionScore.TOTAL_RETURN))))
    inside = np.array([one.in_sample for one in found.choices])
    outside = np.array([one.out_of_sample for one in found.choices])
    assert found.compared == len(found.choices) == sum(count for _, count in found.chosen)
    assert found.in_sample_mean == pytest.approx(inside.mean(), rel=1e-12)
    assert found.out_of_sample_mean == pytest.approx(outside.mean(), rel=1e-12)
    assert found.degradation_slope == pytest.approx(np.polyfit(inside, outside, 1)[0], rel=1e-9)
    assert found.loss_share == (outside < 0.0).mean()
    assert all(field.name for field in fields(found))
