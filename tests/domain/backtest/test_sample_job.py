"""The sample job: 20 stocks from 1990 on, equal weight, monthly on the first date, 10 basis points."""

from pathlib import Path

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("fill", "wealth"),
    [(Fill.SAME_CLOSE, 211.7157150510), (Fill.NEXT_CLOSE, 207.2732560859), (Fill.NEXT_OPEN, 207.2732560859)],
)
def test_final_wealth(fill: Fill, wealth: float) -> None:
    """Opening prices that are those of the close make the next open the next close."""
    panel = read_panel(ROOT / "data/sp500_stocks.csv.gz")
    values = np.reshape(np.asarray(panel.values, float), (len(panel.dates), -1))
    prices = PricePanel.of(panel.symbols, np.array(panel.dates, np.int32), values)
    specification = BacktestSpecification((EqualWeightStrategy(),), costs=CostModel(LinearCost(10.0)), fill=fill)
    plan = prepare(specification, prices, opens=prices if fill is Fill.NEXT_OPEN else None)
    outcome = run(plan, lambda _: None, lambda: None).strategies[0]
    assert outcome.performance.final_wealth == pytest.approx(wealth, rel=1e-12)
