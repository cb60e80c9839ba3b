"""Tax lots: units that were bought together, their cost, and how long they have been held."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from enum import IntEnum
from itertools import count

from domain.exact import ZERO
from domain.records import dataclass

PART_MARK = "~"
"""Between the id of a purchase and the number of a part of it."""


class Term(IntEnum):
    """Whether a gain is taxed as short-term or long-term."""

    SHORT = 1
    LONG = 2


@dataclass(frozen=True, slots=True)
class TaxLot:
    """Units of one asset bought together.

    `holding_period_start` differs from the date of purchase where the lot has replaced one that was sold at a loss: the
    holding period of that one counts on. Its presence marks a lot that cannot replace a second time.
    """

    lot_id: str
    quantity: Decimal
    unit_cost: Decimal
    purchase_date: dt.date
    holding_period_start: dt.date | None = None

    @property
    def held_since(self) -> dt.date:
        """The date from which the holding period counts."""
        return self.holding_period_start or self.purchase_date

    @property
    def basis(self) -> Decimal:
        """Cost of all its units."""
        return self.quantity * self.unit_cost


@dataclass(frozen=True, slots=True)
class TermRule:
    """When a gain is long-term.

    By law it is after more than a year, counted from the day after the purchase (26 U.S.C. 1222); `days` replaces the
    year by a number of days.
    """

    days: int | None = None

    def term(self, lot: TaxLot, sale_date: dt.date) -> Term:
        """The term of a gain on units of a lot that are sold on a date."""
        return Term.LONG if sale_date >= self.first_long_term_date(lot) else Term.SHORT

    def first_long_term_date(self, lot: TaxLot) -> dt.date:
        """The first date on which a sale is long-term; the last date there is where that is beyond the calendar."""
        try:
            if self.days is not None:
                return lot.held_since + dt.timedelta(days=self.days + 1)
            return _a_year_after(lot.held_since + dt.timedelta(days=1))
        except (OverflowError, ValueError):
            return dt.date.max


def part_id(purchase: str, number: int) -> str:
    """The id of a part of a lot that a wash sale has divided, from the id of its purchase and a number from 1."""
    return f"{purchase}{PART_MARK}{number}"


def purchase_id(lot_id: str) -> str:
    """The id of the purchase of a lot or of a part of it: "a" for "a" and for "a~1"."""
    return lot_id.split(PART_MARK, 1)[0]


def identified(lots: Sequence[TaxLot]) -> tuple[TaxLot, ...]:
    """The lots, where those with an empty id get the number of their place from 1, or the next that is free."""
    taken = {lot.lot_id for lot in lots}
    found: list[TaxLot] = []
    for place, lot in enumerate(lots, start=1):
        if not lot.lot_id:
            number = next(n for n in count(place) if str(n) not in taken)
            taken.add(str(number))
            lot = replace(lot, lot_id=str(number))
        found.append(lot)
    return tuple(found)


def total_quantity(lots: tuple[TaxLot, ...]) -> Decimal:
    """Units in all lots."""
    return sum((lot.quantity for lot in lots), ZERO)


def _a_year_after(date: dt.date) -> dt.date:
    """The same day of the next year; 1 March where that year has no 29 February."""
    if (date.month, date.day) == (2, 29):
        return dt.date(date.year + 1, 3, 1)
    return date.replace(year=date.year + 1)
