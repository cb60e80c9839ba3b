"""Execution of one rebalancing, exactly self-financing: holdings are w V' afterwards in any order of the assets."""

from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
from domain.costs.self_financing import WealthExhausted, post_cost_fraction

CASH_ROUNDING = 1e-12
"""Cash below this fraction of the net asset value is a rounding error and counts as zero."""


@dataclass(frozen=True, slots=True)
class TradeExecution:
    """Positions after a rebalancing, and its costs."""

    units: Vector  # (N,)
    cash: float
    costs: Vector  # (N,), in money
    turnover_one_way: float  # half the sum of absolute trades, as a fraction of the net asset value before them
    nav: float  # net asset value after costs


def execute_trades(units: Vector, cash: float, prices: Vector, weights: Vector, rates: Vector) -> TradeExecution:
    """Trades N assets to target weights at these prices; all vectors are (N,).

    `rates` are costs as fractions of the traded notional. An asset with a price of 0 is not traded: its units stay,
    and its target weight stays in cash. Raises WealthExhausted where the net asset value is 0 or less, or the costs
    exceed it.
    """
    held = units * prices
    nav = float(held.sum()) + cash
    if nav <= 0.0:
        raise WealthExhausted("there is no net asset value left to invest")
    priced = prices > 0.0
    weights = np.where(priced, weights, 0.0)
    nav_after = post_cost_fraction(weights, held / nav, rates) * nav
    target = weights * nav_after
    trades = np.abs(target - held)
    uninvested = 1.0 - float(weights.sum())
    return TradeExecution(
        units=np.where(priced, target / np.where(priced, prices, 1.0), units),
        cash=nav_after * uninvested if abs(uninvested) > CASH_ROUNDING else 0.0,
        costs=rates * trades,
        turnover_one_way=0.5 * float(trades.sum()) / nav,
        nav=nav_after,
    )
