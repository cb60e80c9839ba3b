"""The tear sheet of a risk report."""

from collections.abc import Mapping

from absfin.formatting import in_words, number, percent
from absfin.reports.document import Figure, Figures, Picture, Report, Table, section, with_content
from absfin.reports.remarks import not_defined, warning_table
from absfin.results import optional_figure
from absfin.risk_report import RiskReport

DEFINITIONS = {"gaussian": "Gaussian", "cornish_fisher": "Cornish-Fisher", "student_t": "Student t"}
"""Definitions of a tail whose names are those of people."""

STRESSED = {
    "portfolio_return": "return",
    "proposed_return": "return after the change",
    "volatility_annual": "volatility, annual",
    "proposed_volatility_annual": "volatility after the change",
}
"""Figures of a stress scenario."""


def risk_report(report: RiskReport, charts: Mapping[str, Picture], title: str = "") -> Report:
    """The report of the risk of constant weights; `charts` by their names."""
    return Report(
        title=title or "Risk report",
        subtitle=f"{report.observations:,} observations, {report.periods_per_year:g} a year; weights are held constant",
        facts=(),
        sections=with_content(
            section("Summary", _key_figures(report), warning_table(report.warnings)),
            section("Tail", _tail(report), not_defined(report.undefined)),
            section("Charts", *charts.values()),
            section("Contributions", _contributions(report)),
            section("Stress", _stress(report)),
        ),
    )


def _key_figures(report: RiskReport) -> Figures:
    shown = {
        "expected return, annual": percent(report.expected_return_annual),
        "volatility, annual": percent(report.volatility_annual),
        "Sharpe ratio": number(report.sharpe),
        "Sortino ratio": number(report.figures.get("sortino")),
        "maximum drawdown": percent(report.max_drawdown),
        "skewness": number(report.skewness),
        "excess kurtosis": number(report.excess_kurtosis),
        "beta": number(report.beta_to_benchmark),
        "tracking error, annual": percent(report.tracking_error_annual),
        "information ratio": number(report.information_ratio),
    }
    return Figures(tuple(Figure(label, value) for label, value in shown.items() if value != "-"))


def _tail(report: RiskReport) -> Table:
    kinds = dict.fromkeys((*report.value_at_risk, *report.conditional_value_at_risk))
    rows = tuple(
        (
            DEFINITIONS.get(kind, in_words(kind)),
            percent(report.value_at_risk.get(kind)),
            percent(report.conditional_value_at_risk.get(kind)),
        )
        for kind in kinds
    )
    caption = f"Losses per period at a confidence of {report.confidence_level:.4g}"
    return Table(("definition", "VaR", "CVaR"), rows, caption)


def _contributions(report: RiskReport) -> Table | None:
    rows = tuple(
        (symbol, percent(contribution))
        for symbol, contribution in sorted(report.contributions.items(), key=lambda item: -abs(item[1]))
    )
    return Table(("asset", "contribution to volatility"), rows) if rows else None


def _stress(report: RiskReport) -> Table | None:
    """A column for each figure that a scenario has: another covariance has a volatility and no return."""
    known = [name for name in STRESSED if any(one.HasField(name) for one in report.stress)] or ["portfolio_return"]
    rows = []
    for one in report.stress:
        figures = [percent(optional_figure(one, name)) for name in known]
        rows.append((one.label, one.undefined or figures[0], *figures[1:]))
    return Table(("scenario", *(STRESSED[name] for name in known)), tuple(rows)) if rows else None
