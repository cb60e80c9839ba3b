"""Simulations with later dates of rebalancing: which dates they have, and how they are run beside the others."""

from dataclasses import replace

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome
from domain.backtest.shifted_calendars import DECIDED_OUTSIDE, EVERY_DATE, NO_DATES, NOT_ASKED, reason_not_shifted
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import Blend, EqualWeightStrategy, FixedWeights, Remote
from domain.backtest.strategies.blend import Part
from domain.calendar import Frequency
from domain.cancellation import never_cancelled
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import PricePanel
from domain.risk.figure import Absent
from domain.significance.settings import ValidationSettings
from domain.significance.timing_luck import TimingLuck, luck_band

T = 120
PRICES = 100.0 * np.cumprod(1.0 + np.random.RandomState(3).randn(T, 2) * 0.02, axis=0)
PANEL = PricePanel.of("AB", range(T), PRICES)


def specification(schedule: object = None, offsets: int = 3, **more: object) -> BacktestSpecification:
    rules = more.pop("rebalancing", None) or Rebalancing(schedule or EveryPeriods(20))  # type: ignore[arg-type]
    strategies = more.pop("strategies", (EqualWeightStrategy(),))
    validation = ValidationSettings(timing_luck_offsets=offsets)
    return BacktestSpecification(strategies, rules, validation=validation, **more)  # type: ignore[arg-type]


def decisions(plan: BacktestPlan) -> list[list[int]]:
    return [one.decisions.tolist() for one in plan.strategy_runs]


def outcome(one: BacktestSpecification) -> BacktestOutcome:
    return run(prepare(one, PANEL), lambda backtest: None, never_cancelled)


def luck_of(done: BacktestOutcome, i: int = 0) -> TimingLuck:
    found = done.strategies[i].timing_luck
    assert isinstance(found, TimingLuck)
    return found


def test_every_decision_is_later_and_the_first_purchase_is_made_all_the_same() -> None:
    plan = prepare(specification(), PANEL)
    assert decisions(plan) == [
        [0, 20, 40, 60, 80, 100],
        [0, 1, 21, 41, 61, 81, 101],
        [0, 2, 22, 42, 62, 82, 102],
        [0, 3, 23, 43, 63, 83, 103],
    ]
    assert plan.shifted_from == 1
    monthly = prepare(specification(Calendar(Frequency.MONTHLY), 1), PANEL)  # January 1970 begins with date 0
    assert decisions(monthly) == [[0, 31, 59, 90], [0, 1, 32, 60, 91]]


def test_a_rule_of_every_n_dates_has_as_many_calendars() -> None:
    assert len(prepare(specification(EveryPeriods(3), offsets=10), PANEL).shifted) == 2


def test_parts_of_a_blend_and_tranches_move_too() -> None:
    parts = (Part(FixedWeights({"A": 1.0}), 0.5, EveryPeriods(30)), Part(FixedWeights({"B": 1.0}), 0.5))
    blend = specification(offsets=1, strategies=(Blend(parts),))
    assert decisions(prepare(blend, PANEL)) == [[0, 20, 30, 40, 60, 80, 90, 100], [0, 1, 21, 31, 41, 61, 81, 91, 101]]
    tranches = specification(offsets=1, rebalancing=Rebalancing(EveryPeriods(40), tranches=2))
    assert decisions(prepare(tranches, PANEL)) == [[0, 20, 40, 60, 80, 100], [0, 1, 21, 41, 61, 81, 101]]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (specification(offsets=0), NOT_ASKED),
        (specification(BuyAndHold()), NO_DATES),
        (specification(EveryPeriods(1)), EVERY_DATE),
        (specification(Calendar(Frequency.DAILY)), EVERY_DATE),
        (specification(strategies=(Remote("127.0.0.1:1"),)), DECIDED_OUTSIDE),
        (specification(), None),
    ],
)
def test_where_there_is_no_other_calendar(one: BacktestSpecification, reason: str | None) -> None:
    assert reason_not_shifted(one, one.strategies[0]) == reason


def test_each_total_return_is_that_of_a_backtest_with_the_later_rule() -> None:
    both = (EqualWeightStrategy(), FixedWeights({"A": 0.9, "B": 0.1}))
    one = specification(strategies=both, benchmarks=(BenchmarkSymbol("A"), EqualWeightStrategy(label="benchmark")))
    done = outcome(one)
    assert [len(done.strategies), len(done.benchmarks)] == [2, 2]
    for i in range(2):
        for offset, total in luck_of(done, i).outcomes:
            rules = Rebalancing(EveryPeriods(20, offset))
            later = outcome(specification(offsets=0, strategies=(both[i],), rebalancing=rules))
            assert total == later.strategies[0].performance.total_return
    assert isinstance(done.benchmarks[1].timing_luck, type(None))


