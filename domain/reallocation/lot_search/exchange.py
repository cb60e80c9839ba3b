"""Better lots by changing those of one asset, or of two at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_search.curves import Counts
from domain.reallocation.lot_search.options import Options
from domain.reallocation.lot_search.problem import ROUNDING, LotProblem
from domain.records import dataclass

PAIRED = (200, 400)
"""Options that are tried in pairs, first few, then many: those that are best alone at the prices of the limits."""

STEPS = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""By how many lots a number of lots is changed."""

LOOKED_AT = 24
"""Changes of which the objective and the limits are computed exactly, the best first."""

CHANGES = 400
"""Changes one after the other."""

BETTER = 1e-13


@dataclass(frozen=True, slots=True)
class Prices:
    """What the limits are worth, (R,), at an objective of theta."""

    of_limits: Vector
    theta: float


def is_over(control: SolverControl) -> bool:
    """Whether the time is over; raises what a cancelled call raises."""
    try:
        control()
    except SolverTimedOut:
        control.check_cancelled()
        return True
    return False


def improved(
    problem: LotProblem, lots: Sequence[int], hints: Sequence[Counts], prices: Prices, control: SolverControl
) -> list[int]:
    """Lots that no change of those tried makes better, or none better within the time of `control`.

    `hints` are numbers of lots (J,) that may be good.
    """
    best = list(lots)
    for paired in PAIRED:
        best = _improved(problem, best, hints, prices, paired, control)
    return best


def _improved(
    problem: LotProblem,
    lots: list[int],
    hints: Sequence[Counts],
    prices: Prices,
    paired: int,
    control: SolverControl,
) -> list[int]:
    best, value = lots, problem(lots)
    for _ in range(CHANGES):
        if is_over(control):
            break
        state, before = _State.of(problem, best, _nearby(problem, best, hints)), value
        for changes in (state.of_one(prices), state.of_two(prices, paired)):
            for change in changes:
                found = state.applied(best, change)
                better = problem(found)
                if better < value - BETTER and problem.keeps(found):
                    best, value = found, better
            if value < before:
                break
        else:
            break
    return best


def _nearby(problem: LotProblem, lots: Sequence[int], hints: Sequence[Counts]) -> Options:
    """Options near the lots and the hints."""
    curves, now = problem.curves, np.array(lots, dtype=np.float64)
    numbers = [curves.least, curves.most]
    for hint in hints:
        numbers += [np.floor(hint) + step for step in (-1.0, 0.0, 1.0, 2.0)]
    numbers += [now + step for step in STEPS] + [now - step for step in STEPS]
    counts = np.concatenate(numbers)
    orders = np.tile(problem.orders, len(numbers))
    allowed = (counts >= curves.least[orders]) & (counts <= curves.most[orders])
    pairs = np.unique(np.stack([orders[allowed], counts[allowed]]), axis=1)
    return Options.some(problem, pairs[0].astype(np.intp), pairs[1])


