"""Measures of risk, the volatility regime and the tracking error, which a price does not change at once.

They are measured for a portfolio when its date ends (the first event of a later date, or `TimePassed.closes_day`),
when it or its mandate changes, and when its net asset value has moved by more than `MonitorSettings.value_tolerance`
since the last measure. In between they stand. The figure is that of the current weights over past daily returns, with
dividends; returns go from one date on which every held asset has a price to the next.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import Matrix, Vector
from domain.monitoring.instruments import Instruments
from domain.monitoring.positions import Positions, Valuation
from domain.monitoring.price_history import PriceHistory
from domain.monitoring.rules import MonitoredMandate, RiskLimit, VolatilityRules
from domain.monitoring.volatility import volatility_ratio
from domain.records import dataclass
from domain.risk.measures.risk_measure import RiskMeasure
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import scenario_risk

WEIGHT_ROUNDING = 1e-9
"""A difference of a weight to its target that is smaller is rounding: its asset needs no prices, and adds nothing."""


def joint_prices(histories: Sequence[PriceHistory]) -> Matrix:
    """Comparable prices of some assets on all of their dates (T, N), NaN where one has none."""
    if not histories:
        return np.zeros((0, 0))
    first = histories[0].days
    if all(one.days is first or np.array_equal(one.days, first) for one in histories):
        return np.column_stack([one.adjusted for one in histories])
    days: NDArray[np.int32] = np.unique(np.concatenate([one.days for one in histories]))
    table = np.full((len(days), len(histories)), np.nan)
    for i, one in enumerate(histories):
        table[days.searchsorted(one.days), i] = one.adjusted
    return table


@dataclass(frozen=True, slots=True)
class _Market:
    """Comparable prices of all assets that some portfolios hold."""

    prices: Matrix  # (T, N)
    columns: Mapping[int, int]  # slot -> column

    @classmethod
    def of(cls, instruments: Instruments, slots: NDArray[np.int64]) -> "_Market":
        symbols = list(instruments.slots)  # in the order of their slots
        chosen = np.unique(slots).tolist()
        histories = [instruments.by_symbol[symbols[slot]].history for slot in chosen]
        return cls(joint_prices(histories), {slot: i for i, slot in enumerate(chosen)})

    def returns(self, slots: NDArray[np.int64]) -> Matrix:
        """Between the dates on which all of some assets have a price, (T, N)."""
        prices = self.prices[:, [self.columns[slot] for slot in slots.tolist()]]
        complete = prices[~np.isnan(prices).any(axis=1)]
        result: Matrix = complete[1:] / complete[:-1] - 1.0
        return result


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """Of some portfolios one after the other: figures of their limits, volatility regimes and tracking errors."""

    limits: Vector
    volatility: Vector
    tracking: Vector


def risk_figures(
    instruments: Instruments, positions: Positions, valuation: Valuation, mandates: Sequence[MonitoredMandate]
) -> RiskFigures:
    """The rows of the portfolios of a valuation, each with its mandate; NaN where there is no figure."""
    slots, units = positions.slots[valuation.items], positions.units[valuation.items]
    held = units != 0.0
    tracks = np.array([_limit_of_tracking(mandate) is not None for mandate in mandates], np.bool_)
    market = _Market.of(instruments, slots[held | np.repeat(tracks, np.diff(valuation.offsets))])
    symbols = tuple(instruments.slots) if tracks.any() else ()
    limits: list[float] = []
    ratios: list[float] = []
    errors: list[float] = []
    for i, mandate in enumerate(mandates):
        rule = mandate.rules
        part = slice(int(valuation.offsets[i]), int(valuation.offsets[i + 1]))
        returns = None
        if valuation.net[i] > 0.0 and rule.longest_lookback:  # NaN compares as False
            chosen = held[part]
            own = slots[part][chosen]
            returns = market.returns(own) @ valuation.weights[part][chosen] if len(own) else None
            limits.extend(_limit_figure(limit, returns) for limit in rule.limits.risk)
            ratios.extend(_ratios(rule.volatility, returns))
        else:
            limits.extend([np.nan] * len(rule.limits.risk))
            ratios.extend([np.nan] * (0 if rule.volatility is None else 2))
        if tracks[i]:
            wanted = np.array([(mandate.target or {}).get(symbols[slot], 0.0) for slot in slots[part].tolist()])
            errors.append(_tracking_error(mandate, market, slots[part], valuation.weights[part] - wanted))
    return RiskFigures(*(np.array(values, np.float64) for values in (limits, ratios, errors)))


def _limit_of_tracking(mandate: MonitoredMandate) -> float | None:
    drift = mandate.rules.drift
    return None if drift is None or mandate.target is None else drift.max_tracking_error_annual


def _tracking_error(mandate: MonitoredMandate, market: _Market, slots: NDArray[np.int64], differences: Vector) -> float:
    """Standard deviation per year of the returns of differences to the target (N,), of 252 days in a year.

    0 without a difference beyond rounding; NaN where weights are not known, or there are too few dates with a price of
    every asset that has one.
    """
    rules = mandate.rules.drift
    if rules is None or np.isnan(differences).any():
        return float("nan")
    active = np.abs(differences) > WEIGHT_ROUNDING
    if not active.any():
        return 0.0
    returns = market.returns(slots[active]) @ differences[active]
    if len(returns) < rules.minimum_returns:
        return float("nan")
    return float(np.std(returns[-rules.lookback :], ddof=1) * np.sqrt(TRADING_DAYS_PER_YEAR))


def _limit_figure(limit: RiskLimit, returns: Vector | None) -> float:
    """A measure of risk per day; 0 of a portfolio that holds only cash, NaN with too few returns."""
    if returns is None:
        return 0.0
    if len(returns) < limit.minimum_returns:
        return float("nan")
    return measured(limit.measure, returns[-limit.lookback :], limit.confidence_level)


def measured(measure: RiskMeasure, returns: Vector, confidence_level: float) -> float:
    """A measure of returns (T,); NaN where it has no finite value."""
    figure = scenario_risk(measure, Outcomes(returns), confidence_level)
    return figure if np.isfinite(figure) else float("nan")


def _ratios(rules: VolatilityRules | None, returns: Vector | None) -> list[float]:
    """The same ratio for both levels."""
    if rules is None:
        return []
    if returns is None:
        return [0.0, 0.0]
    if len(returns) < rules.minimum_returns:
        return [float("nan")] * 2
    return [volatility_ratio(returns[-rules.lookback :], rules.decay)] * 2
