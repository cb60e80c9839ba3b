"""Realised gains and the tax on them."""

from collections.abc import Iterable
from decimal import Decimal

from domain.exact import ZERO, exact
from domain.records import dataclass
from domain.taxes.lots import Term


@dataclass(frozen=True, slots=True)
class TaxRates:
    """Fractions of a gain; a loss earns the same fraction."""

    short_term: Decimal
    long_term: Decimal

    @classmethod
    def of(cls, short_term: float, long_term: float) -> "TaxRates":
        """Rates from floats."""
        return cls(exact(short_term), exact(long_term))

    def rate(self, term: Term) -> Decimal:
        """The rate of a term."""
        return self.long_term if term is Term.LONG else self.short_term


@dataclass(frozen=True, slots=True)
class RealizedGain:
    """Units of one lot that were sold. `gain` is money, negative for a loss."""

    symbol: str
    lot_id: str
    quantity: Decimal
    gain: Decimal
    term: Term
    disallowed_loss: Decimal = ZERO  # the part of a loss that a wash sale disallows, 0 or more

    @property
    def taxable(self) -> Decimal:
        """The gain, without a disallowed loss."""
        return self.gain + self.disallowed_loss


@dataclass(frozen=True, slots=True)
class NetGains:
    """Gains and losses netted within each term, then across terms, then with losses of earlier years.

    `short_term` and `long_term` are what is left to be taxed, both 0 where losses prevail; `loss` is what is left of
    losses and is carried forward, 0 or more.
    """

    short_term: Decimal
    long_term: Decimal
    loss: Decimal


def tax(gains: Iterable[RealizedGain], rates: TaxRates) -> Decimal:
    """Sum of each taxable gain at the rate of its term, without netting; negative for a benefit."""
    return sum((gain.taxable * rates.rate(gain.term) for gain in gains), ZERO)


def realized(gains: Iterable[RealizedGain]) -> Decimal:
    """Sum of taxable gains, which a gain budget limits."""
    return sum((gain.taxable for gain in gains), ZERO)


def net(gains: Iterable[RealizedGain], carry_forward: Decimal = ZERO) -> NetGains:
    """Nets gains as Schedule D does: within terms, then across them; `carry_forward` offsets what is left.

    The carry-forward, 0 or more, is taken from the short-term gain first, which has the higher rate.
    """
    sums = {Term.SHORT: ZERO, Term.LONG: ZERO}
    for gain in gains:
        sums[gain.term] += gain.taxable
    short, long = sums[Term.SHORT], sums[Term.LONG]
    if short * long < ZERO:
        total = short + long
        short, long = (total, ZERO) if (short > ZERO) is (total > ZERO) else (ZERO, total)
    losses = max(-short, ZERO) + max(-long, ZERO) + carry_forward
    short, long = max(short, ZERO), max(long, ZERO)
    from_short = min(short, losses)
    from_long = min(long, losses - from_short)
    return NetGains(short - from_short, long - from_long, losses - from_short - from_long)
