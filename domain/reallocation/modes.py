"""How a plan is restricted this time, and what it weighs against the distance to the target."""

from decimal import Decimal
from enum import StrEnum

from domain.checks import finite_number, non_negative
from domain.errors import InvalidInput
from domain.exact import exact, exact_arithmetic
from domain.market_data.snapshot import LARGEST_AMOUNT
from domain.portfolio import Portfolio
from domain.reallocation.shortfall import ShortfallCode
from domain.records import dataclass

LARGEST_AVERSION = 1e6
"""At this aversion a cost of a hundredth of a basis point outweighs the whole distance to any target."""


class Direction(StrEnum):
    """Which trades a plan may have."""

    BOTH = "BOTH"
    BUY_ONLY = "BUY_ONLY"
    SELL_ONLY = "SELL_ONLY"


class Deviation(StrEnum):
    """What a plan makes small: how far the weights are from the target."""

    DRIFT = "DRIFT"  # half the sum of absolute differences
    TRACKING_ERROR = "TRACKING_ERROR"  # sqrt(d'Sigma d) per year


@dataclass(frozen=True, slots=True)
class Modes:
    """Restrictions and weights of one request. Raises InvalidInput for those that contradict one another."""

    direction: Direction = Direction.BOTH
    no_new_names: bool = False  # only assets that are held are bought
    cash_flow: float = 0.0  # money that is invested, or raised where it is negative
    retain_cash: bool = False  # purchases are paid from the cash there is, not from sales
    cost_aversion: float = 0.0  # weight of cost / net asset value after costs, beside drift
    tax_aversion: float = 0.0  # the same of the tax, which may be a benefit
    deviation: Deviation = Deviation.DRIFT

    def __post_init__(self) -> None:
        finite_number("cash_flow", self.cash_flow)
        if abs(self.cash_flow) > LARGEST_AMOUNT:
            raise InvalidInput("cash_flow", f"must be at most {LARGEST_AMOUNT:g} in size, is {self.cash_flow:g}")
        for name, aversion in (("cost_aversion", self.cost_aversion), ("tax_aversion", self.tax_aversion)):
            if non_negative(f"trade_off.{name}", aversion) > LARGEST_AVERSION:
                raise InvalidInput(f"trade_off.{name}", f"must be at most {LARGEST_AVERSION:g}")
        if self.direction is Direction.BUY_ONLY and self.cash_flow < 0.0:
            raise InvalidInput("direction", "must allow sales: cash_flow is negative, and purchases raise no cash")
        if self.direction is Direction.SELL_ONLY and self.cash_flow > 0.0:
            raise InvalidInput("direction", "must allow purchases: cash_flow is to be invested")

    def cash_of(self, portfolio: Portfolio) -> Decimal:
        """The cash of a portfolio after the flow, exactly. Raises InvalidInput where only a sale could raise it."""
        with exact_arithmetic():
            cash = exact(portfolio.cash) + exact(self.cash_flow)
        if cash < 0 and self.direction is Direction.BUY_ONLY:
            raise InvalidInput("direction", f"must allow sales: they raise the cash of {cash:g}")
        return cash

    def after_flow(self, portfolio: Portfolio) -> Portfolio:
        """The portfolio after the flow, before any trade."""
        return Portfolio(portfolio.quantities, float(self.cash_of(portfolio)))

    def refusal(self, *, buys: bool, held: bool) -> ShortfallCode | None:
        """Why an asset is not bought, or not sold; None where it may be."""
        if self.direction is (Direction.SELL_ONLY if buys else Direction.BUY_ONLY):
            return ShortfallCode.DIRECTION
        return ShortfallCode.NEW_NAME if buys and self.no_new_names and not held else None
