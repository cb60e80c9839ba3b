"""The realised gain of a sale as a function of its size."""

from decimal import Decimal

from domain.exact import ZERO
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class GainCurve:
    """Units of each tax lot in the order of sale, and the gain on one unit of it, in money; (K,) each.

    The gain of a sale is piecewise linear in its units. Sums are exact within `exact_arithmetic`.
    """

    units: tuple[Decimal, ...]
    gain_per_unit: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """Units that can be sold."""
        return sum(self.units, ZERO)

    @property
    def convex(self) -> bool:
        """Whether the gain per unit never falls."""
        return list(self.gain_per_unit) == sorted(self.gain_per_unit)

    def gain(self, quantity: Decimal) -> Decimal:
        """The gain of so many units; of all where there are fewer."""
        return self._gains(quantity)[-1]

    def largest(self, quantity: Decimal) -> Decimal:
        """The largest gain of any sale of at most so many units, 0 or more."""
        return max(self._gains(quantity))

    @property
    def largest_benefit(self) -> Decimal:
        """How far below 0 a sale of any size can be, 0 or more."""
        return -min(self._gains(self.total))

    def _gains(self, quantity: Decimal) -> list[Decimal]:
        """Gain at 0, at the end of each lot, and at the end of the sale."""
        gains, left = [ZERO], quantity
        for units, gain in zip(self.units, self.gain_per_unit, strict=True):
            if left <= ZERO:
                break
            gains.append(gains[-1] + min(units, left) * gain)
            left -= units
        return gains
