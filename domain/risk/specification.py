"""What a caller wants to know about a portfolio's risk, before it meets the data.

`pose` joins the two and gives a `RiskQuery`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy, complete
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput, complete_returns, infer_periods_per_year
from domain.portfolio import Portfolio, weights_by_symbol
from domain.risk.analyzer import RiskQuery
from domain.risk.relative import Comparison, compare


@dataclass(frozen=True, slots=True)
class RiskSpecification:
    """Weights by symbol or a portfolio in units, and how to look at them."""

    holdings: Mapping[str, float] | Portfolio
    confidence_level: float = 0.95
    periods_per_year: float | None = None
    risk_free_rate_annual: float = 0.0
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    leveraged: bool = False


def pose(
    specification: RiskSpecification, data: MarketInput, benchmark: PricePanel | ReturnPanel | None = None
) -> RiskQuery:
    """The query that a specification poses on data.

    Raises InvalidInput with the field named: unknown symbols, weights above 1 without leverage, missing values under
    FAIL, a benchmark of another kind or without common dates.
    """
    weights = _weights(specification, data)
    periods = (
        data.periods_per_year
        if isinstance(data, Moments)
        else infer_periods_per_year(specification.periods_per_year, data)
    )
    ready = data if isinstance(data, Moments | Scenarios) else complete_returns(data, specification.missing_data)
    return RiskQuery(
        data=ready,
        weights=weights,
        periods_per_year=periods,
        confidence_level=specification.confidence_level,
        risk_free_rate_annual=specification.risk_free_rate_annual,
        comparison=None if benchmark is None else _comparison(specification, data, benchmark),
        # Prices show the day before the first return; returns alone do not.
        start=int(complete(data, specification.missing_data).dates[0]) if isinstance(data, PricePanel) else None,
    )


def _weights(specification: RiskSpecification, data: MarketInput) -> Vector:
    held = specification.holdings
    if isinstance(held, Portfolio):
        if not isinstance(data, PricePanel):
            raise InvalidInput("holdings", "need prices or market_data as the input: they are valued at the last price")
        by_symbol = held.weights(data.symbols, data.values[-1])
        return weights_by_symbol("holdings", by_symbol, data.symbols, leveraged=True)
    return weights_by_symbol("weights", held, data.symbols, leveraged=specification.leveraged)


def _comparison(specification: RiskSpecification, data: MarketInput, benchmark: PricePanel | ReturnPanel) -> Comparison:
    if isinstance(data, Moments | Scenarios):
        raise InvalidInput("benchmark", "needs prices or returns as the input, to compare date by date")
    if type(data) is not type(benchmark):
        raise InvalidInput("benchmark", "must be of the input's kind: prices with prices, returns with returns")
    return compare(complete(data, specification.missing_data), benchmark)
