"""Cost model by symbol, independent of the weights held and of the order of assets."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector, non_negative, positive
from domain.costs.impact import AlmgrenImpact, Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.trading import TradingCosts
from domain.errors import InvalidInput, NotSupported
from domain.market_data.moments import Moments
from domain.records import dataclass

NAMED = 5
"""Number of missing symbols that an error text names."""

LIQUIDITY_LOOKBACK = 21
"""Dates before a fill that daily values and volatilities are taken over: a month of trading."""


@dataclass(frozen=True, slots=True)
class CostModel:
    """Costs as the caller specifies them."""

    linear: LinearCost = field(default_factory=LinearCost)
    impact: SquareRootImpact | AlmgrenImpact | None = None
    fixed_fee: float = 0.0  # of every trade, in money
    portfolio_value: float | None = None  # net asset value, in the same money
    liquidity: Mapping[str, Liquidity] = field(default_factory=dict)
    borrow_rate_annual: float = 0.0  # on shorts
    borrow_by_symbol: Mapping[str, float] = field(default_factory=dict)  # yearly rates instead of the one above
    commission_per_unit: float = 0.0  # in money
    least_commission: float = 0.0  # of a trade, in money
    most_commission: float | None = None
    liquidity_lookback: int = LIQUIDITY_LOOKBACK  # dates before a fill that make daily values and volatilities
    by_asset: tuple[str, ...] = field(default=(), compare=False)
    """Symbols with costs of their own in the order of the request, for error paths; without it, of both mappings."""

    def __post_init__(self) -> None:
        non_negative("fixed_fee", self.fixed_fee)
        non_negative("borrow_bps_annual", self.borrow_rate_annual)
        if self.portfolio_value is not None:
            positive("portfolio_value", self.portfolio_value)
        non_negative("commission_per_share", self.commission_per_unit)
        non_negative("min_commission", self.least_commission)
        if self.most_commission is not None and not self.most_commission >= self.least_commission:
            raise InvalidInput("max_commission", f"must be at least min_commission, {self.least_commission:g}")

    def without_current_weights(self) -> None:
        """Raises InvalidInput where there is a cost of trades, which needs current weights; borrowing does not."""
        linear = self.linear
        trades = linear.commission_bps or linear.half_spread_bps or linear.by_symbol_bps or self.fixed_fee
        if trades or self.impact is not None or self.borrow_rate_annual == 0.0:
            raise InvalidInput("current_weights", "must be given with costs: trades are measured from them")

    def completed(self, portfolio_value: float, liquidity: Mapping[str, Liquidity]) -> "CostModel":
        """The same with missing values taken from the portfolio and the market."""
        value = portfolio_value if self.portfolio_value is None else self.portfolio_value
        return replace(self, portfolio_value=value, liquidity={**liquidity, **self.liquidity})

    def trading(self, moments: Moments, current: Vector, movable: NDArray[np.bool_]) -> TradingCosts:
        """Costs of trading away from current weights (N,); `movable` (N,) marks the weights that may change.

        Raises InvalidInput for a symbol that the moments do not have, and for a portfolio value or a daily value that
        a fee or the impact needs and that is missing.
        """
        _known("costs.by_asset", self.own_costs, moments.symbols)
        _known("costs.liquidity", self.liquidity, moments.symbols)
        return TradingCosts(
            self.linear.rates(moments.symbols),
            current,
            impact=None if self.impact is None else self._impact(self.impact, moments, movable),
            fee=self.fixed_fee / self._value("a fixed fee") if self.fixed_fee > 0.0 else 0.0,
            borrow_rate_annual=self.borrow_rate_annual,
        )

    @property
    def own_costs(self) -> tuple[str, ...]:
        """Symbols with costs of trading or borrowing of their own, each once, in the order of the request."""
        return self.by_asset or tuple(dict.fromkeys([*self.linear.by_symbol_bps, *self.borrow_by_symbol]))

    @property
    def has_borrow(self) -> bool:
        """Whether a short position costs anything."""
        return self.borrow_rate_annual != 0.0 or any(self.borrow_by_symbol.values())

    def borrow_rates(self, symbols: tuple[str, ...]) -> Vector:
        """Yearly rate on a short position in each asset, (N,)."""
        if not self.borrow_by_symbol:
            return np.full(len(symbols), self.borrow_rate_annual)
        return np.array([self.borrow_by_symbol.get(symbol, self.borrow_rate_annual) for symbol in symbols])

    def _value(self, charge: str) -> float:
        if self.portfolio_value is None:
            raise InvalidInput(
                "costs.portfolio_value", f"must be given: {charge} is an amount of money, and weights are fractions"
            )
        return self.portfolio_value

    def _impact(self, law: SquareRootImpact | AlmgrenImpact, moments: Moments, movable: NDArray[np.bool_]) -> Vector:
        if isinstance(law, AlmgrenImpact):
            raise NotSupported(
                "costs.impact.almgren is not supported in an optimisation, whose impact is costs.impact.square_root",
                field="costs.impact.almgren",
            )
        value = self._value("the impact of a trade")
        symbols = moments.symbols
        missing = [s for s, moves in zip(symbols, movable, strict=True) if moves and s not in self.liquidity]
        if missing:
            more = f" and {len(missing) - NAMED} others" if len(missing) > NAMED else ""
            named = ", ".join(missing[:NAMED])
            raise InvalidInput(
                "costs.liquidity", f"must give the daily_value of every symbol that may trade; missing: {named}{more}"
            )
        days, volatilities = np.zeros(len(symbols)), moments.volatilities * moments.periods_per_year**0.5
        for i, symbol in enumerate(symbols):
            known = self.liquidity.get(symbol)
            if known is not None:
                days[i] = value / known.daily_value
                volatilities[i] = volatilities[i] if known.volatility_annual is None else known.volatility_annual
        return law.rates(volatilities, days)


def _known(field_name: str, named: Iterable[str], symbols: tuple[str, ...]) -> None:
    known = set(symbols)
    for i, symbol in enumerate(named):
        if symbol not in known:
            raise InvalidInput(f"{field_name}[{i}].symbol", f"{symbol} is not a symbol of the input")
