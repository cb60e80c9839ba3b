"""What taxes need to know of an account: its lots, the rules, and what was traded in the last days."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal

from domain.checks import figure, finite_number, non_negative
from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic
from domain.market_data.snapshot import LARGEST_AMOUNT
from domain.records import dataclass
from domain.taxes.gains import TaxRates
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot, TermRule, identified, total_quantity
from domain.taxes.wash_sales import WASH_SALE_DAYS, WashSaleRule

LOT_TOLERANCE = Decimal("1e-9")
"""How far the lots of a holding may sum from its quantity, as a fraction of it: rounding of the caller's sum."""


@dataclass(frozen=True, slots=True)
class TaxLimits:
    """How lots are chosen and taxed; money is in the currency of the prices."""

    method: LotMethod = LotMethod.FIFO
    short_term_rate: float | None = None
    long_term_rate: float | None = None
    long_term_after_days: int | None = None  # None is more than a year
    carry_forward: float = 0.0  # losses of earlier years, as a positive number
    gain_budget: float | None = None  # most that gains less losses of the plan may be
    wash_sale_days: int = WASH_SALE_DAYS
    forbid_wash_sales: bool = False
    identical_groups: tuple[tuple[str, ...], ...] = ()
    harvest_losses: bool = False
    substitutes: tuple[tuple[str, str], ...] = ()  # an asset, and what may be bought instead of it

    def __post_init__(self) -> None:
        rates = {"short_term_rate": self.short_term_rate, "long_term_rate": self.long_term_rate}
        for name, rate in rates.items():
            if rate is not None and not 0.0 <= rate <= 1.0:
                raise InvalidInput(name, f"must be from 0 to 1, is {rate:g}")
        given = any(rate is not None for rate in rates.values())
        needed = given or self.harvest_losses or self.method is LotMethod.TAX_OPTIMAL
        for name, rate in rates.items():
            if needed and rate is None:
                raise InvalidInput(
                    name, "must be given: the least tax, the tax of a plan, and a harvest need both rates"
                )
        figure("carry_forward", non_negative("carry_forward", self.carry_forward), LARGEST_AMOUNT)
        if self.gain_budget is not None:
            figure("gain_budget", non_negative("gain_budget", self.gain_budget), LARGEST_AMOUNT)
        rule = self.wash_sale_rule
        for i, (symbol, by) in enumerate(self.substitutes):
            if rule.group(symbol) == rule.group(by):
                raise InvalidInput(f"substitutes[{i}].by", f"must not be identical to {symbol}: the loss is disallowed")

    @property
    def forbids_wash_sales(self) -> bool:
        """Whether no trade is planned that makes a loss a wash sale; a harvested loss must never be one."""
        return self.forbid_wash_sales or self.harvest_losses

    @property
    def substitutes_of(self) -> Mapping[str, tuple[str, ...]]:
        """Asset -> its substitutes in their order."""
        found: dict[str, tuple[str, ...]] = {}
        for symbol, by in self.substitutes:
            found[symbol] = (*found.get(symbol, ()), by)
        return found

    @property
    def rates(self) -> TaxRates | None:
        """The rates where they are known."""
        if self.short_term_rate is None or self.long_term_rate is None:
            return None
        return TaxRates.of(self.short_term_rate, self.long_term_rate)

    @property
    def term_rule(self) -> TermRule:
        """When a gain is long-term."""
        return TermRule(self.long_term_after_days)

    @property
    def wash_sale_rule(self) -> WashSaleRule:
        """The window of wash sales, and the assets that count as one."""
        return WashSaleRule.with_groups(self.identical_groups, self.wash_sale_days)


@dataclass(frozen=True, slots=True)
class RecentTrade:
    """A trade of the account before the plan."""

    symbol: str
    quantity: float  # units, negative for a sale
    date: dt.date
    realized_gain: float | None = None  # of a sale, negative for a loss; None is not known

    def __post_init__(self) -> None:
        finite_number("quantity", self.quantity)
        if self.realized_gain is not None:
            figure("realized_gain", self.realized_gain, LARGEST_AMOUNT)
            if self.quantity >= 0.0:
                raise InvalidInput("realized_gain", "must be left out for a purchase")

    @property
    def may_be_loss(self) -> bool:
        """Whether it is a sale at a loss, or one whose gain is not known."""
        return self.quantity < 0.0 and (self.realized_gain is None or self.realized_gain < 0.0)