def test_the_result_that_was_asked_for_does_not_change() -> None:
    with_luck, without = outcome(specification()), outcome(specification(offsets=0))
    assert with_luck.strategies[0].performance == without.strategies[0].performance
    assert isinstance(without.strategies[0].timing_luck, Absent)


def test_a_run_goes_on_from_any_checkpoint_among_the_shifted_ones() -> None:
    plan = prepare(specification(), PANEL)
    whole = run(plan, lambda backtest: None, never_cancelled)
    saved: list[tuple[Checkpoint, list[list[RecordPart]]]] = []
    kept: list[list[RecordPart]] = []

    def observe(backtest: BacktestRun) -> None:
        point = backtest.checkpoint()
        for index, part in point.parts:
            while len(kept) <= index:
                kept.append([])
            kept[index].append(part)
        saved.append((replace(point, parts=()), [list(parts) for parts in kept]))

    run(plan, observe, never_cancelled)
    shifted = [one for one in saved if one[0].strategy_index >= plan.shifted_from]
    assert shifted
    for point, parts in shifted:
        again = run(plan, lambda backtest: None, never_cancelled, point, parts)
        assert again.strategies[0].timing_luck == whole.strategies[0].timing_luck
        # Of a shifted run its path is kept, and nothing that is as large as its holdings.
        assert all(len(part.units) == 0 for one in parts[plan.shifted_from :] for part in one)


def test_progress_counts_them_and_cancellation_reaches_them() -> None:
    plan = prepare(specification(), PANEL)
    fractions: list[float] = []
    run(plan, lambda backtest: fractions.append(backtest.fraction), never_cancelled)
    assert fractions == sorted(fractions)
    # The simulation that was asked for is a quarter of the four.
    assert max(f for f in fractions if f <= 0.25) == 0.25
    assert fractions[-1] == 1.0
    reached: list[int] = []

    def cancel() -> None:
        if reached and reached[-1] >= 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(plan, lambda backtest: reached.append(backtest.strategy_index), cancel)


def test_a_shifted_simulation_that_cannot_go_on_is_told_and_leaves_the_result() -> None:
    """The asset is worth 1.5 beside .5 of cash when half of the account is sold, a date before it falls by nine tenths.

    That leaves .1 + 1.0, of which .8 are taken out; who sells a date later has .15 + .5.
    """
    prices = np.array([100.0, 100.0, 100.0, 100.0, 100.0, 300.0, 300.0, 30.0, 30.0, 30.0, 30.0, 30.0])
    one = BacktestSpecification(
        (FixedWeights({"A": 0.5}),),
        Rebalancing(EveryPeriods(5)),
        cash_flows=(CashFlow(9, -0.8),),
        validation=ValidationSettings(timing_luck_offsets=1),
    )
    plan = prepare(one, PricePanel.of("A", range(12), prices[:, None]))
    done = run(plan, lambda backtest: None, never_cancelled)
    luck = luck_of(done)
    assert [offset for offset, _ in luck.outcomes] == [0]
    assert set(luck.undefined) == {1}
    assert "cash_flows[0]" in luck.undefined[1]


def test_there_are_not_too_many_of_them() -> None:
    strategies = tuple(EqualWeightStrategy(label=f"s{i}") for i in range(14))
    with pytest.raises(InvalidInput) as raised:
        prepare(specification(offsets=19, strategies=strategies), PANEL)
    assert raised.value.field == "analysis.statistical_validation.timing_luck_offsets"


def test_a_block_is_not_longer_than_the_backtest() -> None:
    one = replace(specification(), validation=ValidationSettings(block_length=119.5))
    with pytest.raises(InvalidInput) as raised:
        prepare(one, PANEL)
    assert raised.value.field == "analysis.statistical_validation.block_length"
    prepare(replace(one, validation=ValidationSettings(block_length=119.0)), PANEL)


def test_a_band_has_the_extremes_of_the_calendars_on_its_dates() -> None:
    paths = np.cumprod(1.0 + np.random.default_rng(4).normal(0.0, 0.01, (5, 1001)), axis=1)
    band = luck_band(np.arange(20_000, 21_001, dtype=np.int32), paths)
    assert (len(band.days), band.days[0], band.days[-1]) == (250, 20_000, 21_000)
    at = [day - 20_000 for day in band.days]
    assert band.chosen == tuple(paths[0, at])
    assert band.lowest == tuple(min(column) for column in paths[:, at].T)
    assert band.highest == tuple(max(column) for column in paths[:, at].T)
    assert band.median == tuple(sorted(column)[2] for column in paths[:, at].T)


def test_few_dates_are_all_in_the_band() -> None:
    band = luck_band(np.array([3, 7], np.int32), np.array([[1.0, 2.0], [1.0, 4.0]]))
    assert (band.days, band.median) == ((3, 7), (1.0, 3.0))
