"""What trades cost in a simulation: rates of impact by date, from given figures or those of the dates before."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.backtest.liquidity import FEWEST_RETURNS, rows_of
from domain.backtest.market import Market
from domain.backtest.simulation.arrays import Costs
from domain.checks import Matrix, Vector
from domain.costs.impact import ImpactInMoney
from domain.costs.model import NAMED, CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class DatedImpact:
    """Rates of impact in R rows, one for each date or one for all, and on which dates they are known."""

    law: ImpactInMoney
    known: NDArray[np.bool_] | None  # (T, N); None where every rate is


def dated_impact(model: CostModel, market: Market, first_fill: int) -> DatedImpact | None:
    """The impact of trades from date number `first_fill` on; None without a law.

    Raises InvalidInput for an asset whose daily value is neither given nor stored, and for one whose stored volumes
    before a date on which it can be traded are all 0.
    """
    if model.impact is None:
        return None
    symbols = market.panel.symbols
    daily, volatility = _tables(model, market)
    _refuse_no_volume(daily, model, market, first_fill)
    known = (daily > 0.0) & ~np.isnan(volatility)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        law = model.impact.in_money(symbols, np.where(known, volatility, 0.0), np.where(known, daily, 1.0))
    for table in (law.rates, law.permanent):
        if not np.isfinite(table).all():
            symbol = symbols[int(np.argmin(np.isfinite(table).all(axis=0)))]
            raise InvalidInput("costs.liquidity", f"gives trades of {symbol} an impact that is too large for a number")
    if known.all():
        return DatedImpact(law, None)
    return DatedImpact(
        ImpactInMoney(np.where(known, law.rates, 0.0), law.power, np.where(known, law.permanent, 0.0), law.price_power),
        np.broadcast_to(known, market.panel.values.shape),
    )


def costs_as_arrays(
    model: CostModel, symbols: tuple[str, ...], impact: DatedImpact | None, *, charges_first_purchase: bool
) -> Costs:
    """What trades cost as a simulation takes it."""
    spread_fraction = model.linear.spread_shares(symbols)
    rates = model.linear.rates(symbols)
    none = np.zeros((1, len(symbols)))
    return Costs(
        commission=rates * (1.0 - spread_fraction),
        spread=rates * spread_fraction,
        impact=none if impact is None else np.ascontiguousarray(impact.law.rates),
        impact_power=1.5 if impact is None else impact.law.power,
        permanent=none if impact is None else np.ascontiguousarray(impact.law.permanent),
        price_power=0.0 if impact is None else impact.law.price_power,
        per_unit=model.commission_per_unit,
        least_commission=model.least_commission,
        most_commission=math.inf if model.most_commission is None else model.most_commission,
        fixed=model.fixed_fee,
        charges_first_purchase=charges_first_purchase,
    )


def unknown_liquidity(model: CostModel, market: Market, first_fill: int) -> tuple[ResultWarning, ...]:
    """A warning that names assets whose trades wait until enough is known of their liquidity."""
    if model.impact is None:
        return ()
    daily, volatility = _tables(model, market)
    known = np.broadcast_to((daily > 0.0) & ~np.isnan(volatility), market.panel.values.shape)
    waiting = ~known[first_fill:] & _traded(market)[first_fill:]
    found = np.flatnonzero(waiting.any(axis=0)).tolist()
    if not found:
        return ()
    days = market.panel.dates[first_fill:]
    named = [f"{market.panel.symbols[j]} {_span(days[waiting[:, j]])}" for j in found[:NAMED]]
    more = f" and {len(found) - NAMED} others" if len(found) > NAMED else ""
    message = (
        f"too little is known of the liquidity of {', '.join(named)}{more}: a volume and {FEWEST_RETURNS} returns "
        "before a date; trades of these dates wait"
    )
    return (ResultWarning("LIQUIDITY_UNKNOWN", "costs.impact", message),)


def _span(days: NDArray[np.int32]) -> str:
    first, last = civil_date(int(days[0])), civil_date(int(days[-1]))
    return f"on {first}" if first == last else f"from {first} to {last}"


def _tables(model: CostModel, market: Market) -> tuple[Matrix, Matrix]:
    """Daily values and volatilities per year, (T, N) or (1, N); NaN where they are not known."""
    symbols, past = market.panel.symbols, market.liquidity
    none = np.full((1, len(symbols)), np.nan)
    values, volatilities = (none, none) if past is None else (past.daily_values[:-1], past.volatilities_annual[:-1])
    given_values, given_volatilities = _given(model, symbols)
    for j, symbol in enumerate(symbols):
        if np.isnan(given_values[j]) and np.isnan(values[:, j]).all():
            raise InvalidInput(
                "costs.liquidity",
                f"must give the daily_value of {symbol}, of which no volume is stored: its trades have an impact",
            )
    return rows_of(values, given_values), rows_of(volatilities, given_volatilities)


def _given(model: CostModel, symbols: tuple[str, ...]) -> tuple[Vector, Vector]:
    values, volatilities = np.full(len(symbols), np.nan), np.full(len(symbols), np.nan)
    for j, symbol in enumerate(symbols):
        known = model.liquidity.get(symbol)
        if known is not None:
            values[j] = known.daily_value
            volatilities[j] = np.nan if known.volatility_annual is None else known.volatility_annual
    return values, volatilities


def _refuse_no_volume(daily: Matrix, model: CostModel, market: Market, first_fill: int) -> None:
    if not (daily == 0.0).any():
        return
    idle = (daily[first_fill:] == 0.0) & _traded(market)[first_fill:]
    if idle.any():
        t, j = (int(k) for k in np.argwhere(idle)[0])
        symbol, day = market.panel.symbols[j], civil_date(int(market.panel.dates[first_fill + t]))
        raise InvalidInput(
            "costs.liquidity",
            f"must give the daily_value of {symbol}, whose stored volumes of the {model.liquidity_lookback} dates "
            f"before {day} are all 0: the impact of a trade is not known without a volume",
        )


def _traded(market: Market) -> NDArray[np.bool_]:
    """Whether an asset can be traded, (T, N)."""
    priced: NDArray[np.bool_] = market.panel.values > 0.0
    return priced if market.tradable is None else priced & market.tradable
