"""Target weights by an optimisation over stored prices."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Snapshot
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.portfolio import Portfolio
from domain.reallocation.market import liquidity_of, net_asset_value
from domain.records import dataclass
from domain.warnings import ResultWarning

WEIGHT_ROUNDING = 1e-9
"""A weight of a solver that is smaller than this is a zero."""


@dataclass(frozen=True, slots=True)
class TargetWeights:
    """Fractions of net asset value by symbol, and warnings about the optimisation."""

    weights: Mapping[str, float]
    warnings: tuple[ResultWarning, ...] = ()


def optimised_target(
    specification: Specification,
    prices: PricePanel,
    lookback: int | None,
    portfolio: Portfolio,
    market: Snapshot,
    check_cancelled: Callable[[], None],
) -> TargetWeights:
    """Optimal weights over the last `lookback` returns of `prices` (T, N), all of them where it is None.

    Current weights are those of the portfolio at the quotes of the market; holdings that the prices do not have, or
    that are factors, count as cash where turnover is limited. Raises InvalidInput for too few dates or a holding
    without a quote, and what `state` and `solve` raise.
    """
    held = portfolio.weights_at({symbol: quote.price for symbol, quote in market.quotes.items()})
    panel = prices if lookback is None else last_dates(prices, lookback)
    assets = tuple(symbol for symbol in panel.symbols if symbol not in specification.estimation.factors)
    current = {symbol: held[symbol] for symbol in assets if symbol in held}
    specification = _with_market_costs(specification, portfolio, market, assets)
    solution = solve(
        build_problem(replace(specification, current_weights=current), panel, check_cancelled), check_cancelled
    )
    # Rounding of a zero weight is no wish to sell short; a real short is refused by name.
    weights = np.where(np.abs(solution.weights) < WEIGHT_ROUNDING, 0.0, solution.weights)
    warnings = tuple(warning.with_path_prefix("target_optimize") for warning in solution.warnings)
    return TargetWeights(dict(zip(solution.symbols, weights.tolist(), strict=True)), warnings)


def last_dates(prices: PricePanel, lookback: int) -> PricePanel:
    """The last `lookback` + 1 dates, so `lookback` returns. Raises InvalidInput where there are fewer."""
    dates = lookback + 1
    if dates > len(prices.dates):
        raise InvalidInput("target_optimize.lookback_periods", f"needs {dates} dates, {len(prices.dates)} are stored")
    first = len(prices.dates) - dates
    return PricePanel(prices.symbols, prices.dates[first:], prices.values[first:])


def _with_market_costs(
    specification: Specification, portfolio: Portfolio, market: Snapshot, symbols: tuple[str, ...]
) -> Specification:
    """Costs know the value of the portfolio and the daily value of assets, where the request does not say them."""
    if specification.costs is None:
        return specification
    costs = specification.costs.completed(net_asset_value(portfolio, market), liquidity_of(market, symbols))
    return replace(specification, costs=costs)
