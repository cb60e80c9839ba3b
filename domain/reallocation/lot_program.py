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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.mixed_integer import IntegerSolution, LinearModel, SearchLimits
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.drift import Drift
from domain.reallocation.gain_columns import GainColumns
from domain.reallocation.lot_lines import LineColumns, Wish, add_line, next_counts
from domain.reallocation.lots import ROUNDING, Budgets, LotOrder, keeps, usable_lots
from domain.reallocation.priced_lots import CLOSE, COST_TIE_BREAK, EXACT_ASSETS, PROVEN, priced_lots
from domain.records import dataclass

MOST_ASSETS = 600
"""Assets up to which the whole program is solved where prices of the limits leave too large a gap."""

MOST_LOTS = 10_000_000
"""Lots of one order up to which the solver can tell whole numbers apart."""

CLOSE_ENOUGH = SearchLimits(relative_gap=CLOSE, nodes=200)
NEAR = SearchLimits(relative_gap=2e-4, nodes=50)
UNTIL_PROVEN = SearchLimits(relative_gap=PROVEN, nodes=5_000, heuristics=False)

ROUNDS = 4
"""Programs one after the other, each with the drift of the plan that the last one has found."""


@dataclass(frozen=True, slots=True)
class BestLots:
    """Lots of each order, (J,), and the objective that no plan is below."""

    lots: Sequence[int]
    bound: float


def best_lots(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int], control: SolverControl
) -> BestLots:
    """The best lots that are found, from a known plan that keeps the budgets; they keep them too, exactly."""
    floor = drift.floor(float(budgets.cash))
    best = BestLots(known, floor)
    if not drift.trade.all():
        return best  # a part of an asset of almost no value is worth less than the least float
    if orders and drift(known) - floor > PROVEN * PROVEN:
        priced = priced_lots(drift, orders, budgets, known, control)
        best = BestLots(priced.lots, priced.bound)
        if priced.is_enough:
            return best
    for _ in range(ROUNDS):
        theta = drift(best.lots)
        if theta - floor <= PROVEN * PROVEN or not orders:
            return BestLots(best.lots, floor if orders else theta)
        if len(drift.values) > MOST_ASSETS:
            return best
        try:
            found = _better_lots(drift, orders, budgets, best.lots, control)
        except SolverTimedOut:
            control.check_cancelled()  # the time of the call may be over, not that of the search alone
            return best
        bound = max(best.bound, found.bound)
        if not keeps(orders, budgets, found.lots) or drift(found.lots) >= theta:
            return BestLots(best.lots, bound)
        best = BestLots(found.lots, bound)
        # The bound is exact in the limit: with the drift of the best plan as theta.
        enough = PROVEN if len(drift.values) <= EXACT_ASSETS else CLOSE_ENOUGH.relative_gap
        size, better = abs(theta), drift(best.lots)
        if better - bound <= enough * size or theta - better <= CLOSE_ENOUGH.relative_gap * size:
            return best
    return best


def _better_lots(
    drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int], control: SolverControl
) -> BestLots:
    """One program, for the drift of a known plan; its answer keeps the budgets to 1e-9 of a usual lot."""
    program = _Program(drift, orders, budgets, known)
    costs = program.cost_range(control)
    if costs is None:
        return BestLots(known, program.floor)
    program.add_lines(*costs)
    relaxed = program.model.solve(relaxed=True, control=control)
    if relaxed is None or program.largest_count >= MOST_LOTS:
        return BestLots(known, program.floor if relaxed is None else program.least_drift(relaxed.bound))
    if len(drift.values) > EXACT_ASSETS:
        found = program.near_relaxation(relaxed, known, control)
    else:
        # With the lines, plans no further from the target than the best one known differ less in cost.
        with_lines = _Program(drift, orders, budgets, known)
        with_lines.add_lines(*costs, keep_limit=True)
        costs = with_lines.cost_range(control) or costs
        program = _Program(drift, orders, budgets, known)
        program.add_lines(*costs)
        found = program.model.solve(limits=UNTIL_PROVEN, start=program.point(known), control=control)
    if found is None:
        return BestLots(known, program.floor)
    return BestLots([round(count) for count in found.point[: len(orders)]], program.least_drift(found.bound))


