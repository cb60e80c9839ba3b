"""The best whole lots, as a mixed-integer linear program.

With n_j whole lots of order j, cost C = sum(c_j n_j) and net asset value W before it, the drift of a plan is
sum_i d_i / 2 / (W - C), where d_i = |x_i + v_i n_i - t_i (W - C)|. A plan that is known, of drift theta, gives the
linear objective sum_i d_i / 2 + theta C: it is below theta W exactly where the drift is below theta (Dinkelbach 1967).

An aversion a to cost adds a C / (W - C) to the drift, all costs counted. The sum is below theta exactly where
sum_i d_i / 2 + (a + theta) C is below theta W, less a times the cost of what is traded in any case. An aversion b to
tax T adds b T / (W - C) in the same way; theta may then be negative.

Between the two whole numbers next to the wish, d_i is not below the line through its values there. With these rows the
relaxation is tight but for one order per limit (cash, turnover, cost), and the search ends after few nodes. The lines
depend on C: lambda C, where lambda is the place between the two numbers, is replaced by the envelope of McCormick
(1976) over the costs that plans of drift theta or less can have.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.mixed_integer import LinearModel, SearchLimits
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.drift import Drift
from domain.reallocation.gain_columns import GainColumns
from domain.reallocation.lot_bound import least_drift
from domain.reallocation.lots import Budgets, LotOrder, keeps

MOST_ASSETS = 600
"""Assets up to which the best lots are searched for; beyond, only a bound is computed."""

MOST_LOTS = 10_000_000
"""Lots of one order up to which the solver can tell whole numbers apart."""

EXACT_ASSETS = 40
"""Assets up to which the search goes on until the plan is proven to be the best."""

PROVEN = 1e-7
"""Part of the drift below which a gap is rounding."""

CLOSE_ENOUGH = SearchLimits(relative_gap=5e-4, nodes=200)
UNTIL_PROVEN = SearchLimits(nodes=5_000)

ROUNDS = 4
"""Programs one after the other, each with the drift of the plan that the last one has found."""

COST_TIE_BREAK = 1e-7
"""Weight of costs beside drift: of plans with the same drift the cheapest is taken."""


@dataclass(frozen=True, slots=True)
class BestLots:
    """Lots of each order, (J,), and the objective that no plan is below."""

    lots: Sequence[int]
    bound: float


def best_lots(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int], control: SolverControl
) -> BestLots:
    """The best lots that are found, from a known plan that keeps the budgets; they keep them too, exactly."""
    best = BestLots(known, drift.floor)
    for _ in range(ROUNDS):
        theta = drift(best.lots)
        if theta - drift.floor <= PROVEN * PROVEN or not orders:
            return BestLots(best.lots, drift.floor if orders else theta)
        if len(drift.values) > MOST_ASSETS:
            return BestLots(best.lots, least_drift(drift, orders, budgets, best.lots, control.check_cancelled))
        try:
            found = _better_lots(drift, orders, budgets, best.lots, control)
        except SolverTimedOut:
            control.check_cancelled()  # the time of the call may be over, not that of the search alone
            return _with_bound_by_price(drift, orders, budgets, best, control)
        bound = max(best.bound, found.bound)
        if not keeps(orders, budgets, found.lots) or drift(found.lots) >= theta:
            return _with_bound_by_price(drift, orders, budgets, BestLots(best.lots, bound), control)
        best = BestLots(found.lots, bound)
        # The bound is exact in the limit: with the drift of the best plan as theta.
        size, better = abs(theta), drift(best.lots)
        if better - bound <= PROVEN * size or theta - better <= CLOSE_ENOUGH.relative_gap * size:
            return best
    return best


def _with_bound_by_price(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, best: BestLots, control: SolverControl
) -> BestLots:
    """With tax curves that are not convex the price of cash proves more than a search that ends early."""
    if not drift.taxes.curves or drift(best.lots) - best.bound <= PROVEN * abs(drift(best.lots)):
        return best
    bound = least_drift(drift, orders, budgets, best.lots, control.check_cancelled)
    return BestLots(best.lots, max(best.bound, bound))


def _better_lots(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int], control: SolverControl
) -> BestLots:
    """One program, for the drift of the known plan; its answer keeps the budgets to 1e-9 of a usual lot."""
    theta = drift(known)
    program = _Program(drift, orders, budgets, theta, float(drift.costs @ np.array(known, dtype=np.float64)))
    costs = program.cost_range(control)
    if costs is None:
        return BestLots(known, drift.floor)
    program.add_lines(*costs)
    whole = program.largest_count < MOST_LOTS
    found = program.model.solve(
        relaxed=not whole,
        limits=UNTIL_PROVEN if len(drift.values) <= EXACT_ASSETS else CLOSE_ENOUGH,
        start=program.point(known),
        control=control,
    )
    if found is None:
        return BestLots(known, drift.floor)
    # Without the tie-break, the objective is at least `least`, in units of `scale`.
    least = found.bound - COST_TIE_BREAK * costs[1]
    excess = min(least * program.scale - drift.allowance(theta), 0.0)
    bound = max(theta + excess / (drift.worth - costs[1] * program.scale), drift.floor)
    return BestLots([round(count) for count in found.point[: len(orders)]] if whole else known, bound)


class _Program:
    """Columns: lots (J,), distances (P,), cost, then a yes or no for orders with a least trade, and one for purchases;
    last those of tax lots where there is a gain budget or a tax that is weighed.

    Last come the lots that settle within the horizon, of sales of which not all do.
    Money is in units of `scale`, so that the numbers are near 1.
    """

    def __init__(
        self, drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, theta: float, known_cost: float
    ) -> None:
        self._orders, self._drift, self._weight = orders, drift, drift.cost_aversion + theta
        self._allowance = drift.allowance(theta)
        self.scale = float(np.median(np.abs(drift.trade)))
        self._usual_cost = known_cost / self.scale
        self._trade, self._values = drift.trade / self.scale, drift.values / self.scale
        self._worth = drift.worth / self.scale
        self._lots, self._assets = len(orders), len(drift.values)
        self._cost = self._lots + self._assets
        self._minimum = [j for j, order in enumerate(orders) if order.least > 1]
        self._buying = self._cost + 1 + len(self._minimum)
        self._late = [j for j, order in enumerate(orders) if not order.buys and 0 < order.usable < order.most]
        self._width = self._buying + 1 + len(self._late)
        self._gains = GainColumns(orders, budgets, self._width, self.scale)
        self._taxes = drift.taxes.aversion * self._gains.taxes
        self.model = LinearModel(
            cost=np.concatenate([self._objective(), self._taxes]),
            lower=np.zeros(self._width + len(self._taxes)),
            upper=np.concatenate([self._upper(), self._gains.upper]),
            integer=np.concatenate([self._integer(), self._gains.integer]),
        )
        self._add_rows(budgets)

    @property
    def largest_count(self) -> float:
        """The most lots of an order."""
        return float(self.model.upper[: self._lots].max())

    def point(self, known: Sequence[int]) -> Vector:
        """The columns of a known plan."""
        lots = np.array(known, dtype=np.float64)
        cost = float(self._drift.costs @ lots) / self.scale
        values = self._values.copy()
        values[self._drift.places] += self._trade * lots
        distances = np.abs(values - self._drift.target * (self._worth - cost))
        traded = [float(lots[j] > 0) for j in self._minimum]
        buys = any(order.buys and count for order, count in zip(self._orders, known, strict=True))
        settled = [float(min(known[j], self._orders[j].usable)) for j in self._late]
        return np.concatenate([lots, distances, [cost], traded, [float(buys)], settled, self._gains.point(known)])

    def cost_range(self, control: SolverControl) -> tuple[float, float] | None:
        """The least and the greatest cost of plans that are not further from the target than the known one."""
        direction = np.zeros(len(self.model.cost))
        direction[self._cost] = 1.0
        least = self.model.solve(direction, relaxed=True, control=control)
        greatest = self.model.solve(-direction, relaxed=True, control=control)
        if least is None or greatest is None:
            return None
        # Rounding of the solver; the known plan is always within.
        slack = 1e-9 * self._worth
        low = min(least.value, self._usual_cost) - slack
        return max(low, 0.0), max(-greatest.value, self._usual_cost) + slack

    def add_lines(self, least_cost: float, greatest_cost: float) -> None:
        """The rows that make the relaxation tight; see the top of the module."""
        self.model.lower[self._cost], self.model.upper[self._cost] = least_cost, greatest_cost
        middle = self._usual_cost
        reach = max(middle - least_cost, greatest_cost - middle)
        for j, i in enumerate(self._drift.places.tolist()):
            sign, value = math.copysign(1.0, self._trade[j]), abs(self._trade[j])
            target = float(self._drift.target[i])
            wish = sign * (target * (self._worth - middle) - self._values[i])
            if wish <= 0.0:
                continue
            below, above = _next_counts(wish / value, self._orders[j].least)
            if above > self._orders[j].most or min(wish - below * value, above * value - wish) <= 2.0 * target * reach:
                continue
            # At `below` lots the distance is wish - below value, at `above` it is above value - wish; a cost that is
            # higher by e lowers the wish by tilt e.
            tilt, width = sign * target, above - below
            slope = ((above + below) * value - 2.0 * wish) / width
            start = wish - below * value - slope * below
            moves = 2.0 * target * reach / width
            columns = [self._lots + i, j, self._cost]
            first, second = start + tilt * middle, start - tilt * middle
            self.model.add_row(columns, [1.0, moves - slope, tilt], first + moves * below, math.inf)
            self.model.add_row(columns, [1.0, -moves - slope, -tilt], second - moves * above, math.inf)

    def _objective(self) -> Vector:
        cost = np.zeros(self._width)
        cost[self._lots : self._cost] = 0.5
        cost[self._cost] = self._weight + COST_TIE_BREAK
        return cost

    def _upper(self) -> Vector:
        upper = np.full(self._width, np.inf)
        upper[: self._lots] = [
            min(order.most, math.ceil(max(order.wanted, 0.0)) + order.least + 1) if order.buys else order.most
            for order in self._orders
        ]
        upper[self._cost + 1 : self._buying + 1] = 1.0
        upper[self._buying + 1 :] = [float(self._orders[j].usable) for j in self._late]
        return upper

    def _integer(self) -> NDArray[np.bool_]:
        whole = np.ones(self._width, dtype=np.bool_)
        whole[self._lots : self._cost + 1] = whole[self._buying + 1 :] = False
        return whole

    def _add_rows(self, budgets: Budgets) -> None:
        self._add_distances()
        add, lots = self.model.add_row, list(range(self._lots))
        rates = (self._drift.costs / self.scale).tolist()
        add([*lots, self._cost], [*rates, -1.0], 0.0, 0.0)
        distances = list(range(self._lots, self._cost))
        limit = self._allowance / self.scale
        weighed = np.flatnonzero(self._taxes)
        add(
            [*distances, self._cost, *(self._width + weighed).tolist()],
            [0.5] * self._assets + [self._weight, *self._taxes[weighed].tolist()],
            -math.inf,
            limit + 1e-12 * max(abs(limit), self._worth if len(weighed) else 0.0),
        )
        paid = [float(order.cash) / self.scale * (1.0 if order.buys else -1.0) for order in self._orders]
        cash = float(budgets.cash) / self.scale
        # A cash below its floor stays there where nothing is bought.
        funds = [price if order.buys or order.usable else 0.0 for price, order in zip(paid, self._orders, strict=True)]
        add([*self._settling(), self._buying], [*funds, max(-cash, 0.0)], -math.inf, max(cash, 0.0))
        if math.isfinite(budgets.required):
            add(lots, paid, -math.inf, cash - float(budgets.required) / self.scale)
        if math.isfinite(budgets.turnover):
            add(lots, np.abs(self._trade).tolist(), -math.inf, float(budgets.turnover) / self.scale)
        if math.isfinite(budgets.cost):
            add(lots, rates, -math.inf, float(budgets.cost) / self.scale)
        if math.isfinite(budgets.purchases):
            bought = [max(each, 0.0) for each in paid]
            add(lots, bought, -math.inf, float(budgets.purchases) / self.scale)
        self._add_choices(purchases_need_cash=cash < 0.0)
        self._gains.add_rows(self.model)

    def _settling(self) -> list[int]:
        """For each order the column of the lots that settle within the horizon; adds the rows of those of their own."""
        columns = list(range(self._lots))
        for place, j in enumerate(self._late, start=self._buying + 1):
            self.model.add_row([j, place], [1.0, -1.0], 0.0, math.inf)
            columns[j] = place
        return columns

    def _add_distances(self) -> None:
        order_of = dict(zip(self._drift.places.tolist(), range(self._lots), strict=True))
        for i in range(self._assets):
            target, away = float(self._drift.target[i]), float(self._values[i] - self._drift.target[i] * self._worth)
            columns, values = [self._lots + i, self._cost], [1.0, -target]
            if i in order_of:
                columns.append(order_of[i])
                values.append(-float(self._trade[order_of[i]]))
            self.model.add_row(columns, values, away, math.inf)
            self.model.add_row(columns, [1.0, *(-value for value in values[1:])], -away, math.inf)

    def _add_choices(self, *, purchases_need_cash: bool) -> None:
        for place, j in enumerate(self._minimum, start=self._cost + 1):
            self.model.add_row([j, place], [1.0, -float(self.model.upper[j])], -math.inf, 0.0)
            self.model.add_row([j, place], [1.0, -float(self._orders[j].least)], 0.0, math.inf)
        if purchases_need_cash:
            for j, order in enumerate(self._orders):
                if order.buys:
                    self.model.add_row([j, self._buying], [1.0, -float(self.model.upper[j])], -math.inf, 0.0)


def _next_counts(wish: float, least: int) -> tuple[int, int]:
    """The numbers of lots next to a wish, none being below the least."""
    below = math.floor(wish)
    return (below, below + 1) if below >= least else (0, least)
