"""Assets that are listed late or delisted, beside rules that trade to the latest weights on any date."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Blend,
    EqualWeightStrategy,
    FixedWeights,
    Momentum,
    Part,
    Strategy,
)
from domain.backtest.universe import Universe, UniverseStep
from domain.market_data.corporate_actions import DelistingPolicy
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel

NAN = float("nan")
BAND = Rebalancing(BuyAndHold(), DriftBand(BandWidth(0.3)))
FLOWS = Rebalancing(BuyAndHold(), flows_only=True)
LATE = [NAN, NAN, NAN, 1.0, 1.0, 1.0]
GONE = [1.0, 1.0, 1.0, NAN, NAN, NAN]
HALTED = [1.0, 1.0, 1.0, NAN, NAN, 1.0]


def simulated(third: Sequence[float], strategy: Strategy, rules: Rebalancing, **more: Any) -> RecordPart:
    """Of 60 in assets that stay at 1, filled at the close of each decision."""
    values = np.column_stack([np.ones(6), np.ones(6), third])
    specification = BacktestSpecification(
        (strategy,),
        rules,
        fill=Fill.SAME_CLOSE,
        initial_capital=60.0,
        missing_data=MissingDataPolicy.ASSET_STATES,
        delisting_policy=DelistingPolicy.LAST_PRICE,
        periods_per_year=252.0,
        **more,
    )
    plan = prepare(specification, PricePanel.of(list("ABC"), range(6), values))
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("third", "before", "after"), [(LATE, [30.0, 30.0, 0.0], [20.0, 20.0, 20.0]), (GONE, [20.0] * 3, [30.0, 30.0, 0.0])]
)
def test_a_listing_and_a_delisting_are_decisions_beside_a_band(
    third: list[float], before: list[float], after: list[float]
) -> None:
    record = simulated(third, EqualWeightStrategy(), BAND)
    assert record.indices[record.fills].tolist() == [0, 3]
    assert record.units[0].tolist() == pytest.approx(before, rel=1e-12)
    assert record.units[-1].tolist() == pytest.approx(after, rel=1e-12)


def test_the_weights_of_a_listing_are_the_target_of_a_band() -> None:
    """C doubles twice, to 80 of 120: it is back at a third, which is outside the band of a half."""
    record = simulated([NAN, NAN, 1.0, 2.0, 4.0, 4.0], EqualWeightStrategy(), BAND)
    assert record.indices.tolist() == [0, 2, 4]
    assert record.units[-1].tolist() == pytest.approx([40.0, 40.0, 10.0], rel=1e-12)


def test_flows_buy_what_is_listed_by_then() -> None:
    flows = (CashFlow(1, 30.0), CashFlow(4, 45.0))
    record = simulated(LATE, EqualWeightStrategy(), FLOWS, cash_flows=flows)
    assert record.indices.tolist() == [0, 1, 4]
    assert record.units[1].tolist() == pytest.approx([45.0, 45.0, 0.0], rel=1e-12)
    assert record.units[-1].tolist() == pytest.approx([45.0, 45.0, 45.0], rel=1e-12)


def test_a_halt_is_no_decision() -> None:
    assert simulated(HALTED, EqualWeightStrategy(), BAND).indices.tolist() == [0]


def test_weights_that_are_fixed_are_not_decided_again() -> None:
    """The weight of C stays in cash, and that of the others inside their bands."""
    for third in (LATE, GONE):
        record = simulated(third, FixedWeights({"A": 0.7, "C": 0.3}), BAND)
        assert record.indices[record.fills].tolist() == [0]


def test_a_strategy_that_looks_back_decides_once_it_can_choose_the_asset() -> None:
    """Three prices of C are known on date 5."""
    record = simulated(LATE, Momentum(2, 3), BAND)
    assert record.indices.tolist() == [0, 3]  # since the first decision, on date 2
    assert record.units[-1].tolist() == pytest.approx([20.0, 20.0, 20.0], rel=1e-12)
    mixed = Blend((Part(Momentum(2, 3), 0.5), Part(EqualWeightStrategy(), 0.5)))
    assert simulated(LATE, mixed, BAND).indices.tolist() == [0, 1, 3]


def test_an_asset_that_is_no_member_changes_nothing() -> None:
    universe = Universe((UniverseStep(0, ("A", "B")), UniverseStep(4, ("A", "C"))))
    record = simulated(LATE, EqualWeightStrategy(), BAND, universe=universe)
    assert record.indices.tolist() == [0, 4]
    assert record.units[-1].tolist() == pytest.approx([30.0, 0.0, 30.0], rel=1e-12)


def test_no_decision_is_made_where_no_member_is_left() -> None:
    universe = Universe((UniverseStep(0, ("C",)),))
    record = simulated(GONE, EqualWeightStrategy(), BAND, universe=universe)
    assert record.indices[record.fills].tolist() == [0]
    assert record.nav[-1] == pytest.approx(60.0, rel=1e-12)
