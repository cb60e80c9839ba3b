"""A decision that the cooldown drops is not the target of a band, whether the strategy is asked for it or not."""

import numpy as np
import pytest

from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import Strategy, WeightSchedule
from domain.backtest.universe import Universe, UniverseStep
from domain.market_data.panel import PricePanel
from tests.domain.backtest.test_tranches import Asked

FIRST, SECOND = {"A": 0.5, "B": 0.5}, {"A": 0.9, "B": 0.1}
PLANNED = WeightSchedule(((0, FIRST), (2, SECOND)))
ASKED = Asked(lambda history: np.array([*(FIRST if history.dates[-1] < 2 else SECOND).values()]))


@pytest.mark.parametrize("fill", [Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
@pytest.mark.parametrize(("strategy", "rule"), [(PLANNED, BuyAndHold()), (ASKED, EveryPeriods(2))])
def test_a_dropped_decision_is_not_the_target(fill: Fill, strategy: Strategy, rule: BuyAndHold | EveryPeriods) -> None:
    """Decisions on the dates 0 and 2, three dates of cooldown: on the date 3 half and half is inside its band."""
    panel = PricePanel.of("AB", range(4), np.ones((4, 2)))
    specification = BacktestSpecification(
        (strategy,),
        Rebalancing(rule, DriftBand(BandWidth(absolute=0.1)), min_periods_between=3),
        fill,
        periods_per_year=252.0,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    assert record.indices.tolist() == [0 if fill is Fill.SAME_CLOSE else 1]
    assert record.units[-1].tolist() == [0.5, 0.5]


def test_a_dropped_decision_keeps_no_band_waiting() -> None:
    """A decision on each date, all but the first dropped; A doubles, and the band acts once the cooldown is over."""
    panel = PricePanel.of("AB", range(8), [[1.0, 1.0]] * 3 + [[2.0, 1.0]] * 5)
    specification = BacktestSpecification(
        (WeightSchedule(((0, FIRST),)),),
        Rebalancing(EveryPeriods(3), DriftBand(BandWidth(absolute=0.1)), min_periods_between=4),
        Fill.NEXT_CLOSE,
        lag_periods=1,
        periods_per_year=252.0,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    # Decided on 0, filled on 2; the decision of 3 is dropped and would be filled on 5; the band decides on 4.
    assert record.indices.tolist() == [2, 6]


@pytest.mark.parametrize("fill", [Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
@pytest.mark.parametrize("strategy", [PLANNED, ASKED])
def test_what_has_left_the_universe_is_no_target_of_a_band(fill: Fill, strategy: Strategy) -> None:
    """B leaves on date 2, whose decision the cooldown drops; on date 4 it has halved, and the band sells the rest."""
    panel = PricePanel.of("AB", range(7), [[1.0, 1.0]] * 4 + [[1.0, 0.5]] * 3)
    specification = BacktestSpecification(
        (strategy,),
        Rebalancing(EveryPeriods(100), DriftBand(BandWidth(absolute=0.1)), min_periods_between=4),
        fill,
        universe=Universe((UniverseStep(0, ("A", "B")), UniverseStep(2, ("A",)))),
        periods_per_year=252.0,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    first = 0 if fill is Fill.SAME_CLOSE else 1
    assert record.indices.tolist() == [first, first + 4]
    assert record.units[-1].tolist() == [pytest.approx(0.375), 0.0]
