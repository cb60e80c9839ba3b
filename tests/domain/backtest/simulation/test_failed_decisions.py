"""A decision that fails trades nothing, at whichever price decisions are filled, and begins no cooldown."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import LookbackWindow, MarketHistory, PlannedWeights
from domain.cancellation import CancellationCheck
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import MissingMarketData
from domain.market_data.panel import PricePanel

PANEL = PricePanel.of(("A", "B"), range(9000, 9008), np.column_stack([np.linspace(10.0, 24.0, 8), np.full(8, 5.0)]))


@dataclass(frozen=True)
class FailsOn:
    """Equal weights, but on some days there are none."""

    days: tuple[int, ...]
    label: str = "fails"
    kind: str = "equal_weight"
    lookback_window: LookbackWindow = field(default_factory=LookbackWindow)

    def own_dates(self) -> tuple[int, ...]:
        return ()

    def check(self, history: MarketHistory, check_cancelled: CancellationCheck = lambda: None) -> tuple[()]:
        return ()

    def planned(self, symbols: object, dates: object, listed: object) -> PlannedWeights | None:
        return None

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        if int(history.dates[-1]) in self.days:
            raise MissingMarketData("there is nothing to decide with")
        return np.full(2, 0.5)


@pytest.mark.parametrize("fill", [Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
def test_holdings_drift_on(fill: Fill) -> None:
    specification = BacktestSpecification(
        (FailsOn((9000, 9002)),),
        Rebalancing(EveryPeriods(2), min_periods_between=2),
        fill,
        costs=CostModel(LinearCost(100.0)),
        initial_capital=1.0,
        initial_holdings={"A": 10.0},
        periods_per_year=252.0,
    )
    (outcome,) = run(prepare(specification, PANEL), lambda backtest: None, lambda: None).strategies
    assert [failure.day for failure in outcome.failures] == [9000, 9002]
    record = outcome.record
    assert record is not None
    delay = 0 if fill is Fill.SAME_CLOSE else 1
    # Decisions on the dates 4 and 6 are filled; nothing is traded and nothing paid before them.
    assert record.indices.tolist() == [4 + delay, 6 + delay]
    assert record.nav[: 4 + delay] == pytest.approx(PANEL.values[: 4 + delay, 0] * 10.0 + 1.0, rel=1e-15)