@dataclass(frozen=True, slots=True)
class _State:
    """Lots, and what options instead of theirs change."""

    problem: LotProblem
    lots: Sequence[int]
    options: Options
    cost: float
    differences: Vector
    traded: Vector  # change of money in the asset, (n,)
    costs: Vector
    taxes: Vector
    usage: NDArray[np.float64]  # (R, n)
    room: Vector  # what is left of each limit, (R,)

    @classmethod
    def of(cls, problem: LotProblem, lots: Sequence[int], options: Options) -> "_State":
        counts = np.array(lots, dtype=np.float64)
        cost, traded = problem.curves.cost(problem.orders, counts), problem.trade * counts
        tax, usage = problem.curves.tax(problem.orders, counts), problem.usage(problem.orders, counts)

        def by_asset(figures: Vector) -> Vector:
            found = np.zeros(len(problem.values))
            np.add.at(found, problem.places, figures)
            return found[options.assets]

        changed = np.stack([options.usage[r] - by_asset(usage[r]) for r in range(len(usage))])
        total = float(cost.sum())
        return cls(
            problem,
            lots,
            options,
            total,
            problem.differences(lots, total),
            options.traded - by_asset(traded),
            options.cost - by_asset(cost),
            options.tax - by_asset(tax),
            changed,
            problem.right - usage.sum(axis=1),
        )

    def of_one(self, prices: Prices) -> Iterator[tuple[int, ...]]:
        """Changes of one asset that seem to be better, the best first."""
        changed = self._objective_changes(prices.theta)
        fits = (self.usage <= np.maximum(self.room, 0.0)[:, None] + ROUNDING).all(axis=0)
        fits |= (self.usage <= 0.0).all(axis=0)
        single = np.where(fits, changed, np.inf)
        for n in np.argsort(single, kind="stable")[:LOOKED_AT].tolist():
            if single[n] < -BETTER:
                yield (n,)

    def of_two(self, prices: Prices, paired: int) -> Iterator[tuple[int, ...]]:
        """Changes of two assets."""
        changed = self._objective_changes(prices.theta)
        kept = np.argsort(changed + prices.of_limits @ self.usage, kind="stable")[:paired]
        both = changed[kept][:, None] + changed[kept][None, :] + self._together(kept)
        for r in range(len(self.room)):
            used = self.usage[r, kept]
            both[used[:, None] + used[None, :] > max(self.room[r], 0.0) + ROUNDING] = np.inf
        both[self.options.assets[kept][:, None] == self.options.assets[kept][None, :]] = np.inf
        both[np.tril_indices(len(kept))] = np.inf
        if not both.size:
            return
        ranked = np.argpartition(both, min(LOOKED_AT, both.size - 1), axis=None)[:LOOKED_AT]
        pairs = [divmod(int(place), len(kept)) for place in ranked]
        for first, second in sorted(pairs, key=lambda pair: float(both[pair])):
            if both[first, second] < -BETTER:
                yield int(kept[first]), int(kept[second])

    def _objective_changes(self, theta: float) -> Vector:
        """By how much each option changes the objective at theta, (n,).

        The drift is that at the costs before; the objective is computed exactly afterwards. The risk z of an option
        becomes z + t f + c g: t of its asset's factors f is traded, and the cost c moves the target's g. Products of
        these are of assets, so that no vector of factors is needed for each option: there may be tens of thousands.
        """
        problem = self.problem
        weighed = (problem.cost_aversion + theta) * self.costs + problem.tax_aversion * self.taxes
        if problem.factor is None:
            differences = self.differences[self.options.assets]
            distance = 0.5 * (np.abs(differences + self.traded) - np.abs(differences))
            moved = 0.5 * float(np.sign(self.differences) @ problem.target) * self.costs
            return np.asarray(distance + moved + weighed)
        factor, assets = problem.factor, self.options.assets
        now, of_target = self.differences @ factor, problem.target @ factor
        traded, costs = self.traded, self.costs
        with_now, with_target, own = factor @ now, factor @ of_target, np.einsum("pr,pr->p", factor, factor)
        linear = traded * with_now[assets] + costs * float(of_target @ now)
        squares = traded * traded * own[assets] + 2.0 * traded * costs * with_target[assets]
        squares += costs * costs * float(of_target @ of_target)
        length, added = float(np.linalg.norm(now)), 2.0 * linear + squares
        # |z + d| - |z| as a quotient keeps the digits that a difference of lengths loses.
        lengths = np.sqrt(np.maximum(length * length + added, 0.0)) + length
        longer = np.divide(added, lengths, out=np.zeros_like(added), where=lengths > 0.0)
        return np.asarray(longer + weighed)

    def _together(self, kept: NDArray[np.intp]) -> NDArray[np.float64]:
        """What two changes at once add to the sum of both, (n, n)."""
        factor = self.problem.factor
        if factor is None:
            return np.zeros((len(kept), len(kept)))
        own = self.traded[kept][:, None] * factor[self.options.assets[kept]]
        own += self.costs[kept][:, None] * (self.problem.target @ factor)[None, :]
        now = self.differences @ factor
        squares = ((now[None, :] + own) ** 2).sum(axis=1)
        both = squares[:, None] + squares[None, :] + 2.0 * own @ own.T - float(now @ now)
        alone = np.sqrt(squares)
        length = float(np.linalg.norm(now))
        found: NDArray[np.float64] = np.sqrt(np.maximum(both, 0.0)) - alone[:, None] - alone[None, :] + length
        return found

    def applied(self, lots: Sequence[int], chosen: Sequence[int]) -> list[int]:
        """Lots with some options instead of those of their assets."""
        found = list(lots)
        for n in chosen:
            for j in np.flatnonzero(self.problem.places == self.options.assets[n]).tolist():
                found[j] = 0
            if self.options.orders[n] >= 0:
                found[int(self.options.orders[n])] = int(self.options.counts[n])
        return found
