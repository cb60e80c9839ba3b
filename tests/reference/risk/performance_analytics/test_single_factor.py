"""The single-factor model of PerformanceAnalytics: table.CAPM and table.SFM, CAPM.alpha, CAPM.beta, CAPM.jensenAlpha.

PA's annualized alpha is compounded and its active premium the difference of two compounded returns, as ours are with
`geometric_annual_return`. Where its Rf is a series, the excess returns of both sides are the input, at a rate of zero;
active premium and tracking error are of the returns themselves. p-values and robust rows are no figures of ours.
"""

from functools import cache

import pytest

from domain.risk.conventions import OURS, Conventions
from domain.risk.relative import RelativeRisk
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import (
    MANAGERS,
    MONTHS,
    THEIRS,
    in_excess,
    number,
    report,
    series,
)

SIX, THREE = MANAGERS[:6], MANAGERS[:3]
MARKET, PEERS = "SP500 TR", "EDHEC LS EQ"

OF_RATES = {
    "Alpha": "0.0058 0.0091 0.0062",
    "Beta": "0.3901 0.3384 0.5523",
    "Beta+": "0.3005 0.5227 0.4858",
    "Beta-": "0.4264 0.0698 0.5067",
    "R-squared": "0.4339 0.1673 0.4341",
    "Annualized Alpha": "0.0715 0.1147 0.0772",
    "Correlation": "0.6587 0.4090 0.6589",
    "Tracking Error": "0.1132 0.1534 0.1159",
    "Active Premium": "0.0408 0.0776 0.0545",
    "Information Ratio": "0.3604 0.5060 0.4701",
    "Treynor Ratio": "0.2428 0.3883 0.1956",
}
OF_NO_RATE = {
    "Alpha": "0.0077 0.0111 0.0076",
    "Beta": "0.3906 0.3432 0.5572",
    "Beta+": "0.3010 0.5573 0.5396",
    "Beta-": "0.4257 0.0752 0.5322",
    "R-squared": "0.4357 0.1704 0.4367",
    "Annualized Alpha": "0.0969 0.1423 0.0954",
    "Correlation": "0.6601 0.4128 0.6609",
    "Tracking Error": "0.1132 0.1534 0.1159",
    "Active Premium": "0.0408 0.0776 0.0545",
    "Information Ratio": "0.3604 0.5060 0.4701",
    "Treynor Ratio": "0.3521 0.5090 0.2714",
}
ALPHA_OF_ONE_RATE = {
    MARKET: "0.005960609 0.009232784 0.006327417 0.004144392 0.001425414 0.007244216",
    PEERS: "0.003190734 0.001627709 -0.001716897 -0.003357739 -0.002185688 0.004197041",
}
ALPHA_OF_RATES = {
    MARKET: "0.005774729 0.009092773 0.006216498 0.004029731 0.001733199 0.007837454",
    PEERS: "0.003134750 0.001732335 -0.001563904 -0.003406683 -0.002255793 0.004212371",
}
JENSEN = {"1996": "0.08077871 NA 0.2196026 0.06063837 NA"}


@cache
def _raw(symbol: str) -> RelativeRisk:
    return report(series(symbol), series(MARKET)).relative


@cache
def _excess(symbol: str, benchmark: str = MARKET, conventions: Conventions = THEIRS) -> RelativeRisk:
    return report(in_excess(symbol), in_excess(benchmark), conventions=conventions).relative


def _monthly(alpha_annual: float) -> float:
    """The alpha that compounds to this one."""
    return (1.0 + alpha_annual) ** (1.0 / MONTHS) - 1.0


def _table(row: str, model: RelativeRisk, raw: RelativeRisk) -> float:
    """A row of table.CAPM; the active premium is the information ratio times the tracking error."""
    ours = {
        "Alpha": _monthly(number(model.alpha_annual)),
        "Beta": model.beta,
        "Beta+": model.beta_up,
        "Beta-": model.beta_down,
        "R-squared": model.r_squared,
        "Annualized Alpha": model.alpha_annual,
        "Correlation": model.correlation,
        "Tracking Error": raw.tracking_error_annual,
        "Active Premium": number(raw.information_ratio) * number(raw.tracking_error_annual),
        "Information Ratio": raw.information_ratio,
        "Treynor Ratio": model.treynor,
    }
    return number(ours[row])


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(THREE, OF_RATES))
def test_table_of_monthly_rates(row: str, symbol: str, printed: str) -> None:
    """table.CAPM(managers[,1:3], managers[,8], Rf=managers[,10]) of A, table.SFM of B; with geometric_annual_return."""
    assert _table(row, _excess(symbol), _raw(symbol)) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(THREE, OF_NO_RATE))
def test_table_of_no_rate(row: str, symbol: str, printed: str) -> None:
    """table.CAPM(managers[,1:3], managers[,8], scale=12, Rf=0) of C, with geometric_annual_return."""
    assert _table(row, _raw(symbol), _raw(symbol)) == shown(printed)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, ALPHA_OF_ONE_RATE))
def test_alpha_of_one_rate(benchmark: str, symbol: str, printed: str) -> None:
    """CAPM.alpha(managers[,1:6], managers[,8:7], Rf=.035/12) of A: a twelfth of ours without options."""
    found = report(series(symbol), series(benchmark), risk_free_rate_annual=0.035, conventions=OURS).relative
    assert number(found.alpha_annual) / MONTHS == shown(printed, DIGITS)


@pytest.mark.parametrize(("benchmark", "symbol", "printed"), cells(SIX, ALPHA_OF_RATES))
def test_alpha_of_monthly_rates(benchmark: str, symbol: str, printed: str) -> None:
    """CAPM.alpha(managers[,1:6], managers[,8:7], Rf=managers[,10]) of A: a twelfth of ours without options."""
    assert number(_excess(symbol, benchmark, OURS).alpha_annual) / MONTHS == shown(printed, DIGITS)


def test_betas_to_seven_digits() -> None:
    """CAPM.beta, .bull, .bear, TimingRatio of HAM2 on SP500 TR, Rf=managers[,"US 3m TR"], and BetaCoVariance, of A.

    Up and down are months in which the benchmark's excess return is above and below zero, as ours. The timing ratio is
    no figure of ours, but a quotient of two.
    """
    model = _excess("HAM2")
    up, down = number(model.beta_up), number(model.beta_down)
    assert number(model.beta) == shown("0.3383942", DIGITS)
    assert up == shown("0.5226596", DIGITS)
    assert down == shown("0.0698255", DIGITS)
    assert up / down == shown("7.485224", DIGITS)
    assert number(_raw("HAM2").beta) == shown("0.3431621", DIGITS)


@pytest.mark.parametrize(("_", "symbol", "printed"), cells(MANAGERS[:5], JENSEN))
def test_jensens_alpha_of_compounded_returns(_: str, symbol: str, printed: str) -> None:
    """CAPM.jensenAlpha(managers['1996',1:5], managers['1996',8]) of A: of two compounded annual returns.

    No option makes it of our alpha, which is a mean of months; it is put together from the figures of two reports.
    """
    market = series(MARKET, 1996)
    found = report(series(symbol, 1996), market)
    ours = number(found.cagr) - number(found.relative.beta) * number(report(market).cagr)
    assert ours == shown(printed, DIGITS)
