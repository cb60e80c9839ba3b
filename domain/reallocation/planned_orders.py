"""Fills against the orders of a plan: no more than was planned, and what they cost against the decision.

The price of a plan is the decision price and its quantity the order (see `implementation_shortfall`).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact_arithmetic, plain, quotient
from domain.reallocation.account import Execution
from domain.reallocation.implementation_shortfall import (
    DecidedOrder,
    Fill,
    ImplementationShortfall,
    combined,
    implementation_shortfall,
)
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """All trades of one asset in a plan."""

    quantity: Decimal  # negative to sell
    price: Decimal


@dataclass(frozen=True, slots=True)
class PlanShortfall:
    """The shortfall of a plan; missed leaves out units of `unpriced` assets, which are not filled and have no price."""

    shortfall: ImplementationShortfall
    unpriced: tuple[str, ...]


def planned_orders(trades: Iterable[tuple[str, Decimal, Decimal]]) -> dict[str, PlannedOrder]:
    """Symbol -> order, from symbols, quantities and prices; of several prices their mean by quantity."""
    orders: dict[str, PlannedOrder] = {}
    with exact_arithmetic():
        for symbol, quantity, price in trades:
            before = orders.get(symbol)
            if before is not None:
                total = before.quantity + quantity
                if price != before.price:
                    price = quotient(before.quantity * before.price + quantity * price, total)
                quantity = total
            orders[symbol] = PlannedOrder(quantity, price)
    return orders


def check_planned(
    orders: Mapping[str, PlannedOrder], recorded: Iterable[Execution], fills: Sequence[Execution]
) -> None:
    """Raises InvalidInput for a fill that the plan does not have, or more of it than is left to be filled."""
    with exact_arithmetic():
        filled = dict.fromkeys(orders, ZERO)
        for fill in recorded:
            filled[fill.symbol] = filled.get(fill.symbol, ZERO) + fill.units
        for fill in fills:
            order = orders.get(fill.symbol)
            if order is None:
                raise InvalidInput(f"{fill.path}.symbol", f"must be traded by the plan: {fill.symbol} is not")
            if (order.quantity < ZERO) is not (fill.quantity < ZERO):
                side = "sells" if order.quantity < ZERO else "buys"
                raise InvalidInput(
                    f"{fill.path}.quantity", f"must have the sign of the plan, which {side} {fill.symbol}"
                )
            filled[fill.symbol] += fill.units
            if filled[fill.symbol] > abs(order.quantity):
                raise InvalidInput(
                    f"{fill.path}.quantity",
                    f"must not be more than was planned: {plain(filled[fill.symbol])} of "
                    f"{plain(abs(order.quantity))} units of {fill.symbol} would be filled",
                )


def is_filled(orders: Mapping[str, PlannedOrder], fills: Iterable[Execution]) -> bool:
    """Whether fills are all that a plan has to trade."""
    with exact_arithmetic():
        filled = dict.fromkeys(orders, ZERO)
        for fill in fills:
            filled[fill.symbol] += fill.units
        return all(filled[symbol] == abs(order.quantity) for symbol, order in orders.items())


def plan_shortfall(
    orders: Mapping[str, PlannedOrder], fills: Iterable[Execution], last_prices: Mapping[str, Decimal]
) -> PlanShortfall:
    """The shortfall of all orders of a plan with all its fills until now."""
    by_symbol: dict[str, list[Execution]] = {symbol: [] for symbol in orders}
    for fill in fills:
        by_symbol[fill.symbol].append(fill)
    decided = {symbol: _decided(order, by_symbol[symbol], last_prices.get(symbol)) for symbol, order in orders.items()}
    unpriced = tuple(symbol for symbol, order in decided.items() if order.unfilled and symbol not in last_prices)
    return PlanShortfall(combined(map(implementation_shortfall, decided.values())), unpriced)


def _decided(order: PlannedOrder, fills: Sequence[Execution], last_price: Decimal | None) -> DecidedOrder:
    return DecidedOrder(
        units=order.quantity,
        decision_price=order.price,
        fills=[Fill(fill.units, fill.price, fill.fee, _benchmark(fill)) for fill in fills],
        last_price=order.price if last_price is None else last_price,
    )


def _benchmark(fill: Execution) -> Decimal | None:
    """The price from which the realised part of a fill is counted; None for that of the decision."""
    return fill.previous_close if fill.arrival_price is None else fill.arrival_price
