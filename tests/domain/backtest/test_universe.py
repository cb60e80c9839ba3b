"""A universe by date: who may be held, from when on, under every strategy."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    MarketHistory,
    Momentum,
    Optimized,
    Part,
    Strategy,
    VolatilityTarget,
    WeightSchedule,
    inverse_volatility,
)
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.backtest.universe import Universe, UniverseStep
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.moments import Estimation
from domain.market_data.corporate_actions import DelistingPolicy
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from domain.optimization.request.constraints import Turnover, WeightBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification

COUNT, SYMBOLS = 60, ("A", "B", "C", "D", "E")
VALUES = 50.0 * np.exp(np.cumsum(np.random.default_rng(8).normal(0.0, 0.02, (COUNT, 5)), axis=0))
PANEL = PricePanel.of(SYMBOLS, range(COUNT), VALUES)
STEPS = ((0, ("A", "B", "C")), (17, ("B", "C", "D")), (18, ("C", "D", "E")), (40, ("A", "E")))
UNIVERSE = Universe(tuple(UniverseStep(day, symbols) for day, symbols in STEPS))
EVEN = dict.fromkeys(SYMBOLS, 0.2)
BOUNDS = (WeightBounds("least", 0.05, 0.9, symbols=("A", "B", "E")),)

STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "equal": EqualWeightStrategy,
    "fixed": lambda: FixedWeights(EVEN),
    "schedule": lambda: WeightSchedule(((0, EVEN), (30, {"A": 0.5, "B": 0.5}))),
    "optimize": lambda: Optimized(Specification(MinRisk(), constraints=BOUNDS), 10),
    "inverse volatility": lambda: inverse_volatility(10),
    "momentum": lambda: Momentum(5, 2),
    "volatility target": lambda: VolatilityTarget(FixedWeights(EVEN), 0.1, 10),
    "cppi": lambda: Cppi(EqualWeightStrategy(), 0.7, 3.0),
    "blend": lambda: Blend(
        (Part(Momentum(5, 1), 0.5), Part(FixedWeights(EVEN), 0.3), Part(EqualWeightStrategy(), 0.2))
    ),
    "blend that is planned": lambda: Blend((Part(FixedWeights(EVEN), 0.5), Part(EqualWeightStrategy(), 0.5))),
}


def members(t: int) -> tuple[str, ...]:
    """By the definition: the latest step on or before a day."""
    return [symbols for day, symbols in STEPS if day <= t][-1]


def specified(strategy: Strategy, **more: object) -> BacktestSpecification:
    given = {"rebalancing": Rebalancing(EveryPeriods(4)), "fill": Fill.SAME_CLOSE, "universe": UNIVERSE, **more}
    return BacktestSpecification((strategy,), periods_per_year=252.0, **given)  # type: ignore[arg-type]


def simulated(specification: BacktestSpecification, panel: PricePanel = PANEL) -> tuple[RecordPart, int]:
    """The record and the number of the date on which it starts."""
    plan = prepare(specification, panel)
    done = run(plan, lambda _: None, never_cancelled).strategies[0]
    assert done.record is not None
    assert done.failures == ()
    return done.record, plan.strategy_runs[0].start


def units_by_date(record: RecordPart, start: int) -> np.ndarray:
    """Units held after each date of the panel, (T, N); 0 before the start."""
    held = np.zeros((start + len(record.nav), len(SYMBOLS)))
    for index, units in zip(record.indices.tolist(), record.units, strict=True):
        held[start + index :] = units
    return held


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_decision_gives_weight_to_members_alone(name: str) -> None:
    """On each date of a decision, and until the next one: who leaves in between is held until then."""
    record, start = simulated(specified(STRATEGIES[name]()))
    held = units_by_date(record, start)
    decisions = range(start, COUNT, 4)
    for t in decisions:
        allowed = np.isin(SYMBOLS, members(t))
        assert (held[t : t + 4, ~allowed] == 0.0).all()
        if name in ("equal", "inverse volatility"):
            assert (held[t, allowed] > 0.0).all()
    assert len(decisions) > 11


def test_equal_weights_of_members_by_a_loop_over_dates() -> None:
    """With a fill at the next close and costs: V' = V - c * sum |w V' - h|, found by bisection."""
    specification = specified(EqualWeightStrategy(), fill=Fill.NEXT_CLOSE)
    record, start = simulated(specification)
    value, held, navs = 1.0, dict.fromkeys(SYMBOLS, 0.0), [1.0]
    target: list[float] | None = None
    for t in range(COUNT):
        if t:
            grown = {s: held[s] * VALUES[t, j] / VALUES[t - 1, j] for j, s in enumerate(SYMBOLS)}
            value += sum(grown[s] - held[s] for s in SYMBOLS)
            held = grown
            if target is not None:
                held = {s: target[j] * value for j, s in enumerate(SYMBOLS)}
                target = None
            navs.append(value)
        if t % 4 == 0 and t + 1 < COUNT:
            allowed = members(t)
            target = [1.0 / len(allowed) if s in allowed else 0.0 for s in SYMBOLS]
    assert start == 0
    assert record.nav == pytest.approx(np.array(navs), rel=1e-12)


def test_an_optimisation_is_that_of_the_members_alone() -> None:
    """The same weights as with the prices of the members and the bounds on them."""
    held = units_by_date(*simulated(specified(STRATEGIES["optimize"]())))
    t = 22
    kept = [SYMBOLS.index(symbol) for symbol in members(t)]
    bounds = (WeightBounds("least", 0.05, 0.9, symbols=("E",)),)
    panel = PricePanel.of([SYMBOLS[j] for j in kept], range(COUNT), VALUES[:, kept])
    alone = replace(specified(Optimized(Specification(MinRisk(), constraints=bounds), 10)), universe=None)
    record, start = simulated(alone, panel)
    found = record.units[record.indices == t - start][0] * VALUES[t, kept]
    value = held[t] * VALUES[t]
    assert value[kept] / value.sum() == pytest.approx(found / found.sum(), abs=1e-9)


def test_a_factor_need_not_be_a_member() -> None:
    """The weights of a factor model of the members are those of a request without the other assets."""
    universe = Universe((UniverseStep(0, ("A", "B", "C")),))
    model = Estimation(covariance=FactorModel(("E",), FactorMethod.LEAST_SQUARES))
    strategy = Optimized(Specification(MinRisk(), estimation=model), 10)
    restricted = simulated(specified(strategy, universe=universe))[0]
    kept = [0, 1, 2, 4]
    panel = PricePanel.of([SYMBOLS[j] for j in kept], range(COUNT), VALUES[:, kept])
    alone = simulated(specified(strategy, universe=None), panel)[0]
    assert (restricted.units[:, 4] == 0.0).all()
    assert (restricted.units[:, :3] > 0.0).any()
    assert restricted.nav == pytest.approx(alone.nav, rel=1e-12)


def test_what_becomes_a_member_later_changes_nothing_before() -> None:
    """To the bit: neither later steps nor their absence can be seen."""
    for name, make in STRATEGIES.items():
        whole, start = simulated(specified(make()))
        cut = Universe(tuple(step for step in UNIVERSE.steps if step.day < 40))
        other = simulated(specified(make(), universe=cut))[0]
        assert (whole.nav[: 40 - start] == other.nav[: 40 - start]).all(), name


def test_a_universe_of_all_assets_is_none() -> None:
    everything = Universe((UniverseStep(0, SYMBOLS),))
    for name, make in STRATEGIES.items():
        restricted = simulated(specified(make(), universe=everything))[0]
        assert (restricted.nav == simulated(specified(make(), universe=None))[0].nav).all(), name


def test_the_first_decision_waits_for_the_first_step() -> None:
    later = Universe((UniverseStep(-5, ("A",)),)), Universe((UniverseStep(23, ("A", "B")),))
    assert [simulated(specified(EqualWeightStrategy(), universe=one))[1] for one in later] == [0, 23]
    between = PricePanel.of(SYMBOLS, range(0, 2 * COUNT, 2), VALUES)
    specification = specified(EqualWeightStrategy(), universe=later[1])
    assert simulated(specification, between)[1] == 12  # the next date that the prices have


@pytest.mark.parametrize("delisting", [DelistingPolicy.ZERO, DelistingPolicy.LAST_PRICE])
def test_members_that_are_listed_late_or_delisted(delisting: DelistingPolicy) -> None:
    values = np.array(VALUES)
    values[:24, 3] = np.nan  # D becomes a member on day 17
    values[45:, 4] = np.nan  # E stays a member to the end
    panel = PricePanel.of(SYMBOLS, range(COUNT), values)
    specification = specified(
        EqualWeightStrategy(), missing_data=MissingDataPolicy.ASSET_STATES, delisting_policy=delisting
    )
    held = units_by_date(*simulated(specification, panel)) > 0.0
    assert held[20].tolist() == [False, False, True, False, True]
    assert held[24].tolist() == [False, False, True, True, True]
    assert held[44].tolist() == [True, False, False, False, True]
    assert held[48].tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_band_never_buys_what_has_left(name: str) -> None:
    """A band goes to the weights of the latest decision, so that each change of the universe is one."""
    band = DriftBand(BandWidth(0.01))
    for schedule in (BuyAndHold(), EveryPeriods(25)):
        record, start = simulated(specified(STRATEGIES[name](), rebalancing=Rebalancing(schedule, band)))
        held = units_by_date(record, start)
        for t in range(start, COUNT):
            assert (held[t, ~np.isin(SYMBOLS, members(t))] == 0.0).all(), t


def test_flows_buy_no_more_of_what_has_left() -> None:
    flows = tuple(CashFlow(day, 0.2) for day in (10, 30, 50))
    rules = Rebalancing(BuyAndHold(), flows_only=True)
    record, start = simulated(specified(EqualWeightStrategy(), rebalancing=rules, cash_flows=flows))
    held = units_by_date(record, start)
    for day in (10, 30, 50):
        bought = held[day] - held[day - 1] > 0.0
        assert bought.any()
        assert not bought[~np.isin(SYMBOLS, members(day))].any()
        assert (held[day] >= held[day - 1]).all()  # nothing is sold


def test_tranches_follow_it() -> None:
    """There is one account: the next decision of any part sells what has left, of all parts."""
    rules = Rebalancing(EveryPeriods(4), tranches=4)
    held = units_by_date(*simulated(specified(EqualWeightStrategy(), rebalancing=rules)))
    places = {symbol: j for j, symbol in enumerate(SYMBOLS)}
    gone = held[16:25, places["A"]]  # A leaves on day 17, on which a part decides
    assert gone[0] > 0.0
    assert (gone[1:] == 0.0).all()


class Asked(WithoutDates, FromHistory):
    """Equal weights, and what it was told."""

    label, kind = "asked", "asked"

    def __init__(self) -> None:
        self.seen: list[tuple[int, MarketHistory]] = []

    lookback_window = LookbackWindow(1, 3)

    def check(self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        self.seen.append((int(history.dates[-1]), history))
        return np.where(history.holdable, 1.0 / max(1, history.holdable.sum()), 0.0)


def test_a_strategy_sees_the_members_of_its_date_and_no_others() -> None:
    asked = Asked()
    simulated(specified(asked))  # type: ignore[arg-type]
    for day, history in asked.seen:
        assert history.members is not None
        assert history.members.base is None  # not a row of a table that goes on
        assert tuple(np.array(SYMBOLS)[history.members]) == members(day)
    assert len(asked.seen) == 15


def test_a_failed_decision_leaves_what_has_left_to_the_next_one() -> None:
    """A turnover limit of nothing has no answer; the band that looks at the old weights does not buy what has left."""
    impossible = (*BOUNDS, Turnover("none", 1e-9))
    strategy = Optimized(Specification(MinRisk(), constraints=impossible), 10)
    plan = prepare(specified(strategy), PANEL)
    done = run(plan, lambda _: None, never_cancelled).strategies[0]
    assert done.failures
    assert done.record is not None
    held = units_by_date(done.record, plan.strategy_runs[0].start)
    for before, after in pairwise(held):
        assert (after <= before + 1e-12).all() or not before.any()


@pytest.mark.parametrize(
    ("steps", "field", "rule"),
    [
        ((), "universe", "at least one step"),
        (((0, ("A",)), (0, ("B",))), "universe[1].date", "after the date of the step before"),
        (((5, ("A",)), (4, ("B",))), "universe[1].date", "after the date of the step before"),
        (((0, ()),), "universe[0].symbols", "at least one symbol"),
        (((0, ("A",)), (3, ("B", "C", "B"))), "universe[1].symbols[2]", "B appears twice"),
        (((0, ("A",)), (3, ("B", "Z"))), "universe[1].symbols[1]", "Z is not a symbol of the input"),
        (((COUNT, ("A",)),), "universe[0].date", "after the last date"),
    ],
)
def test_what_is_refused(steps: tuple[tuple[int, tuple[str, ...]], ...], field: str, rule: str) -> None:
    def prepared() -> None:
        universe = Universe(tuple(UniverseStep(day, symbols) for day, symbols in steps))
        prepare(specified(EqualWeightStrategy(), universe=universe), PANEL)

    with pytest.raises(InvalidInput, match=rule) as raised:
        prepared()
    assert raised.value.field == field


def test_a_universe_without_a_price_at_a_decision_is_refused_by_its_date() -> None:
    values = np.array(VALUES)
    values[:20, 3] = np.nan
    universe = Universe((UniverseStep(0, ("A",)), UniverseStep(9, ("D",)), UniverseStep(30, ("A",))))
    panel = PricePanel.of(SYMBOLS, range(COUNT), values)
    states = MissingDataPolicy.ASSET_STATES
    with pytest.raises(InvalidInput, match="price on 1970-01-13") as raised:
        prepare(specified(EqualWeightStrategy(), universe=universe, missing_data=states), panel)
    assert raised.value.field == "universe[1].symbols"
    once = Rebalancing(Calendar())  # no decision is made in these days
    prepare(specified(EqualWeightStrategy(), universe=universe, missing_data=states, rebalancing=once), panel)
