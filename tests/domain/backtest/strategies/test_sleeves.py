"""Parts of a blend that decide on dates of their own, in one account."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import Checkpoint, run
from domain.backtest.growth import MarketGrowth
from domain.backtest.market import Market
from domain.backtest.preparation import prepare, simulated_market
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    MarketHistory,
    Momentum,
    Part,
    Strategy,
    WeightSchedule,
)
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.backtest.strategies.sleeve_state import Renewal, SleeveState
from domain.backtest.universe import Universe, UniverseStep
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput, SolverFailed
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, PriceBasis, Split
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel

COUNT, SYMBOLS = 41, ("A", "B", "C")
VALUES = 20.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.03, (COUNT, 3)), axis=0))
PANEL = PricePanel.of(SYMBOLS, range(COUNT), VALUES)
A, B, C = (FixedWeights({symbol: 1.0}) for symbol in SYMBOLS)
HALVES = FixedWeights({"A": 0.5, "B": 0.5})
BC = FixedWeights({"B": 0.4, "C": 0.6})


def every(n: int) -> EveryPeriods:
    return EveryPeriods(n)


def blend(*parts: tuple[Strategy, float, Any], own: Any = None) -> Blend:
    return Blend(tuple(Part(*part) for part in parts), rebalancing=own)


def specified(strategy: Strategy, **more: Any) -> BacktestSpecification:
    given = {"rebalancing": Rebalancing(every(4)), "fill": Fill.SAME_CLOSE, **more}
    return BacktestSpecification((strategy,), periods_per_year=252.0, **given)


def outcome(strategy: Strategy, panel: PricePanel = PANEL, **more: Any) -> StrategyOutcome:
    return run(prepare(specified(strategy, **more), panel), lambda _: None, never_cancelled).strategies[0]


def nav(strategy: Strategy, panel: PricePanel = PANEL, **more: Any) -> np.ndarray:
    found = outcome(strategy, panel, **more)
    assert found.failures == ()
    assert found.record is not None
    return found.record.nav


def test_two_sleeves_by_hand() -> None:
    """0.6 in half A and half B, back every 2 dates, and 0.4 in A held; the blend is brought back after 4 dates.

    Prices of A 1, 2, 4, 2, 2, 2 and of B 1, 1, 1, 1, 2, 4. Sleeve 1: 0.6 in .3 A and .3 B; date 2: A 1.2, B .3, 1.5
    together, back to .75 each; date 4: A .375, B 1.5, 1.875. Sleeve 2: .4, date 4: .8. Together 2.675, of which
    sleeve 1 gets 1.605, half of it in each, and sleeve 2 gets 1.07 in A; on date 5 B doubles: 2.675 + .8025.
    """
    prices = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0], [2.0, 1.0], [2.0, 2.0], [2.0, 4.0]])
    panel = PricePanel.of(("A", "B"), range(6), prices)
    found = outcome(blend((HALVES, 0.6, every(2)), (A, 0.4, BuyAndHold()), own=every(4)), panel)
    assert found.record is not None
    assert found.record.nav == pytest.approx([1.0, 1.7, 3.1, 1.925, 2.675, 3.4775], rel=1e-12)
    # Date 2: .75 in each by sleeve 1, and 1.6 in A by sleeve 2.
    assert found.record.units[1] == pytest.approx([(0.75 + 1.6) / 4.0, 0.75], rel=1e-12)
    assert found.record.units[2] == pytest.approx([(0.8025 + 1.07) / 2.0, 0.8025 / 2.0], rel=1e-12)


def test_without_a_date_of_its_own_the_blend_is_the_sum_of_accounts() -> None:
    """At the close that a decision has seen and without costs, each part earns what it earns alone."""
    momentum = Momentum(3, 1)
    parts = ((HALVES, 0.5, every(1)), (momentum, 0.3, every(5)), (BC, 0.2, BuyAndHold()))
    alone = [nav(s, rebalancing=Rebalancing(rule)) for s, _, rule in parts]
    start = len(alone[1])
    alone[0] = nav(HALVES, PricePanel.of(SYMBOLS, range(start), VALUES[-start:]), rebalancing=Rebalancing(every(1)))
    alone[2] = nav(BC, PricePanel.of(SYMBOLS, range(start), VALUES[-start:]), rebalancing=Rebalancing(BuyAndHold()))
    expected = 0.5 * alone[0] + 0.3 * alone[1] + 0.2 * alone[2]
    assert nav(blend(*parts, own=BuyAndHold())) == pytest.approx(expected, rel=1e-12)


def test_between_its_dates_the_shares_drift_and_are_then_brought_back() -> None:
    parts = ((A, 0.5, BuyAndHold()), (HALVES, 0.25, every(1)))
    value, expected = 1.0, []
    for first in range(0, COUNT, 10):
        last = min(first + 10, COUNT - 1)
        panel = PricePanel.of(SYMBOLS, range(last - first + 1), VALUES[first : last + 1])
        if last > first:
            grown = 0.5 * nav(A, panel, rebalancing=Rebalancing(BuyAndHold()))
            grown = grown + 0.25 * nav(HALVES, panel, rebalancing=Rebalancing(every(1))) + 0.25
            expected += (value * grown[:-1]).tolist()
            value *= float(grown[-1])
    assert nav(blend(*parts, own=every(10))) == pytest.approx([*expected, value], rel=1e-12)


def test_on_the_same_dates_it_is_the_blend_without_sleeves() -> None:
    """To the bit, with costs and fills at the next close."""
    more = {"fill": Fill.NEXT_CLOSE, "costs": CostModel(LinearCost(10.0))}
    for parts in (((HALVES, 0.6), (Momentum(3, 1), 0.3)), ((EqualWeightStrategy(), 0.5), (B, 0.5))):
        plain = Blend(tuple(Part(*part) for part in parts))
        sleeves = replace(plain, rebalancing=every(4))
        assert not plain.has_sleeves
        assert (nav(sleeves, **more) == nav(plain, **more)).all()


def test_decisions_are_made_on_the_dates_of_parts_and_of_the_blend_alone() -> None:
    """The rule of the request counts where a part or the blend has none."""
    found = outcome(blend((HALVES, 0.5, every(6)), (A, 0.5, BuyAndHold()), own=every(15)))
    assert found.record is not None
    assert found.record.indices.tolist() == [0, 6, 12, 15, 18, 24, 30, 36]
    found = outcome(blend((HALVES, 0.5, every(20)), (BC, 0.5, None), own=BuyAndHold()))
    assert found.record is not None
    assert found.record.indices.tolist() == list(range(0, COUNT, 4))


def test_entries_of_a_schedule_are_decisions_of_its_part() -> None:
    schedule = WeightSchedule(((0, {"A": 1.0}), (7, {"B": 1.0})))
    found = outcome(blend((schedule, 0.5, BuyAndHold()), (C, 0.5, BuyAndHold()), own=BuyAndHold()))
    assert found.record is not None
    assert found.record.indices.tolist() == [0, 7]
    held = found.record.units[1] * VALUES[7]
    assert held == pytest.approx([0.0, 0.5 * VALUES[7, 0] / VALUES[0, 0], 0.5 * VALUES[7, 2] / VALUES[0, 2]])


def test_growth_counts_from_the_fill() -> None:
    """Decided on date 0 and filled on date 1, at its close or at its open: what came before belongs to nobody."""
    opens = PricePanel.of(SYMBOLS, range(COUNT), VALUES * 0.9)
    strategy = blend((A, 0.5, BuyAndHold()), (B, 0.5, BuyAndHold()), own=BuyAndHold())
    never = replace(strategy, parts=(*strategy.parts, Part(C, 0.0, every(9))))
    for fill, bought in ((Fill.NEXT_CLOSE, VALUES), (Fill.NEXT_OPEN, VALUES * 0.9)):
        plan = prepare(specified(never, fill=fill), PANEL, opens=opens if fill is Fill.NEXT_OPEN else None)
        record = run(plan, lambda _: None, never_cancelled).strategies[0].record
        assert record is not None
        # On date 9 a part without a share decides: at the fill the others are as they are, and nothing is traded.
        assert record.turnovers[1] < 1e-12
        held = VALUES[9, :2] / bought[1, :2]
        at_fill = record.units[1, :2] * VALUES[9, :2]
        assert at_fill / at_fill.sum() == pytest.approx(held / held.sum(), rel=1e-9)


def test_insurance_in_a_part_is_that_of_its_own_value() -> None:
    """CPPI of A in half of the account falls with A, whatever the other half does."""
    prices = np.array([[10.0, 1.0], [8.0, 5.0], [8.0, 5.0], [8.0, 5.0]])
    panel = PricePanel.of(("A", "B"), range(4), prices)
    insured = Cppi(A, 0.5, 1.5)
    found = outcome(blend((insured, 0.5, every(1)), (B, 0.5, BuyAndHold()), own=BuyAndHold()), panel)
    assert found.record is not None
    alone = outcome(insured, panel, rebalancing=Rebalancing(every(1))).record
    assert alone is not None
    assert found.record.units[1, 0] == pytest.approx(0.5 * alone.units[1, 0], rel=1e-12)
    assert found.failures == ()


def test_a_broken_floor_of_a_part_is_told() -> None:
    prices = np.array([[10.0, 1.0], [4.0, 5.0], [4.0, 5.0], [4.0, 5.0]])
    panel = PricePanel.of(("A", "B"), range(4), prices)
    found = outcome(blend((Cppi(A, 0.9, 9.0), 0.5, every(1)), (B, 0.5, None), own=BuyAndHold()), panel)
    assert [failure.reason for failure in found.failures] == ["FLOOR_BROKEN"]


@dataclass(frozen=True)
class Failing(WithoutDates, FromHistory):
    """A in its first decision, then a failure on some days."""

    days: tuple[int, ...]
    label: str = "failing"
    kind: str = "failing"
    lookback_window = LookbackWindow()

    def check(self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        if int(history.dates[-1]) in self.days:
            raise SolverFailed("no weights today")
        return np.array([1.0, 0.0, 0.0]) if int(history.dates[-1]) == 0 else np.array([0.0, 0.0, 1.0])


def test_a_part_that_fails_drifts_on_and_the_others_decide() -> None:
    found = outcome(blend((Failing((4,)), 0.5, every(4)), (HALVES, 0.5, every(4)), own=BuyAndHold()))
    assert [(f.day, f.reason, f.message) for f in found.failures] == [
        (4, "SOLVER_FAILED", "parts[0], failing: no weights today")
    ]
    assert found.record is not None
    assert found.record.indices.tolist()[:3] == [0, 4, 8]
    kept, halves = 0.5 * VALUES[4, 0] / VALUES[0, 0], 0.25 * (VALUES[4, :2] / VALUES[0, :2]).sum()
    assert found.record.units[1] * VALUES[4] == pytest.approx([kept + 0.5 * halves, 0.5 * halves, 0.0], rel=1e-12)
    assert found.record.units[2, 2] > 0.0


def test_a_part_that_fails_at_the_start_is_in_cash() -> None:
    found = outcome(blend((Failing((0,)), 0.5, every(4)), (B, 0.5, BuyAndHold()), own=BuyAndHold()))
    assert found.record is not None
    assert found.record.units[0] * VALUES[0] == pytest.approx([0.0, 0.5, 0.0])
    assert found.record.units[1, 2] * VALUES[4, 2] == pytest.approx(0.5)


def test_what_has_left_the_universe_is_sold_though_its_part_does_not_decide() -> None:
    universe = Universe((UniverseStep(0, SYMBOLS), UniverseStep(5, ("B", "C"))))
    strategy = blend((A, 0.5, BuyAndHold()), (BC, 0.5, every(4)), own=BuyAndHold())
    found = outcome(strategy, universe=universe)
    assert found.record is not None
    held = found.record.units[:, 0] > 0.0
    assert [t for t, one in zip(found.record.indices.tolist(), held, strict=True) if one] == [0, 4]
    cash = found.record.cash[2:]
    assert cash == pytest.approx(np.full(len(cash), 0.5 * VALUES[8, 0] / VALUES[0, 0]), rel=1e-9)


def market(values: np.ndarray, *actions: CorporateAction, **more: Any) -> Market:
    symbols = SYMBOLS[: values.shape[1]]
    specification = specified(
        FixedWeights({"A": 1.0}), corporate_actions=actions, price_basis=PriceBasis.UNADJUSTED, **more
    )
    return simulated_market(specification, PricePanel.of(symbols, range(len(values)), values))


def test_growth_has_dividends_splits_and_what_a_delisting_pays() -> None:
    values = np.array([[10.0, 10.0, 10.0], [12.0, 6.0, 8.0], [11.0, 6.0, np.nan], [11.0, 9.0, np.nan]])
    events = (
        CorporateAction("A", 2, CashDividend(1.0)),
        CorporateAction("B", 1, Split(2.0)),
        CorporateAction("C", 2, Delisting(-0.25)),
    )
    growth = MarketGrowth(market(values, *events, missing_data=MissingDataPolicy.ASSET_STATES))
    assert growth(0, 1) == pytest.approx([1.2, 1.2, 0.8])
    assert growth(0, 3) == pytest.approx([1.2, 1.8, 0.6])
    assert growth(1, 3) == pytest.approx([1.0, 1.5, 0.75])
    assert growth(2, 3) == pytest.approx([1.0, 1.5, np.nan], nan_ok=True)  # nothing can be in what is delisted


def test_growth_to_an_open_knows_nothing_of_the_close() -> None:
    """A pays 1 on date 1, B splits 2 for 1 on it, C is delisted on date 2, on which it has an open of 4."""
    values = np.array([[10.0, 10.0, 10.0], [12.0, 6.0, 8.0], [9.0, 3.0, np.nan]])
    opens = np.array([[10.0, 10.0, 10.0], [11.0, 4.0, 5.0], [8.0, 2.0, 4.0]])
    events = (
        CorporateAction("A", 1, CashDividend(1.0)),
        CorporateAction("B", 1, Split(2.0)),
        CorporateAction("C", 2, Delisting(-0.25)),
    )
    given = market(values, *events, missing_data=MissingDataPolicy.ASSET_STATES)
    growth = MarketGrowth(replace(given, opens=opens))
    assert growth(0, 1, to_open=True) == pytest.approx([1.2, 0.8, 0.5])
    assert growth(1, 1, from_open=True) == pytest.approx([12.0 / 11.0, 1.5, 1.6])
    assert growth(1, 2, from_open=True, to_open=True) == pytest.approx([8.0 / 11.0, 0.5, 0.8])
    assert growth(2, 2, from_open=True) == pytest.approx([9.0 / 8.0, 1.5, 1.5])  # C is paid 0.75 of 8
    assert growth.priced(2, at_open=True).tolist() == [True, True, True]
    assert growth.priced(2).tolist() == [True, True, False]
    gone = MarketGrowth(replace(given, opens=np.where(np.isnan(values), 0.0, opens)))
    assert gone(1, 2, to_open=True) == pytest.approx([8.0 / 12.0, 2.0 / 6.0, 0.75])


def state_of(weights: list[list[float]], shares: list[float]) -> SleeveState:
    return SleeveState.opened(3, np.array(weights), np.array(shares))


def test_a_part_that_has_lost_everything_holds_nothing() -> None:
    """A quarter with 2 of A and -1 of B is worth -0.2 of itself: the half and the cash bear it as they are, 2 to 1."""
    grown = state_of([[2.0, -1.0], [0.0, 0.5]], [0.25, 0.5]).grown(np.array([0.4, 1.0]))
    assert grown.weights.tolist() == [[0.0, 0.0], [0.0, 0.5]]
    assert grown.unit_values.tolist() == [0.0, 1.0]
    assert grown.shares == pytest.approx([0.0, 0.5 / 0.75])
    nothing = Renewal(4, np.full((2, 2), np.nan), np.full(2, np.nan), np.ones(2, np.bool_))
    assert grown.renewed(nothing).unit_values.tolist() == [0.0, 1.0]
    again = grown.renewed(replace(nothing, shares=np.array([0.25, 0.5])))
    assert (again.unit_values.tolist(), again.shares.tolist()) == ([1.0, 1.0], [0.25, 0.5])


def test_weights_of_what_could_not_be_bought_are_cash() -> None:
    grown = state_of([[0.5, 0.5]], [1.0]).grown(np.array([2.0, np.nan]))
    assert grown.weights == pytest.approx(np.array([[1.0 / 1.5, 0.0]]))
    assert grown.unit_values == pytest.approx([1.5])


def test_a_state_comes_back_from_its_arrays() -> None:
    waiting = Renewal(5, np.array([[np.nan, np.nan], [0.1, 0.2]]), np.array([np.nan, 0.5]), np.array([True, False]))
    state = state_of([[2.0, -1.0], [0.0, 0.5]], [0.25, 0.5]).with_decided(np.array([2, -1])).waiting_for(waiting)
    for one in (state, replace(state, waiting=())):
        again = SleeveState.from_arrays(one.to_arrays())
        assert (again.date, len(again.waiting)) == (3, len(one.waiting))
        for name in ("weights", "shares", "unit_values", "decided"):
            assert getattr(again, name).tolist() == getattr(one, name).tolist()
        for read, written in zip(again.waiting, one.waiting, strict=True):
            assert read.fill == 5
            assert read.members.tolist() == [True, False]
            assert np.array_equal(read.weights, written.weights, equal_nan=True)
            assert np.array_equal(read.shares, written.shares, equal_nan=True)


def test_a_run_goes_on_from_any_checkpoint_to_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.backtest.simulator.STRETCH", 6)
    strategy = blend((Momentum(3, 1), 0.5, every(3)), (Cppi(HALVES, 0.8, 3.0), 0.4, every(5)), own=every(11))
    plan = prepare(specified(strategy, fill=Fill.NEXT_CLOSE, costs=CostModel(LinearCost(10.0))), PANEL)
    taken: list[tuple[Checkpoint, list[RecordPart]]] = []
    parts: list[RecordPart] = []

    def observe(backtest: Any) -> None:
        checkpoint = backtest.checkpoint()
        parts.extend(part for _, part in checkpoint.parts)
        taken.append((checkpoint, list(parts)))

    whole = run(plan, observe, never_cancelled).strategies[0].record
    assert whole is not None
    assert len(taken) > 10
    for checkpoint, before in taken[::3]:
        again = run(plan, lambda _: None, never_cancelled, checkpoint, [before]).strategies[0].record
        assert again is not None
        assert (again.nav == whole.nav).all()
        assert (again.units == whole.units).all()


def test_a_later_price_changes_nothing_before_it() -> None:
    strategy = blend((Momentum(3, 1), 0.5, every(3)), (HALVES, 0.4, every(5)), own=every(11))
    other = np.array(VALUES)
    other[25:] *= 1.7
    first, second = nav(strategy), nav(strategy, PricePanel.of(SYMBOLS, range(COUNT), other))
    assert (first[:22] == second[:22]).all()
    assert (first[23:] != second[23:]).any()


NESTED: dict[str, tuple[Callable[[], Strategy], str]] = {
    "in an overlay": (
        lambda: Cppi(blend((A, 0.5, None), (B, 0.5, None), own=every(3)), 0.5, 2.0),
        "strategy.cppi.base.blend.rebalancing",
    ),
    "in a blend": (
        lambda: blend((blend((A, 0.5, None), (B, 0.5, every(3))), 1.0, None)),
        "strategy.blend.parts[0].strategy.blend.parts[1].rebalancing",
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_dates_of_a_blend_inside_another_strategy_are_refused(name: str) -> None:
    make, field = NESTED[name]
    with pytest.raises(InvalidInput, match="inside another strategy") as raised:
        specified(make())
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (Rebalancing(every(4), DriftBand(BandWidth(0.05))), "the account as a whole"),
        (Rebalancing(BuyAndHold(), flows_only=True), "the account as a whole"),
        (Rebalancing(every(4), tranches=2), "with tranches, which have dates of their own"),
    ],
)
def test_other_rules_for_the_account_are_refused(rules: Rebalancing, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as raised:
        specified(blend((A, 0.5, every(3)), (B, 0.5, None)), rebalancing=rules)
    assert raised.value.field == "strategy.blend.parts[0].rebalancing"
