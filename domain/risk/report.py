"""The risk report: figures in groups, each a number or absent with its reason. Losses are positive."""

from dataclasses import fields
from datetime import date

from domain.checks import Matrix, Vector
from domain.market_data.moments import Moments
from domain.records import dataclass
from domain.risk.contribution import GroupContribution, RiskContributions
from domain.risk.figure import Absent, Figure
from domain.risk.measures import RiskMeasure
from domain.risk.measures.tail import QuantileMethod
from domain.risk.ratios import Ratios
from domain.risk.relative import RelativeRisk
from domain.risk.tail_risk import TailRisk


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How far returns stray, per period."""

    volatility_per_period: Figure
    volatility_annual: Figure
    semi_deviation: Figure
    mean_absolute_deviation: Figure
    gini_mean_difference: Figure
    first_lower_partial_moment: Figure  # below the minimum acceptable return, like the second
    second_lower_partial_moment: Figure
    skewness: Figure  # of the population, like the kurtosis
    excess_kurtosis: Figure


@dataclass(frozen=True, slots=True)
class DatedDrawdown:
    """One drawdown with its dates."""

    depth: float
    peak: date | None  # None where it is the starting capital and its date is not known
    trough: date
    recovery: date | None  # None while the peak has not been reached again
    periods: int  # from the peak to the recovery, or to the last date
    periods_to_trough: int
    periods_to_recovery: int | None  # from the trough


@dataclass(frozen=True, slots=True)
class DrawdownFigures:
    """Drawdowns of the compounded value; the initial capital is the first peak."""

    max_drawdown: Figure
    average_drawdown: Figure  # mean depth of all drawdowns, each from its peak to its recovery
    conditional_drawdown_at_risk: Figure  # mean of the worst 1 - confidence of all dates
    ulcer_index: Figure  # root of the mean square over all dates (Martin & McCann 1989)
    pain_index: Figure  # mean over all dates
    deepest: DatedDrawdown | None  # None where there was no drawdown
    worst: tuple[DatedDrawdown, ...]
    depths: Vector  # (T,), empty for scenarios and moments


@dataclass(frozen=True, slots=True)
class MeasureReport:
    """One measure of the contract, with the contributions to it."""

    measure: RiskMeasure
    value: Figure
    contributions: RiskContributions | None = None
    groups: tuple[GroupContribution, ...] = ()
    factors: tuple[GroupContribution, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskReport:
    """The risk of one portfolio. Figures are per period unless their name says annual."""

    symbols: tuple[str, ...]
    weights: Vector  # (N,)
    periods_per_year: float
    observations: int  # 0 for moments
    confidence_level: float
    expected_return_annual: Figure
    cagr: Figure
    dispersion: Dispersion
    ratios: Ratios
    calmar: Figure
    sterling: Figure
    value_at_risk: TailRisk
    conditional_value_at_risk: TailRisk
    entropic_value_at_risk: Figure
    drawdowns: DrawdownFigures
    relative: RelativeRisk
    compared: int  # periods that portfolio and benchmark both have
    compared_periods_per_year: float | None  # None without a benchmark
    active_share: Figure
    contributions: RiskContributions | Absent  # to the annual volatility of the model
    groups: tuple[GroupContribution, ...]
    factors: tuple[GroupContribution, ...]
    skewness_fractions: Vector | Absent  # (N,), of the third central moment, sum 1
    kurtosis_fractions: Vector | Absent  # (N,), of the fourth
    measures: tuple[MeasureReport, ...]
    correlation: Matrix | Absent  # (N, N), NaN where an asset does not vary
    moments: Moments | None  # behind contributions and correlation, with their repair
    quantile_method: QuantileMethod | None

    @property
    def figures(self) -> dict[str, Figure]:
        """Every single figure by the path that the contract gives it."""
        found = {name: getattr(self, name) for name in _ALONE}
        for part in (self.dispersion, self.ratios, self.drawdowns, self.relative):
            for one in fields(part):
                figure = getattr(part, one.name)
                if isinstance(figure, float | Absent):
                    found[_NAMES.get(one.name, one.name)] = figure
        for tail in ("value_at_risk", "conditional_value_at_risk"):
            for one in fields(getattr(self, tail)):
                found[f"{tail}.{one.name}"] = getattr(getattr(self, tail), one.name)
        return found


_ALONE = ("expected_return_annual", "cagr", "calmar", "sterling", "entropic_value_at_risk", "active_share")
_NAMES = {"beta": "beta_to_benchmark", "correlation": "correlation_to_benchmark"}
"""Figures beside a benchmark have a longer name outside."""
