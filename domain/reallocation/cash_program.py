"""Sales that raise most cash, as a mixed-integer linear program: where simpler ways do not raise a negative cash.

What limits their sum (turnover, cost, gains) and the least trade decide together which sales raise it.
"""

import math
from collections.abc import Sequence

import numpy as np

from domain.errors import SolverTimedOut
from domain.optimization.programs.mixed_integer import LinearModel, SearchLimits
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.gain_columns import GainColumns
from domain.reallocation.lots import Budgets, LotOrder

NODES = SearchLimits(relative_gap=1e-9, nodes=2_000)

HOPELESS = 1e-6
"""Part of the missing cash by which parts of lots fall short of it where whole ones are not looked for."""

MOST_LOTS = 10_000_000
"""Lots of one order up to which the solver can tell whole numbers apart; with more it may not end."""


def most_cash(
    orders: Sequence[LotOrder], assets: Sequence[int], budgets: Budgets, control: SolverControl
) -> list[int] | None:
    """Lots of sales that raise most cash; None where none are found, or none can raise enough.

    `assets` says which orders exclude one another. The program keeps the budgets to 1e-9 of a usual lot. Where an order
    has very many lots they are not whole in it, and are cut to whole ones.
    """
    if any(order.most > MOST_LOTS and not order.buys for order in orders):
        return _most_cash_of_many_lots(orders, assets, budgets, control)
    count = len(orders)
    values = np.array([float(order.value) for order in orders])
    scale = float(np.median(values))
    raised = np.array([0.0 if order.buys else float(order.cash) / scale for order in orders])
    most = np.array([0.0 if order.buys else float(order.most) for order in orders])
    gains = GainColumns(orders, budgets, 2 * count, scale)
    model = LinearModel(
        cost=np.concatenate([-raised, np.zeros(count + len(gains.upper))]),
        lower=np.zeros(2 * count + len(gains.upper)),
        upper=np.concatenate([most, np.ones(count), gains.upper]),
        integer=np.concatenate([np.ones(2 * count, dtype=np.bool_), gains.integer]),
    )
    rivals: dict[int, list[int]] = {}
    for j, order in enumerate(orders):
        if not order.buys:
            model.add_row([j, count + j], [1.0, -most[j]], -np.inf, 0.0)
            model.add_row([j, count + j], [1.0, -float(order.least)], 0.0, np.inf)
            rivals.setdefault(assets[j], []).append(count + j)
    for columns in rivals.values():
        model.add_row(columns, [1.0] * len(columns), -np.inf, 1.0)
    lots = list(range(count))
    if budgets.turnover.is_finite():
        model.add_row(lots, (values / scale).tolist(), -np.inf, float(budgets.turnover) / scale)
    if budgets.cost.is_finite():
        model.add_row(lots, [float(order.cost) / scale for order in orders], -np.inf, float(budgets.cost) / scale)
    gains.add_rows(model)
    missing = float(budgets.required - budgets.cash) / scale
    try:
        relaxed = model.solve(relaxed=True, control=control)
        if relaxed is None or -relaxed.bound < missing * (1.0 - HOPELESS):
            return None  # not even parts of lots raise enough
        found = model.solve(limits=NODES, control=control)
    except SolverTimedOut:
        control.check_cancelled()
        return None
    return None if found is None else [round(lots) for lots in found.point[:count]]


def _most_cash_of_many_lots(
    orders: Sequence[LotOrder], assets: Sequence[int], budgets: Budgets, control: SolverControl
) -> list[int] | None:
    """The same in fractions of the most lots of each order, without a gain budget."""
    if budgets.gain.is_finite():
        return None
    reach = [0 if order.buys else order.most for order in orders]
    values = np.array([float(order.value) * most for order, most in zip(orders, reach, strict=True)])
    scale = max(float(values.max()), float(np.finfo(np.float64).tiny))
    raised = np.array([float(order.cash) * most / scale for order, most in zip(orders, reach, strict=True)])
    count = len(orders)
    model = LinearModel(
        cost=-raised, lower=np.zeros(count), upper=np.ones(count), integer=np.zeros(count, dtype=np.bool_)
    )
    columns = list(range(count))
    if budgets.turnover.is_finite():
        model.add_row(columns, (values / scale).tolist(), -np.inf, float(budgets.turnover) / scale)
    if budgets.cost.is_finite():
        costs = [float(order.cost) * most / scale for order, most in zip(orders, reach, strict=True)]
        model.add_row(columns, costs, -np.inf, float(budgets.cost) / scale)
    try:
        found = model.solve(relaxed=True, control=control)
    except SolverTimedOut:
        control.check_cancelled()
        return None
    missing = float(budgets.required - budgets.cash) / scale
    if found is None or -found.bound < missing * (1.0 - HOPELESS):
        return None
    lots = [math.floor(part * most) for part, most in zip(found.point.tolist(), reach, strict=True)]
    lots = [lot if lot >= order.least else 0 for lot, order in zip(lots, orders, strict=True)]
    best: dict[int, int] = {}  # of the orders of one asset the one that raises most
    for j, asset in enumerate(assets):
        if asset not in best or lots[j] * orders[j].cash > lots[best[asset]] * orders[best[asset]].cash:
            best[asset] = j
    return [lot if best[asset] == j else 0 for j, (lot, asset) in enumerate(zip(lots, assets, strict=True))]
