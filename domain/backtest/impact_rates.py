"""What trades cost in a simulation: rates of impact by date, from given figures or those of the dates before."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.liquidity import FEWEST_RETURNS
from domain.backtest.liquidity_tables import can_be_traded, daily_values, has_given_volatility, spans, volatilities
from domain.backtest.market import Market
from domain.backtest.simulation.arrays import SPLIT, Costs
from domain.checks import Matrix
from domain.costs.impact import ImpactInMoney
from domain.costs.model import NAMED, CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.records import dataclass
from domain.warnings import ResultWarning

FEW_RETURNS = 9
"""With fewer returns the standard error of a volatility, 1 / sqrt(2 (n - 1)) of it, is above a quarter."""

_REASON = "its trades have an impact"


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
    daily, volatility = daily_values(model, market, _REASON), volatilities(model, market)
    _refuse_no_volume(daily, model, market, first_fill)
    known = (daily > 0.0) & ~np.isnan(volatility)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        law = model.impact.in_money(symbols, np.where(known, volatility, 0.0), np.where(known, daily, 1.0))
        law = _after_splits(law, market)
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
    commission, spread = model.linear.parts(symbols)
    none = np.zeros((1, len(symbols)))
    return Costs(
        commission=commission,
        spread=spread,
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
    """Warnings that name assets whose trades wait until enough is known, and those with volatilities of few returns."""
    if model.impact is None:
        return ()
    daily, volatility = daily_values(model, market, _REASON), volatilities(model, market)
    traded = can_be_traded(market)[first_fill:]
    known = np.broadcast_to((daily > 0.0) & ~np.isnan(volatility), market.panel.values.shape)[first_fill:]
    found = []
    waiting = ~known & traded
    if waiting.any():
        message = (
            f"too little is known of the liquidity of {spans(market, first_fill, waiting, NAMED)}: a volume and "
            f"{FEWEST_RETURNS} returns before a date; trades of these dates wait"
        )
        found.append(ResultWarning("LIQUIDITY_UNKNOWN", "costs.impact", message))
    if market.liquidity is not None:
        fewest = min(FEW_RETURNS, model.liquidity_lookback)
        few = market.liquidity.returns[first_fill:-1] < fewest
        uncertain = few & known & traded & ~has_given_volatility(model, market.panel.symbols)
        if uncertain.any():
            message = (
                f"the impact of trades of {spans(market, first_fill, uncertain, NAMED)} is by volatilities of fewer "
                f"than {fewest} returns, which are uncertain by more than a quarter of their size"
            )
            found.append(ResultWarning("VOLATILITY_UNCERTAIN", "costs.impact", message))
    return tuple(found)


def _units_for_one(market: Market) -> Matrix | None:
    """Units after the splits until each date for one on the first date, (T, N); None without splits."""
    splits = np.flatnonzero(market.actions.kind == SPLIT) if len(market.actions.kind) else market.actions.kind
    if not len(splits):
        return None
    ratios = np.ones(market.panel.values.shape)
    for event in splits.tolist():
        if market.actions.date[event] > 0:
            ratios[market.actions.date[event], market.actions.asset[event]] *= market.actions.amount[event]
    result: Matrix = ratios.cumprod(axis=0)
    return result


def _after_splits(law: ImpactInMoney, market: Market) -> ImpactInMoney:
    """The law where a unit is a part of one on the first date: all of them together are worth as much as before."""
    units = _units_for_one(market) if law.permanent.any() else None
    if units is None:
        return law
    return replace(law, rates=law.rates * np.ones_like(units), permanent=law.permanent * units**law.price_power)


def _refuse_no_volume(daily: Matrix, model: CostModel, market: Market, first_fill: int) -> None:
    if not (daily == 0.0).any():
        return
    idle = (daily[first_fill:] == 0.0) & can_be_traded(market)[first_fill:]
    if idle.any():
        t, j = (int(k) for k in np.argwhere(idle)[0])
        symbol, day = market.panel.symbols[j], civil_date(int(market.panel.dates[first_fill + t]))
        raise InvalidInput(
            "costs.liquidity",
            f"must give the daily_value of {symbol}, whose stored volumes of the {model.liquidity_lookback} dates "
            f"before {day} are all 0: the impact of a trade is not known without a volume",
        )
