"""A second ledger of wash sales. It was written from the regulation and moves single units."""

import datetime as dt
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Unit:
    """One unit bought."""

    purchase: int
    bought: dt.date
    cost: Fraction
    since: dt.date
    replaced: bool = False


@dataclass
class UnitLedger:
    """Units of one asset."""

    held: list[Unit] = field(default_factory=list)
    losses: list[tuple[dt.date, Fraction, int]] = field(default_factory=list)  # not replaced: sold, loss, days held
    allowed: Fraction = Fraction(0)
    disallowed: Fraction = Fraction(0)

    def buy(self, purchase: int, units: int, cost: int, on: dt.date) -> None:
        for _ in range(units):
            unit = Unit(purchase, on, Fraction(cost), on)
            for i, (sold, loss, days) in enumerate(self.losses):
                if 0 <= (on - sold).days <= 30:
                    self._wash(unit, loss, days)
                    self.allowed += loss
                    del self.losses[i]
                    break
            self.held.append(unit)

    def sell(self, units: int, price: int, on: dt.date) -> None:
        sold, self.held = self.held[:units], self.held[units:]
        for unit in sold:
            gain = price - unit.cost
            self.allowed += gain
            if gain < 0:
                replacement = next((u for u in self.held if self._may_replace(u, unit, on)), None)
                if replacement is None:
                    self.losses.append((on, -gain, (on - unit.since).days))
                else:
                    self._wash(replacement, -gain, (on - unit.since).days)
                    self.allowed -= gain

    def _may_replace(self, unit: Unit, sold: Unit, on: dt.date) -> bool:
        return not unit.replaced and unit.purchase != sold.purchase and 0 <= (on - unit.bought).days <= 30

    def _wash(self, unit: Unit, loss: Fraction, days: int) -> None:
        unit.cost += loss
        unit.since = unit.bought - dt.timedelta(days)
        unit.replaced = True
        self.disallowed += loss
