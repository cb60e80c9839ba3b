"""Sales that raise most cash, as a mixed-integer linear program: where simpler ways do not raise a negative cash.

What limits their sum (turnover, cost, gains) and the least trade decide together which sales raise it.
"""

from collections.abc import Sequence

import numpy as np

from domain.errors import SolverTimedOut
from domain.optimization.programs.mixed_integer import LinearModel, SearchLimits
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.gain_columns import GainColumns
from domain.reallocation.lots import Budgets, LotOrder

NODES = SearchLimits(relative_gap=1e-9, nodes=2_000)

MOST_LOTS = 10_000_000
"""Lots of one sale up to which the solver can tell whole numbers apart; with more it may not end within its time."""


def most_cash(
    orders: Sequence[LotOrder], assets: Sequence[int], budgets: Budgets, control: SolverControl
) -> list[int] | None:
    """Lots of sales that raise most cash; None where none are found, or where there are too many to tell them apart.

    `assets` says which orders exclude one another. The program keeps the budgets to 1e-9 of a usual lot.
    """
    count = len(orders)
    values = np.array([float(order.value) for order in orders])
    scale = float(np.median(values))
    raised = np.array([0.0 if order.buys else float(order.cash) / scale for order in orders])
    most = np.array([0.0 if order.buys else float(order.most) for order in orders])
    if most.max(initial=0.0) >= MOST_LOTS:
        return None
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
    try:
        found = model.solve(limits=NODES, control=control)
    except SolverTimedOut:
        control.check_cancelled()
        return None
    return None if found is None else [round(lots) for lots in found.point[:count]]
