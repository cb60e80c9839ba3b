"""The account of a simulation at its start: capital, and initial holdings at the first prices."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.simulation import arrays
from domain.backtest.simulation.arrays import ACCOUNT, Positions, copied_account
from domain.backtest.specification import BacktestSpecification
from domain.checks import LARGEST_LEVERAGE, Vector
from domain.errors import InvalidInput
from domain.portfolio import positions


def opening_units(specification: BacktestSpecification, symbols: tuple[str, ...]) -> Vector:
    """Units held at the start, (N,)."""
    return np.array([specification.initial_holdings.get(symbol, 0.0) for symbol in symbols])


def opened_account(
    specification: BacktestSpecification, market: Market, start: int, decisions: int
) -> tuple[NDArray[Any], Positions]:
    """The account at date number `start`: capital and initial holdings. Raises InvalidInput for one without price."""
    prices = market.panel.values[start]
    count = len(prices)
    units, nav = np.zeros(count), specification.initial_capital
    if specification.initial_holdings:
        nav += _value_of_holdings(specification, market, prices, units)
        if not 0.0 < nav < math.inf:
            rule = f"must have a finite net asset value above 0 with the cash, has {nav:g}"
            raise InvalidInput("initial_holdings", rule)
        _refuse_large_holdings(specification, market, units * prices, nav)
    accounts = copied_account(_OPENED)
    accounts["cash"] = specification.initial_capital
    accounts["nav"] = accounts["opening_nav"] = nav
    accounts["first_purchase"] = arrays.FIRST_MADE if units.any() else arrays.FIRST_NOT_MADE
    if len(market.actions.date):
        accounts["next_action"] = np.searchsorted(market.actions.date, start, side="right")
    return accounts, Positions(
        units=units,
        reference=np.array(prices),
        gains=np.zeros(count),
        owed=np.zeros(len(market.actions.date)),
        target=np.zeros(count),
        band_target=np.zeros(count),
        carried=np.full(count, np.nan),
        dropped=np.zeros(decisions, np.bool_),
    )


def _opened() -> NDArray[Any]:
    """What does not depend on the request in an account that is opened."""
    accounts = np.zeros(1, ACCOUNT)
    accounts["unit_value"] = accounts["high_water"] = 1.0
    for name in ("last_decision", "band_made", "rest_traded", "first_borrowed"):
        accounts[name] = -1
    return accounts


_OPENED = _opened()


def _refuse_large_holdings(specification: BacktestSpecification, market: Market, values: Vector, nav: float) -> None:
    """Raises InvalidInput for a holding beside whose value (N,) the net asset value would be lost in rounding."""
    place = positions(market.panel.symbols)
    for i, symbol in enumerate(specification.initial_holdings):
        if abs(value := float(values[place[symbol]])) > LARGEST_LEVERAGE * nav:
            raise InvalidInput(
                f"initial_holdings[{i}].quantity",
                f"must be worth at most {LARGEST_LEVERAGE:g} times the net asset value of {nav:g}, is worth {value:g}",
            )


def _value_of_holdings(specification: BacktestSpecification, market: Market, prices: Vector, units: Vector) -> float:
    """Writes the initial holdings to units (N,); their value at prices (N,)."""
    place = positions(market.panel.symbols)
    for i, (symbol, quantity) in enumerate(specification.initial_holdings.items()):
        if symbol not in place or not prices[place[symbol]] > 0.0:
            raise InvalidInput(f"initial_holdings[{i}].symbol", f"{symbol} has no price at the start of the backtest")
        units[place[symbol]] = quantity
    with np.errstate(over="ignore", invalid="ignore"):
        return float(units @ prices)
