"""The risk report. A figure that is not defined for the data is None, and `undefined` says why; none is inf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.checks import Matrix, Vector
from domain.market_data.moments import Moments
from domain.risk.contribution import RiskContributions
from domain.risk.drawdown import Drawdown
from domain.risk.measures import QuantileMethod
from domain.risk.relative import RelativeRisk


@dataclass(frozen=True, slots=True)
class TailRisk:
    """VaR or CVaR per period by each definition; losses are positive."""

    historical: float | None = None
    gaussian: float | None = None
    cornish_fisher: float | None = None  # of VaR only


@dataclass(frozen=True, slots=True)
class DrawdownDates:
    """When the maximum drawdown was."""

    peak: date | None  # None where it is the starting capital and its date is not known
    trough: date
    recovery: date | None  # None while the peak has not been reached again


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Everything about one portfolio's risk. Figures are per period unless their name says annual."""

    symbols: tuple[str, ...]
    weights: Vector  # (N,)
    periods_per_year: float
    observations: int  # 0 for moments
    confidence_level: float
    expected_return_annual: float
    volatility_per_period: float | None
    volatility_annual: float | None
    sharpe: float | None
    value_at_risk: TailRisk
    conditional_value_at_risk: TailRisk
    skewness: float | None  # of the population
    excess_kurtosis: float | None  # of the population
    drawdown: Drawdown | None
    drawdown_dates: DrawdownDates | None
    relative: RelativeRisk | None
    contributions: RiskContributions | None  # to the annual volatility
    correlation: Matrix | None  # (N, N), NaN where an asset does not vary
    moments: Moments | None  # behind contributions and correlation, with their repair
    quantile_method: QuantileMethod | None
    undefined: Mapping[str, str]  # field name -> why it is absent
