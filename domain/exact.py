"""Exact arithmetic for money and units.

A caller writes a price as 33.1 and a lot as 0.1; as binary numbers both are slightly different ones, and 3 x 33.1 is
more than 99.3. Here a number is the shortest decimal that reads back as the float: the one that the caller wrote.
Sums and products of such numbers are exact; only quotients are rounded, once, when a figure is reported.
"""

from contextlib import AbstractContextManager
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from functools import lru_cache

ZERO = Decimal(0)
ONE = Decimal(1)

FRACTION_DIGITS = 15
"""Significant digits of fractional quantities: as many as a float always keeps."""

_EXACT = Context(prec=5000, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])
"""More digits than sums and products of any floats within the bounds of a request have."""

_QUOTIENT = Context(prec=60)


def exact_arithmetic() -> AbstractContextManager[Context]:
    """Within it, sums and products of decimals are exact."""
    return localcontext(_EXACT)


def exact(value: float) -> Decimal:
    """The shortest decimal that reads back as a finite float; 0 has no sign."""
    return _read(float(value) + 0.0)


@lru_cache(maxsize=8192)
def _read(value: float) -> Decimal:
    """Prices, weights and limits are read many times, in a batch by every account."""
    return Decimal(repr(value))


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """To 60 digits."""
    return _QUOTIENT.divide(numerator, denominator)


def ratio(numerator: Decimal, denominator: Decimal) -> float:
    """The float nearest to a quotient."""
    if not numerator:
        return 0.0
    if denominator == ONE:
        return float(numerator)
    return float(quotient(numerator, denominator))


def plain(value: Decimal) -> str:
    """A decimal for people: 1000 for 1000.0, without an exponent."""
    return f"{value.normalize(_QUOTIENT):f}"


def ceiling(numerator: Decimal, denominator: Decimal) -> int:
    """The least whole number that is not below a quotient of positive numbers."""
    whole = numerator // denominator
    return int(whole) + (1 if whole * denominator < numerator else 0)


def decimal_step(size: Decimal, digits: int) -> Decimal:
    """The power of ten in which a positive number has so many digits before the point."""
    return Decimal((0, (1,), size.adjusted() + 1 - digits))
