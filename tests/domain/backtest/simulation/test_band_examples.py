"""Worked examples of drift bands, each from `prepare` and `run`; the numbers were computed independently."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from domain.backtest.drift_band import BandDestination, BandScope, BandTrigger, BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel

NAN = float("nan")
FIVE_POINTS = BandWidth(absolute=0.05)
FIVE_AND_A_QUARTER = BandWidth(absolute=0.05, relative=0.25)


def simulated(
    values: Mapping[str, Sequence[float]],
    weights: Mapping[str, float],
    band: DriftBand,
    bps: float = 0.0,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    **more: Any,
) -> RecordPart:
    """100 units of money in the target weights at the start; `values` are what each position is worth undisturbed."""
    specification = BacktestSpecification(
        (FixedWeights(weights),),
        rebalancing=Rebalancing(BuyAndHold(), band),
        **({"fill": Fill.SAME_CLOSE} | more),
        costs=CostModel(LinearCost(bps)),
        initial_holdings={symbol: 100.0 * weight for symbol, weight in weights.items()},
        initial_capital=100.0 * (1.0 - sum(weights.values())),
        periods_per_year=252.0,
    )
    prices = np.column_stack([np.array(values[symbol]) / (100.0 * weights[symbol]) for symbol in values])
    panel = PricePanel.of(list(values), range(len(prices)), prices)
    plan = prepare(specification, panel, groups=groups)
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


def held(record: RecordPart, values: Mapping[str, Sequence[float]], weights: Mapping[str, float], at: int) -> Any:
    """Money in each asset after the last change of holdings, at the prices of a date."""
    prices = np.array([values[symbol][at] / (100.0 * weights[symbol]) for symbol in values])
    return record.units[-1] * prices


SIXTY_FORTY = {"A": 0.6, "B": 0.4}
UP_AND_DOWN = {"A": [60.0, 72.0], "B": [40.0, 38.0]}


@pytest.mark.parametrize(
    ("destination", "fraction", "sold"),
    [(BandDestination.EDGE, 1.0, 0.5), (BandDestination.FRACTION, 0.5, 3.0), (BandDestination.TARGET, 1.0, 6.0)],
)
def test_how_far_a_trade_goes(destination: BandDestination, fraction: float, sold: float) -> None:
    """60/40 after +20 % and -5 %: .654545 and .345455 of 110."""
    band = DriftBand(FIVE_POINTS, destination=destination, fraction=fraction)
    record = simulated(UP_AND_DOWN, SIXTY_FORTY, band)
    assert record.indices.tolist() == [0, 1]
    assert held(record, UP_AND_DOWN, SIXTY_FORTY, 1) == pytest.approx([72.0 - sold, 38.0 + sold], rel=1e-12)
    assert record.turnovers[1] * 110.0 == pytest.approx(sold, rel=1e-11)


def test_wealth_after_trades_at_ten_basis_points() -> None:
    edge = simulated(UP_AND_DOWN, SIXTY_FORTY, DriftBand(FIVE_POINTS, destination=BandDestination.EDGE), 10.0)
    assert edge.nav[1] == pytest.approx(109.99899969990997, rel=1e-13)
    assert held(edge, UP_AND_DOWN, SIXTY_FORTY, 1) == pytest.approx([71.49934980494149, 38.49964989496849], rel=1e-12)
    target = simulated(UP_AND_DOWN, SIXTY_FORTY, DriftBand(FIVE_POINTS), 10.0)
    assert target.nav[1] == pytest.approx(109.9879975995199, rel=1e-13)


@pytest.mark.parametrize(("target", "lower", "upper"), [(0.5, 0.45, 0.55), (0.1, 0.075, 0.125), (0.05, 0.0375, 0.0625)])
@pytest.mark.parametrize("outside", [-1e-9, 1e-9])
def test_the_tighter_of_two_widths(target: float, lower: float, upper: float, outside: float) -> None:
    """Five points or a quarter of the target; a weight on the edge is no breach, one beyond it is."""
    weights = {"A": target, "B": 1.0 - target}
    band = DriftBand(BandWidth(), by_symbol={"A": FIVE_AND_A_QUARTER})
    for edge, sign in ((lower, -1.0), (upper, 1.0)):
        weight = edge + sign * outside
        values = {"A": [100.0 * target, 100.0 * weight], "B": [100.0 - 100.0 * target, 100.0 - 100.0 * weight]}
        assert len(simulated(values, weights, band).indices) == (2 if outside > 0.0 else 1)


THREE = {"A": 0.5, "B": 0.3, "C": 0.2}
FIRST_IS_OUT = {"A": [50.0, 57.0], "B": [30.0, 26.0], "C": [20.0, 17.0]}


@pytest.mark.parametrize("scope", list(BandScope))
def test_what_one_asset_sells_is_bought_by_the_others_alike(scope: BandScope) -> None:
    """The sum of the weights stays; where each goes to the edge, the scope changes nothing."""
    band = DriftBand(FIVE_POINTS, scope=scope, destination=BandDestination.EDGE)
    record = simulated(FIRST_IS_OUT, THREE, band)
    assert held(record, FIRST_IS_OUT, THREE, 1) == pytest.approx([55.0, 27.0, 18.0], rel=1e-12)
    assert record.cash[-1] == 0.0


def test_only_the_breached_asset_goes_to_its_target() -> None:
    """7 points of A are sold; B and C buy 3.5 each, within their bands."""
    record = simulated(FIRST_IS_OUT, THREE, DriftBand(FIVE_POINTS, scope=BandScope.BREACHED))
    assert held(record, FIRST_IS_OUT, THREE, 1) == pytest.approx([50.0, 29.5, 20.5], rel=1e-12)


def test_cash_takes_what_the_others_cannot() -> None:
    """B and C are halted: A goes to its edge, and .02 stays in cash."""
    values = {"A": [50.0, 50.0, 57.0], "B": [30.0, 26.0, NAN], "C": [20.0, 17.0, NAN]}
    values = {"A": [*values["A"], 57.0], "B": [*values["B"], 26.0], "C": [*values["C"], 17.0]}
    band = DriftBand(FIVE_POINTS, destination=BandDestination.EDGE)
    record = simulated(values, THREE, band, missing_data=MissingDataPolicy.ASSET_STATES)
    assert record.indices.tolist() == [0, 2]
    at_prices = [57.0, 26.0, 17.0]
    held_then = record.units[1] * np.array(at_prices) / np.array([50.0, 30.0, 20.0])
    assert held_then == pytest.approx([55.0, 26.0, 17.0], rel=1e-12)
    assert record.cash[1] == pytest.approx(2.0, rel=1e-12)


def test_cash_has_a_band_where_it_has_a_target() -> None:
    """Assets at .45 each within ten points; cash of .1 falls below .05 where both have doubled."""
    weights = {"A": 0.45, "B": 0.45}
    values = {"A": [45.0, 100.0], "B": [45.0, 100.0]}
    width = BandWidth(absolute=0.05)
    wide = {"A": BandWidth(absolute=0.5), "B": BandWidth(absolute=0.5)}
    record = simulated(values, weights, DriftBand(width, by_symbol=wide))
    assert held(record, values, weights, 1) == pytest.approx([94.5, 94.5], rel=1e-12)
    assert record.cash[-1] == pytest.approx(21.0, rel=1e-12)


def test_a_decision_by_a_band_is_filled_with_its_delay() -> None:
    """The weights of the edge are those of the decision date, and the targets of the fill on the next."""
    values = {"A": [60.0, 60.0, 72.0, 60.0], "B": [40.0, 40.0, 38.0, 40.0]}
    band = DriftBand(FIVE_POINTS, destination=BandDestination.EDGE)
    record = simulated(values, SIXTY_FORTY, band, fill=Fill.NEXT_CLOSE)
    assert record.indices.tolist() == [1, 3]
    assert held(record, values, SIXTY_FORTY, 3) == pytest.approx([65.0, 35.0], rel=1e-12)


MOVES = {"A": [60.0, 66.0, 79.2], "B": [40.0, 42.0, 39.9]}
RETURNS = np.array([[0.1, 0.05], [0.2, -0.05]])
DIFFERENCE = np.array([79.2, 39.9]) / 119.1 - [0.6, 0.4]
"""Of the weights on the last date to the target; nothing is due on the date before, which has one return only."""


@pytest.mark.parametrize(("relative_aversion", "trades"), [(1.01, 2), (0.99, 1)])
def test_a_trade_has_to_be_worth_its_cost(relative_aversion: float, trades: int) -> None:
    """Benefit a year against cost over the horizon, worked out from the two returns that are known."""
    variance = float(np.var(RETURNS @ DIFFERENCE, ddof=1)) * 252.0
    cost = 0.01 * float(np.abs(DIFFERENCE).sum())
    breakeven = cost * (365.0 / 73.0) / (0.5 * variance)
    band = DriftBand(trigger=BandTrigger.COST_BENEFIT, risk_aversion=relative_aversion * breakeven, horizon_days=73)
    assert len(simulated(MOVES, SIXTY_FORTY, band, 100.0).indices) == trades


@pytest.mark.parametrize(("limit", "trades"), [(0.99, 2), (1.01, 1)])
def test_tracking_error_of_the_whole(limit: float, trades: int) -> None:
    error = float(np.std(RETURNS @ DIFFERENCE, ddof=1)) * 252.0**0.5
    band = DriftBand(trigger=BandTrigger.TRACKING_ERROR, max_tracking_error_annual=limit * error)
    assert len(simulated(MOVES, SIXTY_FORTY, band).indices) == trades


def test_the_tracking_error_asks_for_a_trade_of_the_breached_asset() -> None:
    """What is traded is the same whatever asks for it: 7 points of A are sold, B and C buy 3.5 each."""
    values = {"A": [50.0, 50.5, 57.0], "B": [30.0, 30.1, 26.0], "C": [20.0, 19.9, 17.0]}
    band = DriftBand(
        FIVE_POINTS, scope=BandScope.BREACHED, trigger=BandTrigger.TRACKING_ERROR, max_tracking_error_annual=1e-6
    )
    record = simulated(values, THREE, band)
    assert record.indices.tolist() == [0, 2]
    assert held(record, values, THREE, 2) == pytest.approx([50.0, 29.5, 20.5], rel=1e-12)


def test_a_group_that_leaves_its_band_goes_back_to_the_target() -> None:
    """Each asset is inside its own band of ten points; A and B together are at .76, beyond .70 and five points."""
    weights = {"A": 0.35, "B": 0.35, "C": 0.3}
    values = {"A": [35.0, 38.0], "B": [35.0, 38.0], "C": [30.0, 24.0]}
    wide = BandWidth(absolute=0.1)
    band = DriftBand(wide, by_group={"both": BandWidth(absolute=0.05)})
    record = simulated(values, weights, band, groups={"both": ("A", "B")})
    assert held(record, values, weights, 1) == pytest.approx([35.0, 35.0, 30.0], rel=1e-12)
    without = simulated(values, weights, DriftBand(wide))
    assert len(without.indices) == 1


def test_an_edge_with_an_asset_without_a_band_keeps_the_sum() -> None:
    """What A gives up, .005 of the sum, goes to B, which has no band, and C in equal parts."""
    weights = {"A": 0.5, "B": 0.3, "C": 0.2}
    values = {"A": [50.0, 55.5], "B": [30.0, 25.0], "C": [20.0, 19.5]}
    widths = {"A": BandWidth(absolute=0.05), "C": BandWidth(absolute=0.01)}
    band = DriftBand(by_symbol=widths, destination=BandDestination.EDGE)
    assert held(simulated(values, weights, band), values, weights, 1) == pytest.approx([55.0, 25.25, 19.75], rel=1e-9)
