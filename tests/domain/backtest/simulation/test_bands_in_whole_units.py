"""Bands in whole units: what rounding leaves outside its band is not tried again until prices change."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.drift_band import BandDestination, BandScope, BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel


def simulated(
    prices: np.ndarray, target: np.ndarray, band: DriftBand, fill: Fill, capital: float, bps: float
) -> RecordPart:
    symbols = [f"S{i}" for i in range(len(target))]
    specification = BacktestSpecification(
        (FixedWeights(dict(zip(symbols, target.tolist(), strict=True))),),
        Rebalancing(BuyAndHold(), band),
        fill,
        fractional_holdings=False,
        costs=CostModel(LinearCost(bps)),
        initial_capital=capital,
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of(symbols, range(len(prices)), prices))
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


EDGE = BandDestination.EDGE


@given(st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_no_trade_is_repeated_without_a_change_of_prices(seed: int) -> None:
    """Prices change on date 4 and stay for eight dates: each asset is traded once at most after it."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    target = rng.dirichlet(np.full(count, 3.0)) * rng.choice([1.0, 1.0, 0.9])
    before = rng.uniform(5.0, 60.0, count)
    after = before * np.exp(rng.normal(0.0, 0.3, count))
    band = DriftBand(
        BandWidth(float(rng.choice([0.002, 0.01, 0.03]))),
        destination=rng.choice([EDGE, EDGE, BandDestination.TARGET]),
        scope=rng.choice([BandScope.ALL, BandScope.BREACHED]),
    )
    fill = rng.choice([Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
    record = simulated(
        np.array([before] * 4 + [after] * 9), target, band, fill, 2000.0, float(rng.choice([0.0, 10.0, 100.0]))
    )
    steps = np.diff(record.units[record.indices >= 3 + (fill is Fill.NEXT_CLOSE)], axis=0)
    assert ((steps != 0.0).sum(axis=0) <= 1).all()


def test_what_a_unit_cannot_mend_is_left() -> None:
    """A is 0.7 of a unit below its edge: B would be sold for it on each date, and A never bought."""
    prices = np.array([[100.0, 10.0, 1.0]] * 3 + [[90.0, 10.0, 1.0]] * 6)
    record = simulated(
        prices, np.array([0.5, 0.3, 0.2]), DriftBand(BandWidth(0.02), destination=EDGE), Fill.SAME_CLOSE, 1000.0, 0.0
    )
    # A 5 of 950 is 0.4737, its edge 0.48: 5.07 units, which is none more.
    assert record.units.tolist() == [[5.0, 30.0, 200.0]]


def test_costs_alone_trade_no_unit() -> None:
    """A is at its weight, of which costs of the trade from B to C leave a little less money: it keeps its 50 units."""
    specification = BacktestSpecification(
        (FixedWeights({"A": 0.5, "B": 0.2, "C": 0.3}),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        fractional_holdings=False,
        costs=CostModel(LinearCost(100.0)),
        initial_capital=0.0,
        initial_holdings={"A": 50.0, "B": 30.0, "C": 20.0},
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of("ABC", range(4), np.full((4, 3), 10.0)))
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    assert record.units.tolist() == [[50.0, 19.0, 29.0]]
