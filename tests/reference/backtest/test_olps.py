"""Wealth of buy-and-hold and of constant rebalancing on the data sets of on-line portfolio selection.

Published: B. Li and S. C. H. Hoi, "Online Portfolio Selection: A Survey", ACM Computing Surveys 46 (2014), and the OLPS
toolbox (JMLR 17, 2016), tables of cumulative wealth: "Market" holds equal weights of the first day, "UCRP" rebalances
to equal weights every day.
"""

import gzip
from pathlib import Path

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing, RebalancingDates
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.market_data.panel import PricePanel

DATA = Path(__file__).parent / "data"


def panel(name: str) -> PricePanel:
    with gzip.open(DATA / f"{name}.csv.gz", "rt") as file:
        values = np.loadtxt(file, delimiter=",")
    return PricePanel.of([f"S{i}" for i in range(values.shape[1])], range(11000, 11000 + len(values)), values)


def wealth(prices: PricePanel, schedule: RebalancingDates) -> float:
    specification = BacktestSpecification((EqualWeightStrategy(),), Rebalancing(schedule), Fill.SAME_CLOSE)
    outcome = run(prepare(specification, prices), lambda backtest: None, lambda: None)
    final = outcome.strategies[0].performance.final_wealth
    assert isinstance(final, float)
    return final


@pytest.mark.parametrize(("name", "market", "rebalanced"), [("djia", 0.76, 0.81), ("sp500", 1.34, 1.65)])
def test_published_wealth(name: str, market: float, rebalanced: float) -> None:
    prices = panel(name)
    held, traded = wealth(prices, BuyAndHold()), wealth(prices, EveryPeriods(1))
    assert (round(held, 2), round(traded, 2)) == (market, rebalanced)
    # And by the definitions, on the data as it is stored here.
    relatives = prices.values[1:] / prices.values[:-1]
    assert held == pytest.approx(prices.values[-1].mean(), rel=1e-12)
    assert traded == pytest.approx(relatives.mean(axis=1).prod(), rel=1e-12)