@dataclass(frozen=True, slots=True)
class RecentPurchase:
    """A purchase in another account of the owner or of a spouse."""

    symbol: str
    quantity: float  # units
    date: dt.date
    retirement_account: bool = False


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """What a request says of taxes; without limits, lots are sold first in, first out, and their tax is not known."""

    limits: TaxLimits | None = None
    recent_trades: tuple[RecentTrade, ...] = ()
    other_purchases: tuple[RecentPurchase, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxAccount:
    """The lots of each holding on a date, in decimals, and the rules for their sale. Made by `tax_account`."""

    as_of_date: dt.date = dt.date.max
    lots: Mapping[str, tuple[TaxLot, ...]] = field(default_factory=dict)
    limits: TaxLimits = field(default_factory=TaxLimits)
    recent_trades: tuple[RecentTrade, ...] = ()
    other_purchases: tuple[RecentPurchase, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything is known that matters for taxes."""
        return bool(self.lots or self.recent_trades or self.other_purchases)


def tax_account(
    quantities: Mapping[str, float], lots: Mapping[str, Sequence[TaxLot]], as_of_date: dt.date, terms: TaxTerms
) -> TaxAccount:
    """The account of holdings in units. Lots without an id get one, and sum exactly to their holding.

    Raises InvalidInput for a trade or a lot after the date, ids that are not unique, lots that do not sum to their
    holding, and a holding without lots where tax limits are set.
    """
    _before("recent_trades", [trade.date for trade in terms.recent_trades], as_of_date)
    _before("other_purchases", [bought.date for bought in terms.other_purchases], as_of_date)
    found: dict[str, tuple[TaxLot, ...]] = {}
    for i, (symbol, quantity) in enumerate(quantities.items()):
        path = f"portfolio.holdings[{i}].lots"
        if own := lots.get(symbol):
            found[symbol] = _checked(path, own, exact(quantity), as_of_date)
        elif quantity and terms.limits is not None:
            raise InvalidInput(path, f"must be given where limits.tax is set: the cost of {symbol} is not known")
    return TaxAccount(as_of_date, found, terms.limits or TaxLimits(), terms.recent_trades, terms.other_purchases)


def _before(name: str, dates: Sequence[dt.date], as_of_date: dt.date) -> None:
    for i, date in enumerate(dates):
        if date > as_of_date:
            raise InvalidInput(f"{name}[{i}].date", f"must not be after {as_of_date}, is {date}")


def _checked(path: str, lots: Sequence[TaxLot], quantity: Decimal, as_of_date: dt.date) -> tuple[TaxLot, ...]:
    for j, lot in enumerate(lots):
        if lot.unit_cost > LARGEST_AMOUNT:
            raise InvalidInput(f"{path}[{j}].unit_cost", f"must be at most {LARGEST_AMOUNT:g}, is {lot.unit_cost:g}")
        for name, date in (("purchase_date", lot.purchase_date), ("holding_period_start", lot.holding_period_start)):
            if date is not None and date > as_of_date:
                raise InvalidInput(f"{path}[{j}].{name}", f"must not be after {as_of_date}, is {date}")
    named = identified(lots)
    first: dict[str, int] = {}
    for j, lot in enumerate(named):
        if first.setdefault(lot.lot_id, j) != j:
            raise InvalidInput(f"{path}[{j}].lot_id", f"{lot.lot_id} is that of lots[{first[lot.lot_id]}] too")
    with exact_arithmetic():
        rest = quantity - total_quantity(named)
        if abs(rest) > LOT_TOLERANCE * max(Decimal(1), abs(quantity)):
            raise InvalidInput(path, f"must sum to the quantity of {quantity:g}, sum to {quantity - rest:g}")
        if rest == ZERO:
            return named
        largest = max(range(len(named)), key=lambda j: named[j].quantity)
        amended = replace(named[largest], quantity=named[largest].quantity + rest)
    return (*named[:largest], amended, *named[largest + 1 :])
