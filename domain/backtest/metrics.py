"""Performance figures of one curve of net asset values; an undefined figure is absent with a reason."""

import math
from collections.abc import Iterator
from dataclasses import fields
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.backtest.return_moments import ReturnMoments, return_moments
from domain.calendar import DAYS_PER_YEAR, periods_per_year
from domain.checks import LARGEST_RETURN, Matrix, Vector, freeze, rounding_of_size
from domain.errors import InvalidInput
from domain.market_data.panel import Days
from domain.records import dataclass
from domain.risk.figure import (
    NO_BENCHMARK,
    ONE_RETURN,
    TOO_LARGE,
    TOTAL_LOSS,
    Absent,
    Figure,
    finite,
    grown,
    if_known,
    times,
)
from domain.risk.measures.drawdown import deepest_of_fraction
from domain.risk.measures.tail import historical_tail
from domain.risk.outcomes import Outcomes
from domain.risk.ratios import calmar, sharpe_of_moments, sharpe_ratio, sortino_of_moments, sortino_ratio
from domain.risk.relative import Comparison, RelativeRisk, period_fraction_of, relative_risk

METRICS_VERSION = "2"
"""Raised with every change of a definition. 2: the Sharpe ratio is over what cash earns where no rate is given."""

TAIL_CONFIDENCE = 0.95

FAR_ABOVE = 1e6
"""Times what rounding does: a deviation above this is none of rounding, however long the series."""


def simple_returns(nav: Vector) -> Vector:
    """Returns between K net asset values (..., K), of which the last may be 0, (..., K - 1)."""
    with np.errstate(over="ignore"):  # `performance` reports infinite returns as absent figures
        result: Vector = nav[..., 1:] / nav[..., :-1]
    result -= 1.0
    return result


