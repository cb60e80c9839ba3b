"""Tranches in plain Python, from the written definitions alone: what each of them holds, in money, on every date.

It shares no code with the domain. The targets of the account that come out of it go into the reference simulation.
"""

import math
from dataclasses import dataclass, field

from tests.domain.backtest.simulation.reference import Case


@dataclass
class Tranche:
    """One part of the account, with dividends reinvested and without costs; `money` is by asset."""

    money: list[float]
    cash: float
    wanted: dict[int, list[float]]  # weights by date of decision
    renewals: dict[int, list[float]] = field(default_factory=dict)  # weights by date of fill
    decided: int | None = None
    is_ruined: bool = False  # since the last decision of the account

    def total(self) -> float:
        return math.fsum([*self.money, self.cash])

    def lose_all_if_ruined(self) -> None:
        if self.total() <= 0.0 and (self.cash or any(self.money)):
            self.money, self.cash = [0.0] * len(self.money), 0.0
            self.is_ruined = True

    def give_up(self, assets: list[int]) -> None:
        """What is in these assets is cash from now on."""
        for j in assets:
            self.cash += self.money[j]
            self.money[j] = 0.0


def targets_of_tranches(case: Case, wanted: list[dict[int, list[float]]], least_between: int) -> dict[int, list[float]]:
    """Weights of the account by date of decision, as they are at the fill; `wanted` are those of each tranche."""
    count, k = len(case.units), len(wanted)
    tranches = [Tranche([0.0] * count, 1.0 / k, one) for one in wanted]
    leavers: dict[int, list[int]] = {}  # by date of fill: what had left the universe at the decision
    made: dict[int, int] = {}  # date of decision by date of fill
    found: dict[int, list[float]] = {}

    def fill(t: int, prices: list[float]) -> None:
        for one in tranches:
            one.lose_all_if_ruined()
            one.give_up(leavers.get(t, []))
            one.give_up([j for j in range(count) if prices[j] <= 0.0])
            if t in one.renewals:
                total = one.total()
                one.money = [w * total for w in one.renewals[t]]
                one.cash = total - math.fsum(one.money)
        whole = math.fsum(one.total() for one in tranches)
        found[made[t]] = [math.fsum(one.money[j] for one in tranches) / whole if whole else 0.0 for j in range(count)]
        for one in tranches:
            one.give_up([j for j in range(count) if prices[j] <= 0.0])

    def ahead(one: Tranche, t: int) -> list[float]:
        """What a tranche holds after the fills that wait at date t; money or weights: only whether it is 0 counts."""
        held = one.money
        for day in sorted(later for later in made if later > t):
            held = [0.0 if j in leavers[day] else x for j, x in enumerate(held)]
            held = one.renewals.get(day, held)
        return held

    def move(factors: list[float]) -> None:
        for one in tranches:
            one.money = [m * f for m, f in zip(one.money, factors, strict=True)]

    for t, marks in enumerate(case.marks):
        is_due = case.delay > 0 and t in made
        if t and is_due and case.at_open:
            move([_overnight(case, t, j) for j in range(count)])
            fill(t, case.fills[t])
            move([_of_day(case, t, j) for j in range(count)])
        elif t:
            move([_of_date(case, t, j) for j in range(count)])
            if is_due:
                fill(t, marks)
        if not any(t in one.wanted for one in tranches):
            continue
        for one in tranches:
            one.lose_all_if_ruined()
            one.give_up([j for j in range(count) if marks[j] <= 0.0])
        if not any(one.total() > 0.0 for one in tranches):
            for one in tranches:
                one.cash = 1.0 / k
        members = case.members.get(t, [True] * count)
        outside = [j for j in range(count) if not members[j]]
        deciding = [
            one
            for one in tranches
            if t in one.wanted and one.total() > 0.0 and (one.decided is None or t - one.decided >= least_between)
        ]
        leaves = any(ahead(one, t)[j] for one in tranches for j in outside)
        if not (deciding or leaves or any(one.is_ruined for one in tranches)):
            continue
        for one in tranches:
            one.is_ruined = False
        made[t + case.delay], leavers[t + case.delay] = t, outside
        for one in deciding:
            one.decided, one.renewals[t + case.delay] = t, one.wanted[t]
        if case.delay == 0:
            fill(t, marks)
    return found


def _paid(case: Case, t: int, j: int) -> float:
    """Dividends of a date for one unit."""
    return case.dividends[t, j][0] if (t, j) in case.dividends else 0.0


def _of_date(case: Case, t: int, j: int) -> float:
    """Growth from close to close."""
    before, mark = case.marks[t - 1][j], case.marks[t][j]
    if before <= 0.0:
        return 1.0
    if (t, j) in case.delistings:
        return case.delistings[t, j] / before
    return (mark + _paid(case, t, j)) * case.splits.get((t, j), 1.0) / before if mark > 0.0 else 0.0


def _overnight(case: Case, t: int, j: int) -> float:
    """Growth from the close of the date before to the open."""
    before, worth = case.marks[t - 1][j], case.fills[t][j]
    if before <= 0.0:
        return 1.0
    if (t, j) in case.delistings and worth <= 0.0:
        return case.delistings[t, j] / before
    return (worth + _paid(case, t, j)) * case.splits.get((t, j), 1.0) / before


def _of_day(case: Case, t: int, j: int) -> float:
    """Growth from the open to the close."""
    if case.fills[t][j] <= 0.0:
        return 1.0
    return case.delistings.get((t, j), case.marks[t][j]) / case.fills[t][j]
