"""Strategies on assets that are listed late, halted or delisted: who is left out, and until when."""

from collections.abc import Callable

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    EqualWeightStrategy,
    Momentum,
    Optimized,
    Strategy,
    VolatilityTarget,
    inverse_volatility,
)
from domain.cancellation import never_cancelled
from domain.market_data.corporate_actions import DelistingPolicy
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from domain.optimization.request.constraints import WeightBounds
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification

LOOKBACK, COUNT = 6, 40
LISTED, HALTED, RESUMED, DELISTED = 12, 20, 23, 30
SYMBOLS = ("A", "LATE", "HALT", "GONE", "B")


def prices() -> np.ndarray:
    values = 50.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.001, 0.01, (COUNT, 5)), axis=0))
    values[:LISTED, 1] = np.nan
    values[HALTED:RESUMED, 2] = np.nan
    values[DELISTED:, 3] = np.nan
    return values


BOUNDS = (WeightBounds("least", 0.05, symbols=("A", "B")), WeightBounds("late", 0.02, symbols=("LATE", "GONE")))
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "optimize": lambda: Optimized(Specification(MinRisk(), constraints=BOUNDS), LOOKBACK),
    "inverse volatility": lambda: inverse_volatility(LOOKBACK),
    "momentum": lambda: Momentum(LOOKBACK, 5),
    "volatility target": lambda: VolatilityTarget(inverse_volatility(LOOKBACK), 9.0, LOOKBACK),
}


def simulated(
    strategy: Strategy, values: np.ndarray, policy: DelistingPolicy = DelistingPolicy.LAST_PRICE
) -> RecordPart:
    specification = BacktestSpecification(
        (strategy,),
        Rebalancing(EveryPeriods(1)),
        Fill.SAME_CLOSE,
        delisting_policy=policy,
        missing_data=MissingDataPolicy.ASSET_STATES,
    )
    outcome = run(prepare(specification, PricePanel.of(SYMBOLS, range(COUNT), values)), lambda _: None, never_cancelled)
    done = outcome.strategies[0]
    assert done.record is not None
    assert done.failures == ()
    return done.record


def units_by_date(record: RecordPart) -> np.ndarray:
    """Units held after each date, (T, N)."""
    held = np.zeros((len(record.nav), len(SYMBOLS)))
    for index, units in zip(record.indices.tolist(), record.units, strict=True):
        held[index:] = units
    return held


@pytest.mark.parametrize("name", STRATEGIES)
def test_an_asset_is_held_once_it_has_a_whole_lookback_and_until_it_is_delisted(name: str) -> None:
    held = units_by_date(simulated(STRATEGIES[name](), prices())) > 0.0
    dates = np.arange(LOOKBACK, COUNT)
    assert held[:, 1].tolist() == (dates >= LISTED + LOOKBACK).tolist()
    assert held[:, 3].tolist() == (dates < DELISTED).tolist()
    assert held[:, [0, 2, 4]].all()  # a halt changes nothing: the last price goes on


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_halted_asset_is_not_traded(name: str) -> None:
    units = units_by_date(simulated(STRATEGIES[name](), prices()))[:, 2]
    halted = units[HALTED - 1 - LOOKBACK : RESUMED - LOOKBACK]
    assert (halted == halted[0]).all()
    assert units[RESUMED - LOOKBACK] != halted[0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_before_the_listing_the_weights_are_those_without_the_asset(name: str) -> None:
    """Also to the value: a column that is not listed is as if it were not there."""
    values = prices()
    values[:, 1] = np.where(np.arange(COUNT) < COUNT - 1, np.nan, 1.0)  # listed on the last date alone
    record = simulated(STRATEGIES[name](), values)
    held = units_by_date(record)
    assert (held[:, 1] == 0.0).all()
    first = held[0] * values[LOOKBACK]
    kept = [0, 2, 3, 4]
    symbols = tuple(SYMBOLS[j] for j in kept)
    specification = BacktestSpecification(
        (STRATEGIES[name]() if name != "optimize" else Optimized(Specification(MinRisk(), constraints=(
            WeightBounds("least", 0.05, symbols=("A", "B")), WeightBounds("late", 0.02, symbols=("GONE",)),
        )), LOOKBACK),),
        Rebalancing(EveryPeriods(1)),
        Fill.SAME_CLOSE,
    )  # fmt: skip
    complete = PricePanel.of(symbols, range(HALTED), values[:HALTED, kept])
    alone = run(prepare(specification, complete), lambda _: None, never_cancelled).strategies[0].record
    assert alone is not None
    assert first[kept] == pytest.approx(alone.units[0] * values[LOOKBACK, kept], rel=1e-9)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_decision_does_not_know_that_an_asset_will_be_delisted(name: str) -> None:
    """The same until the date of the delisting, whether it comes or not."""
    gone, goes_on = prices(), prices()
    goes_on[DELISTED:, 3] = 50.0 + np.arange(COUNT - DELISTED) % 3
    before, after = (units_by_date(simulated(STRATEGIES[name](), values)) for values in (gone, goes_on))
    same = DELISTED - LOOKBACK
    assert before[:same].tolist() == after[:same].tolist()
    assert before[same:].tolist() != after[same:].tolist()


def test_equal_weights_of_what_is_listed() -> None:
    """A strategy without a lookback buys on the first date with a price."""
    held = units_by_date(simulated(EqualWeightStrategy(), prices())) > 0.0
    assert held[:, 1].tolist() == (np.arange(COUNT) >= LISTED).tolist()
    assert held[:, 3].tolist() == (np.arange(COUNT) < DELISTED).tolist()
