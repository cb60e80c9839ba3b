"""Why a figure of the risk report is absent, by the name of its field in the contract."""

import itertools

import numpy as np

from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.relative import Comparison, RelativeRisk
from domain.risk.report import RiskReport

NO_DISTRIBUTION = "needs returns, prices or scenarios: moments alone say nothing about a distribution"
NO_TIME = "needs returns or prices in the order of time"
ONE_RETURN = "needs at least two returns"
CONSTANT = "the portfolio's returns do not vary"
NEVER_FELL = "wealth never fell below an earlier peak"
NO_BENCHMARK = "no benchmark was given"
NO_OVERLAP = "the benchmark and the input have fewer than two periods in common"
FLAT_BENCHMARK = "the benchmark's returns do not vary"
FLAT_ASSET = "the asset does not vary"
FLAT_DIFFERENCE = "the difference to the benchmark does not vary"

_OF_A_DISTRIBUTION = (
    "value_at_risk.historical",
    "value_at_risk.cornish_fisher",
    "conditional_value_at_risk.historical",
    "skewness",
    "excess_kurtosis",
)
_OF_SPREAD = ("volatility_per_period", "volatility_annual", "sharpe", "value_at_risk.gaussian")
_OF_SEVERAL = (*_OF_SPREAD, "value_at_risk.cornish_fisher", "conditional_value_at_risk.gaussian")
_OF_COVARIANCE = ("contributions", "correlation")
_OF_SHAPE = ("value_at_risk.cornish_fisher", "skewness", "excess_kurtosis")
_OF_BENCHMARK = ("beta_to_benchmark", "correlation_to_benchmark", "tracking_error_annual", "information_ratio")


def reasons(
    report: RiskReport, data: ReturnPanel | Scenarios | Moments, comparison: Comparison | None
) -> dict[str, str]:
    """Field name -> reason, for every figure that is absent and none that is there."""
    found: dict[str, str] = {}
    if isinstance(data, Moments):
        found |= dict.fromkeys(_OF_A_DISTRIBUTION, NO_DISTRIBUTION)
    elif report.volatility_per_period is None:
        found |= dict.fromkeys((*_OF_SEVERAL, *_OF_SHAPE, *_OF_COVARIANCE), ONE_RETURN)
    elif report.skewness is None:
        found |= dict.fromkeys(_OF_SHAPE, CONSTANT)
    if report.volatility_per_period == 0.0:
        found["sharpe"] = CONSTANT
    if report.correlation is not None:
        gaps = np.isnan(report.correlation.diagonal())
        found |= {f"correlation[{symbol}]": FLAT_ASSET for symbol in itertools.compress(report.symbols, gaps)}
    found |= _of_drawdown(report)
    found |= dict.fromkeys(_OF_BENCHMARK, NO_BENCHMARK) if report.relative is None else {}
    if report.relative is not None and comparison is not None:
        found |= _of_relative(report.relative, comparison)
    return found


def _of_drawdown(report: RiskReport) -> dict[str, str]:
    if report.drawdown is None:
        return {"max_drawdown": NO_TIME}
    return {"max_drawdown_period": NEVER_FELL} if report.drawdown.peak is None else {}


def _of_relative(relative: RelativeRisk, comparison: Comparison) -> dict[str, str]:
    if len(comparison.benchmark) < 2:
        return dict.fromkeys(_OF_BENCHMARK, NO_OVERLAP)
    found: dict[str, str] = {}
    if relative.beta is None:
        found["beta_to_benchmark"] = FLAT_BENCHMARK
    if relative.correlation is None:
        found["correlation_to_benchmark"] = FLAT_BENCHMARK if relative.beta is None else CONSTANT
    if relative.information_ratio is None:
        found["information_ratio"] = FLAT_DIFFERENCE
    return found
