"""Performance figures of one wealth curve, each by one definition; what is not defined is absent with a reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.calendar import DAYS_PER_YEAR
from domain.checks import Vector
from domain.risk.drawdown import maximum_drawdown
from domain.risk.figure import NO_BENCHMARK, ONE_RETURN, Absent, Figure, known, times
from domain.risk.outcomes import Outcomes
from domain.risk.ratios import calmar, ratios
from domain.risk.relative import Comparison, RelativeRisk, relative_risk

METRICS_VERSION = "1"
TAIL_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Curve:
    """Wealth at dates; the first is what was given at the start."""

    days: NDArray[np.int32]  # (K,), since 1970-01-01
    wealth: Vector  # (K,)

    @property
    def returns(self) -> Vector:
        """Simple returns between the dates, (K-1,); 0 after wealth is used up."""
        before, after = self.wealth[:-1], self.wealth[1:]
        alive = before > 0.0
        result: Vector = np.where(alive, after / np.where(alive, before, 1.0) - 1.0, 0.0)
        return result

    @property
    def years(self) -> float:
        """Calendar time between first and last date."""
        return float(self.days[-1] - self.days[0]) / DAYS_PER_YEAR

    def at(self, days: NDArray[np.int32]) -> "Curve":
        """The curve at some of its dates."""
        return Curve(days, self.wealth[np.searchsorted(self.days, days)])


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """What figures are measured with."""

    periods_per_year: float
    risk_free_rate_annual: float = 0.0
    minimum_acceptable_return_annual: float = 0.0


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a curve; None has its reason in `undefined` under the same name."""

    final_wealth: float  # per unit of initial capital
    total_return: float
    cagr: float
    volatility_annual: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    value_at_risk: float
    conditional_value_at_risk: float
    turnover_annual: float
    cost_total: float
    relative: RelativeRisk | None
    periods_per_year: float
    observations: int
    start_day: int
    end_day: int
    undefined: dict[str, str]


def performance(
    curve: Curve, yardsticks: Yardsticks, *, turnover: float, cost_total: float, benchmark: Curve | None
) -> Performance:
    """The figures of a curve of at least two dates; `turnover` and `cost_total` are sums over all its fills."""
    returns = curve.returns
    outcomes = Outcomes(returns, rounding=4e-15)
    periods = yardsticks.periods_per_year
    final = float(curve.wealth[-1] / curve.wealth[0])
    cagr = final ** (1.0 / curve.years) - 1.0 if final > 0.0 else -1.0
    deviation: Figure = outcomes.deviation if len(returns) > 1 else Absent(ONE_RETURN)
    acceptable = yardsticks.minimum_acceptable_return_annual / periods
    earned = ratios(outcomes, deviation, periods, yardsticks.risk_free_rate_annual / periods, acceptable)
    drawdown = maximum_drawdown(returns).depth
    relative = None if benchmark is None else _relative(curve, benchmark, periods)
    figures = {
        "volatility_annual": times(deviation, periods**0.5),
        "sharpe": earned.sharpe,
        "sortino": earned.sortino,
        "calmar": calmar(cagr, drawdown),
    }
    undefined = {name: figure.reason for name, figure in figures.items() if isinstance(figure, Absent)}
    undefined |= _missing_relative(relative)
    return Performance(
        final_wealth=final,
        total_return=final - 1.0,
        cagr=cagr,
        volatility_annual=known(figures["volatility_annual"]),
        sharpe=known(figures["sharpe"]),
        sortino=known(figures["sortino"]),
        calmar=known(figures["calmar"]),
        max_drawdown=drawdown,
        value_at_risk=outcomes.value_at_risk(TAIL_CONFIDENCE),
        conditional_value_at_risk=outcomes.conditional_value_at_risk(TAIL_CONFIDENCE),
        turnover_annual=turnover / curve.years,
        cost_total=cost_total,
        relative=relative,
        periods_per_year=periods,
        observations=len(returns),
        start_day=int(curve.days[0]),
        end_day=int(curve.days[-1]),
        undefined=undefined,
    )


def _relative(curve: Curve, benchmark: Curve, periods_per_year: float) -> RelativeRisk:
    common = np.intersect1d(curve.days, benchmark.days)
    ours, theirs = curve.at(common).returns, benchmark.at(common).returns
    return relative_risk(Comparison(ours[:, None], theirs), np.ones(1), periods_per_year)


def _missing_relative(relative: RelativeRisk | None) -> dict[str, str]:
    shown = relative or RelativeRisk.absent(NO_BENCHMARK)
    figures = {
        "beta_to_benchmark": shown.beta,
        "tracking_error_annual": shown.tracking_error_annual,
        "information_ratio": shown.information_ratio,
    }
    return {name: figure.reason for name, figure in figures.items() if isinstance(figure, Absent)}
