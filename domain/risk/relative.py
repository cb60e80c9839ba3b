"""A portfolio against a benchmark, on the periods that both have."""

from dataclasses import fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.calendar import usual_step
from domain.checks import Matrix, Vector, moderate
from domain.errors import InvalidInput
from domain.market_data.panel import Days, Panel, PricePanel
from domain.records import dataclass
from domain.risk.conventions import OURS, Conventions
from domain.risk.figure import (
    CONSTANT,
    FLAT_BENCHMARK,
    FLAT_DIFFERENCE,
    NO_OVERLAP,
    Absent,
    Figure,
    finite,
    if_known,
    quotient,
    times,
)
from domain.risk.measures.relative import alpha, beta, correlation
from domain.risk.outcomes import Outcomes

ONE_FREQUENCY = 1.5
"""Ratio of usual steps up to which two panels have one frequency: months have 28 to 31 days."""

NO_BETA = "beta is zero"
NEVER_ROSE = "the benchmark has no positive return"
NEVER_DOWN = "the benchmark has no negative return"
FEW_SUCH_PERIODS = "the benchmark has fewer than two such periods"
FLAT_WITHIN = "the benchmark does not vary over such periods"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Returns of assets and of a benchmark over the same T periods, none at all where they have no date in common."""

    assets: Matrix  # (T, N)
    benchmark: Vector  # (T,)
    dates: Days | None = None  # (T,), at the end of each period
    period_fraction: float = 1.0  # periods here per period of the input: below 1 where the benchmark misses prices


@dataclass(frozen=True, slots=True)
class RelativeRisk:
    """Figures against a benchmark."""

    beta: Figure  # slope of the portfolio's returns on the benchmark's
    correlation: Figure
    tracking_error_annual: Figure  # standard deviation of the active return
    information_ratio: Figure  # annual mean of the active return / tracking error
    alpha_annual: Figure  # Jensen 1968: mean excess return less beta times the benchmark's, times periods per year
    r_squared: Figure
    treynor: Figure  # annual excess return / beta
    beta_up: Figure  # slope over the periods in which the benchmark beat the risk-free rate
    beta_down: Figure  # and in which it stayed below
    capture_up: Figure  # mean return / the benchmark's over the periods in which the benchmark rose
    capture_down: Figure  # and in which it fell

    @classmethod
    @lru_cache(maxsize=8)
    def absent(cls, reason: str) -> "RelativeRisk":
        """All figures absent for one reason; made once, for many curves have no benchmark."""
        return cls(*[Absent(reason)] * len(fields(cls)))


def compare(assets: Panel, benchmark: Panel, grid: Days | None = None, dropped: Days | None = None) -> Comparison:
    """Returns of assets and benchmark on their common dates, over the same periods.

    Prices are aligned before returns are taken. Where the benchmark has no price in between, a return is over several
    periods of the input, and a year has fewer of them; `grid` holds the dates of these periods, where they are more
    than those of `assets`. Returns of the same frequency are taken as they are; of another one, each is compounded
    over the periods between common dates, without those in which a return is missing or one of `dropped`.
    `assets` is complete and of the benchmark's kind; dates on which the benchmark has no value do not count.
    Raises InvalidInput when the benchmark has more than one column.
    """
    if len(benchmark.symbols) != 1:
        raise InvalidInput("benchmark.symbols", f"must name one column, names {len(benchmark.symbols)}")
    if isinstance(benchmark, PricePanel):
        benchmark = benchmark.without_worthless()
    if not isinstance(assets, PricePanel) and _differ_in_frequency(assets, benchmark, dropped):
        return _compounded(assets, benchmark, dropped)
    known = ~np.isnan(benchmark.values[:, 0])
    common, ours, theirs = np.intersect1d(assets.dates, benchmark.dates[known], return_indices=True)
    values, reference = assets.values[ours], benchmark.values[known, 0][theirs]
    if isinstance(assets, PricePanel):
        period_fraction = period_fraction_of(assets.dates if grid is None else grid, common)
        values, reference = _changes("prices", values), _changes("benchmark", reference)
        return Comparison(values, reference, common[1:], period_fraction)
    return Comparison(moderate("returns", values), moderate("benchmark", reference), common)


def _changes(field: str, prices: Matrix) -> Matrix:
    """Returns between rows of prices (K, ...), (K - 1, ...). Raises InvalidInput for those without moments."""
    with np.errstate(over="ignore"):
        return moderate(field, prices[1:] / prices[:-1] - 1.0)


def _differ_in_frequency(assets: Panel, benchmark: Panel, dropped: Days | None) -> bool:
    """Whether the periods of returns have other lengths, by their dates and those whose returns are left out."""
    dates = assets.dates if dropped is None else np.union1d(assets.dates, dropped)
    shorter, longer = sorted((usual_step(dates), usual_step(benchmark.dates)))
    return longer > ONE_FREQUENCY * shorter


def _compounded(assets: Panel, benchmark: Panel, dropped: Days | None) -> Comparison:
    """Returns of both from each common date to the next."""
    common, ours, theirs = np.intersect1d(assets.dates, benchmark.dates, return_indices=True)
    if len(common) < 2:
        return Comparison(assets.values[:0], benchmark.values[:0, 0])
    values = _between("returns", assets.values, ours)
    reference = _between("benchmark", benchmark.values, theirs)[:, 0]
    whole = ~np.isnan(reference)
    if dropped is not None:
        whole &= np.diff(np.searchsorted(dropped, common, side="right")) == 0
    periods = int(np.diff(ours)[whole].sum())
    period_fraction = np.count_nonzero(whole) / periods if periods else 1.0
    return Comparison(values[whole], reference[whole], common[1:][whole], period_fraction)


def _between(field: str, returns: Matrix, places: NDArray[np.intp]) -> Matrix:
    """Returns (T, N) compounded from after each place to the next one, (K - 1, N)."""
    with np.errstate(over="ignore"):
        growth: Matrix = np.multiply.reduceat(1.0 + returns[: places[-1] + 1], places[:-1] + 1, axis=0)
    return moderate(field, growth - 1.0)


def period_fraction_of(dates: Days, common: Days) -> float:
    """Periods between common dates for each period between all dates (T,), which hold the common ones."""
    places = np.searchsorted(dates, common)
    return (len(places) - 1) / float(places[-1] - places[0]) if len(places) > 1 else 1.0


def relative_risk(
    comparison: Comparison,
    weights: Vector,
    periods_per_year: float,
    risk_free_rate_annual: float = 0.0,
    conventions: Conventions = OURS,
) -> RelativeRisk:
    """Figures of constant weights (N,); standard deviations have the divisor T - 1. All are absent for T below 2.

    `periods_per_year` is that of the input; the comparison may have fewer.
    """
    periods_per_year *= comparison.period_fraction
    if len(comparison.benchmark) < 2:
        return RelativeRisk.absent(NO_OVERLAP)
    portfolio = Outcomes.of_portfolio(comparison.assets, weights)
    benchmark = Outcomes.of_portfolio(comparison.benchmark[:, None], np.ones(1))
    active = portfolio.less(benchmark)
    risk_free, root = risk_free_rate_annual / periods_per_year, periods_per_year**0.5
    slope, coefficient = _beta(portfolio, benchmark), _correlation(portfolio, benchmark)
    mean_alpha = if_known(slope, lambda known: float(alpha(portfolio.mean, benchmark.mean, known, risk_free)))
    excess = conventions.annual_excess(portfolio, risk_free, periods_per_year)
    premium = conventions.annual_difference(portfolio.returns, benchmark.returns, periods_per_year)
    tracking_error = times(active.deviation, root)
    up, down = comparison.benchmark > risk_free, comparison.benchmark < risk_free
    return RelativeRisk(
        beta=slope,
        correlation=coefficient,
        tracking_error_annual=tracking_error,
        information_ratio=quotient(premium, tracking_error, FLAT_DIFFERENCE),
        alpha_annual=if_known(mean_alpha, lambda mean: conventions.annualised(mean, periods_per_year)),
        r_squared=if_known(coefficient, lambda known: known**2),
        treynor=quotient(excess, slope, NO_BETA),
        beta_up=_beta_within(portfolio, benchmark, up),
        beta_down=_beta_within(portfolio, benchmark, down),
        capture_up=_capture(portfolio, benchmark, comparison.benchmark > 0.0, NEVER_ROSE),
        capture_down=_capture(portfolio, benchmark, comparison.benchmark < 0.0, NEVER_DOWN),
    )


def active_share(weights: Vector, benchmark_weights: Vector) -> float:
    """Half the sum of absolute differences, cash on both sides included (Cremers & Petajisto 2009)."""
    difference = weights - benchmark_weights
    return 0.5 * float(np.abs(difference).sum() + abs(difference.sum()))


def _beta(portfolio: Outcomes, benchmark: Outcomes) -> Figure:
    deviation = benchmark.deviation
    if deviation == 0.0:
        return Absent(FLAT_BENCHMARK)
    if portfolio.is_constant:
        return 0.0
    return finite(float(beta(portfolio.covariance_with(benchmark), deviation)))


def _correlation(portfolio: Outcomes, benchmark: Outcomes) -> Figure:
    if benchmark.deviation == 0.0:
        return Absent(FLAT_BENCHMARK)
    if portfolio.deviation == 0.0:
        return Absent(CONSTANT)
    covariance = portfolio.covariance_with(benchmark)
    return float(correlation(covariance, portfolio.deviation, benchmark.deviation))


def _beta_within(portfolio: Outcomes, benchmark: Outcomes, chosen: NDArray[np.bool_]) -> Figure:
    if np.count_nonzero(chosen) < 2:
        return Absent(FEW_SUCH_PERIODS)
    slope = _beta(portfolio.within(chosen), benchmark.within(chosen))
    return Absent(FLAT_WITHIN) if isinstance(slope, Absent) else slope


def _capture(portfolio: Outcomes, benchmark: Outcomes, chosen: NDArray[np.bool_], if_none: str) -> Figure:
    if not chosen.any():
        return Absent(if_none)
    return quotient(portfolio.within(chosen).mean, benchmark.within(chosen).mean, if_none)
