"""Cash by trading day: the proceeds of a sale can be used a number of days after it."""

from collections.abc import Mapping
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO

MOST_SETTLEMENT_DAYS = 30


class CashLedger:
    """Cash of one account, one trading day after the other, from day 1. A purchase takes usable cash at once.

    Sums are exact within `exact_arithmetic`.
    """

    def __init__(
        self, cash: Decimal, floor: Decimal, settlement_days: int = 0, pending: Mapping[int, Decimal] | None = None
    ) -> None:
        """Settled cash, the least that must stay, and `pending` proceeds of earlier sales by the day they settle.

        Raises InvalidInput for less than 0 or more than 30 days of settlement, and pending amounts below 0.
        """
        if not 0 <= settlement_days <= MOST_SETTLEMENT_DAYS:
            rule = f"must be from 0 to {MOST_SETTLEMENT_DAYS}, is {settlement_days}"
            raise InvalidInput("settlement_days", rule)
        self._settled, self._floor, self._settlement_days = cash, floor, settlement_days
        self._pending = dict(pending or {})
        for day, amount in self._pending.items():
            if not (amount.is_finite() and amount >= ZERO):
                raise InvalidInput(f"pending[{day}]", f"must be 0 or more, is {amount}")
        self._day = 0
        self.begin(1)

    @property
    def cash(self) -> Decimal:
        """Settled or not."""
        return sum(self._pending.values(), self._settled)

    @property
    def usable(self) -> Decimal:
        """What purchases of this day may take: settled cash above the floor, at least 0."""
        return max(self._settled - self._floor, ZERO)

    @property
    def awaits_settlement(self) -> bool:
        """Whether a later day has more to use without another sale."""
        return any(self._pending.values())

    def begin(self, day: int) -> None:
        """A new day: what is due settles. ValueError for a day before the last one."""
        if day < self._day:
            raise ValueError(f"day {day} comes before day {self._day}")
        self._day = day
        for due in [due for due in self._pending if due <= day]:
            self._settled += self._pending.pop(due)

    def sell(self, proceeds: Decimal) -> None:
        """Proceeds of a sale of this day, costs deducted; where the costs are more, the rest is paid at once."""
        if self._settlement_days == 0 or proceeds <= ZERO:
            self._settled += proceeds
            return
        due = self._day + self._settlement_days
        self._pending[due] = self._pending.get(due, ZERO) + proceeds

    def buy(self, paid: Decimal) -> None:
        """Pays for a purchase of this day, costs included. ValueError where usable cash is less."""
        if paid > self.usable:
            raise ValueError(f"{paid} is more than the usable cash, {self.usable}")
        self._settled -= paid
