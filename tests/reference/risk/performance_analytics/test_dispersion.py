"""Moments of PerformanceAnalytics: table.Stats, table.Distributions, table.Variability, skewness, kurtosis.

Skewness and kurtosis are those of the population in both, PA's kurtosis the excess where the table does not say
otherwise. Its "sample" skewness and kurtosis, confidence limits of the mean and extremes are no figures of ours.
"""

from functools import cache

import pytest

from domain.market_data.missing import MissingDataPolicy
from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import (
    EDHEC,
    MANAGERS,
    MONTHS,
    number,
    report,
    series,
    with_gaps,
)

EIGHT = MANAGERS[:8]

STATS = {
    "Observations": "152.0000 152.0000 152.0000",
    "Quartile 1": "0.0009 -0.0115 -0.0002",
    "Median": "0.0092 0.0052 0.0097",
    "Arithmetic Mean": "0.0064 0.0065 0.0080",
    "Geometric Mean": "0.0062 0.0062 0.0078",
    "Quartile 3": "0.0146 0.0227 0.0182",
    "Variance": "0.0004 0.0006 0.0003",
    "Stdev": "0.0200 0.0251 0.0183",
    "Skewness": "-2.6837 0.1345 -1.6746",
    "Kurtosis": "16.1782 -0.1133 6.4390",
}
DISTRIBUTIONS = {
    "Monthly Std Dev": "0.0256 0.0367 0.0365 0.0532 0.0457 0.0238 0.0205 0.0433",
    "Skewness": "-0.6588 1.4580 0.7908 -0.4311 0.0738 -0.2800 0.0177 -0.5531",
    "Kurtosis": "5.3616 5.3794 5.6829 3.8632 5.3143 2.6511 3.9105 3.5598",
    "Excess kurtosis": "2.3616 2.3794 2.6829 0.8632 2.3143 -0.3489 0.9105 0.5598",
}
VARIABILITY = {
    "Mean Absolute deviation": "0.0182 0.0268 0.0268 0.0410 0.0329 0.0187 0.0159 0.0333",
    "Monthly Std Dev": "0.0256 0.0367 0.0365 0.0532 0.0457 0.0238 0.0205 0.0433",
    "Annualized Std Dev": "0.0888 0.1272 0.1265 0.1843 0.1584 0.0825 0.0708 0.1500",
}
SKEWNESS = {
    "Skewness": "-0.6588445 1.45804 0.7908285 -0.4310631 0.07380869 -0.2799993 0.01773013 -0.5531032 -0.4048722 "
    "-0.328171"
}
KURTOSIS = {
    "Excess Kurtosis": "2.361589 2.379398 2.682936 0.8632077 2.314343 -0.348865 0.9104791 0.5598191",
}
DEVIATION = {"sd": "0.02562881 0.03671623 0.03651259 0.05319796 0.04573149 0.02381247"}
DEVIATION_ANNUAL = {
    "Annualized Standard Deviation": "0.06944619 0.08705599 0.06355903 0.1336154 0.03119707 0.06356791 0.0490908 "
    "0.0589577 0.07681236 0.03868803 0.04570772 0.1908691 0.06308807"
}


@cache
def _report(symbol: str, level: float = 0.95) -> RiskReport:
    return report(series(symbol), confidence_level=level)


def _quantile(symbol: str, probability: float) -> float:
    """A quantile of the returns is what the historical VaR at one less its probability loses."""
    return -number(_report(symbol, 1.0 - probability).value_at_risk.historical)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EDHEC[:3], STATS))
def test_statistics(row: str, symbol: str, printed: str) -> None:
    """table.Stats(edhec[,1:3]) of A: quartiles are those of our VaR; one mean has geometric_annual_return."""
    found = _report(symbol)
    deviation = number(found.dispersion.volatility_per_period)
    ours = {
        "Observations": float(found.observations),
        "Quartile 1": _quantile(symbol, 0.25),
        "Median": _quantile(symbol, 0.5),
        "Arithmetic Mean": found.expected_return_annual / MONTHS,
        "Geometric Mean": (1.0 + number(found.cagr)) ** (1.0 / MONTHS) - 1.0,
        "Quartile 3": _quantile(symbol, 0.75),
        "Variance": deviation**2,
        "Stdev": deviation,
        "Skewness": number(found.dispersion.skewness),
        "Kurtosis": number(found.dispersion.excess_kurtosis),
    }
    assert ours[row] == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, DISTRIBUTIONS))
def test_distributions(row: str, symbol: str, printed: str) -> None:
    """table.Distributions(managers[,1:8]) of A and B."""
    found = _report(symbol).dispersion
    ours = {
        "Monthly Std Dev": number(found.volatility_per_period),
        "Skewness": number(found.skewness),
        "Kurtosis": number(found.excess_kurtosis) + 3.0,
        "Excess kurtosis": number(found.excess_kurtosis),
    }
    assert ours[row] == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, VARIABILITY))
def test_variability(row: str, symbol: str, printed: str) -> None:
    """table.Variability(managers[,1:8]) of A and B."""
    found = _report(symbol).dispersion
    ours = {
        "Mean Absolute deviation": found.mean_absolute_deviation,
        "Monthly Std Dev": found.volatility_per_period,
        "Annualized Std Dev": found.volatility_annual,
    }
    assert number(ours[row]) == shown(printed)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(MANAGERS, SKEWNESS))
def test_skewness(_: str, symbol: str, printed: str) -> None:
    """skewness(managers) of A and B."""
    assert number(_report(symbol).dispersion.skewness) == shown(printed, DIGITS)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(EIGHT, KURTOSIS))
def test_excess_kurtosis(_: str, symbol: str, printed: str) -> None:
    """kurtosis(managers[,1:8]) of A and B."""
    assert number(_report(symbol).dispersion.excess_kurtosis) == shown(printed, DIGITS)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(MANAGERS[:6], DEVIATION))
def test_standard_deviation(_: str, symbol: str, printed: str) -> None:
    """apply(managers[,1:6], 2, sd, na.rm=TRUE) of A."""
    assert number(_report(symbol).dispersion.volatility_per_period) == shown(printed, DIGITS)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(EDHEC, DEVIATION_ANNUAL))
def test_annual_standard_deviation(_: str, symbol: str, printed: str) -> None:
    """sd.annualized(edhec) of A."""
    assert number(_report(symbol).dispersion.volatility_annual) == shown(printed, DIGITS)


@pytest.mark.parametrize("symbol", ["HAM2", "HAM5", "HAM6", "EDHEC LS EQ"])
def test_dates_without_a_return_are_left_out(symbol: str) -> None:
    """PA omits NA in each column, which DROP_DATES does for a portfolio of one."""
    dropped = report(with_gaps(symbol), missing_data=MissingDataPolicy.DROP_DATES)
    assert dropped.observations < len(with_gaps(symbol).dates)
    assert dropped.figures == _report(symbol).figures
