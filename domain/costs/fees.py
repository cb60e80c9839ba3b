"""Costs of a trade that are not in proportion to its value."""

from decimal import Decimal

from domain.checks import non_negative
from domain.errors import InvalidInput
from domain.exact import ZERO, exact
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Fees:
    """Money for a trade, and for each of its units; the commission of a trade is kept between a least and a most."""

    fixed: float = 0.0  # of every trade, beside its commission
    per_unit: float = 0.0  # commission for one unit
    least_commission: float = 0.0
    most_commission: float | None = None

    def __post_init__(self) -> None:
        non_negative("fixed_fee", self.fixed)
        non_negative("commission_per_share", self.per_unit)
        non_negative("min_commission", self.least_commission)
        if self.most_commission is not None and not self.most_commission >= self.least_commission:
            raise InvalidInput("max_commission", f"must be at least min_commission, {self.least_commission:g}")

    @property
    def any(self) -> bool:
        """Whether a trade can cost anything but a part of its value."""
        return bool(self.fixed or self.per_unit or self.least_commission or self.most_commission is not None)

    @property
    def limits_commission(self) -> bool:
        """Whether the commission of a large trade is less than its part of the value."""
        return self.most_commission is not None

    def commission(self, proportional: Decimal, units: Decimal) -> Decimal:
        """Of a trade of so many units, without sign, by the commission in proportion to its value; 0 for no trade."""
        if not units:
            return ZERO
        found = max(proportional + exact(self.per_unit) * units, exact(self.least_commission))
        return found if self.most_commission is None else min(found, exact(self.most_commission))

    def of_trade(self, units: Decimal) -> Decimal:
        """The fixed fee of a trade; 0 for no trade."""
        return exact(self.fixed) if units else ZERO
