"""What a plan may trade of each asset: lots towards its target, all of a holding, or lots away from its target.

A trade away from the target never helps where fractions may be traded. With whole lots it can: a lot that is sold pays,
with the cash that is left over, for a lot of another asset; or its loss makes room for gains, or lowers the tax. And an
asset that is sold where all costs are paid may be bought where they are less. Choices of one asset exclude one another.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.exact import ONE, ZERO, ceiling, exact, quotient, ratio
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.budgets import PlanBudgets, settling
from domain.reallocation.cancellation import checked
from domain.reallocation.cash_program import most_cash
from domain.reallocation.drift import Drift
from domain.reallocation.gain_budget import first_lots
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.lot_program import MOST_ASSETS
from domain.reallocation.lot_sales import LotSales
from domain.reallocation.lots import ANY_NUMBER, Budgets, LotOrder, keeps
from domain.reallocation.orders import Order, opposite
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.tax_weight import PRICES_OF_CASH, alone
from domain.reallocation.valuation import Valuation
from domain.records import dataclass

SECONDS = 5.0
"""For the search of sales that raise a negative cash, where simpler ways find none."""

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class TradeChoice:
    """One order, in lots of so many units."""

    order: Order
    lots: LotOrder
    units: Decimal
    towards: bool = True  # in lots, towards the target

    @property
    def exits(self) -> bool:
        """Whether it sells all of a holding, its odd lot included."""
        return self.lots.settled is not None


def certain_exits(request: ReallocationRequest, orders: Iterable[Order], budgets: PlanBudgets) -> list[Order]:
    """The orders that sell all of a holding whatever else is traded; sets their quantities.

    A sale of value v lowers half the distance by v / 2 at least, but for its own cost r v, which moves the targets and
    the net asset value by at most (1/2 + 3/2) r v as drift is below 3/2, and counts itself aversion times, and but for
    its tax. What limits the sum of all trades may be put to a better use.
    """
    left = budgets.left()
    if left.turnover.is_finite() or left.cost.is_finite():
        return []
    found = []
    weight = exact(request.modes.cost_aversion) + 2
    for order in orders:
        weighs = order.rate * weight + _largest_tax(request, order, budgets.sales)
        if _may_sell_all(request, order) and weighs <= _HALF and budgets.sales.may_exit(order):
            order.quantity = order.held
            found.append(order)
    return found


def trade_choices(
    request: ReallocationRequest,
    valuation: Valuation,
    orders: Sequence[Order],
    unwanted: Sequence[Order],
    budgets: Budgets,
    sales: LotSales,
    check_cancelled: Callable[[], None],
) -> list[TradeChoice]:
    """First the orders in lots towards the target, in their order, then exits and trades away from it.

    Among more assets than a mixed-integer program is solved for, no sales away from the target are needed for their
    proceeds, unless cash is below its floor: what whole lots leave of the cash is little beside the rest.
    """
    others = [
        exit_of(request, order, sales) for order in checked(orders, check_cancelled) if may_exit(request, order, sales)
    ]
    for order in checked(orders, check_cancelled):
        sales.limit(order)
    towards = [in_lots(request, order, sales) for order in checked(orders, check_cancelled)]
    if request.harvest_only:
        return [*towards, *others]
    waste = _waste(request, valuation, sales)
    for order in checked(orders, check_cancelled):
        if not order.buys:
            others += _purchase_instead(request, valuation, order, sales, waste)
    for order in checked(unwanted, check_cancelled):
        others += _purchase_instead(request, valuation, order, sales, waste)
    raises = budgets.required.is_finite() or budgets.cash < ZERO
    few = len({*valuation.values, *request.target}) <= MOST_ASSETS or raises
    pays = few and _sales_pay_for_purchases((choice.lots for choice in [*towards, *others]), budgets)
    use = _SaleUse(loses=budgets.gain.is_finite(), pays=pays, raises=budgets.required.is_finite(), waste=waste)
    for order in checked(orders, check_cancelled):
        if order.buys and order.held:
            others += _sale_instead(request, opposite(request, order), sales, use)
    for order in checked(unwanted, check_cancelled):
        others += _sale_instead(request, order, sales, use)
    return [*towards, *others]


def known_lots(
    choices: Sequence[TradeChoice], budgets: Budgets, drift: Drift, check_cancelled: Callable[[], None]
) -> tuple[list[int], bool]:
    """Lots of each choice near the wish, and whether they keep the budgets.

    Where cost or tax is weighed, also without what costs more than it brings, or none. Where trades towards the target
    do not raise a negative cash, other holdings are sold and nothing is bought.
    """
    problem = [choice.lots for choice in choices]
    towards = [choice.towards for choice in choices]
    best = _first(problem, towards, budgets, drift, check_cancelled)
    kept = keeps(problem, budgets, best)
    if not kept:
        best, kept = _raising_cash(choices, budgets, drift, check_cancelled)
    elif drift.cost_aversion or drift.taxes.aversion:
        others = [[0] * len(problem)]
        for price in PRICES_OF_CASH if drift.taxes.curves else (0.0,):
            rest = _worth_their_price(problem, drift, price)
            others += [_first(rest, used, budgets, drift, check_cancelled) for used in _uses(choices, rest, drift)]
        best = min([best, *(lots for lots in others if keeps(problem, budgets, lots))], key=drift)
    check_cancelled()
    return _with_odd_lots(choices, budgets, drift, best, check_cancelled), kept


def _worth_their_price(problem: Sequence[LotOrder], drift: Drift, price_of_cash: float) -> list[LotOrder]:
    """The orders, each with the wish that is the best for it alone at its cost, its tax and what its cash buys."""
    dear = (drift.cost_aversion * drift.cost_rates > 0.5).tolist()
    found = [replace(o, wanted=0.0, scalable=0.0) if d else o for o, d in zip(problem, dear, strict=True)]
    for j, curve in drift.taxes.curves.items():
        found[j] = alone(problem[j], curve, drift.taxes.aversion, drift.cost_aversion, price_of_cash)
    return found


def _uses(choices: Sequence[TradeChoice], rest: Sequence[LotOrder], drift: Drift) -> list[list[bool]]:
    """The choices towards the target; and with sales away from it instead where their tax is worth it."""
    towards = [choice.towards for choice in choices]
    brings = {c.order.symbol: 0.5 * c.lots.weight * min(c.lots.wanted, c.lots.scalable) for c in choices if c.towards}
    away = [False] * len(choices)
    for j, curve in drift.taxes.curves.items():
        choice, lots = choices[j], rest[j].wanted
        if not choice.towards and not choice.exits:
            cost = (0.5 + drift.cost_aversion * float(drift.cost_rates[j])) * choice.lots.weight * lots
            away[j] = -drift.taxes.aversion * float(curve(lots)) - cost > brings.get(choice.order.symbol, 0.0)
    instead = {choice.order.symbol for choice, use in zip(choices, away, strict=True) if use}
    if not instead:
        return [towards]
    both = [
        use or (choice.towards and choice.order.symbol not in instead)
        for choice, use in zip(choices, away, strict=True)
    ]
    return [towards, both]


def _raising_cash(
    choices: Sequence[TradeChoice], budgets: Budgets, drift: Drift, check_cancelled: Callable[[], None]
) -> tuple[list[int], bool]:
    problem = [choice.lots for choice in choices]
    sold = [not choice.lots.buys and not choice.exits for choice in choices]
    best = _first(problem, sold, budgets, drift, check_cancelled)
    if keeps(problem, budgets, best):
        return best, True
    control = SolverControl.for_seconds(SECONDS, check_cancelled)
    most = most_cash(problem, drift.places.tolist(), budgets, control)
    return (most, True) if most is not None and keeps(problem, budgets, most) else (best, False)


def _first(
    problem: Sequence[LotOrder],
    used: Sequence[bool],
    budgets: Budgets,
    drift: Drift,
    check_cancelled: Callable[[], None],
) -> list[int]:
    """Lots of the choices that are used, none of the others."""
    places = [j for j, use in enumerate(used) if use]

    def everywhere(lots: Sequence[int]) -> list[int]:
        found = [0] * len(problem)
        for j, count in zip(places, lots, strict=True):
            found[j] = count
        return found

    return everywhere(
        first_lots([problem[j] for j in places], budgets, lambda lots: drift(everywhere(lots)), check_cancelled)
    )


def _with_odd_lots(
    choices: Sequence[TradeChoice],
    budgets: Budgets,
    drift: Drift,
    lots: Sequence[int],
    check_cancelled: Callable[[], None],
) -> list[int]:
    """Where all whole lots of a holding are sold, the odd lot goes with them as far as the budgets allow.

    But for one whose tax weighs more than half of its value.
    """
    problem, found = [choice.lots for choice in choices], list(lots)
    exits = {choice.order.symbol: j for j, choice in enumerate(choices) if choice.exits}
    if not exits:
        return found
    room = _Room.of(problem, budgets, lots)
    for j, choice in checked(enumerate(choices), check_cancelled):
        whole = exits.get(choice.order.symbol)
        if whole is None or choice.exits or lots[j] < problem[j].most or not lots[j]:
            continue
        taxes = drift.taxes.curves
        if whole in taxes and j in taxes:
            tax = drift.taxes.aversion * float(taxes[whole](1.0) - taxes[j](float(lots[j])))
            if 2.0 * tax > problem[whole].weight - lots[j] * problem[j].weight:
                continue
        more = room.after(problem[j], lots[j], problem[whole])
        if more.kept:
            room, found[j], found[whole] = more, 0, 1
    return found


@dataclass(frozen=True, slots=True)
class _Room:
    """What is left of the budgets that a larger sale uses."""

    turnover: Decimal
    cost: Decimal
    gain: Decimal

    @classmethod
    def of(cls, problem: Sequence[LotOrder], budgets: Budgets, lots: Sequence[int]) -> "_Room":
        pairs = list(zip(problem, lots, strict=True))
        return cls(
            budgets.turnover - sum((count * order.value for order, count in pairs), ZERO),
            budgets.cost - sum((count * order.cost for order, count in pairs), ZERO),
            budgets.gain - sum((order.gain(count) for order, count in pairs), ZERO),
        )

    def after(self, sale: LotOrder, lots: int, whole: LotOrder) -> "_Room":
        """Where all of a holding is sold instead of its lots."""
        return _Room(
            self.turnover - whole.value + lots * sale.value,
            self.cost - whole.cost + lots * sale.cost,
            self.gain - whole.gain(1) + sale.gain(lots),
        )

    @property
    def kept(self) -> bool:
        return min(self.turnover, self.cost, self.gain) >= ZERO


def _sales_pay_for_purchases(orders: Iterable[LotOrder], budgets: Budgets) -> bool:
    """Whether cash can be wanted of a sale that is not: it is negative, or purchases can take more than there is."""
    if budgets.required.is_finite():
        return True
    if budgets.purchases.is_finite():
        return False
    most = sum((min(o.most, max(o.enough, o.least)) * o.cash for o in orders if o.buys and o.most >= o.least), ZERO)
    return most > budgets.cash


@dataclass(frozen=True, slots=True)
class _SaleUse:
    """What sales away from the target may be good for, beside a benefit of tax."""

    loses: bool  # losses make room for gains
    pays: bool  # they pay for purchases, or raise a negative cash
    raises: bool  # they raise a negative cash
    waste: Decimal

    def __call__(self, lots: LotOrder, rate: Decimal) -> bool:
        """Whether one can be in the best plan."""
        loses = (self.loses and _falls(lots.curve)) or _falls(lots.tax) or (rate > ZERO and rate * self.waste > ONE)
        return loses or (self.pays and (lots.usable > 0 or self.raises))


def _falls(curve: GainCurve | None) -> bool:
    return curve is not None and any(gain < ZERO for gain in curve.gain_per_unit)


def _waste(request: ReallocationRequest, valuation: Valuation, sales: LotSales) -> Decimal:
    """What the cost of a trade lowers twice the objective by at most: half the targets, and an objective below 0.

    A cost raises an objective that is above minus the aversion to cost.
    """
    aversion = request.modes.tax_aversion
    benefit = exact(aversion) * sales.largest_benefit if aversion else ZERO
    if benefit == ZERO:
        return ONE
    held = sum((abs(held) for held in valuation.values.values()), ZERO)
    spare = max(request.cash - exact(request.limits.cash_floor), ZERO)
    cost = max(valuation.cost_rates.values(), default=ZERO) * (2 * held + spare)
    worth = valuation.net_asset_value - cost
    if worth <= ZERO:
        return Decimal("Infinity")
    return ONE + 2 * max(quotient(benefit, worth) - exact(request.modes.cost_aversion), ZERO)


def _sale_instead(request: ReallocationRequest, order: Order, sales: LotSales, use: _SaleUse) -> list[TradeChoice]:
    if not order.most:
        return []
    sales.limit(order)
    choice = in_lots(request, order, sales, towards=False)
    return [choice] if use(choice.lots, order.rate) and choice.lots.most >= choice.lots.least else []


def _purchase_instead(
    request: ReallocationRequest, valuation: Valuation, order: Order, sales: LotSales, waste: Decimal
) -> list[TradeChoice]:
    """Where no costs are paid the asset is to be bought, and a least trade of it is nearer to that than none.

    Or nearly so: the cost of the trade lowers all targets, and an objective below 0.
    """
    wish = exact(request.target.get(order.symbol, 0.0)) * valuation.net_asset_value - order.held * order.price
    saved = ONE - order.rate * waste if order.rate else ONE
    if 2 * wish <= order.lot * order.price * saved or not sales.may_buy_instead(order.symbol):
        return []
    other = opposite(request, order)
    if other.most == ZERO:
        return []
    choice = in_lots(request, other, sales, towards=False)
    lots = choice.lots
    return [choice] if lots.most >= lots.least and 2 * wish > lots.least * lots.value * saved else []


def _largest_tax(request: ReallocationRequest, order: Order, sales: LotSales) -> Decimal:
    """The tax on a unit of money sold that any tax lot has, times the aversion to it; more than 1/2 is too much."""
    aversion = request.modes.tax_aversion
    curve = sales.exit_tax_curve(order) if aversion else None
    if curve is None:
        return ZERO
    if request.cash < ZERO:
        return ONE  # sales that must be made may take the objective above 3/2
    return quotient(exact(aversion) * max([ZERO, *curve.gain_per_unit]), order.price)


def _may_sell_all(request: ReallocationRequest, order: Order) -> bool:
    reachable = order.sells_all and order.reachable == order.held
    return reachable and order.held * order.price >= exact(request.limits.min_trade_value)


def may_exit(request: ReallocationRequest, order: Order, sales: LotSales) -> bool:
    """Whether all of a holding may be sold, and that is more than its whole lots or other tax lots."""
    if not _may_sell_all(request, order):
        return False
    differs = order.held % order.lot or sales.curve(order, all_at_once=False) != sales.exit_curve(order)
    return bool(differs) and sales.sells_all_lots(order)


def _least_lots(min_trade_value: float, value: Decimal) -> int:
    if not min_trade_value:
        return 1
    # At most more than any order has: then it is not traded.
    return min(max(1, ceiling(exact(min_trade_value), value)), 2 * ANY_NUMBER)


def in_lots(request: ReallocationRequest, order: Order, sales: LotSales, *, towards: bool = True) -> TradeChoice:
    """An order in whole lots."""
    value = order.lot * order.price
    settles = None if order.buys else settling(order, request)
    lots = LotOrder(
        wanted=0.0 if order.reversed else ratio(order.wanted, order.lot),
        scalable=ratio(order.scalable, order.lot),
        most=ANY_NUMBER if order.most is None else min(int(order.most // order.lot), ANY_NUMBER),
        least=_least_lots(request.limits.min_trade_value, value),
        buys=order.buys,
        value=value,
        cash=order.lot * order.cash_per_unit,
        usable=ANY_NUMBER if settles is None else min(int(settles // order.lot), ANY_NUMBER),
        units=order.lot,
        curve=sales.curve(order, all_at_once=False),
        tax=sales.tax_curve(order, all_at_once=False) if request.modes.tax_aversion else None,
    )
    return TradeChoice(order, lots, order.lot, towards)


def exit_of(request: ReallocationRequest, order: Order, sales: LotSales) -> TradeChoice:
    """All of a holding in one lot."""
    settles = settling(order, request)
    lots = LotOrder(
        wanted=1.0,
        scalable=1.0,
        most=1,
        least=1,
        buys=False,
        value=order.held * order.price,
        cash=order.held * order.cash_per_unit,
        usable=1 if settles is None or settles else 0,
        units=order.held,
        curve=sales.exit_curve(order),
        tax=sales.exit_tax_curve(order) if request.modes.tax_aversion else None,
        settled=(order.held if settles is None else min(settles, order.held)) * order.cash_per_unit,
    )
    return TradeChoice(order, lots, order.held, towards=False)
