"""The lots of a plan where trades are weighed by more than their value: see `lot_search`."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from domain.exact import ONE, ZERO, exact, quotient, ratio
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.cancellation import checked
from domain.reallocation.drift import Drift
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.lot_search.curves import Curves, PiecewiseLinear
from domain.reallocation.lot_search.problem import Limits, LotProblem
from domain.reallocation.lot_search.search import best_lots
from domain.reallocation.lot_search.specific_risk import Covariance
from domain.reallocation.lots import ANY_NUMBER, Budgets, keeps, usable_lots
from domain.reallocation.modes import Deviation
from domain.reallocation.orders import Order, opposite
from domain.reallocation.raised_cash import sales_for_cash
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.tax_weight import TaxCurve
from domain.reallocation.trade_choices import TradeChoice, exit_of, in_lots, known_lots, may_exit
from domain.reallocation.trade_impact import ImpactRate, impact_rates
from domain.reallocation.valuation import Valuation, commission_rate, cost_of, spread_rate
from domain.records import dataclass

SECONDS = 20.0
"""For the search of whole lots; what is found until then is taken."""

STARTS = 4
"""Attempts to find lots with costs in proportion to their value that pay their other costs too."""


@dataclass(frozen=True, slots=True)
class WeighedLots:
    """The orders that are traded, and their figures."""

    orders: tuple[Order, ...]
    bound: float  # no whole lots have a lower objective
    tax: float  # in money, as it is weighed
    charges: Decimal  # costs beside those in proportion to the traded value


def weighed_lots(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    unwanted: Sequence[Order],
    budgets: Budgets,
    sales: LotSales,
    check_cancelled: Callable[[], None],
) -> WeighedLots:
    """Sets the quantities of orders with a price; `budgets` are those before any trade."""
    choices = _choices(request, orders, unwanted, sales, check_cancelled)
    account = _Account.of(request, valuation, choices, budgets)
    lots, bound = _best(account, check_cancelled)
    chosen = {order.symbol: order for order in orders}
    for choice, count in zip(choices, lots, strict=True):
        if count:
            choice.order.quantity = count * choice.units
            chosen[choice.order.symbol] = choice.order
    curves = [None if choice.lots.tax is None else TaxCurve.of(choice.lots) for choice in choices]
    tax = sum(float(curve(float(count))) for curve, count in zip(curves, lots, strict=True) if curve is not None)
    charges = sum((account.charge(j, count) for j, count in enumerate(lots) if count), ZERO)
    return WeighedLots(tuple(chosen.values()), bound, tax, charges)


def _choices(
    request: ReallocationRequest,
    orders: Sequence[Order],
    unwanted: Sequence[Order],
    sales: LotSales,
    check_cancelled: Callable[[], None],
) -> list[TradeChoice]:
    """Every order in both directions, and all of a holding; what is not in the target is not bought."""
    everything = [*orders, *unwanted]
    others = [exit_of(request, o, sales) for o in checked(everything, check_cancelled) if may_exit(request, o, sales)]
    for order in checked(everything, check_cancelled):
        sales.limit(order)
    found = [in_lots(request, order, sales, towards=i < len(orders)) for i, order in enumerate(everything)]
    if request.harvest_only:
        return [*found, *others]
    for order in checked(everything, check_cancelled):
        if order.buys and not order.held:
            continue
        if not order.buys and not (request.target.get(order.symbol, 0.0) and sales.may_buy_instead(order.symbol)):
            continue
        other = opposite(request, order)
        sales.limit(other)
        others.append(in_lots(request, other, sales, towards=False))
    return [*found, *others]


def _best(account: "_Account", check_cancelled: Callable[[], None]) -> tuple[list[int], float]:
    control = SolverControl.for_seconds(SECONDS, check_cancelled)
    known = account.start(check_cancelled)
    starts = [lots for lots in (known, [0] * len(known)) if account.keeps(lots)]
    if not starts:
        raising = account.raising(check_cancelled)
        starts = [lots for lots in raising if account.keeps(lots)]
        if not starts:
            return max(raising, key=account.raised), 0.0
    found = best_lots(account.problem(), starts, control)
    return found.lots, found.bound


@dataclass(frozen=True, slots=True)
class _Account:
    """An account whose costs are exact."""

    request: ReallocationRequest
    valuation: Valuation
    choices: Sequence[TradeChoice]
    budgets: Budgets
    impacts: Mapping[str, ImpactRate]
    known_costs: dict[tuple[int, int], Decimal]

    @classmethod
    def of(
        cls, request: ReallocationRequest, valuation: Valuation, choices: Sequence[TradeChoice], budgets: Budgets
    ) -> "_Account":
        symbols = sorted({choice.order.symbol for choice in choices})
        impacts = {} if request.impact is None else impact_rates(symbols, request.market, request.impact)
        return cls(request, valuation, choices, budgets, impacts, {})

    def cost(self, j: int, lots: int) -> Decimal:
        """Of lots of one order in one trade, in money."""
        if (j, lots) not in self.known_costs:
            choice = self.choices[j]
            symbol, units = choice.order.symbol, lots * choice.units
            found = cost_of(self.request, self.valuation, symbol, units, ZERO)
            if symbol in self.impacts:
                found += exact(self.impacts[symbol].cost(float(lots * choice.lots.value)))
            self.known_costs[j, lots] = found
        return self.known_costs[j, lots]

    def charge(self, j: int, lots: int) -> Decimal:
        """The part of it that is not in proportion to the value."""
        return self.cost(j, lots) - lots * self.choices[j].lots.value * self.choices[j].order.rate

    def keeps(self, lots: Sequence[int]) -> bool:
        """Whether lots keep the budgets and the limits of each order, exactly."""
        budgets = self.budgets
        cash = raised = budgets.cash
        room, cost, purchases, gain = budgets.turnover, budgets.cost, budgets.purchases, budgets.gain
        buys = False
        for j, count in enumerate(lots):
            order = self.choices[j].lots
            if not count:
                continue
            if not order.least <= count <= order.most:
                return False
            paid, value = self.cost(j, count), count * order.value
            received = -value - paid if order.buys else value - paid
            raised, room, cost = raised + received, room - value, cost - paid
            cash += received * self._settled(j, count) if received > ZERO else received
            if order.buys:
                buys, purchases = True, purchases + received
            elif gain.is_finite():
                gain -= order.gain(count)
        within = min(room, cost, purchases, gain) >= ZERO
        return within and raised >= budgets.required and (cash >= ZERO or not buys)

    def _settled(self, j: int, count: int) -> Decimal:
        """The part of the proceeds of a sale that settles within the horizon."""
        order = self.choices[j].lots
        if order.settled is not None:
            return ONE if order.settled == order.cash else quotient(order.settled, order.cash)
        return ONE if order.usable >= count else quotient(Decimal(order.usable), Decimal(count))

    def raising(self, check_cancelled: Callable[[], None]) -> list[list[int]]:
        """Sales that raise a negative cash, as far as the limits allow it."""
        assets = [choice.order.symbol for choice in self.choices]
        orders = [choice.lots for choice in self.choices]
        return sales_for_cash(assets, orders, self.budgets, self.cost, check_cancelled)

    def raised(self, lots: Sequence[int]) -> Decimal:
        """Proceeds of sales after their costs."""
        sold = ((j, count) for j, count in enumerate(lots) if count)
        return sum((count * self.choices[j].lots.value - self.cost(j, count) for j, count in sold), ZERO)

    def start(self, check_cancelled: Callable[[], None]) -> list[int]:
        """Lots by the drift at costs in proportion to the value, with cash kept for the other costs."""
        free = [(choice.order.symbol, choice.lots) for choice in self.choices]
        drift = Drift.of(self.request, self.valuation, free, [])
        reserve, found = ZERO, [0] * len(free)
        for _ in range(STARTS):
            budgets = self._with_reserve(reserve)
            found, kept = known_lots(self.choices, budgets, drift, check_cancelled)
            charges = sum((self.charge(j, count) for j, count in enumerate(found) if count), ZERO)
            if not kept or charges <= reserve or self.keeps(found):
                break
            reserve = max(charges, 2 * reserve)
        return found if keeps([choice.lots for choice in self.choices], self.budgets, found) else [0] * len(free)

    def _with_reserve(self, reserve: Decimal) -> Budgets:
        budgets = self.budgets
        return Budgets(
            cash=budgets.cash - reserve,
            required=budgets.required,
            turnover=budgets.turnover,
            cost=max(budgets.cost - reserve, ZERO),
            purchases=max(budgets.purchases - reserve, ZERO),
            gain=budgets.gain,
        )

    def problem(self) -> LotProblem:
        """In fractions of the net asset value before costs."""
        request, worth, budgets = self.request, self.valuation.net_asset_value, self.budgets
        priced = [symbol for symbol in request.target if symbol in request.market.quotes]
        symbols = list(dict.fromkeys([*self.valuation.values, *priced]))
        places = {symbol: i for i, symbol in enumerate(symbols)}
        risk = request.active_risk if request.modes.deviation is Deviation.TRACKING_ERROR else None
        return LotProblem(
            values=np.array([ratio(self.valuation.values.get(symbol, ZERO), worth) for symbol in symbols]),
            target=np.array([request.target.get(symbol, 0.0) for symbol in symbols]),
            places=np.array([places[choice.order.symbol] for choice in self.choices], dtype=np.intp),
            curves=self._curves(),
            limits=Limits(
                cash=_part(budgets.cash, worth),
                raised=_part(budgets.required - budgets.cash, worth),
                turnover=_part(budgets.turnover, worth),
                cost=_part(budgets.cost, worth),
                purchases=_part(budgets.purchases, worth),
                gain=_part(budgets.gain, worth),
            ),
            keeps=self.keeps,
            covariance=None if risk is None else Covariance(risk.factor_annual(symbols)),
            cost_aversion=request.modes.cost_aversion,
            tax_aversion=request.modes.tax_aversion,
        )

    def _curves(self) -> Curves:
        request, worth = self.request, self.valuation.net_asset_value
        money, fees = float(worth), request.fees
        symbols = [choice.order.symbol for choice in self.choices]
        rates = [self.impacts.get(symbol, ImpactRate(0.0, 1.5, 0.0)) for symbol in symbols]
        power = next((rate.power for rate in self.impacts.values()), 1.5)
        return Curves(
            sign=np.array([1.0 if choice.lots.buys else -1.0 for choice in self.choices]),
            value=np.array([ratio(choice.lots.value, worth) for choice in self.choices]),
            least=np.array([float(choice.lots.least) for choice in self.choices]),
            most=np.array([self._most(choice) for choice in self.choices]),
            usable=np.array([usable_lots(choice.lots) for choice in self.choices]),
            spread=np.array([float(spread_rate(request, symbol)) for symbol in symbols]),
            commission=np.array([float(commission_rate(request, symbol)) for symbol in symbols]),
            per_lot=np.array([fees.per_unit * float(choice.units) / money for choice in self.choices]),
            least_commission=fees.least_commission / money,
            most_commission=np.inf if fees.most_commission is None else fees.most_commission / money,
            fixed=fees.fixed / money,
            impact=np.array([rate.rate * money ** (power - 1.0) for rate in rates]),
            power=power,
            permanent=np.array([rate.permanent * money for rate in rates]),
            days=request.horizon_days,
            taxes={j: curve for j, choice in enumerate(self.choices) if (curve := _taxed(choice, money)) is not None},
            gains={j: curve for j, choice in enumerate(self.choices) if (curve := _gained(choice, money)) is not None},
        )

    def _most(self, choice: TradeChoice) -> float:
        """Of a purchase, no more than all money pays for."""
        order = choice.lots
        if order.most < order.least:
            return 0.0
        if order.most < ANY_NUMBER:
            return float(order.most)
        held = sum(self.valuation.values.values(), ZERO)
        return float((held + max(self.budgets.cash, ZERO)) // order.value)


def _part(amount: Decimal, worth: Decimal) -> float:
    return ratio(amount, worth) if amount.is_finite() else float(amount)


def _taxed(choice: TradeChoice, money: float) -> PiecewiseLinear | None:
    curve = TaxCurve.of(choice.lots)
    return None if curve is None else PiecewiseLinear(curve.lots, curve.tax / money)


def _gained(choice: TradeChoice, money: float) -> PiecewiseLinear | None:
    order = choice.lots
    if order.curve is None:
        return None
    widths = np.array([ratio(units, order.units) for units in order.curve.units])
    gains = np.array([float(gain * order.units) for gain in order.curve.gain_per_unit]) / money
    start = np.zeros(1)
    lots, amounts = np.cumsum(widths), np.cumsum(widths * gains)
    return PiecewiseLinear(np.concatenate([start, lots]), np.concatenate([start, amounts]))
