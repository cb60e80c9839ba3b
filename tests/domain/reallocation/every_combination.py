"""Every combination of whole lots of a small account, tried one by one in whole numbers of the smallest unit of money.

Knows nothing of how a plan is made. Prices are in cents, holdings in tenths, costs in whole basis points.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.exact import exact
from domain.reallocation.modes import Direction
from domain.reallocation.request import ReallocationRequest
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot

MONEY = 10**7
"""The smallest unit is a cent times a tenth times a basis point."""

_BASIS = 10_000

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Trades:
    """What may be traded of one asset, (K,): tenths of a unit, those of a sale that settle, gains and tax in money."""

    tenths: Whole
    settled: Whole
    gains: Whole
    taxes: Whole
    value: int  # of a tenth


def least_objective(request: ReallocationRequest) -> float | None:
    """The least drift, cost and tax weighed, of all combinations that keep the limits; None where none does."""
    symbols = list(request.market.quotes)
    held = {s: _tenths(request, s) for s in symbols}
    cash = round(request.portfolio.cash) * MONEY
    nav = cash + sum(held[s] * _value(request, s) for s in symbols)
    assets = [_trades(request, s, nav) for s in symbols]
    tenths = np.meshgrid(*(asset.tenths for asset in assets), indexing="ij")
    settled = np.meshgrid(*(asset.settled for asset in assets), indexing="ij")
    gains = np.meshgrid(*(asset.gains for asset in assets), indexing="ij")
    taxes = np.meshgrid(*(asset.taxes for asset in assets), indexing="ij")
    values = [asset.value * each for asset, each in zip(assets, tenths, strict=True)]
    funds = sum(asset.value * each for asset, each in zip(assets, settled, strict=True))
    traded = np.sum(np.abs(values), axis=0)
    rate = round(request.costs.commission_bps)
    cost = traded // _BASIS * rate
    bought = np.sum(np.maximum(values, 0), axis=0)
    paid = bought + bought // _BASIS * rate
    floor, limits = round(request.limits.cash_floor) * MONEY, request.limits
    usable = cash - floor - paid + funds // _BASIS * (_BASIS - rate)
    allowed = (cost < nav) & ((usable >= 0) | (bought == 0))
    if cash < 0:
        allowed &= cash - np.sum(values, axis=0) - cost >= min(floor, 0)
    if limits.max_turnover is not None:
        allowed &= 10 * traded <= round(20 * limits.max_turnover) * nav
    if limits.max_cost_bps is not None:
        allowed &= _BASIS * cost <= round(limits.max_cost_bps) * nav
    if request.modes.retain_cash:
        allowed &= paid <= max(cash - floor, 0)
    if request.taxes.limits.gain_budget is not None:
        allowed &= np.sum(gains, axis=0) <= round(request.taxes.limits.gain_budget) * MONEY
    if not allowed.any():
        return None
    after = np.where(allowed, nav - cost, 1)
    distances = [
        np.abs((held[s] * _value(request, s) + each) / after - request.target.get(s, 0.0))
        for s, each in zip(symbols, values, strict=True)
    ]
    modes = request.modes
    weighed = modes.cost_aversion * cost + modes.tax_aversion * np.sum(taxes, axis=0)
    return float((np.sum(distances, axis=0) / 2 + weighed / after)[allowed].min())


def _tenths(request: ReallocationRequest, symbol: str) -> int:
    return round(10 * request.portfolio.quantities.get(symbol, 0.0))


def _value(request: ReallocationRequest, symbol: str) -> int:
    return round(100 * request.market.quotes[symbol].price) * _BASIS


def _trades(request: ReallocationRequest, symbol: str, nav: int) -> Trades:
    """Whole lots either way, and where nothing is wanted all of the holding."""
    quote, limits, value = request.market.quotes[symbol], request.limits, _value(request, symbol)
    held, lot = _tenths(request, symbol), 10 * round(quote.lot_size)
    everything = -held if held and not request.target.get(symbol, 0.0) else None
    daily, at_once = None, False
    if limits.max_participation is not None and quote.average_daily_volume is not None:
        volume = round(10 * limits.max_participation * quote.average_daily_volume)
        daily = volume // lot * lot
        at_once = everything is not None and held <= volume

    def allowed(tenths: int) -> bool:
        direction = request.modes.direction
        within = daily is None or abs(tenths) <= daily * request.horizon_days
        return not tenths or (
            not quote.halted
            and abs(tenths) * value >= round(limits.min_trade_value) * MONEY
            and (within or (tenths == everything and at_once))
            and direction is not (Direction.SELL_ONLY if tenths > 0 else Direction.BUY_ONLY)
            and (tenths < 0 or held > 0 or not request.modes.no_new_names)
        )

    counts = {k * lot for k in range(-(held // lot), nav // (value * lot) + 2)} | {everything or 0}
    tenths = np.array([each for each in sorted(counts) if allowed(each)], dtype=np.int64)
    settled = np.maximum(-tenths, 0)
    days = request.horizon_days - request.settlement_days
    if days <= 0:
        settled *= 0
    elif request.settlement_days and daily is not None and not at_once:
        settled = np.minimum(settled, daily * days)
    found = [_gain_and_tax(request, symbol, -each) for each in tenths.tolist()]
    gains, taxes = (np.array(column, dtype=np.int64) for column in zip(*found, strict=True))
    return Trades(tenths, settled, gains, taxes, value)


def _gain_and_tax(request: ReallocationRequest, symbol: str, tenths: int) -> tuple[int, int]:
    left, gain, tax, price = Decimal(tenths) / 10, Decimal(0), Decimal(0), exact(request.market.quotes[symbol].price)
    for lot in sorted(request.taxes.lots.get(symbol, ()), key=lambda lot: _order(request, lot, price)):
        units = min(max(left, Decimal(0)), lot.quantity)
        gain += units * (price - lot.unit_cost)
        tax += units * (price - lot.unit_cost) * _rate(request, lot)
        left -= units
    return int(gain * MONEY), int(tax * MONEY)


def _rate(request: ReallocationRequest, lot: TaxLot) -> Decimal:
    """By the days held; no lot is near a year old."""
    limits = request.taxes.limits
    days = (request.taxes.as_of_date - lot.purchase_date).days
    return exact((limits.long_term_rate if days > 366 else limits.short_term_rate) or 0.0)


def _order(request: ReallocationRequest, lot: TaxLot, price: Decimal) -> tuple[float, ...]:
    day, method = lot.purchase_date.toordinal(), request.taxes.limits.method
    if method is LotMethod.TAX_OPTIMAL:
        return float((price - lot.unit_cost) * _rate(request, lot)), day
    if method is LotMethod.HIFO:
        return -float(lot.unit_cost), day
    return (day if method is LotMethod.FIFO else -day,)