@dataclass(frozen=True)
class Curve:
    """Net asset values at dates, 0 or more; the first is the initial capital. After a 0 all are 0."""

    days: NDArray[np.int32]  # (K,), since 1970-01-01
    nav: Vector  # (K,)

    @classmethod
    def of_returns(cls, days: NDArray[np.int32], nav: Vector, returns: Vector) -> "Curve":
        """One whose net asset values are all above 0, and whose returns (K - 1,) are known."""
        curve = cls(days, nav)
        vars(curve).update(_length=len(nav), returns=freeze(returns))  # as if they had been asked for
        return curve

    @cached_property
    def _length(self) -> int:
        """Of the curve up to the first net asset value of 0, all of it where there is none."""
        return len(self.nav) if self.nav.min(initial=math.inf) > 0.0 else int(np.argmax(self.nav <= 0.0)) + 1

    @property
    def until_ruin(self) -> "Curve":
        """The curve up to the first net asset value of 0. Not kept: a curve that has itself is freed late."""
        length = self._length
        return self if length == len(self.nav) else Curve(self.days[:length], self.nav[:length])

    @cached_property
    def returns(self) -> Vector:
        """Simple returns between the dates, (R,): K - 1, or fewer where the net asset value reaches 0."""
        return freeze(simple_returns(self.until_ruin.nav))

    @property
    def years(self) -> float:
        """Calendar time between first and last date, in years of 365.25 days."""
        return float(self.days[-1] - self.days[0]) / DAYS_PER_YEAR

    @property
    def growth(self) -> Figure:
        """Compound annual growth rate."""
        first, last = float(self.nav[0]), float(self.nav[-1])
        if last <= 0.0:
            return TOTAL_LOSS
        ratio = last / first
        known = 0.0 < ratio < math.inf
        return grown((math.log(ratio) if known else math.log(last) - math.log(first)) / self.years)

    @property
    def max_drawdown(self) -> float:
        """Largest fall from a peak as a fraction of it, from 0 to exactly 1 for a total loss."""
        from domain.backtest.simulation.curve_passes import least_of_peaks  # numba takes half a second

        return deepest_of_fraction(least_of_peaks(self.nav))

    def at(self, days: NDArray[np.int32]) -> "Curve":
        """The curve at some of its dates."""
        return Curve(days, self.nav[np.searchsorted(self.days, days)])


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """Parameters of the figures."""

    periods_per_year: float  # of the curve; figures against a benchmark have that of the common dates
    risk_free_rate_annual: float = 0.0
    minimum_acceptable_return_annual: float = 0.0
    cash_returns: Vector | None = None  # (K,), what cash earns to each date, to be taken off instead of that rate
    is_given: bool = False  # whether periods per year come from the request, and hold for this curve alone


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a curve by their names in the contract; an absent figure has its reason."""

    final_wealth: Figure  # per unit of initial capital
    total_return: Figure
    cagr: Figure
    volatility_annual: Figure
    sharpe: Figure
    sortino: Figure
    calmar: Figure
    max_drawdown: Figure
    value_at_risk: Figure
    conditional_value_at_risk: Figure
    turnover_annual: Figure
    cost_total: Figure
    beta_to_benchmark: Figure
    tracking_error_annual: Figure
    information_ratio: Figure
    periods_per_year: float
    observations: int
    start_day: int
    end_day: int

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures that may be absent, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)[: -len(_ALWAYS)]}

    @property
    def undefined(self) -> dict[str, str]:
        """Why a figure is absent, by its name."""
        return {name: figure.reason for name, figure in self.figures.items() if isinstance(figure, Absent)}


_ALWAYS = ("periods_per_year", "observations", "start_day", "end_day")


def performance(
    curve: Curve,
    settings: MetricSettings,
    *,
    turnover: float,
    cost_total: float,
    benchmark: Curve | None,
    moments: ReturnMoments | None = None,
) -> Performance:
    """The figures of a curve of at least two dates; `turnover` and `cost_total` are sums over all its fills.

    `settings.periods_per_year` is that of the curve; figures against a benchmark have that of the common dates.
    `moments` are those of the curve, where they are known already.
    """
    if moments is None:
        (moments,) = moments_of_each(curve.returns[None], settings)
    periods = settings.periods_per_year
    final = finite(float(curve.nav[-1]) / float(curve.nav[0]))
    growth, max_drawdown = curve.growth, curve.max_drawdown
    volatility: Figure
    sharpe: Figure
    sortino: Figure
    value_at_risk: Figure
    conditional: Figure
    if moments.largest <= LARGEST_RETURN:
        rounding, deviation = rounding_of_size(moments.size), _deviation(curve.returns, moments)
        volatility = times(deviation, periods**0.5)
        sharpe = _sharpe(curve.returns, moments.mean, deviation, rounding, settings)
        sortino = sortino_of_moments(moments.mean, moments.shortfall**0.5, periods, _acceptable(settings))
        value_at_risk, conditional = historical_tail(moments.worst, len(curve.returns), TAIL_CONFIDENCE)
    else:
        volatility = sharpe = sortino = value_at_risk = conditional = Absent(TOO_LARGE)
    relative = _relative(curve, benchmark, settings)
    return Performance(
        final_wealth=final,
        total_return=if_known(final, lambda ratio: ratio - 1.0),
        cagr=growth,
        volatility_annual=volatility,
        sharpe=sharpe,
        sortino=sortino,
        calmar=calmar(growth, max_drawdown),
        max_drawdown=max_drawdown,
        value_at_risk=value_at_risk,
        conditional_value_at_risk=conditional,
        turnover_annual=finite(turnover / curve.years),
        cost_total=finite(cost_total),
        beta_to_benchmark=relative.beta,
        tracking_error_annual=relative.tracking_error_annual,
        information_ratio=relative.information_ratio,
        periods_per_year=periods,
        observations=len(curve.returns),
        start_day=int(curve.days[0]),
        end_day=int(curve.days[-1]),
    )


def moments_of_each(returns: Matrix, settings: MetricSettings) -> Iterator[ReturnMoments]:
    """What `performance` takes of the returns of each of some curves, (B, R), that have the same settings."""
    return return_moments(returns, _acceptable(settings), TAIL_CONFIDENCE)


def _acceptable(settings: MetricSettings) -> float:
    return settings.minimum_acceptable_return_annual / settings.periods_per_year


def figure_of_returns(curve: Curve, settings: MetricSettings, name: str) -> Figure:
    """One figure of `performance` that the returns determine, by its name there, in a fraction of the time of all."""
    final = finite(float(curve.nav[-1]) / float(curve.nav[0]))
    match name:
        case "total_return":
            return if_known(final, lambda ratio: ratio - 1.0)
        case "cagr":
            return curve.growth
        case "calmar":
            return calmar(curve.growth, curve.max_drawdown)
        case "max_drawdown":
            return curve.max_drawdown
    outcomes = _outcomes(curve)
    if isinstance(outcomes, Absent):
        return outcomes
    return _figure_of_outcomes(outcomes, settings, name)


def _figure_of_outcomes(outcomes: Outcomes, settings: MetricSettings, name: str) -> Figure:
    match name:
        case "value_at_risk":
            return outcomes.value_at_risk(TAIL_CONFIDENCE)
        case "conditional_value_at_risk":
            return outcomes.conditional_value_at_risk(TAIL_CONFIDENCE)
        case "sortino":
            return sortino_ratio(outcomes, settings.periods_per_year, _acceptable(settings))
    deviation: Figure = outcomes.deviation if outcomes.is_known else Absent(ONE_RETURN)
    match name:
        case "volatility_annual":
            return times(deviation, settings.periods_per_year**0.5)
        case "sharpe":
            if settings.cash_returns is not None and outcomes.is_known:
                return _sharpe_over_cash(outcomes, settings)
            risk_free = settings.risk_free_rate_annual / settings.periods_per_year
            return sharpe_ratio(outcomes, deviation, settings.periods_per_year, risk_free)
    raise ValueError(f"{name} is no figure of returns alone")


def excess_returns(curve: Curve, settings: MetricSettings) -> Vector:
    """Returns of a curve less the risk-free ones, (R,): those whose mean and deviation the Sharpe ratio has."""
    return _less_risk_free(curve.returns, settings)


def _less_risk_free(returns: Vector, settings: MetricSettings) -> Vector:
    if settings.cash_returns is None and settings.risk_free_rate_annual == 0.0:
        return returns
    result: Vector = returns - riskless_returns(settings, len(returns))
    return result


def riskless_returns(settings: MetricSettings, count: int) -> Vector:
    """The risk-free return of each of the first periods, (count,)."""
    if settings.cash_returns is None:
        return _constant(count, settings.risk_free_rate_annual / settings.periods_per_year)
    return settings.cash_returns[1 : count + 1]


@lru_cache(maxsize=4)
def _constant(count: int, rate: float) -> Vector:
    """Held once for trials of a sweep, which keep it to its end."""
    return freeze(np.full(count, rate))


def _outcomes(curve: Curve) -> Outcomes | Absent:
    """The returns as a sample; absent where their squares overflow."""
    returns = curve.returns
    largest = float(returns.max())
    if not largest <= LARGEST_RETURN:
        return Absent(TOO_LARGE)
    return Outcomes(returns, rounding=rounding_of_size(max(largest, -float(returns.min()))))


def _deviation(returns: Vector, moments: ReturnMoments) -> Figure:
    """Standard deviation of returns (R,) from their moments; the bits of `dispersion`, which takes a dozen passes."""
    count, rounding = len(returns), rounding_of_size(moments.size)
    if count < 2:
        return Absent(ONE_RETURN)
    deviation: float = (moments.square * count / (count - 1)) ** 0.5
    # Far above rounding the returns differ; else they are looked at, as rounding of the mean may be all there is.
    if deviation <= FAR_ABOVE * rounding and moments.largest - float(moments.worst[0]) <= rounding:
        return 0.0
    return deviation


def _sharpe(returns: Vector, mean: float, deviation: Figure, rounding: float, settings: MetricSettings) -> Figure:
    periods = settings.periods_per_year
    if settings.cash_returns is None or isinstance(deviation, Absent):
        return sharpe_of_moments(mean, deviation, periods, settings.risk_free_rate_annual / periods)
    return _sharpe_over_cash(Outcomes(returns, rounding=rounding), settings)


def _sharpe_over_cash(outcomes: Outcomes, settings: MetricSettings) -> Figure:
    # The rate differs from period to period with its days: the deviation is that of the excess returns (Sharpe 1994).
    returns = _less_risk_free(outcomes.returns, settings)
    if not float(np.abs(returns).max(initial=0.0)) <= LARGEST_RETURN:
        return Absent(TOO_LARGE)
    excess = Outcomes(returns, rounding=outcomes.rounding)
    return sharpe_ratio(excess, excess.deviation, settings.periods_per_year, 0.0)


def _relative(curve: Curve, benchmark: Curve | None, settings: MetricSettings) -> RelativeRisk:
    if benchmark is None:
        return RelativeRisk.absent(NO_BENCHMARK)
    return against(curve, benchmark, settings)[0]


def against(curve: Curve, benchmark: Curve, settings: MetricSettings) -> tuple[RelativeRisk, Vector, Vector]:
    """Figures against a benchmark, and the returns of both between their common dates, (C,) each.

    `settings.periods_per_year` is that of the curve. Neither side has a return after its net asset value is used up.
    """
    common = np.intersect1d(curve.until_ruin.days, benchmark.until_ruin.days)
    ours, theirs = curve.at(common).returns, benchmark.at(common).returns
    if max(float(ours.max(initial=0.0)), float(theirs.max(initial=0.0))) > LARGEST_RETURN:
        return RelativeRisk.absent(TOO_LARGE), ours, theirs
    periods = common_periods_per_year(curve.days, common, settings)
    rate = settings.risk_free_rate_annual
    if settings.cash_returns is not None and len(ours):
        # Jensen's alpha depends on the mean alone of what cash earned.
        rate = periods * float(np.mean(riskless_between(curve, settings, common, periods)))
    return relative_risk(Comparison(ours[:, None], theirs), np.ones(1), periods, rate), ours, theirs


def riskless_between(curve: Curve, settings: MetricSettings, common: Days, periods: float) -> Vector | float:
    """Risk-free return from each of some dates (C,) of a curve to the next: at a rate, or compounded from cash.

    `periods` of these dates make a year.
    """
    if settings.cash_returns is None:
        return settings.risk_free_rate_annual / periods
    levels = np.cumprod(1.0 + settings.cash_returns).astype(np.float64)
    return Curve(curve.days, levels).at(common).returns


def common_periods_per_year(days: Days, common: Days, settings: MetricSettings) -> float:
    """Periods per year of the dates (C,) that a curve with dates `days` (K,) has in common with a benchmark.

    They are those of the curve where its number was inferred and no date is left out, and otherwise what the common
    dates say; where these have no usual spacing, as many as they are a fraction of the curve's.
    """
    fraction = period_fraction_of(days, common)
    if fraction == 1.0 and not settings.is_given:
        return settings.periods_per_year
    try:
        return periods_per_year(common)
    except InvalidInput:
        return settings.periods_per_year * fraction
