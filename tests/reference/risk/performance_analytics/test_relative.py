"""Figures beside a benchmark of PerformanceAnalytics: ActivePremium, TrackingError, InformationRatio, TreynorRatio,
UpDownRatios, table.Correlation.

All are over the months that both have, in PA and here, but for the excess return of PA's Treynor ratio, which is over
all of the portfolio's own. PA's active premium is the difference of two compounded returns (`geometric_annual_return`).
PA counts a benchmark return of zero as down in its capture ratios, we as neither; here there is none.
"""

from functools import cache

import pytest

from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import MANAGERS, in_excess, number, report, series

SIX = MANAGERS[:6]
MARKET, PEERS = "SP500 TR", "EDHEC LS EQ"

ACTIVE_PREMIUM = {
    MARKET: "0.04078668 0.07759873 0.05446935 0.02473443 0.02182245 0.07585993",
    PEERS: "0.01965368 0.03776329 0.01043540 -0.00462594 -0.03237453 0.05463574",
}
TRACKING_ERROR = {
    MARKET: "0.11316666 0.15336472 0.11586735 0.1596656 0.1800291 0.11283904",
    PEERS: "0.07577263 0.09071824 0.08156934 0.1569067 0.1421533 0.05651657",
}
INFORMATION_RATIO = {
    MARKET: "0.3604125 0.5059751 0.4701009 0.1549140 0.1212162 0.6722844",
    PEERS: "0.2593770 0.4162701 0.1279329 -0.0294821 -0.2277438 0.9667207",
}
TREYNOR_OF_ONE_RATE = {
    MARKET: "0.2528 0.3925 0.2010 0.1209 0.0052 0.3042",
    PEERS: "0.1297 0.1088 0.0776 0.0504 0.0014 0.0966",
}
TREYNOR_OF_RATES = {
    MARKET: "0.2428 0.3883 0.1956 0.1144 0.0219 0.3401",
    PEERS: "0.1242 0.1068 0.0753 0.0471 0.0060 0.1086",
}
CAPTURE = {
    "Up Capture": "0.6346612 0.66155321 0.7913921 0.9272348 0.5529663 0.8068482",
    "Down Capture": "0.2076304 0.04392011 0.3669345 0.7007885 0.3520355 0.2397750",
}
CAPTURE_OF_PEERS = {
    "Up Capture": "1.0068 1.1774 1.2443 1.4855 0.9575 1.3205",
    "Down Capture": "0.6320 0.8091 1.5138 2.3796 1.2573 0.8327",
}
CORRELATION = {
    MARKET: "0.6600671 0.4128282 NA NA 0.2844487 0.5091542",
    PEERS: "0.5896798 NA NA NA NA 0.7285463",
}


@cache
def _report(symbol: str, benchmark: str) -> RiskReport:
    return report(series(symbol), series(benchmark))


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, TRACKING_ERROR))
def test_tracking_error(benchmark: str, symbol: str, printed: str) -> None:
    """TrackingError(managers[,1:6], managers[,8:7]) of A and B."""
    assert number(_report(symbol, benchmark).relative.tracking_error_annual) == shown(printed, DIGITS)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, INFORMATION_RATIO))
def test_information_ratio(benchmark: str, symbol: str, printed: str) -> None:
    """InformationRatio(managers[,1:6], managers[,8:7]) of A and B, with geometric_annual_return."""
    assert number(_report(symbol, benchmark).relative.information_ratio) == shown(printed, DIGITS)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, ACTIVE_PREMIUM))
def test_active_premium(benchmark: str, symbol: str, printed: str) -> None:
    """ActivePremium(managers[,1:6], managers[,8:7]) of A and B: no figure of ours, but the product of two."""
    found = _report(symbol, benchmark).relative
    ours = number(found.information_ratio) * number(found.tracking_error_annual)
    assert ours == shown(printed, DIGITS)


def _on_its_own_months(found: RiskReport) -> float:
    """PA's Treynor ratio: the compounded excess return of all months, which is Sharpe times volatility, over beta."""
    excess = number(found.ratios.sharpe) * number(found.dispersion.volatility_annual)
    return excess / number(found.relative.beta)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, TREYNOR_OF_ONE_RATE))
def test_treynor_of_one_rate(benchmark: str, symbol: str, printed: str) -> None:
    """round(TreynorRatio(managers[,1:6], managers[,8:7], Rf=.035/12),4) of A, with geometric_annual_return."""
    found = report(series(symbol), series(benchmark), risk_free_rate_annual=0.035)
    if benchmark == MARKET:  # it has every month
        assert number(found.relative.treynor) == shown(printed)
    assert _on_its_own_months(found) == shown(printed)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, TREYNOR_OF_RATES))
def test_treynor_of_monthly_rates(benchmark: str, symbol: str, printed: str) -> None:
    """round(TreynorRatio(managers[,1:6], managers[,8:7], Rf=managers[,10]),4) of A: excess returns as the input."""
    found = report(in_excess(symbol), in_excess(benchmark))
    if benchmark == MARKET:
        assert number(found.relative.treynor) == shown(printed)
    assert _on_its_own_months(found) == shown(printed)


def test_treynor_of_the_months_of_both_differs() -> None:
    """HAM2 begins five months before the index of its peers: their returns count for PA, and not for us."""
    found = report(series("HAM2"), series(PEERS), risk_free_rate_annual=0.035)
    assert number(found.relative.treynor) != shown("0.1088")


def _capture(row: str, found: RiskReport) -> float:
    return number(found.relative.capture_up if row == "Up Capture" else found.relative.capture_down)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, CAPTURE))
def test_capture(row: str, symbol: str, printed: str) -> None:
    """UpDownRatios(managers[,1:6], managers[,8]) of A and B: quotients of sums of months."""
    assert _capture(row, _report(symbol, MARKET)) == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, CAPTURE_OF_PEERS))
def test_capture_of_peers(row: str, symbol: str, printed: str) -> None:
    """table.UpDownRatios(managers[,1:6], managers[,7]) of A and B."""
    assert _capture(row, _report(symbol, PEERS)) == shown(printed)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, CORRELATION))
def test_correlation(benchmark: str, symbol: str, printed: str) -> None:
    """table.Correlation(managers[,1:6], managers[,7:8]) of A."""
    assert number(_report(symbol, benchmark).relative.correlation) == shown(printed, DIGITS)
