"""VaR and ES of PerformanceAnalytics by three methods: VaR, ES, table.DownsideRisk.

PA prints them as returns, below zero; ours are losses. Its Gaussian and modified tails take the standard deviation with
divisor T (`population_deviation`), and its historical ES is the plain mean of the returns below the quantile
(`mean_beyond_quantile`). Its quantile is linearly interpolated, as ours.
"""

from functools import cache

import pytest

from domain.risk.report import RiskReport
from tests.reference.risk.performance_analytics.printed import DIGITS, cells, shown
from tests.reference.risk.performance_analytics.series import EDHEC, number, report, series

VAR_95 = {
    "historical": "-0.01916 -0.0354 -0.018875 -0.044605 -0.006385 -0.02254 -0.00929 -0.01624 -0.02544 -0.013455 "
    "-0.013175 -0.07848 -0.021265",
    "gaussian": "-0.02645782 -0.03471098 -0.0221269 -0.05498927 -0.008761813 -0.02246202 -0.01900198 -0.02023018 "
    "-0.02859264 -0.01152478 -0.01493049 -0.08617027 -0.02393888",
    "modified": "-0.03247395 -0.03380228 -0.0274924 -0.06363081 -0.01134637 -0.02812515 -0.0246791 -0.01548247 "
    "-0.03037494 -0.01486869 -0.01926435 -0.07431463 -0.02502852",
}
ES_95 = {
    "historical": "-0.048775 -0.04527143 -0.042725 -0.089225 -0.018775 -0.0443375 -0.0423375 -0.0230375 -0.043975 "
    "-0.024625 -0.0311 -0.110575 -0.0390375",
    "gaussian": "-0.0348072 -0.04517756 -0.02976848 -0.07105359 -0.01251258 -0.03010467 -0.02490408 -0.02731855 "
    "-0.03782765 -0.01617616 -0.02042584 -0.1091181 -0.03152384",
    "modified": "-0.09954768 -0.04284185 -0.06087217 -0.127887 -0.04290042 -0.05909659 -0.05951833 -0.01983308 "
    "-0.04709136 -0.03326371 -0.04888118 -0.09022777 -0.04618555",
}
VAR_99 = {
    "modified": "-0.1009223 -0.04847019 -0.06533764 -0.1397195 -0.04404136 -0.06385154 -0.05850228 -0.02437999 "
    "-0.05508705 -0.03630211 -0.050531 -0.122236 -0.05500037",
}
ES_99 = {
    "modified": "-0.1009223 -0.05572595 -0.06533764 -0.1397195 -0.04404136 -0.06385154 -0.05850228 -0.02437999 "
    "-0.0695714 -0.03630211 -0.050531 -0.1697459 -0.05500037",
}
OF_EDHEC = {
    "Historical VaR (95%)": "-0.0192 -0.0354 -0.0189 -0.0446 -0.0064 -0.0225 -0.0093 -0.0162 -0.0254 -0.0135 -0.0132 "
    "-0.0785 -0.0213",
    "Historical ES (95%)": "-0.0488 -0.0453 -0.0427 -0.0892 -0.0188 -0.0443 -0.0423 -0.0230 -0.0440 -0.0246 -0.0311 "
    "-0.1106 -0.0390",
    "Modified VaR (95%)": "-0.0325 -0.0338 -0.0275 -0.0636 -0.0113 -0.0281 -0.0247 -0.0155 -0.0304 -0.0149 -0.0193 "
    "-0.0743 -0.0250",
    "Modified ES (95%)": "-0.0995 -0.0428 -0.0609 -0.1279 -0.0429 -0.0591 -0.0595 -0.0198 -0.0471 -0.0333 -0.0489 "
    "-0.0902 -0.0462",
}
OF_MANAGERS = {
    "Historical VaR (95%)": "-0.0258 -0.0294 -0.0425",
    "Historical ES (95%)": "-0.0513 -0.0331 -0.0555",
    "Modified VaR (95%)": "-0.0342 -0.0276 -0.0368",
    "Modified ES (95%)": "-0.0610 -0.0614 -0.0440",
}
NAMES = {"historical": "historical", "gaussian": "gaussian", "modified": "cornish_fisher"}


@cache
def _report(symbol: str, level: float = 0.95) -> RiskReport:
    return report(series(symbol), confidence_level=level)


@pytest.mark.parametrize(("method", "symbol", "printed"), cells(EDHEC, VAR_95))
def test_value_at_risk(method: str, symbol: str, printed: str) -> None:
    """VaR(edhec, p=.95, method=...) of A; the Gaussian and the modified one with population_deviation."""
    assert -number(getattr(_report(symbol).value_at_risk, NAMES[method])) == shown(printed, DIGITS)


@pytest.mark.parametrize(("method", "symbol", "printed"), cells(EDHEC, ES_95))
def test_expected_shortfall(method: str, symbol: str, printed: str) -> None:
    """ES(edhec, p=.95, method=...) of A: historical with mean_beyond_quantile, others with population_deviation."""
    assert -number(getattr(_report(symbol).conditional_value_at_risk, NAMES[method])) == shown(printed, DIGITS)


@pytest.mark.parametrize(("method", "symbol", "printed"), cells(EDHEC, VAR_99))
def test_value_at_risk_at_99(method: str, symbol: str, printed: str) -> None:
    """VaR(edhec, p=.99) of A, modified by default, with population_deviation."""
    assert -number(getattr(_report(symbol, 0.99).value_at_risk, NAMES[method])) == shown(printed, DIGITS)


@pytest.mark.parametrize(("method", "symbol", "printed"), cells(EDHEC, ES_99))
def test_expected_shortfall_at_99(method: str, symbol: str, printed: str) -> None:
    """ES(edhec, p=.99) of A, modified by default, with population_deviation.

    Never less than the modified VaR: for all but three of the indices it is the VaR here.
    """
    assert -number(getattr(_report(symbol, 0.99).conditional_value_at_risk, NAMES[method])) == shown(printed, DIGITS)


def _tail(found: RiskReport, row: str) -> float:
    tail = found.value_at_risk if "VaR" in row else found.conditional_value_at_risk
    return -number(tail.historical if row.startswith("Historical") else tail.cornish_fisher)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(EDHEC, OF_EDHEC))
def test_tails_of_the_table(row: str, symbol: str, printed: str) -> None:
    """table.DownsideRisk(edhec, Rf=.04/12, MAR=.05/12, p=.95) of A, with both options."""
    assert _tail(_report(symbol), row) == shown(printed)


@pytest.mark.parametrize(("row", "symbol", "printed"), cells(("HAM1", "HAM2", "HAM3"), OF_MANAGERS))
def test_tails_of_the_managers(row: str, symbol: str, printed: str) -> None:
    """table.DownsideRisk(managers[,1:3], scale=12, Rf=0) of C, with both options; HAM2 begins seven months later."""
    assert _tail(_report(symbol), row) == shown(printed)
