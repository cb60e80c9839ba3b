"""Market impact of the trades of a plan: what each pays for it, and the distribution of their cost."""

import math
from collections.abc import Sequence
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from domain.checks import Matrix
from domain.costs.impact import AlmgrenImpact, Liquidity
from domain.costs.linear import BASIS_POINT
from domain.errors import InvalidInput
from domain.exact import ZERO, exact, exact_arithmetic
from domain.market_data.snapshot import Snapshot
from domain.reallocation.impact import ImpactDistribution, PlannedValues, simulate_impact
from domain.reallocation.request import ImpactTerms
from domain.reallocation.schedule import Trade
from domain.records import dataclass
from domain.warnings import ResultWarning

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Probabilities of the costs that are reported."""

MOST_ENTRIES = 2_000_000
"""Days x assets of one table; of more, the assets are taken in groups."""

EXECUTION_DAYS = "costs.impact.almgren.execution_days"


@dataclass(frozen=True, slots=True)
class AssetImpact:
    """One asset."""

    symbol: str
    permanent_bps: float  # move of the price for good
    temporary_bps: float  # cost of the haste, of the traded value
    expected_cost: float  # in money


@dataclass(frozen=True, slots=True)
class TradeImpact:
    """Of the assets whose figures are known; moves of different assets are taken as independent."""

    assets: tuple[AssetImpact, ...]
    charges: tuple[Decimal, ...]  # expected cost of each trade, in money, in the order of the plan
    variance: float  # of the cost, in money squared
    unknown: tuple[str, ...] = ()  # traded assets without a figure that the law needs

    @property
    def expected_cost(self) -> float:
        """In money."""
        with exact_arithmetic():
            return float(sum(self.charges, ZERO))

    @property
    def standard_deviation(self) -> float:
        """In money."""
        return math.sqrt(self.variance)

    @property
    def quantiles(self) -> tuple[tuple[float, float], ...]:
        """Probabilities, and the costs in money that are not exceeded with them."""
        mean, deviation, normal = self.expected_cost, self.standard_deviation, NormalDist()
        return tuple((probability, mean + deviation * normal.inv_cdf(probability)) for probability in QUANTILES)

    @property
    def warnings(self) -> tuple[ResultWarning, ...]:
        """Names the assets that are left out."""
        if not self.unknown:
            return ()
        missing = "a volume, a volatility or the shares outstanding are missing"
        message = f"market impact is not known, {missing}: {', '.join(self.unknown)}"
        return (ResultWarning("IMPACT_UNKNOWN", "costs.impact", message),)


def impact_of(trades: Sequence[Trade], market: Snapshot, terms: ImpactTerms) -> TradeImpact:
    """Impact of trades in their order; those of one day are spread over that day, or the execution days of the law.

    Raises InvalidInput where trades of several days would each take more than a day.
    """
    traded = sorted({trade.symbol for trade in trades if trade.market_quantity})
    figures = {symbol: own for symbol in traded if (own := _figures(symbol, market, terms)) is not None}
    days = max((trade.day for trade in trades), default=0)
    length = terms.law.execution_days if isinstance(terms.law, AlmgrenImpact) else 1.0
    if length > 1.0 and days > 1:
        raise InvalidInput(EXECUTION_DAYS, f"must be at most 1, is {length:g}: the plan trades on each of {days} days")
    group = max(1, MOST_ENTRIES // max(days, 1))
    known = list(figures)
    found = [
        _of_assets(known[start : start + group], trades, figures, market, terms, length)
        for start in range(0, len(known), group)
    ]
    rates = {asset: rate for part in found for asset, rate in part.rates.items()}
    return TradeImpact(
        tuple(asset for part in found for asset in part.assets),
        tuple(_charge(trade, rates) for trade in trades),
        sum(part.variance for part in found),
        tuple(symbol for symbol in traded if symbol not in figures),
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    """A trade of d in money costs rate d^power + half_move d."""

    rate: float
    power: float
    half_move: float


@dataclass(frozen=True, slots=True)
class ImpactRate:
    """A trade of d in money, of one day, costs rate d^power + permanent d^2."""

    rate: float
    power: float
    permanent: float

    def cost(self, value: float) -> float:
        """In money."""
        return float(self.rate * value**self.power + self.permanent * value * value)


def impact_rates(symbols: Sequence[str], market: Snapshot, terms: ImpactTerms) -> dict[str, ImpactRate]:
    """Those of the assets whose figures are known."""
    figures = {symbol: own for symbol in symbols if (own := _figures(symbol, market, terms)) is not None}
    if not figures:
        return {}
    law = terms.law.in_money(
        tuple(figures),
        np.array([[each.volatility_annual or 0.0 for each in figures.values()]]),
        np.array([[each.daily_value for each in figures.values()]]),
    )
    return {
        symbol: ImpactRate(float(rate), law.power, float(permanent) * market.quotes[symbol].price ** law.price_power)
        for symbol, rate, permanent in zip(figures, law.rates[0], law.permanent[0], strict=True)
    }


@dataclass(frozen=True, slots=True)
class _Group:
    assets: list[AssetImpact]
    rates: dict[str, _Rate]
    variance: float


def _figures(symbol: str, market: Snapshot, terms: ImpactTerms) -> Liquidity | None:
    """Daily value and volatility, those of the terms before those of the market; None where one is not known."""
    quote, given = market.quotes[symbol], terms.liquidity.get(symbol)
    daily = quote.price * (quote.average_daily_volume or 0.0) if given is None else given.daily_value
    volatility = quote.volatility_annual
    if given is not None and given.volatility_annual is not None:
        volatility = given.volatility_annual
    shares_missing = isinstance(terms.law, AlmgrenImpact) and symbol not in terms.law.shares_outstanding
    return None if daily <= 0.0 or volatility is None or shares_missing else Liquidity(daily, volatility)


def _of_assets(
    symbols: Sequence[str],
    trades: Sequence[Trade],
    figures: dict[str, Liquidity],
    market: Snapshot,
    terms: ImpactTerms,
    length: float,
) -> _Group:
    try:
        planned = PlannedValues(
            tuple(symbols),
            _values(symbols, trades),
            prices=np.array([market.quotes[symbol].price for symbol in symbols]),
            volatilities_annual=np.array([figures[symbol].volatility_annual or 0.0 for symbol in symbols]),
            daily_values=np.array([figures[symbol].daily_value for symbol in symbols]),
            day_length=length,
        )
    except InvalidInput as error:
        raise InvalidInput("costs.impact", f"cannot be computed, {error.field} {error.rule}") from None
    law = terms.law.in_money(planned.symbols, planned.volatilities_annual[None, :], planned.daily_values[None, :])
    found = simulate_impact(planned, terms.law)
    rates = {
        symbol: _Rate(float(rate), law.power, 0.5 * BASIS_POINT * float(move))
        for symbol, rate, move in zip(symbols, law.rates[0], found.permanent_bps, strict=True)
    }
    return _Group(_assets(found), rates, found.variance)


def _values(symbols: Sequence[str], trades: Sequence[Trade]) -> Matrix:
    """Money bought of each asset on each day, (K, N)."""
    places = {symbol: i for i, symbol in enumerate(symbols)}
    values = np.zeros((max(trade.day for trade in trades), len(symbols)))
    for trade in trades:
        if trade.symbol in places:
            values[trade.day - 1, places[trade.symbol]] += trade.market_quantity * trade.price
    return values


def _assets(found: ImpactDistribution) -> list[AssetImpact]:
    columns = zip(found.symbols, found.permanent_bps, found.temporary_bps, found.expected, strict=True)
    return [AssetImpact(s, float(permanent), float(haste), float(cost)) for s, permanent, haste, cost in columns]


def _charge(trade: Trade, rates: dict[str, _Rate]) -> Decimal:
    rate = rates.get(trade.symbol)
    if rate is None:
        return ZERO
    value = abs(trade.market_quantity) * trade.price
    return exact(rate.rate * value**rate.power + rate.half_move * value)
