"""What each account of a batch may trade of one asset on each day, where all of them share its volume.

Every account says what it would trade with no limit but its own. What accounts trade with each other on the first day
uses no volume; the rest is divided day by day, each day what is wanted by then and was not received.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from domain.exact import ZERO, exact_arithmetic
from domain.reallocation.crossing import Crossable, crossed_units
from domain.reallocation.shared_liquidity import Ask, SharingRule, allocate
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Want:
    """What one account would trade of an asset."""

    by_day: tuple[Decimal, ...]  # units, negative to sell; from the first day, 0 after the last entry
    lot: Decimal = Decimal(1)  # of this account
    most_daily: Decimal | None = None  # the account's own limit on a day, without sign
    may_cross: bool = False
    priority: int = 0  # lower comes first

    @property
    def first(self) -> Decimal:
        """Units of the first day."""
        return self.by_day[0] if self.by_day else ZERO


@dataclass(frozen=True, slots=True)
class Market:
    """What the accounts share of an asset."""

    daily: Decimal | None  # units that all of them may trade on a day; None is no limit
    lot: Decimal  # in which accounts trade with each other
    days: int
    rule: SharingRule = SharingRule.PRO_RATA


@dataclass(frozen=True, slots=True)
class Share:
    """What one account may trade of an asset; units without sign."""

    crossed: Decimal  # with other accounts, on the first day
    market: tuple[Decimal, ...] | None  # on each day, 0 after the last entry; None is no limit

    @property
    def by_day(self) -> tuple[Decimal, ...] | None:
        """With other accounts and in the market; None is no limit."""
        if self.market is None:
            return None
        first, *later = self.market or (ZERO,)
        return (first + self.crossed, *later)

    def covers(self, want: Want) -> bool:
        """Whether all that is wanted may be traded on its day."""
        if self.by_day is None:
            return True
        return all(abs(units) <= allowed for units, allowed in _in_step(want.by_day, self.by_day))

    def uncovered(self, traded: Decimal) -> Decimal:
        """Units of the first day that must be crossed."""
        if self.market is None:
            return ZERO
        return max(abs(traded) - (self.market[0] if self.market else ZERO), ZERO)


@dataclass(frozen=True, slots=True)
class VolumeCap:
    """What one account may trade of an asset in the plan that follows the division; units without sign."""

    by_day: tuple[Decimal, ...]  # from the first day, 0 after the last entry
    wanted: Decimal  # what it would trade with no limit but its own

    @property
    def first(self) -> Decimal:
        """Units of the first day."""
        return self.by_day[0] if self.by_day else ZERO

    @property
    def total(self) -> Decimal:
        """Units of all days."""
        return sum(self.by_day, ZERO)


def divide(wants: Mapping[str, Want], market: Market) -> dict[str, Share]:
    """The share of each account by its key."""
    with exact_arithmetic():
        crossing = {key: Crossable(want.first) for key, want in wants.items() if want.may_cross and want.first}
        crossed = crossed_units(crossing, market.lot)
        given = _by_day(wants, crossed, market)
        return {key: Share(crossed.get(key, ZERO), None if given is None else given[key]) for key in wants}


def settle(
    traded: Mapping[str, Decimal], shares: Mapping[str, Share], lot: Decimal
) -> tuple[dict[str, Decimal], dict[str, Share]]:
    """What accounts cross of what they trade on the first day, and smaller shares of those that cannot cross enough.

    `traded` is of accounts that may cross, with the sign. Units crossed are without it; they are final only where no
    share is smaller.
    """
    with exact_arithmetic():
        crossing = {key: Crossable(units, shares[key].uncovered(units)) for key, units in traded.items()}
        crossed = crossed_units(crossing, lot)
        reduced = {
            key: replace(shares[key], crossed=crossed.get(key, ZERO))
            for key, one in crossing.items()
            if one.uncovered > crossed.get(key, ZERO)
        }
        return crossed, reduced


def _by_day(
    wants: Mapping[str, Want], crossed: Mapping[str, Decimal], market: Market
) -> dict[str, tuple[Decimal, ...]] | None:
    if market.daily is None:
        return None
    given: dict[str, list[Decimal]] = {key: [] for key in wants}
    sums = dict.fromkeys(wants, ZERO)
    # What is wanted until a day and not received; what is crossed is received.
    due = {key: -crossed.get(key, ZERO) for key in wants}
    waiting = set(wants)
    for day in range(market.days):
        asks: dict[str, Ask] = {}
        for key in sorted(waiting):
            want = wants[key]
            due[key] += abs(want.by_day[day]) if day < len(want.by_day) else ZERO
            if due[key] > ZERO:
                asks[key] = Ask(_within(want, due[key]), want.lot, want.priority, sums[key])
            elif day >= len(want.by_day):
                waiting.discard(key)
        if not waiting:
            break
        for key, units in allocate(asks, market.daily, market.rule).items():
            if units:
                given[key] += [ZERO] * (day - len(given[key])) + [units]
                sums[key] += units
                due[key] -= units
    return {key: tuple(days) for key, days in given.items()}


def _within(want: Want, units: Decimal) -> Decimal:
    """Units of a day within the account's own limit, in whole lots or all of them."""
    if want.most_daily is None or units <= want.most_daily:
        return units
    return want.most_daily // want.lot * want.lot


def _in_step(wanted: tuple[Decimal, ...], allowed: tuple[Decimal, ...]) -> list[tuple[Decimal, Decimal]]:
    return [(units, allowed[day] if day < len(allowed) else ZERO) for day, units in enumerate(wanted)]
