"""A walk of least-variance decisions whose portfolios are held until the next one: the weights, and a simulated path.

Both sides fit on the same returns and tell the path's figures. Ours holds shares between decisions, skfolio weights.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from absfin.cli.csv_files import read_panel
from market import STOCKS, Array

from domain.backtest import flow
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import Optimized
from domain.cancellation import never_cancelled
from domain.market_data.panel import PricePanel
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification

Walk = Callable[[], Array]
"""Weights (D, N) of all decisions, once the path is simulated and measured."""


def our_simulated(windows: int, lookback: int, step: int) -> Walk:
    """A backtest of ours, from the specification to all figures."""
    panel = _prices(windows, lookback, step)
    strategy = Optimized(Specification(MinRisk()), lookback)
    specification = BacktestSpecification((strategy,), Rebalancing(EveryPeriods(step)), fill=Fill.SAME_CLOSE)

    def run() -> Array:
        plan = prepare(specification, panel, {}, never_cancelled)
        outcome = flow.run(plan, lambda _: None, never_cancelled)
        record = outcome.strategies[0].record
        if record is None:
            raise RuntimeError("no record")
        values = record.units * panel.values[plan.strategy_runs[0].start + record.indices]
        weights: Array = values / (values.sum(axis=1) + record.cash)[:, None]
        return weights[:windows]  # the last date has a decision that nothing follows

    return run


def skfolio_simulated(windows: int, lookback: int, step: int) -> Walk:
    """skfolio's WalkForward with its path, which it measures when it is asked."""
    from skfolio import RiskMeasure
    from skfolio.model_selection import WalkForward, cross_val_predict
    from skfolio.optimization import MeanRisk

    panel = _prices(windows, lookback, step)
    dates = pd.DatetimeIndex(panel.dates[1:].astype("datetime64[D]"))
    returns = pd.DataFrame(panel.values[1:] / panel.values[:-1] - 1.0, dates, list(panel.symbols))

    def run() -> Array:
        walk = WalkForward(test_size=step, train_size=lookback)
        path = cross_val_predict(MeanRisk(risk_measure=RiskMeasure.VARIANCE), returns, cv=walk)
        path.annualized_sharpe_ratio, path.max_drawdown, path.cvar  # noqa: B018  # computed as they are read
        return np.array([one.weights for one in path])

    return run


def _prices(windows: int, lookback: int, step: int) -> PricePanel:
    """Those of the sample stocks until each of the decisions was held for its time."""
    panel = read_panel(STOCKS)
    dates = lookback + step * windows + 1
    return PricePanel.of(panel.symbols, panel.dates[:dates], panel.values[:dates])