class _Program:
    """Columns: lots (J,), distances (P,), cost, then a yes or no for orders with a least trade, and one for purchases;
    last those of tax lots where there is a gain budget or a tax that is weighed.

    Last come the lots that settle within the horizon, of sales of which not all do.
    Money is in units of `scale`, so that the numbers are near 1.
    """

    def __init__(self, drift: Drift, orders: Sequence[LotOrder], budgets: Budgets, known: Sequence[int]) -> None:
        theta = drift(known)
        self._orders, self._drift, self._theta = orders, drift, theta
        self._weight = drift.cost_aversion + theta
        self._allowance = drift.allowance(theta)
        self.floor = drift.floor(float(budgets.cash))
        # What a cost lowers the objective by at most where that is negative, and the money that there is.
        self._waste = 1.0 + 2.0 * max(-self.floor - drift.cost_aversion, 0.0)
        self._money = max(float(budgets.cash), 0.0) + float(np.abs(drift.values).sum())
        self.scale = float(np.median(np.abs(drift.trade)))
        self._usual_cost = float(drift.costs @ np.array(known, dtype=np.float64)) / self.scale
        self._trade, self._values = drift.trade / self.scale, drift.values / self.scale
        self._worth = drift.worth / self.scale
        self._lots, self._assets = len(orders), len(drift.values)
        self._cost = self._lots + self._assets
        self._orders_of: dict[int, list[int]] = defaultdict(list)
        for j, i in enumerate(drift.places.tolist()):
            self._orders_of[i].append(j)
        rivals = {j for group in self._orders_of.values() if len(group) > 1 for j in group}
        # One lot at most is itself the yes or no.
        self._chosen = [j for j, o in enumerate(orders) if o.least > 1 or (j in rivals and o.most != 1)]
        self._buying = self._cost + 1 + len(self._chosen)
        self._usable = [usable_lots(order) for order in orders]
        self._late = [j for j, o in enumerate(orders) if not o.buys and 0.0 < self._usable[j] < o.most]
        self._width = self._buying + 1 + len(self._late)
        self._wishes = dict(self._find_wishes())
        cuts = {wish.order: (wish.below, wish.above) for wish in self._wishes.values()}
        self._gains = GainColumns(orders, budgets, self._width, self.scale, cuts)
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
        np.add.at(values, self._drift.places, self._trade * lots)
        distances = np.abs(values - self._drift.target * (self._worth - cost))
        traded = [float(lots[j] > 0) for j in self._chosen]
        buys = any(order.buys and count for order, count in zip(self._orders, known, strict=True))
        settled = [min(float(known[j]), self._usable[j]) for j in self._late]
        return np.concatenate([lots, distances, [cost], traded, [float(buys)], settled, self._gains.point(known)])

    def least_drift(self, bound: float) -> float:
        """The drift that no plan is below, by a bound of the objective of this program."""
        greatest = float(self.model.upper[self._cost])
        # Without the tie-break, the objective is at least so much, in money.
        least = (bound - COST_TIE_BREAK * greatest) * self.scale
        excess = min(least - self._drift.allowance(self._theta), 0.0)
        return max(self._theta + excess / (self._drift.worth - greatest * self.scale), self.floor)

    def is_close(self, known: Sequence[int], relaxed: IntegerSolution) -> bool:
        """Whether known lots are as near to the relaxation as is asked of many assets."""
        value = float(self.model.cost @ self.point(known))
        return value - relaxed.bound <= CLOSE_ENOUGH.relative_gap * abs(value)

    def near_relaxation(
        self, relaxed: IntegerSolution, known: Sequence[int], control: SolverControl
    ) -> IntegerSolution | None:
        """The known lots or the best next to those of the relaxation where these are close, else of the whole program.

        The rows of `add_lines` leave little between the two, but the solver's own ways to whole numbers are slow to
        find it.
        """
        start = self.point(known)
        value = float(self.model.cost @ start)
        if self.is_close(known, relaxed):
            return IntegerSolution(start, value, relaxed.bound)
        found = self._in_parts_of_curves(relaxed, control)
        if found is not None:
            lower, upper = self.model.lower.copy(), self.model.upper.copy()
            lower[: self._lots] = np.floor(found.point[: self._lots] + ROUNDING)
            upper[: self._lots] = np.ceil(found.point[: self._lots] - ROUNDING)
            lower[self._gains.choices] = upper[self._gains.choices] = np.round(found.point[self._gains.choices])
            found = replace(self.model, lower=lower, upper=upper).solve(limits=NEAR, control=control)
        if found is not None and found.value < value:
            if found.value - relaxed.bound <= CLOSE_ENOUGH.relative_gap * abs(found.value):
                return replace(found, bound=relaxed.bound)
            start = found.point
        # Without falls of the gain, the core has nothing left to be found.
        limits = replace(CLOSE_ENOUGH, heuristics=len(self._gains.choices) > 0)
        found = self.model.solve(limits=limits, start=start, control=control)
        return None if found is None else replace(found, bound=max(found.bound, relaxed.bound))

    def _in_parts_of_curves(self, relaxed: IntegerSolution, control: SolverControl) -> IntegerSolution | None:
        """The relaxation where each sale ends in one part of its curve of gains, and not on a line between two points.

        Of those that do, the parts stay.
        """
        choices = self._gains.choices
        if not _between(relaxed.point[choices]).any():
            return relaxed
        lower, upper = self.model.lower.copy(), self.model.upper.copy()
        integer = np.zeros(len(lower), dtype=np.bool_)
        for columns in self._gains.choices_by_order:
            if _between(relaxed.point[columns]).any():
                integer[columns] = True
            else:
                lower[columns] = upper[columns] = np.round(relaxed.point[columns])
        return replace(self.model, lower=lower, upper=upper, integer=integer).solve(limits=NEAR, control=control)

    def cost_range(self, control: SolverControl) -> tuple[float, float] | None:
        """The least and the greatest cost of plans that are no further from the target, by the limit on it."""
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

    def add_lines(self, least_cost: float, greatest_cost: float, *, keep_limit: bool = False) -> None:
        """The rows that make the relaxation tight; see the top of the module."""
        self.model.lower[self._cost], self.model.upper[self._cost] = least_cost, greatest_cost
        # The search for whole numbers has the objective; a row beside it that is as tight makes the solver lose points.
        if not keep_limit:
            self.model.drop_row(self._limit)
        reach = max(self._usual_cost - least_cost, greatest_cost - self._usual_cost)
        for i, wish in self._wishes.items():
            if min(wish.distances) > 2.0 * wish.target * reach:
                trades = {j: float(self._trade[j]) for j in self._orders_of[i]}
                on = LineColumns(self._lots + i, self._cost, trades, self._usual_cost, reach)
                add_line(self.model, wish, on, self._gains.sale(wish.order))

    def _find_wishes(self) -> Iterator[tuple[int, Wish]]:
        """By asset; without those between whose next numbers of lots the distance is what its two rows say."""
        for i, rivals in self._orders_of.items():
            target = float(self._drift.target[i])
            difference = target * (self._worth - self._usual_cost) - float(self._values[i])
            sign, money = math.copysign(1.0, difference), abs(difference)
            j = next((j for j in rivals if sign * self._trade[j] > 0.0 and self._orders[j].settled is None), None)
            if j is None or money == 0.0:
                continue
            value = abs(float(self._trade[j]))
            below, above = next_counts(money / value, self._orders[j].least)
            if above <= self._orders[j].most:
                yield i, Wish(j, sign, target, money, value, below, above)

    def _objective(self) -> Vector:
        cost = np.zeros(self._width)
        cost[self._lots : self._cost] = 0.5
        cost[self._cost] = self._weight + COST_TIE_BREAK
        return cost

    def _upper(self) -> Vector:
        upper = np.full(self._width, np.inf)
        upper[: self._lots] = [self._most(j) for j in range(self._lots)]
        upper[self._cost + 1 : self._buying + 1] = 1.0
        upper[self._buying + 1 :] = [self._usable[j] for j in self._late]
        return upper

    def _most(self, j: int) -> int:
        """The most lots of an order that can be in the best plan, where a purchase never ends above its wish and a lot.

        Without costs the wish is the largest. A purchase that is further from it than none is made only where its cost
        lowers the other targets, or a negative objective, by more.
        """
        order, i = self._orders[j], self._drift.places[j]
        if not order.buys or not self._trade[j]:
            return order.most
        wish, rate = self._drift.target[i] * self._worth - self._values[i], self._drift.cost_rates[j] * self._waste
        wish = float(wish) / float(self._trade[j])
        if rate > 1.0:
            return min(order.most, math.ceil(self._money / order.weight))
        if order.least * (1.0 - rate) > 2.0 * wish * (1.0 + ROUNDING) + ROUNDING:
            return 0
        return min(order.most, max(math.ceil(wish + ROUNDING), order.least))

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
        limit, weighed = self._allowance / self.scale, np.flatnonzero(self._taxes)
        self._limit = add(
            [*distances, self._cost, *(self._width + weighed).tolist()],
            [0.5] * self._assets + [self._weight, *self._taxes[weighed].tolist()],
            -math.inf,
            limit + 1e-10 * max(abs(limit), self._worth if len(weighed) else 0.0),
        )
        paid = [float(order.cash) / self.scale * (1.0 if order.buys else -1.0) for order in self._orders]
        cash = float(budgets.cash) / self.scale
        # A cash below its floor stays there where nothing is bought.
        funds = [each if order.buys or order.usable else 0.0 for each, order in zip(paid, self._orders, strict=True)]
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
        for i in range(self._assets):
            target = float(self._drift.target[i])
            difference = float(self._values[i] - self._drift.target[i] * self._worth)
            columns, values = [self._lots + i, self._cost], [1.0, -target]
            for j in self._orders_of.get(i, []):
                columns.append(j)
                values.append(-float(self._trade[j]))
            self.model.add_row(columns, values, difference, math.inf)
            self.model.add_row(columns, [1.0, *(-value for value in values[1:])], -difference, math.inf)

    def _add_choices(self, *, purchases_need_cash: bool) -> None:
        for place, j in enumerate(self._chosen, start=self._cost + 1):
            self.model.add_row([j, place], [1.0, -float(self.model.upper[j])], -math.inf, 0.0)
            self.model.add_row([j, place], [1.0, -float(self._orders[j].least)], 0.0, math.inf)
            if self._orders[j].tax is not None:
                self._gains.add_rows_of_choice(self.model, j, place)
        choice_of = dict(zip(self._chosen, range(self._cost + 1, self._buying), strict=True))
        for rivals in self._orders_of.values():
            if len(rivals) > 1:
                self.model.add_row([choice_of.get(j, j) for j in rivals], [1.0] * len(rivals), -math.inf, 1.0)
        if purchases_need_cash:
            for j, order in enumerate(self._orders):
                if order.buys:
                    self.model.add_row([j, self._buying], [1.0, -float(self.model.upper[j])], -math.inf, 0.0)


def _between(values: Vector) -> NDArray[np.bool_]:
    """Which are not whole numbers."""
    between: NDArray[np.bool_] = np.abs(values - np.round(values)) > ROUNDING
    return between
