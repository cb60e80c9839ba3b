"""The tax lots that a plan sells, the tax on their gains, and what should not be bought afterwards."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from decimal import Decimal

from domain.exact import ZERO, exact, exact_arithmetic, quotient
from domain.reallocation.cancellation import checked
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.schedule import Trade
from domain.reallocation.tax_terms import RecentPurchase, RecentTrade, TaxAccount, TaxLimits
from domain.records import dataclass
from domain.taxes.gains import RealizedGain, net, tax
from domain.taxes.lot_selection import select_lots
from domain.taxes.lots import TaxLot, Term, total_quantity
from domain.taxes.wash_sales import OtherPurchase, WashSaleLedger

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class TaxSummary:
    """Sums in money, disallowed losses left out; `tax` is without netting, None without rates."""

    tax: float | None
    short_term_gain: float
    long_term_gain: float
    net_short_term: float
    net_long_term: float
    loss_carried_forward: float
    disallowed_loss: float
    lost_loss: float  # the part of it that raises no basis: the asset was bought in a retirement account


@dataclass(frozen=True, slots=True)
class TaxReport:
    """The lots sold by the step of their trade; the last date on which a purchase would disallow a loss, by symbol.

    The summary is None where no holding has lots.
    """

    sold: Mapping[int, tuple[RealizedGain, ...]] = field(default_factory=dict)
    restricted_until: Mapping[str, dt.date] = field(default_factory=dict)
    summary: TaxSummary | None = None


def tax_report(request: ReallocationRequest, trades: Sequence[Trade], check_cancelled: Callable[[], None]) -> TaxReport:
    """Carries the trades out in a ledger of wash sales, one after the other, each on the date of its day."""
    account = request.taxes
    if not account.known:
        return TaxReport()
    sales = LotSales(account, request.market)
    with exact_arithmetic():
        ledger = _ledger(account, sales)
        before = len(ledger.gains)
        places: dict[int, range] = {}
        for trade in checked(trades, check_cancelled):
            date = trade_date(account.as_of_date, trade.day)
            first = len(ledger.gains)
            _record(ledger, sales, trade, date)
            if len(ledger.gains) > first:
                places[trade.step] = range(first, len(ledger.gains))
        gains = ledger.gains[before:]
        return TaxReport(
            sold={step: tuple(ledger.gains[i] for i in place) for step, place in places.items()},
            restricted_until=_restrictions(request, trades, places, ledger.gains, sales),
            summary=_summary(gains, ledger, account.limits) if account.lots else None,
        )


def trade_date(as_of_date: dt.date, day: int) -> dt.date:
    """The date of a day of the horizon: day 1 is `as_of_date`, the others are the weekdays that follow."""
    date = as_of_date
    try:
        for _ in range(day - 1):
            date += dt.timedelta(1)
            while date.weekday() >= SATURDAY:
                date += dt.timedelta(1)
    except OverflowError:
        return dt.date.max
    return date


def _ledger(account: TaxAccount, sales: LotSales) -> WashSaleLedger:
    """The lots that are held, purchases elsewhere, and recent losses that no purchase has replaced yet."""
    elsewhere = [
        OtherPurchase(p.symbol, exact(p.quantity), p.date, p.retirement_account) for p in account.other_purchases
    ]
    ledger = WashSaleLedger(sales.rule, account.lots, elsewhere)
    for trade in sorted(account.recent_trades, key=lambda trade: trade.date):
        if trade.may_be_loss and sales.rule.last_date(trade.date) >= account.as_of_date:
            units = exact(-trade.quantity)
            left = units - _bought_since(trade, account, sales)
            if left > ZERO:
                # A loss that is not known is one of 0: it takes its replacement, and its amount is not reported.
                loss = quotient(exact(trade.realized_gain or 0.0), -units)
                ledger.sold_before(trade.symbol, left, loss, trade.date)
    return ledger


def _bought_since(sale: RecentTrade, account: TaxAccount, sales: LotSales) -> Decimal:
    """Units that have replaced those of a recent sale already."""
    group, first = sales.rule.group(sale.symbol), sales.rule.first_date(sale.date)
    trades: list[RecentTrade | RecentPurchase] = [*account.recent_trades, *account.other_purchases]
    bought = (trade for trade in trades if trade.quantity > 0.0 and trade.date >= first)
    return sum((exact(trade.quantity) for trade in bought if sales.rule.group(trade.symbol) == group), ZERO)


def _record(ledger: WashSaleLedger, sales: LotSales, trade: Trade, date: dt.date) -> None:
    units, held = exact(abs(trade.quantity)), ledger.lots(trade.symbol)
    if trade.quantity > 0.0:
        ids = {lot.lot_id for lot in held}
        name = next(name for n in range(len(ids) + 1) if (name := f"bought {trade.step}.{n}") not in ids)
        ledger.buy(trade.symbol, TaxLot(name, units, exact(trade.price), date))
    elif held:
        ordered = sales.order(trade.symbol, held, all_at_once=units == total_quantity(held))
        ledger.sell(trade.symbol, select_lots(ordered, units), sales.terms(trade.symbol, date))


def _summary(gains: Sequence[RealizedGain], ledger: WashSaleLedger, limits: TaxLimits) -> TaxSummary:
    netted = net(gains, exact(limits.carry_forward))
    return TaxSummary(
        tax=None if limits.rates is None else float(tax(gains, limits.rates)),
        short_term_gain=_of_term(gains, Term.SHORT),
        long_term_gain=_of_term(gains, Term.LONG),
        net_short_term=float(netted.short_term),
        net_long_term=float(netted.long_term),
        loss_carried_forward=float(netted.loss),
        disallowed_loss=float(sum((gain.disallowed_loss for gain in ledger.gains), ZERO)),
        lost_loss=float(ledger.lost_loss),
    )


def _of_term(gains: Sequence[RealizedGain], term: Term) -> float:
    return float(sum((gain.taxable for gain in gains if gain.term is term), ZERO))


def _restrictions(
    request: ReallocationRequest,
    trades: Sequence[Trade],
    places: Mapping[int, range],
    gains: Sequence[RealizedGain],
    sales: LotSales,
) -> dict[str, dt.date]:
    account, rule = request.taxes, sales.rule
    losses = [(t.symbol, t.date) for t in account.recent_trades if t.may_be_loss]
    for trade in trades:
        if any(gains[i].taxable < ZERO for i in places.get(trade.step, ())):
            losses.append((trade.symbol, trade_date(account.as_of_date, trade.day)))
    found: dict[str, dt.date] = {}
    for symbol, date in losses:
        last = rule.last_date(date)
        if last >= account.as_of_date:
            for member in rule.members(symbol):
                found[member] = max(last, found.get(member, last))
    return dict(sorted(found.items()))
