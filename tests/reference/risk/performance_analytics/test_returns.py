"""Annual returns and Sharpe ratios of PerformanceAnalytics: table.AnnualizedReturns, SharpeRatio and their functions.

PA compounds by the number of months (`geometric_annual_return`), before 2.1 in its annual Sharpe ratio too; per month
and with geometric=FALSE it is arithmetic, which is our definition without options. A rate that changes every month is
taken off the returns beforehand; PA then divides by the deviation of the returns before that, we by that of the rest.
"""

from functools import cache

import pytest

from domain.risk.conventions import OURS
from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import (
    EDHEC,
    MANAGERS,
    MONTHS,
    in_excess,
    number,
    report,
    series,
)

NINE, EIGHT, SIX = MANAGERS[:9], MANAGERS[:8], MANAGERS[:6]

ANNUALIZED = {
    "Annualized Return": "0.1375 0.1747 0.1512 0.1215 0.0373 0.1373 0.1180 0.0967",
    "Annualized Std Dev": "0.0888 0.1272 0.1265 0.1843 0.1584 0.0825 0.0708 0.1500",
    "Annualized Sharpe (Rf=0%)": "1.5491 1.3732 1.1955 0.6592 0.2356 1.6642 1.6657 0.6449",
}
RETURNS = {
    "compounded": "0.137532 0.1746569 0.1512147 0.1214798 0.03731645 0.1372755 0.1180134 0.09674533",
    "arithmetic": "0.1334727 0.1697184 0.1493636 0.1322 0.04905974 0.1326563 0.11454 0.1039841",
    "cumulative": "3.126671 4.348599 3.706732 2.52944 0.2650197 0.9858675 2.051197 1.761619",
}
SHARPE_OF_ONE_RATE = {
    "annualized": "1.112293 1.059085 0.8854393 0.4512555 0.01046591 1.194146",
    "per month": "0.3201889 0.3057649 0.2610141 0.1522615 0.02562009 0.3417545",
}
SHARPE_OF_RATES = {
    "compounded": "1.066795 1.033019 0.8539722 0.4292173 0.04441162 1.333868",
    "arithmetic": "1.067297 1.035284 0.8747901 0.5072777 0.1228211 1.311291",
}
PER_MONTH_OF_RATES = {
    "StdDev": "0.3081020 0.2988608 0.2525301 0.14643845 0.03545540 0.3785371 0.3142695 0.12558293 0.05684359",
    "VaR": "0.2306863 0.3970699 0.2504936 0.09553906 0.02399862 0.3022965 0.2737607 0.07957460 0.03741555",
    "ES": "0.1295014 0.1788256 0.2093343 0.06625013 0.01664487 0.2308450 0.1855867 0.05760917 0.02610548",
}
PER_MONTH_OF_EDHEC = {
    "StdDev": "0.15339751 0.12558803 0.25179740 0.12736677 0.2963971 0.23372885 0.06333844 0.2549431 0.19962891 "
    "0.3090483 0.25525305 0.015024743 0.14194452",
    "VaR": "0.09469804 0.09337063 0.16804482 0.07720662 0.2352556 0.15249824 0.03637036 0.2802548 0.14572983 "
    "0.2321344 0.17482979 0.011139811 0.10328569",
    "ES": "0.03089192 0.07366957 0.07589603 0.03841453 0.0622208 0.07257669 0.01508086 0.2187777 0.09399888 "
    "0.1037628 0.06890142 0.009175123 0.05597178",
}


@cache
def _report(symbol: str) -> RiskReport:
    return report(series(symbol))


@cache
def _excess(symbol: str) -> RiskReport:
    return report(in_excess(symbol))


def _risk(row: str, found: RiskReport) -> float:
    """What SharpeRatio divides by for each FUN; VaR and ES are modified by default."""
    risks = {
        "StdDev": found.dispersion.volatility_per_period,
        "VaR": found.value_at_risk.cornish_fisher,
        "ES": found.conditional_value_at_risk.cornish_fisher,
    }
    return number(risks[row])


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, ANNUALIZED))
def test_annualized_returns(row: str, symbol: str, printed: str) -> None:
    """table.AnnualizedReturns(managers[,1:8]) of A and B, with geometric_annual_return."""
    found = _report(symbol)
    ours = {
        "Annualized Return": found.cagr,
        "Annualized Std Dev": found.dispersion.volatility_annual,
        "Annualized Sharpe (Rf=0%)": found.ratios.sharpe,
    }
    assert number(ours[row]) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EIGHT, RETURNS))
def test_returns(row: str, symbol: str, printed: str) -> None:
    """Return.annualized(managers[,1:8]), with geometric=FALSE, and Return.cumulative(managers[,1:8]) of A and B.

    The first with geometric_annual_return, the last from it; the mean of twelve months is our expected return.
    """
    found = _report(symbol)
    growth = number(found.cagr)
    ours = {
        "compounded": growth,
        "arithmetic": found.expected_return_annual,
        "cumulative": (1.0 + growth) ** (found.observations / MONTHS) - 1.0,
    }
    assert ours[row] == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, SHARPE_OF_ONE_RATE))
def test_sharpe_ratio_of_one_rate(row: str, symbol: str, printed: str) -> None:
    """SharpeRatio.annualized(managers[,1:6], Rf=.035/12), SharpeRatio(managers[,1:6], Rf=.035/12, FUN="StdDev") of A.

    The first with geometric_annual_return; the second is ours without options, over the root of 12.
    """
    compounded = report(series(symbol), risk_free_rate_annual=0.035)
    arithmetic = report(series(symbol), risk_free_rate_annual=0.035, conventions=OURS)
    ours = {
        "annualized": number(compounded.ratios.sharpe),
        "per month": number(arithmetic.ratios.sharpe) / MONTHS**0.5,
    }
    assert ours[row] == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(SIX, SHARPE_OF_RATES))
def test_sharpe_ratio_of_monthly_rates(row: str, symbol: str, printed: str) -> None:
    """SharpeRatio.annualized(managers[,1:6], Rf=managers[,10,drop=FALSE]) of A and B, and with geometric=FALSE.

    No option reproduces the deviation of the returns before the rates are taken off: the ratio is scaled by both.
    """
    found = report(in_excess(symbol), conventions=OURS) if row == "arithmetic" else _excess(symbol)
    scale = _risk("StdDev", found) / _risk("StdDev", _report(symbol))
    assert number(found.ratios.sharpe) * scale == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(NINE, PER_MONTH_OF_RATES))
def test_ratios_to_three_risks_of_monthly_rates(row: str, symbol: str, printed: str) -> None:
    """SharpeRatio(managers[,1:9], Rf=managers[,10,drop=FALSE]) of A: no figures of ours, but quotients of such."""
    earned = _excess(symbol).expected_return_annual / MONTHS
    assert earned / _risk(row, _report(symbol)) == shown(printed, DIGITS)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EDHEC, PER_MONTH_OF_EDHEC))
def test_ratios_to_three_risks_of_one_rate(row: str, symbol: str, printed: str) -> None:
    """SharpeRatio(edhec, Rf=.04/12) of A: no figures of ours, but quotients of such."""
    found = _report(symbol)
    earned = (found.expected_return_annual - 0.04) / MONTHS
    assert earned / _risk(row, found) == shown(printed, DIGITS)
