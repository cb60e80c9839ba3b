"""Orders day by day: sells first, and a buy waits for the day whose settled cash can pay for it."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, exact
from domain.reallocation.cancellation import checked
from domain.reallocation.orders import Order
from domain.reallocation.settlement import CashLedger
from domain.records import dataclass

MOST_TRADES = 250_000
"""A longer list of trades is not sent."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One step of the plan."""

    step: int  # from 1
    symbol: str
    quantity: float  # units, negative to sell
    price: float
    cost: float
    cash_after: float  # settled or not
    day: int  # of the horizon, from 1
    crossed: float = 0.0  # units of the quantity that are traded with other accounts of a batch

    @property
    def market_quantity(self) -> float:
        """Units that are traded in the market, negative to sell."""
        return float(exact(self.quantity) - exact(self.crossed)) if self.crossed else self.quantity


class Schedule:
    """Trades in the order of execution, and their exact sums."""

    def __init__(
        self, cash: Decimal, floor: Decimal, check_cancelled: Callable[[], None], settlement_days: int = 0
    ) -> None:
        self.trades: list[Trade] = []
        self._ledger = CashLedger(cash, floor, settlement_days)
        self._check_cancelled = check_cancelled

    @property
    def cash(self) -> Decimal:
        """After the last trade, settled or not."""
        return self._ledger.cash

    @property
    def usable(self) -> Decimal:
        """Cash above the floor at the end of the horizon, but for what settles later; at least 0."""
        return self._ledger.usable

    def run(self, orders: Sequence[Order], days: int) -> dict[str, Decimal]:
        """Units of each symbol that are left at the end of the horizon; without 0.

        Raises InvalidInput where the list would be too long.
        """
        _check_length(orders)
        waiting = sorted((order for order in orders if order.quantity), key=lambda order: (order.buys, -order.value))
        left = {order.symbol: order.quantity for order in waiting}
        for day in range(1, days + 1):
            self._ledger.begin(day)
            before = len(self.trades)
            for order in checked(waiting, self._check_cancelled):
                units = self._today(order, left[order.symbol], day)
                if units:
                    self._book(order, units, day)
                    left[order.symbol] -= units
            waiting = [order for order in waiting if left[order.symbol]]
            if not waiting:
                break
            # Where each day has the same limits and one does nothing, so do all that follow, unless cash settles.
            later = self._ledger.awaits_settlement or any(order.by_day is not None for order in waiting)
            if len(self.trades) == before and not later:
                break
        self._ledger.begin(days)
        return {symbol: units for symbol, units in left.items() if units}

    def _today(self, order: Order, left: Decimal, day: int) -> Decimal:
        most = order.on_day(day)
        units = left if most is None else min(left, most)
        if not order.buys:
            return units
        available = self._ledger.usable
        if available <= ZERO:
            return ZERO
        if units * order.cash_per_unit <= available:
            return units
        return available // (order.lot * order.cash_per_unit) * order.lot

    def _book(self, order: Order, units: Decimal, day: int) -> None:
        paid = units * order.cash_per_unit
        if order.buys:
            self._ledger.buy(paid)
        else:
            self._ledger.sell(paid)
        self.trades.append(
            Trade(
                step=len(self.trades) + 1,
                symbol=order.symbol,
                quantity=float(units if order.buys else -units),
                price=float(order.price),
                cost=float(units * order.price * order.rate),
                cash_after=float(self.cash),
                day=day,
            )
        )


def _check_length(orders: Sequence[Order]) -> None:
    length = sum(order.most_trades for order in orders if order.quantity)
    if length > MOST_TRADES:
        raise InvalidInput(
            "horizon_days",
            f"the plan would have {length} trades, at most {MOST_TRADES} are planned; "
            "shorten the horizon, or raise limits.max_participation",
        )
