"""Trades that are carried over a halt or a limit of participation, and the cash that pays for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights, Strategy, WeightSchedule
from domain.backtest.universe import Universe, UniverseStep
from domain.costs.holding import HoldingCosts, Rate
from domain.costs.impact import Liquidity
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel

NAN = float("nan")


def simulated(
    prices: Mapping[str, Sequence[float]], strategy: Strategy, costs: CostModel | None = None, **more: Any
) -> RecordPart:
    panel = PricePanel.of(list(prices), range(len(prices["A"])), np.column_stack(list(prices.values())))
    settings: dict[str, Any] = {"initial_capital": 100.0, "rebalancing": Rebalancing(BuyAndHold())} | more
    specification = BacktestSpecification(
        (strategy,),
        fill=Fill.SAME_CLOSE,
        costs=costs or CostModel(),
        missing_data=MissingDataPolicy.ASSET_STATES,
        periods_per_year=252.0,
        **settings,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


def test_a_carried_purchase_does_not_overdraw_cash() -> None:
    """A is to be 60 and halted; by the date it can be bought, B has doubled, and 60 % of 140 are more than the cash."""
    prices = {"A": [1.0, NAN, 1.0], "B": [1.0, 2.0, 2.0]}
    weights = WeightSchedule(((0, {"B": 0.4}), (1, {"A": 0.6, "B": 0.4})))
    record = simulated(prices, weights, costs=CostModel(LinearCost(100.0)))
    assert record.cash.min() >= 0.0
    carried = simulated({"A": [1.0, NAN, 1.0], "B": [1.0, 1.0, 3.0]}, weights, costs=CostModel(LinearCost(100.0)))
    assert carried.cash.min() >= -1e-12
    assert carried.cash[-1] == pytest.approx(0.0, abs=1e-9)
    # All of the cash that was left for A, costs included.
    assert carried.units[-1][0] * 1.01 == pytest.approx(carried.cash[-2], rel=1e-12)


def test_a_carried_purchase_borrows_what_the_decision_borrows() -> None:
    """Weights of 1.2: a fifth of the net asset value is borrowed, and no more."""
    prices = {"A": [1.0, NAN, 1.0], "B": [1.0, 1.0, 3.0]}
    strategy = WeightSchedule(((0, {"B": 0.6}), (1, {"A": 0.6, "B": 0.6})), leveraged=True)
    record = simulated(prices, strategy, holding_costs=HoldingCosts(financing=Rate(1e-9)))
    nav = record.nav[2]
    assert nav == pytest.approx(220.0, rel=1e-9)
    assert record.cash[-1] / nav == pytest.approx(-0.2, rel=1e-9)


def test_purchases_wait_for_the_sale_that_pays_for_them() -> None:
    """A is sold over four dates, 25 on each, and B bought with what each of them raises."""
    costs = CostModel(liquidity={"A": Liquidity(2500.0, 0.1), "B": Liquidity(1e6, 0.1)})
    record = simulated(
        {"A": [1.0] * 6, "B": [1.0] * 6}, FixedWeights({"B": 1.0}), costs=costs, max_participation=0.01,
        initial_holdings={"A": 100.0}, initial_capital=0.0,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 2, 3]
    assert record.units.tolist() == pytest.approx(
        np.array([[75.0, 25.0], [50.0, 50.0], [25.0, 75.0], [0.0, 100.0]]), rel=1e-12
    )


def test_a_purchase_waits_for_the_sale_of_a_halted_asset() -> None:
    """And a date on which nothing can be traded is no rebalancing."""
    prices = {"A": [1.0, NAN, NAN, NAN, 1.0, 1.0], "B": [1.0] * 6}
    strategy = WeightSchedule(((0, {"A": 1.0}), (1, {"B": 1.0})))
    record = simulated(prices, strategy)
    assert record.indices.tolist() == [0, 1, 4]
    assert record.units[-1].tolist() == pytest.approx([0.0, 100.0], abs=1e-9)


def test_a_trade_that_a_halt_carries_stays_within_the_turnover_limit() -> None:
    """A fifth of 1000 is traded once B has a price, and no more before another rebalancing."""
    prices = {"A": [1.0] * 5, "B": [1.0, NAN, 1.0, 1.0, 1.0]}
    record = simulated(
        prices, WeightSchedule(((0, {"B": 1.0}), (1, {"A": 1.0}))),
        rebalancing=Rebalancing(BuyAndHold(), max_turnover=0.2), initial_holdings={"B": 1000.0}, initial_capital=0.0,
    )  # fmt: skip
    assert record.indices[-1] == 2
    assert record.units[-1].tolist() == pytest.approx([200.0, 800.0], rel=1e-12)


def test_participation_carries_the_rest_of_the_scaled_trade() -> None:
    """A fifth of 1000 in two halves of 100; then it waits for the next rebalancing, on date 5."""
    costs = CostModel(liquidity={name: Liquidity(1000.0, 0.1) for name in "AB"})
    record = simulated(
        {"A": [1.0] * 8, "B": [1.0] * 8}, FixedWeights({"A": 1.0}), costs=costs, max_participation=0.1,
        rebalancing=Rebalancing(EveryPeriods(5), max_turnover=0.2),
        initial_holdings={"B": 1000.0}, initial_capital=0.0,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 5, 6]
    assert record.units[:, 1].tolist() == pytest.approx([900.0, 800.0, 700.0, 600.0], rel=1e-12)


def test_a_limit_of_a_date_is_used_once_where_a_rest_ends_and_a_band_is_left() -> None:
    """A fifth of 1000 in two halves of 100 on dates 0 and 1; the band, far from 1, is tested on the date after."""
    costs = CostModel(liquidity={name: Liquidity(1000.0, 0.1) for name in "AB"})
    record = simulated(
        {"A": [1.0] * 6, "B": [1.0] * 6}, FixedWeights({"A": 1.0}), costs=costs, max_participation=0.1,
        rebalancing=Rebalancing(BuyAndHold(), DriftBand(BandWidth(0.05)), max_turnover=0.2),
        initial_holdings={"B": 1000.0}, initial_capital=0.0,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 2, 3, 4, 5]
    assert record.units[:, 0].tolist() == pytest.approx([100.0, 200.0, 300.0, 400.0, 500.0, 600.0], rel=1e-12)


def test_a_flow_waits_where_the_rest_of_a_trade_is_made_at_the_same_close() -> None:
    """100 of the first 200 on each of two dates; 100 that come in with the second are invested on the third."""
    costs = CostModel(liquidity={"A": Liquidity(1000.0, 0.1)})
    record = simulated(
        {"A": [1.0] * 5}, FixedWeights({"A": 1.0}), costs=costs, max_participation=0.1,
        rebalancing=Rebalancing(BuyAndHold(), flows_only=True), initial_capital=200.0,
        cash_flows=(CashFlow(1, 100.0),),
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 2]
    assert record.units[:, 0].tolist() == pytest.approx([100.0, 200.0, 300.0], rel=1e-12)


UNIVERSE = Universe((UniverseStep(0, ("A", "B")), UniverseStep(2, ("B",))))


def test_a_purchase_stops_when_its_asset_leaves_the_universe() -> None:
    """10 on each of dates 0 and 1; no decision follows, which would sell what is held."""
    costs = CostModel(liquidity={"A": Liquidity(100.0, 0.1), "B": Liquidity(1e6, 0.1)})
    record = simulated(
        {"A": [1.0] * 5, "B": [1.0] * 5}, FixedWeights({"A": 0.5, "B": 0.5}), costs=costs, max_participation=0.1,
        universe=UNIVERSE,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1]
    assert record.units[-1].tolist() == pytest.approx([20.0, 50.0], rel=1e-12)


def test_a_sale_goes_on_when_its_asset_has_left_the_universe() -> None:
    costs = CostModel(liquidity={"A": Liquidity(100.0, 0.1), "B": Liquidity(1e6, 0.1)})
    record = simulated(
        {"A": [1.0] * 8, "B": [1.0] * 8}, FixedWeights({"A": 0.5, "B": 0.5}), costs=costs, max_participation=0.1,
        universe=UNIVERSE, initial_holdings={"A": 100.0}, initial_capital=0.0,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 2, 3, 4]
    assert record.units[-1].tolist() == pytest.approx([50.0, 50.0], rel=1e-12)


def test_a_short_sale_stops_when_its_asset_leaves_the_universe() -> None:
    """10 of 50 on each date: the position of what has left may only get smaller."""
    costs = CostModel(liquidity={"A": Liquidity(100.0, 0.1), "B": Liquidity(1e6, 0.1)})
    record = simulated(
        {"A": [1.0] * 5, "B": [1.0] * 5}, FixedWeights({"A": -0.5, "B": 1.0}, leveraged=True), costs=costs,
        max_participation=0.1, universe=UNIVERSE,
    )  # fmt: skip
    assert record.units[-1][0] == pytest.approx(-20.0, rel=1e-12)


def test_money_of_a_purchase_that_stops_is_invested_in_a_member() -> None:
    """80 of 100 are left in cash for A, which leaves on date 2: then B is the target."""
    costs = CostModel(liquidity={"A": Liquidity(100.0, 0.1), "B": Liquidity(1e6, 0.1)})
    record = simulated(
        {"A": [1.0] * 5, "B": [1.0] * 5}, WeightSchedule(((0, {"A": 1.0}), (2, {"B": 1.0}))), costs=costs,
        max_participation=0.1, universe=UNIVERSE, rebalancing=Rebalancing(BuyAndHold(), flows_only=True),
    )  # fmt: skip
    assert record.units[-1].tolist() == pytest.approx([20.0, 80.0], rel=1e-12)


def test_a_decision_at_a_close_replaces_what_is_carried_to_it() -> None:
    """One trade of 100 on each date, not the rest of the last decision and the new one."""
    record = simulated(
        {"A": [1.0] * 5}, FixedWeights({"A": 1.0}), costs=CostModel(liquidity={"A": Liquidity(1000.0, 0.1)}),
        max_participation=0.1, rebalancing=Rebalancing(EveryPeriods(1)), initial_capital=1000.0,
    )  # fmt: skip
    assert record.indices.tolist() == [0, 1, 2, 3, 4]
    assert record.units[:, 0].tolist() == pytest.approx([100.0, 200.0, 300.0, 400.0, 500.0], rel=1e-12)
