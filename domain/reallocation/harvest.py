"""Losses that are realised beyond what the target needs, and the substitutes that are bought in their place.

Each asset is sold in the order of its lots, as far as the tax benefit exceeds the cost of the sale and of the purchase
of the substitute. The exposure stays: what is sold is taken from the weight of the asset in the target and added to
that of the substitute. A loss that a wash sale would disallow is none: nothing identical is bought, as wash sales are
forbidden where losses are harvested, and lots whose loss is at risk are not sold.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic, quotient, ratio
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.modes import Direction
from domain.reallocation.orders import Order, orders_of
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.valuation import Valuation
from domain.records import dataclass
from domain.warnings import ResultWarning

NO_LIMIT = Decimal("Infinity")

SETTLING_ROUNDS = 3
"""Of target and net asset value after costs, which depends on it: the cost is a small part, to the third power."""

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Harvest:
    """A target with substitutes, and what is sold for its loss."""

    target: Mapping[str, float]
    needed: Mapping[str, Decimal] = field(default_factory=dict)  # asset -> units that the target needs sold anyway
    curves: Mapping[str, GainCurve] = field(default_factory=dict)  # of the tax of these assets
    replaced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # substitute -> assets
    weighed: tuple[str, ...] = ()  # assets without a substitute: the objective decides whether a loss is realised
    warnings: tuple[ResultWarning, ...] = ()

    @property
    def symbols(self) -> frozenset[str]:
        """Assets that are traded whatever the thresholds."""
        return frozenset({*self.needed, *self.replaced})


def harvest_of(
    request: ReallocationRequest,
    valuation: Valuation,
    required: Mapping[str, float],
    nav_after: Callable[[ReallocationRequest], Decimal],
    check_cancelled: Callable[[], None],
) -> Harvest:
    """The harvest beside trades that the target requires; `nav_after` is the net asset value after reaching a target.

    Raises InvalidInput for a substitute without a price.
    """
    limits = request.taxes.limits
    if not limits.harvest_losses and not limits.substitutes:
        return Harvest(request.target)
    for i, (symbol, by) in enumerate(limits.substitutes):
        if by not in request.market.quotes and (symbol in request.portfolio.quantities or symbol in request.target):
            raise InvalidInput(f"limits.tax.substitutes[{i}].by", f"{by} has no price in the market data")
    with exact_arithmetic():
        search = _HarvestSelection(request, valuation, required, check_cancelled)
        search.replace_restricted()
        if limits.harvest_losses:
            search.harvest()
        return search.result(nav_after)


@dataclass(slots=True)
class _Move:
    """Weight that moves from an asset to its substitute."""

    by: str
    kept: Decimal  # value of the asset that stays, in money


class _HarvestSelection:
    """Decides asset by asset, the largest benefit first."""

    def __init__(
        self,
        request: ReallocationRequest,
        valuation: Valuation,
        required: Mapping[str, float],
        check_cancelled: Callable[[], None],
    ) -> None:
        self._request, self._valuation, self._check_cancelled = request, valuation, check_cancelled
        self._sales = LotSales(request.taxes, request.market)
        self._group = self._sales.rule.group
        self._orders = {order.symbol: order for order in orders_of(request, valuation, required, check_cancelled)}
        self._by = request.taxes.limits.substitutes_of
        self._bought: dict[str, set[str]] = defaultdict(set)  # group -> what the plan buys of it
        for order in self._orders.values():
            if order.buys and order.most != ZERO:
                self._bought[self._group(order.symbol)].add(order.symbol)
        self._lossy = self._sales.groups_of_recent_losses()
        self._lossy |= {self._group(o.symbol) for o in self._orders.values() if _has_loss(self._curve(o))}
        self._moves: dict[str, _Move] = {}
        self._needed: dict[str, Decimal] = {}
        self._curves: dict[str, GainCurve] = {}
        self._added: dict[str, Decimal] = defaultdict(lambda: ZERO)  # value, by substitute
        reached = [(order.reachable * order.price, order.rate) for order in self._orders.values()]
        limits, worth = request.limits, valuation.net_asset_value
        turnover = NO_LIMIT if limits.max_turnover is None else 2 * exact(limits.max_turnover) * worth
        cost = NO_LIMIT if limits.max_cost_bps is None else exact(limits.max_cost_bps) * worth / 10_000
        self._turnover = turnover - sum((value for value, _ in reached), ZERO)
        self._cost = cost - sum((value * rate for value, rate in reached), ZERO)

    def replace_restricted(self) -> None:
        """What is missing of an asset that was sold at a loss before is bought of its substitute."""
        recent = self._sales.groups_of_recent_losses()
        for symbol, order in self._orders.items():
            group = self._group(symbol)
            if not order.buys or group not in recent:
                continue
            for by in self._usable(symbol):
                self._moves[symbol] = _Move(by.symbol, order.held * order.price)
                self._bought[group].discard(symbol)
                self._bought[self._group(by.symbol)].add(by.symbol)
                break

    def harvest(self) -> None:
        """Sells losses that have a substitute."""
        if not self._proceeds_buy():
            return
        found = []
        for symbol in self._by:
            order = self._sale_of(symbol)
            curve = None if order is None else self._curve(order)
            if order is not None and curve is not None and _has_loss(curve):
                found.append((curve.largest_benefit, symbol, order, curve))
        for _, symbol, order, curve in sorted(found, key=lambda one: -one[0]):
            if symbol not in self._moves and not self._bought[self._group(symbol)] - {symbol}:
                self._harvest(order, curve)

    def result(self, nav_after: Callable[[ReallocationRequest], Decimal]) -> Harvest:
        """The target, as a fraction of the net asset value that is left after reaching it."""
        target, nav = self._request.target, self._valuation.net_asset_value
        for _ in range(SETTLING_ROUNDS if self._moves else 0):
            target = self._target(nav)
            nav = nav_after(replace(self._request, target=target))
        replaced: dict[str, tuple[str, ...]] = {}
        for symbol, move in self._moves.items():
            replaced[move.by] = (*replaced.get(move.by, ()), symbol)
        weighed = tuple(self._weighed())
        return Harvest(target, self._needed, self._curves, replaced, weighed, self._warnings())

    def _target(self, nav: Decimal) -> dict[str, float]:
        target = dict(self._request.target)
        for symbol, move in self._moves.items():
            weight = ratio(move.kept, nav)
            target[move.by] = target.get(move.by, 0.0) + max(target.get(symbol, 0.0) - weight, 0.0)
            target[symbol] = weight
        return target

    def _weighed(self) -> Iterator[str]:
        """Assets with losses that nothing else trades, where the objective weighs tax."""
        if not self._request.taxes.limits.harvest_losses or self._request.modes.tax_aversion == 0.0:
            return
        for symbol in self._request.taxes.lots:
            order = None if symbol in self._orders or symbol in self._moves else self._sale_of(symbol)
            curve = None if order is None else self._curve(order)
            if curve is not None and _has_loss(curve) and not self._bought[self._group(symbol)]:
                self._needed[symbol], self._curves[symbol] = ZERO, curve
                yield symbol

    def _warnings(self) -> tuple[ResultWarning, ...]:
        limits = self._request.taxes.limits
        if not limits.harvest_losses or limits.substitutes or self._request.modes.tax_aversion > 0.0:
            return ()
        message = "no loss is harvested: no asset has a substitute, and trade_off.tax_aversion weighs no tax"
        return (ResultWarning("NO_SUBSTITUTE", "limits.tax.harvest_losses", message),)

    def _proceeds_buy(self) -> bool:
        """Whether what is sold pays for substitutes within the horizon."""
        request = self._request
        both = request.modes.direction is Direction.BOTH and not request.modes.retain_cash
        return both and request.horizon_days > request.settlement_days and self._spare >= ZERO

    @property
    def _spare(self) -> Decimal:
        return self._request.cash - max(exact(self._request.limits.cash_floor), ZERO)

    def _sale_of(self, symbol: str) -> Order | None:
        """The sale that the target requires, or one of nothing; None where no sale is possible."""
        order = self._orders.get(symbol)
        if order is None or order.buys:
            held = self._request.portfolio.quantities.get(symbol, 0.0)
            if not held or symbol not in self._request.market.quotes:
                return None
            order = self._order(symbol, 0.0)
        return None if order.most == ZERO else order

    def _order(self, symbol: str, units: float) -> Order:
        """An order beside those required; where cash is negative, sales of all holdings come after it."""
        return orders_of(self._request, self._valuation, {symbol: units}, self._check_cancelled)[0]

    def _curve(self, order: Order) -> GainCurve | None:
        return self._sales.tax_curve(order, all_at_once=False)

    def _usable(self, symbol: str) -> Iterator[Order]:
        """Purchases of substitutes that wash sales and modes allow, without their quantity."""
        for by in self._by.get(symbol, ()):
            group = self._group(by)
            if group in self._lossy or group == self._group(symbol) or by in self._needed:
                continue
            order = self._orders.get(by)
            if order is None or not order.buys:
                order = self._order(by, 1.0)
            if order.most is None or order.most > ZERO:
                yield order

    def _harvest(self, order: Order, curve: GainCurve) -> None:
        needed = (quotient(order.reachable, order.lot) + _HALF) // 1 * order.lot
        for by in self._usable(order.symbol):
            rate = order.rate + by.rate
            most = min(curve.total, order.held if order.most is None else order.most, needed + self._room(order, by))
            units = _best_units(order, curve, needed, most, rate)
            value = (units - needed) * order.price
            if not value or value < max(exact(self._request.limits.min_trade_value), by.lot * by.price):
                continue
            self._turnover -= 2 * value
            self._cost -= value * rate
            self._added[by.symbol] += value
            self._moves[order.symbol] = _Move(by.symbol, (order.held - units) * order.price)
            self._needed[order.symbol], self._curves[order.symbol] = needed, curve
            self._lossy.add(self._group(order.symbol))
            self._bought[self._group(by.symbol)].add(by.symbol)
            return

    def _room(self, order: Order, by: Order) -> Decimal:
        """Units beyond the need that market, turnover and cost allow."""
        rate = order.rate + by.rate
        money = [self._turnover / 2] if self._turnover < NO_LIMIT else []
        if rate and self._cost < NO_LIMIT:
            money.append(quotient(self._cost, rate))
        if by.most is not None:
            wanted = by.wanted if by.symbol in self._orders and by.buys else ZERO
            money.append((by.most - wanted) * by.price - self._added[by.symbol])
        return max(quotient(min(money), order.price), ZERO) if money else order.held


def _has_loss(curve: GainCurve | None) -> bool:
    return curve is not None and any(tax < ZERO for tax in curve.gain_per_unit)


def _best_units(order: Order, curve: GainCurve, needed: Decimal, most: Decimal, rate: Decimal) -> Decimal:
    """Units with the greatest benefit less cost, in whole lots or all; those that are needed where none is worth it."""
    best, best_net, reach = needed, ZERO, ZERO
    for units in (*curve.units, most):
        reach = min(reach + units, most)
        below = reach // order.lot * order.lot
        # Within a tax lot the benefit is linear: the best is next to an end of one, or all with an odd lot.
        for sold in (below, below + order.lot, reach if reach == order.held else below):
            net = curve.gain(needed) - curve.gain(sold) - (sold - needed) * order.price * rate
            if needed < sold <= most and net > best_net:
                best, best_net = sold, net
    return best
