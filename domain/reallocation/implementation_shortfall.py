"""What an order cost against the price at which it was decided (Perold 1988, "The implementation shortfall").

The paper portfolio trades all units Q at the decision price d; the real one is filled at prices p, pays fees, and what
is not filled earns nothing until the last price c. With s = 1 for a purchase and -1 for a sale, the difference is the
sum of
    delay     s q (b - d)        from the decision to the benchmark b of each fill
    realised  s q (p - b)        from there to the fill
    missed    s (Q - sum q) (c - d)
    fee
where b is the price at the arrival of the order if it is given, else the previous close for a fill on a later day than
that of the decision, else d. All sums are exact.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact_arithmetic, ratio
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Fill:
    """A part of an order that was executed."""

    units: Decimal  # without sign
    price: Decimal
    fee: Decimal = ZERO  # in money; negative for a rebate
    previous_close: Decimal | None = None  # of the day before, where the fill came on a later day than the decision


@dataclass(frozen=True, slots=True)
class DecidedOrder:
    """An order and what became of it."""

    units: Decimal  # negative to sell
    decision_price: Decimal
    fills: Sequence[Fill] = ()
    arrival_price: Decimal | None = None
    last_price: Decimal | None = None  # for what was not filled; may be absent where all was

    def __post_init__(self) -> None:
        _amount("units", self.units)
        _price("decision_price", self.decision_price)
        _price("arrival_price", self.arrival_price)
        _price("last_price", self.last_price)
        for i, fill in enumerate(self.fills):
            _amount(f"fills[{i}].quantity", fill.units)
            _price(f"fills[{i}].price", fill.price)
            _amount(f"fills[{i}].fee", fill.fee)
            _price(f"fills[{i}].previous_close", fill.previous_close)
            if fill.units < ZERO:
                raise InvalidInput(f"fills[{i}].quantity", "must be given without its sign")
        if self.unfilled < ZERO:
            rule = f"more is filled than was ordered: {self.filled:f} of {abs(self.units):f} units"
            raise InvalidInput("fills", rule)
        if self.unfilled and self.last_price is None:
            raise InvalidInput("last_price", f"must be given: {self.unfilled:f} units are not filled")

    @property
    def filled(self) -> Decimal:
        """Units without sign."""
        with exact_arithmetic():
            return sum((fill.units for fill in self.fills), ZERO)

    @property
    def unfilled(self) -> Decimal:
        """Units without sign."""
        with exact_arithmetic():
            return abs(self.units) - self.filled

    def benchmark(self, fill: Fill) -> Decimal:
        """The price from which the realised part of a fill is counted."""
        if self.arrival_price is not None:
            return self.arrival_price
        return self.decision_price if fill.previous_close is None else fill.previous_close


@dataclass(frozen=True, slots=True)
class ImplementationShortfall:
    """Costs in money; negative for a gain."""

    delay: Decimal = ZERO
    realised: Decimal = ZERO
    missed: Decimal = ZERO
    fee: Decimal = ZERO
    decision_value: Decimal = ZERO  # Q d

    @property
    def total(self) -> Decimal:
        """Paper result less real result."""
        with exact_arithmetic():
            return self.delay + self.realised + self.missed + self.fee

    def fraction(self, part: Decimal) -> float | None:
        """A part of the value at the decision; None where that value is 0."""
        return ratio(part, self.decision_value) if self.decision_value else None


def implementation_shortfall(order: DecidedOrder) -> ImplementationShortfall:
    """The parts of one order."""
    with exact_arithmetic():
        sign = -1 if order.units < ZERO else 1
        decision = order.decision_price
        delay, realised, fee = ZERO, ZERO, ZERO
        for fill in order.fills:
            benchmark = order.benchmark(fill)
            delay += sign * fill.units * (benchmark - decision)
            realised += sign * fill.units * (fill.price - benchmark)
            fee += fill.fee
        last = decision if order.last_price is None else order.last_price
        missed = sign * order.unfilled * (last - decision)
        return ImplementationShortfall(delay, realised, missed, fee, abs(order.units) * decision)


def combined(shortfalls: Iterable[ImplementationShortfall]) -> ImplementationShortfall:
    """Of several orders together: money and values at the decision are added."""
    with exact_arithmetic():
        total = ImplementationShortfall()
        for one in shortfalls:
            total = ImplementationShortfall(
                total.delay + one.delay,
                total.realised + one.realised,
                total.missed + one.missed,
                total.fee + one.fee,
                total.decision_value + one.decision_value,
            )
        return total


def _amount(field: str, value: Decimal) -> None:
    if not value.is_finite():
        raise InvalidInput(field, f"must be finite, is {value}")


def _price(field: str, value: Decimal | None) -> None:
    if value is not None and not (value.is_finite() and value >= ZERO):
        raise InvalidInput(field, f"must be 0 or more, is {value}")
