"""The short way of quiet dates against the general way, on random requests: the same but for rounding.

Also against itself, cut into stretches anywhere: the same bits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest import simulator
from domain.backtest.inputs import Inputs
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods, Rebalancing
from domain.backtest.simulation.arrays import ACCOUNT
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, Conventions, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel

ROUNDING = 1e-11
"""Largest difference between both ways, as a fraction of the largest net asset value so far."""


@dataclass(frozen=True)
class Random:
    """A random request that is simulated in the short way."""

    specification: BacktestSpecification
    panel: PricePanel

    @classmethod
    def of(cls, seed: int) -> "Random":
        """Up to 40 assets and 400 dates; shorts, borrowed money, costs up to the whole trade, initial holdings."""
        random = np.random.default_rng(seed)
        assets, dates = int(random.integers(1, 40)), int(random.integers(5, 400))
        symbols = tuple(f"S{i}" for i in range(assets))
        volatility = random.choice([0.001, 0.02, 0.2])
        prices = np.exp(random.normal(0.0, volatility, (dates, assets)).cumsum(axis=0)) * random.uniform(1, 500, assets)
        weights = random.dirichlet(np.ones(assets)) * random.choice([0.5, 1.0, 1.0, 1.6])
        weights[random.random(assets) < 0.2] *= random.choice([0.0, -1.0])
        conventions = random.choice([Conventions.EXACT, Conventions.BT, Conventions.VECTORBT])
        bps = random.choice([0.0, 10.0, 300.0, 20_000.0], p=[0.1, 0.6, 0.2, 0.1])
        own = {symbol: float(random.uniform(0.0, bps)) for symbol in symbols if random.random() < 0.3}
        schedule = [Calendar(), EveryPeriods(int(random.integers(1, 30))), BuyAndHold()][random.integers(3)]
        held = {symbol: float(random.normal(5.0, 5.0)) for symbol in symbols if random.random() < 0.2}
        specification = BacktestSpecification(
            (FixedWeights(dict(zip(symbols, weights.tolist(), strict=True)), leveraged=True),),
            rebalancing=Rebalancing(schedule),
            fill=random.choice([Fill.NEXT_CLOSE, Fill.SAME_CLOSE]),
            lag_periods=int(random.choice([0, 0, 1, 40])),
            conventions=conventions,
            costs=CostModel(LinearCost(bps, random.choice([0.0, 5.0]), own)),
            initial_capital=1e4,
            initial_holdings=held,
            maintenance_ratio=None,
            periods_per_year=252.0,
        )
        return cls(specification, PricePanel.of(symbols, np.arange(dates) + 10_000, prices))


def simulated(plan: BacktestPlan, inputs: Inputs, stops: tuple[int, ...] = ()) -> Simulation:
    """A simulation to the end of the data, stretch by stretch, each from a copy of the state before."""
    run, groups = plan.strategy_runs[0], plan.groups
    simulation = Simulation(plan.market, plan.specification, run, groups, None, inputs)
    dates, assets = plan.market.panel.values.shape
    for stop in (*stops, dates - 1):
        parts = simulation.record.parts
        simulation = Simulation(plan.market, plan.specification, run, groups, simulation.state.copy(), inputs)
        simulation.record.parts = parts
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simulator, "STRETCH", (stop - simulation.date_index) * assets)
            if stop > simulation.date_index:
                next(simulation.advance(lambda: None))
    return simulation


def both_ways(seed: int) -> tuple[BacktestPlan, Simulation, Simulation] | None:
    request = Random.of(seed)
    try:
        plan = prepare(request.specification, request.panel)
    except InvalidInput:  # a net asset value below 0, a lag that is longer than the data
        return None
    inputs = plan.inputs[0]
    assert inputs.rules.is_quiet
    general = inputs._replace(rules=inputs.rules._replace(is_quiet=False, is_plain=False))
    return plan, simulated(plan, inputs), simulated(plan, general)


def compare(seed: int) -> None:
    found = both_ways(seed)
    if found is None:
        return
    _, quiet, general = found
    ours, theirs = quiet.record.cut(), general.record.cut()
    scale = ROUNDING * float(np.maximum(theirs.nav, ours.nav).max())
    assert ours.nav == pytest.approx(theirs.nav, rel=ROUNDING, abs=scale)
    assert ours.exhausted == theirs.exhausted
    assert ours.failures == theirs.failures
    for name in ("indices", "kinds"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    prices = quiet._market.panel.values[quiet._run.start + ours.indices]
    assert ours.units * prices == pytest.approx(theirs.units * prices, abs=scale)
    assert ours.cash == pytest.approx(theirs.cash, abs=scale)
    assert ours.turnovers == pytest.approx(theirs.turnovers, rel=1e-8, abs=1e-9)
    assert ours.cost_fractions == pytest.approx(theirs.cost_fractions, rel=1e-8, abs=1e-9)
    assert ours.gains == pytest.approx(theirs.gains, rel=1e-9, abs=100.0 * scale)
    if ours.exhausted:
        return
    for name in set(ACCOUNT.names or ()) - {"cash_floor"}:  # that is of trades that are carried over: there are none
        account, expected = quiet.state.account[name], general.state.account[name]
        assert account == pytest.approx(expected, rel=1e-8, abs=100.0 * scale), name
    for one, other in zip(quiet.state.positions, general.state.positions, strict=True):
        assert one == pytest.approx(other, rel=1e-7, abs=1e-7, nan_ok=True)


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_both_ways_give_the_same(seed: int) -> None:
    compare(seed)


@given(st.integers(0, 10**9), st.data())
@settings(max_examples=50, deadline=None)
def test_stretches_that_end_anywhere_give_the_same_bits(seed: int, data: st.DataObject) -> None:
    request = Random.of(seed)
    try:
        plan = prepare(request.specification, request.panel)
    except InvalidInput:
        return
    inputs, start, end = plan.inputs[0], plan.strategy_runs[0].start, len(request.panel.dates) - 1
    stops = tuple(sorted(data.draw(st.sets(st.integers(start, end), max_size=6))))
    whole, cut = simulated(plan, inputs).record.cut(), simulated(plan, inputs, stops).record.cut()
    for name in ("nav", "units", "cash", "turnovers", "cost_fractions", "gains"):
        one, other = getattr(whole, name), getattr(cut, name)
        assert one.tobytes() == other.tobytes(), name
    account: Any = whole.account
    assert account.tobytes() == cut.account.tobytes()
