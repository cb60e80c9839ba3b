"""Ratios and indices of drawdowns of PerformanceAnalytics: table.DrawdownsRatio, CalmarRatio, SterlingRatio, PainIndex.

The annual return is compounded by the number of months (`geometric_annual_return`), where ours without the option goes
by the calendar. Sterling's drawdown is the deepest one plus 10 %, as ours.

Up to B, PA's DrawdownPeak, which only pain and ulcer index and their ratios use, divides every return by 100 before it
compounds them and multiplies the result by 100 (reported to the package as 102 and 132). Returns that are
fractions are thus nearly added; returns in per cent come out right. C has the indices after the correction.
"""

from functools import cache

import pytest

from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import MANAGERS, multiplied, number, report, series

EIGHT, SIX = MANAGERS[:8], MANAGERS[:6]
PER_CENT = 100.0

RATIOS = {
    "Sterling ratio": "0.5463 0.5139 0.3884 0.3136 0.0847 0.7678 0.5688 0.1768",
    "Calmar ratio": "0.9062 0.7281 0.5226 0.4227 0.1096 1.7425 1.0982 0.2163",
}
TO_SEVEN_DIGITS = {
    "Calmar ratio": "0.9061697 0.728094 0.5225829 0.4227315 0.1095909 1.742525",
    "Sterling ratio": "0.5462542 0.5138746 0.3883671 0.3136025 0.08471255 0.7678475",
}
CORRECTED = {
    "Pain index": "0.0161 0.0617 0.0661 0.0787 0.1596 0.0184 0.0180 0.1258",
    "Ulcer index": "0.0363 0.0938 0.1048 0.1146 0.1877 0.0297 0.0324 0.1791",
    "Pain ratio": "8.5601 2.8291 2.2889 1.5427 0.2339 7.4443 6.5718 0.7693",
    "Martin ratio": "3.7895 1.8615 1.4425 1.0598 0.1988 4.6165 3.6377 0.5401",
}
DIVIDED = {
    "Pain index": "0.0157 0.0642 0.0674 0.0739 0.1452 0.0183 0.0178 0.1226",
    "Ulcer index": "0.0362 0.1000 0.1114 0.1125 0.1828 0.0299 0.0325 0.1893",
    "Pain ratio": "8.7789 2.7187 2.2438 1.6443 0.2570 7.4837 6.6466 0.7891",
    "Martin ratio": "3.7992 1.7473 1.3572 1.0798 0.2042 4.5928 3.6345 0.5112",
}
OF_1996 = {"Pain Index": "0.3714087 0.002 0.9421759 0.7421641 NA NA NA 0.7336052 3.697961 0"}


@cache
def _report(symbol: str, factor: float = 1.0) -> RiskReport:
    return report(multiplied(series(symbol), factor))


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, RATIOS))
def test_calmar_and_sterling(row: str, symbol: str, printed: str) -> None:
    """table.DrawdownsRatio(managers[,1:8]) of A, B and C, with geometric_annual_return."""
    found = _report(symbol)
    assert number({"Sterling ratio": found.sterling, "Calmar ratio": found.calmar}[row]) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, TO_SEVEN_DIGITS))
def test_calmar_and_sterling_to_seven_digits(row: str, symbol: str, printed: str) -> None:
    """CalmarRatio(managers[,1:6]) and SterlingRatio(managers[,1:6]) of A and B, with geometric_annual_return."""
    found = _report(symbol)
    assert number({"Sterling ratio": found.sterling, "Calmar ratio": found.calmar}[row]) == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, CORRECTED))
def test_pain_and_ulcer(row: str, symbol: str, printed: str) -> None:
    """table.DrawdownsRatio(managers[,1:8]) of C; the two ratios are no figures of ours, but quotients of such."""
    found = _report(symbol)
    pain, ulcer = number(found.drawdowns.pain_index), number(found.drawdowns.ulcer_index)
    annual = number(found.cagr)
    ours = {"Pain index": pain, "Ulcer index": ulcer, "Pain ratio": annual / pain, "Martin ratio": annual / ulcer}
    assert ours[row] == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, DIVIDED))
def test_pain_and_ulcer_of_divided_returns(row: str, symbol: str, printed: str) -> None:
    """table.DrawdownsRatio(managers[,1:8]) of A and B: the indices of the returns over 100, times 100."""
    divided = _report(symbol, 1.0 / PER_CENT).drawdowns
    pain, ulcer = PER_CENT * number(divided.pain_index), PER_CENT * number(divided.ulcer_index)
    annual = number(_report(symbol).cagr)
    ours = {"Pain index": pain, "Ulcer index": ulcer, "Pain ratio": annual / pain, "Martin ratio": annual / ulcer}
    assert ours[row] == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(MANAGERS, OF_1996))
def test_pain_of_a_year_in_per_cent(row: str, symbol: str, printed: str) -> None:
    """PainIndex(100*managers['1996']) of A and B: in per cent it is right. HAM2 has five months of it."""
    assert PER_CENT * number(report(series(symbol, 1996)).drawdowns.pain_index) == shown(printed, DIGITS)
