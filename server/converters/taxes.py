"""Tax lots, the rules of their sale and the gains of a plan on the wire."""

from absfinance.v1 import portfolio_pb2, reallocation_pb2
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest

from domain.reallocation.harvest_report import HarvestReport
from domain.reallocation.tax_report import TaxReport
from domain.reallocation.tax_terms import RecentPurchase, RecentTrade, TaxLimits, TaxTerms
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot, Term
from domain.taxes.wash_sales import WASH_SALE_DAYS
from server.converters.dates import civil_to_proto, date_from_proto
from server.converters.paths import error_path
from server.converters.tax_lots import lot_from_proto

_METHODS = {
    reallocation_pb2.TaxLimits.LOT_METHOD_UNSPECIFIED: LotMethod.FIFO,
    reallocation_pb2.TaxLimits.LOT_METHOD_FIFO: LotMethod.FIFO,
    reallocation_pb2.TaxLimits.LOT_METHOD_LIFO: LotMethod.LIFO,
    reallocation_pb2.TaxLimits.LOT_METHOD_HIFO: LotMethod.HIFO,
    reallocation_pb2.TaxLimits.LOT_METHOD_TAX_OPTIMAL: LotMethod.TAX_OPTIMAL,
    reallocation_pb2.TaxLimits.LOT_METHOD_SPECIFIED: LotMethod.SPECIFIED,
}
_TERMS = {Term.SHORT: reallocation_pb2.TERM_SHORT, Term.LONG: reallocation_pb2.TERM_LONG}


def lots_by_symbol_from_proto(portfolio: portfolio_pb2.Portfolio) -> dict[str, tuple[TaxLot, ...]]:
    """The lots of the holdings that have some, by symbol. Raises InvalidInput for a date that does not exist."""
    return {
        holding.symbol: tuple(
            lot_from_proto(f"holdings[{i}].lots[{j}]", lot, lot.lot_id) for j, lot in enumerate(holding.lots)
        )
        for i, holding in enumerate(portfolio.holdings)
        if holding.lots
    }


def tax_terms_from_proto(request: ReallocateRequest) -> TaxTerms:
    """What a request says of taxes. Raises InvalidInput."""
    limits = None
    if request.limits.HasField("tax"):
        with error_path("limits.tax"):
            limits = _limits(request.limits.tax)
    trades = []
    for i, trade in enumerate(request.recent_trades):
        with error_path(f"recent_trades[{i}]"):
            gain = trade.realized_gain if trade.HasField("realized_gain") else None
            trades.append(RecentTrade(trade.symbol, trade.quantity, date_from_proto("date", trade.date), gain))
    purchases = [
        RecentPurchase(
            bought.symbol,
            bought.quantity,
            date_from_proto(f"other_purchases[{i}].date", bought.date),
            bought.retirement_account,
        )
        for i, bought in enumerate(request.other_purchases)
    ]
    return TaxTerms(limits, tuple(trades), tuple(purchases))


def add_taxes(message: reallocation_pb2.Reallocation, report: TaxReport, harvest: HarvestReport) -> None:
    """Puts lots, sums, harvests and restrictions into an answer."""
    for trade in message.plan.trades if message.HasField("plan") else ():
        trade.harvested_quantity = harvest.harvested.get(trade.step, 0.0)
        trade.substitute_for.extend(harvest.substitutes.get(trade.step, ()))
        for gain in report.sold.get(trade.step, ()):
            trade.lots.add(
                lot_id=gain.lot_id, quantity=float(gain.quantity), gain=float(gain.gain), term=_TERMS[gain.term]
            )
    for symbol, date in report.restricted_until.items():
        message.restricted_until.add(symbol=symbol, date=civil_to_proto(date))
    summary = report.summary
    if summary is not None:
        if summary.tax is not None:
            message.summary.tax = summary.tax
        message.summary.tax_summary.CopyFrom(
            reallocation_pb2.TaxSummary(
                short_term_gain=summary.short_term_gain,
                long_term_gain=summary.long_term_gain,
                net_short_term=summary.net_short_term,
                net_long_term=summary.net_long_term,
                loss_carried_forward=summary.loss_carried_forward,
                disallowed_loss=summary.disallowed_loss,
                lost_loss=summary.lost_loss,
                harvest_benefit=harvest.benefit,
            )
        )


def _limits(tax: reallocation_pb2.TaxLimits) -> TaxLimits:
    return TaxLimits(
        method=_METHODS[tax.lot_method],
        short_term_rate=tax.short_term_rate if tax.HasField("short_term_rate") else None,
        long_term_rate=tax.long_term_rate if tax.HasField("long_term_rate") else None,
        long_term_after_days=tax.long_term_after_days if tax.HasField("long_term_after_days") else None,
        carry_forward=tax.carry_forward,
        gain_budget=tax.gain_budget if tax.HasField("gain_budget") else None,
        wash_sale_days=tax.wash_sale_days or WASH_SALE_DAYS,
        forbid_wash_sales=tax.forbid_wash_sales,
        identical_groups=tuple(tuple(group.symbols) for group in tax.identical_groups),
        harvest_losses=tax.harvest_losses,
        substitutes=tuple((pair.symbol, pair.by) for pair in tax.substitutes),
    )
