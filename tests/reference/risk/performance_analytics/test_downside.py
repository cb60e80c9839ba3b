"""Downside of PerformanceAnalytics: table.DownsideRisk, table.DownsideRiskRatio, SortinoRatio, Kappa, Omega.

A minimum acceptable return per month is a twelfth of our annual one. Downside deviation and downside potential are our
second and first lower partial moments, over all returns in both. PA's semi-deviation has the divisor T, an option here;
its Sortino ratio is per month, ours per year, so the tests convert. Gain and loss deviation, upside potential and
semi-variance are no figures of ours.
"""

from functools import cache

import pytest

from domain.risk.figure import NO_DOWNSIDE, Absent
from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import EDHEC, MANAGERS, MONTHS, number, report, series

EIGHT, SIX, THREE = MANAGERS[:8], MANAGERS[:6], MANAGERS[:3]

OF_EDHEC = {
    "Semi Deviation": "0.0167 0.0173 0.0148 0.0304 0.0074 0.0149 0.0127 0.0108 0.0164 0.0091 0.0110 0.0365 0.0134",
    "5%": "0.0159 0.0159 0.0133 0.0287 0.0068 0.0135 0.0126 0.0089 0.0147 0.0080 0.0100 0.0365 0.0126",
    "4%": "0.0157 0.0155 0.0130 0.0283 0.0065 0.0132 0.0124 0.0084 0.0143 0.0077 0.0097 0.0360 0.0122",
    "0%": "0.0147 0.0137 0.0119 0.0269 0.0057 0.0121 0.0116 0.0068 0.0128 0.0067 0.0087 0.0342 0.0109",
    "Maximum Drawdown": "0.2927 0.1168 0.2292 0.3598 0.1108 0.2008 0.1788 0.0792 0.2182 0.0563 0.1594 0.4956 0.2059",
}
OF_MANAGERS = {
    "Semi Deviation": "0.0191 0.0201 0.0237",
    "10%": "0.0178 0.0164 0.0214",
    "0%": "0.0145 0.0116 0.0174",
    "Maximum Drawdown": "0.1518 0.2399 0.2894",
}
TO_SEVEN_DIGITS = {
    "0%": "0.01454078 0.0115736 0.01735454 0.03406781 0.0304305 0.01214476",
    "4%": "0.0157602 0.01341739 0.01891525 0.03565192 0.0320608 0.01366533",
    "Semi Deviation": "0.0190795 0.02011968 0.02369306 0.03950215 0.03244118 0.01751678",
}
RATIOS = {
    "Monthly downside risk": "0.0145 0.0116 0.0174 0.0341 0.0304 0.0121 0.0098 0.0283",
    "Annualised downside risk": "0.0504 0.0401 0.0601 0.1180 0.1054 0.0421 0.0341 0.0980",
    "Downside potential": "0.0051 0.0061 0.0079 0.0159 0.0145 0.0054 0.0041 0.0132",
    "Omega": "3.1907 3.3041 2.5803 1.6920 1.2816 3.0436 3.3186 1.6581",
    "Sortino ratio": "0.7649 1.2220 0.7172 0.3234 0.1343 0.9102 0.9691 0.3064",
    "Omega-sharpe ratio": "2.1907 2.3041 1.5803 0.6920 0.2816 2.0436 2.3186 0.6581",
}
OMEGA = {
    "Omega (L = 0%)": "2.602138 1.936841 3.230443 1.765435 6.213714 2.999655 2.585943 3.516616 2.438064 4.595886 "
    "3.815368 1.228785 2.460153"
}
KAPPA_OF_1996 = {"Kappa": "1.492063 1061.685 2.235197 1.14188 NA NA NA 1.274332 0.01674457 NA"}


@cache
def _report(symbol: str, acceptable_annual: float = 0.0) -> RiskReport:
    return report(series(symbol), minimum_acceptable_return_annual=acceptable_annual)


def _downside(row: str, symbol: str) -> float:
    """A row of table.DownsideRisk; a percentage is the downside deviation below that annual rate over 12."""
    found = _report(symbol)
    if row == "Semi Deviation":
        return number(found.dispersion.semi_deviation)
    if row == "Maximum Drawdown":
        return number(found.drawdowns.max_drawdown)
    acceptable = float(row.removesuffix("%")) / 100.0
    return number(_report(symbol, acceptable).dispersion.second_lower_partial_moment)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EDHEC, OF_EDHEC))
def test_downside_of_edhec(row: str, symbol: str, printed: str) -> None:
    """table.DownsideRisk(edhec, Rf=.04/12, MAR=.05/12, p=.95) of A, with minimum_acceptable_return_annual."""
    assert _downside(row, symbol) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(THREE, OF_MANAGERS))
def test_downside_of_managers(row: str, symbol: str, printed: str) -> None:
    """table.DownsideRisk(managers[,1:3], scale=12, Rf=0) of C, whose MAR is .1/12 by default."""
    assert _downside(row, symbol) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, TO_SEVEN_DIGITS))
def test_downside_to_seven_digits(row: str, symbol: str, printed: str) -> None:
    """DownsideDeviation(managers[,1:6]), the same with MAR=.04/12, SemiDeviation(managers[,1:6]) of A."""
    assert _downside(row, symbol) == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, RATIOS))
def test_downside_ratios(row: str, symbol: str, printed: str) -> None:
    """table.DownsideRiskRatio(managers[,1:8]) and SortinoRatio(managers[,1:8]) of A and B."""
    found = _report(symbol)
    downside = number(found.dispersion.second_lower_partial_moment)
    omega = number(found.ratios.omega)
    ours = {
        "Monthly downside risk": downside,
        "Annualised downside risk": downside * MONTHS**0.5,
        "Downside potential": number(found.dispersion.first_lower_partial_moment),
        "Omega": omega,
        "Sortino ratio": number(found.ratios.sortino) / MONTHS**0.5,
        "Omega-sharpe ratio": omega - 1.0,
    }
    assert ours[row] == shown(printed)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(EDHEC, OMEGA))
def test_omega(_: str, symbol: str, printed: str) -> None:
    """Omega(edhec) of A."""
    assert number(_report(symbol).ratios.omega) == shown(printed, DIGITS)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(MANAGERS, KAPPA_OF_1996))
def test_kappa_of_a_year(_: str, symbol: str, printed: str) -> None:
    """Kappa(managers['1996'], 0, 2) of A and B: of order two, the Sortino ratio per month. HAM2 has five months."""
    assert number(report(series(symbol, 1996)).ratios.sortino) / MONTHS**0.5 == shown(printed, DIGITS)


def test_kappa_without_a_loss() -> None:
    """Inf in the same print, where we have no figure: US 3m TR did not fall in 1996."""
    assert report(series("US 3m TR", 1996)).ratios.sortino == Absent(NO_DOWNSIDE)
