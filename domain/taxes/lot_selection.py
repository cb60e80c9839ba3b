"""Which lots a sale takes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum

from domain.exact import ZERO
from domain.records import dataclass
from domain.taxes.gains import RealizedGain, TaxRates
from domain.taxes.lots import TaxLot, TermRule


class LotMethod(StrEnum):
    """The order in which lots are sold."""

    FIFO = "FIFO"  # the oldest first
    LIFO = "LIFO"  # the newest first
    HIFO = "HIFO"  # the highest unit cost first
    TAX_OPTIMAL = "TAX_OPTIMAL"  # the least tax per unit first
    SPECIFIED = "SPECIFIED"  # as they are listed


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What decides the tax of a sale on one date: the price of a unit, the date, and the rules."""

    price: Decimal
    date: dt.date
    term_rule: TermRule
    rates: TaxRates | None = None  # needed by the least tax only

    def gain(self, symbol: str, lot: TaxLot, quantity: Decimal) -> RealizedGain:
        """The gain on units of a lot."""
        gain = quantity * (self.price - lot.unit_cost)
        return RealizedGain(symbol, lot.lot_id, quantity, gain, self.term_rule.term(lot, self.date))

    def tax_per_unit(self, lot: TaxLot) -> Decimal:
        """Tax on one unit of a lot; negative for a loss. Raises ValueError without rates."""
        if self.rates is None:
            raise ValueError("the least tax needs rates")
        return (self.price - lot.unit_cost) * self.rates.rate(self.term_rule.term(lot, self.date))


def order_of_sale(lots: Sequence[TaxLot], method: LotMethod, terms: SaleTerms) -> list[TaxLot]:
    """The lots in the order in which they are sold; of equal ones the older, then the one listed first."""
    match method:
        case LotMethod.FIFO:
            return sorted(lots, key=lambda lot: lot.purchase_date)
        case LotMethod.LIFO:
            return sorted(lots, key=lambda lot: lot.purchase_date.toordinal(), reverse=True)
        case LotMethod.HIFO:
            return sorted(lots, key=lambda lot: (-lot.unit_cost, lot.purchase_date))
        case LotMethod.TAX_OPTIMAL:
            return sorted(lots, key=lambda lot: (terms.tax_per_unit(lot), lot.purchase_date))
        case LotMethod.SPECIFIED:
            return list(lots)


@dataclass(frozen=True, slots=True)
class LotSale:
    """Units that are sold from one lot."""

    lot: TaxLot
    quantity: Decimal


def select_lots(ordered: Iterable[TaxLot], quantity: Decimal) -> tuple[LotSale, ...]:
    """The units that a sale takes from lots in their order; fewer where they do not hold as many."""
    sales: list[LotSale] = []
    left = quantity
    for lot in ordered:
        if left <= ZERO:
            break
        taken = min(left, lot.quantity)
        if taken > ZERO:
            sales.append(LotSale(lot, taken))
            left -= taken
    return tuple(sales)
