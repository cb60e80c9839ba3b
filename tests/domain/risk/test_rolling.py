"""Windows that have no figure, and blocks that meet."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel
from domain.risk import rolling
from domain.risk.analyzer import analyze
from domain.risk.query import RiskQuery
from domain.risk.rolling import Rolling, RollingFigure, RollingSettings, rolling_figure

SETTINGS = RollingSettings(252.0, 0.95, rounding=4e-15)
RETURNS = np.random.default_rng(0).standard_normal(300) * 0.01


@pytest.mark.parametrize("figure", list(RollingFigure))
def test_blocks_meet(figure: RollingFigure, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = RETURNS[::-1].copy()
    whole = rolling_figure(figure, RETURNS, benchmark, 20, SETTINGS)
    monkeypatch.setattr(rolling, "BLOCK", 150)
    assert rolling_figure(figure, RETURNS, benchmark, 20, SETTINGS) == pytest.approx(whole, rel=1e-12)


def test_a_window_that_does_not_vary_has_no_ratio() -> None:
    still = np.concatenate([np.full(5, 0.1 + 0.2), RETURNS[:5]])
    for figure in (RollingFigure.SHARPE, RollingFigure.SKEWNESS, RollingFigure.EXCESS_KURTOSIS):
        found = rolling_figure(figure, still, None, 5, SETTINGS)
        assert np.isnan(found[0])
        assert np.isfinite(found[1:]).all()
    assert rolling_figure(RollingFigure.VOLATILITY_ANNUAL, still, None, 5, SETTINGS)[0] == 0.0
    assert np.isnan(rolling_figure(RollingFigure.BETA, RETURNS[:10], still, 5, SETTINGS)[0])


def test_nothing_but_gains_has_no_sortino() -> None:
    assert np.isnan(rolling_figure(RollingFigure.SORTINO, np.abs(RETURNS), None, 5, SETTINGS)).all()


def test_a_window_is_checked() -> None:
    with pytest.raises(InvalidInput, match="2 or more"):
        Rolling(1, ())
    with pytest.raises(InvalidInput, match="at most"):
        rolling_figure(RollingFigure.SHARPE, RETURNS, None, 301, SETTINGS)


def test_a_window_of_all_returns_has_the_figures_of_the_report() -> None:
    panel = ReturnPanel.of("A", range(len(RETURNS)), RETURNS)
    report = analyze(RiskQuery(panel, np.ones(1), 252.0))
    figures = {
        RollingFigure.MEAN_ANNUAL: report.expected_return_annual,
        RollingFigure.VOLATILITY_ANNUAL: report.dispersion.volatility_annual,
        RollingFigure.SHARPE: report.ratios.sharpe,
        RollingFigure.SORTINO: report.ratios.sortino,
        RollingFigure.OMEGA: report.ratios.omega,
        RollingFigure.SKEWNESS: report.dispersion.skewness,
        RollingFigure.EXCESS_KURTOSIS: report.dispersion.excess_kurtosis,
        RollingFigure.SEMI_DEVIATION: report.dispersion.semi_deviation,
        RollingFigure.VALUE_AT_RISK: report.value_at_risk.historical,
        RollingFigure.CONDITIONAL_VALUE_AT_RISK: report.conditional_value_at_risk.historical,
        RollingFigure.MAX_DRAWDOWN: report.drawdowns.max_drawdown,
        RollingFigure.ULCER_INDEX: report.drawdowns.ulcer_index,
    }
    assert set(figures) == {figure for figure in RollingFigure if not figure.is_relative}
    for figure, expected in figures.items():
        found = rolling_figure(figure, RETURNS, None, len(RETURNS), SETTINGS)
        assert found == pytest.approx([expected], rel=1e-12), figure
