"""The tear sheet of a backtest."""

from collections.abc import Mapping, Sequence

from absfin.backtest_results import Backtest, StrategyResult
from absfin.data import date_from_proto
from absfin.formatting import in_words, money, number, percent
from absfin.reports.analysis import attribution_tables, validation_blocks
from absfin.reports.document import Figure, Figures, Paragraph, Picture, Report, Section, Table, section, with_content
from absfin.reports.remarks import FINGERPRINT, not_defined, warning_table

FRACTIONS = frozenset(
    {
        "total_return",
        "cagr",
        "volatility_annual",
        "max_drawdown",
        "value_at_risk",
        "conditional_value_at_risk",
        "turnover_annual",
        "cost_total",
        "tracking_error_annual",
    }
)
"""Figures that are shown in percent."""

KEY_FIGURES = ("total_return", "cagr", "volatility_annual", "sharpe", "max_drawdown", "calmar", "turnover_annual")

NAMES = {
    "final_wealth": "final wealth, per unit",
    "cagr": "return per year (CAGR)",
    "volatility_annual": "volatility, annual",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "max_drawdown": "maximum drawdown",
    "value_at_risk": "VaR 95 %, per period",
    "conditional_value_at_risk": "CVaR 95 %, per period",
    "turnover_annual": "turnover per year, one-way",
    "cost_total": "costs, of net asset value",
    "tracking_error_annual": "tracking error, annual",
}

PLACES = {
    "equity": "Performance",
    "drawdown": "Performance",
    "monthly_returns": "Performance",
    "rolling_returns": "Performance",
    "rolling_risk": "Risk",
    "correlation": "Risk",
    "weights": "Portfolio",
    "contributions": "Portfolio",
    "attribution": "Attribution",
    "timing_luck": "Validation",
    "costs": "Costs",
}
"""Chart -> the section in which it is shown; one that is not listed comes under Further charts."""

FURTHER = "Further charts"

EVENTS_SHOWN = 40
"""Events of assets that are listed; a report says how many there were."""


def backtest_report(backtest: Backtest, charts: Mapping[str, Picture], title: str = "") -> Report:
    """The report of a backtest that has succeeded.

    Args:
        backtest: A job with its result.
        charts: Name of a chart, as "monthly_returns" -> the chart.
        title: The label of the job or of its first strategy if empty.
    """
    first = backtest.strategies[0]
    metrics = backtest.proto.result.metrics
    first_day, last_day = date_from_proto(metrics.start_date), date_from_proto(metrics.end_date)
    facts = (
        ("name", backtest.name),
        ("input", backtest.proto.result.input_fingerprint[:FINGERPRINT]),
        ("computed", backtest.proto.finish_time.ToDatetime().strftime("%Y-%m-%d %H:%M UTC")),
    )
    return Report(
        title=title or backtest.proto.label or in_words(first.label),
        subtitle=f"{first_day} to {last_day}, {metrics.observations:,} returns; figures are net of all costs",
        facts=facts,
        sections=_sections(backtest, first, charts),
    )


def _sections(backtest: Backtest, first: StrategyResult, charts: Mapping[str, Picture]) -> tuple[Section, ...]:
    everybody = (*backtest.strategies, *backtest.benchmarks)

    def pictures(place: str) -> tuple[Picture, ...]:
        return tuple(picture for name, picture in charts.items() if PLACES.get(name, FURTHER) == place)

    return with_content(
        section("Summary", _key_figures(first), warning_table(backtest.warnings)),
        section("Performance", *pictures("Performance"), _comparison(everybody), not_defined(first.undefined)),
        section("Risk", *pictures("Risk")),
        section("Portfolio", *pictures("Portfolio"), _holdings(first)),
        section("Attribution", *pictures("Attribution"), *attribution_tables(first.attribution)),
        section("Validation", *pictures("Validation"), *validation_blocks(first.validation)),
        section("Costs", *pictures("Costs"), _accounts(everybody)),
        section(FURTHER, *pictures(FURTHER)),
        section("Events", _events(first), _failures(first)),
    )


def _key_figures(first: StrategyResult) -> Figures:
    shown = [Figure(NAMES.get(name, in_words(name)), _shown(first, name)) for name in KEY_FIGURES]
    if first.money_weighted_return is not None:
        shown.append(Figure("money-weighted return", percent(first.money_weighted_return), "whole period"))
    return Figures((*shown, Figure("final net asset value", money(first.final_nav), "in money")))


def _shown(one: StrategyResult, name: str) -> str:
    value = one.metrics.get(name)
    return percent(value) if name in FRACTIONS else number(value)


def _comparison(everybody: Sequence[StrategyResult]) -> Table:
    """A row for each figure, a column for each strategy and benchmark."""
    names = dict.fromkeys(name for one in everybody for name in one.metrics if name != "periods_per_year")
    rows = ((NAMES.get(name, in_words(name)), *(_shown(one, name) for one in everybody)) for name in names)
    return Table(("", *(one.label for one in everybody)), tuple(rows), "Strategies and benchmarks")


def _holdings(first: StrategyResult) -> Table | None:
    if not first.final_holdings:
        return None
    held = sorted(first.final_holdings.items())
    rows = (*((symbol, f"{units:,.6g}") for symbol, units in held), ("cash, in money", money(first.final_cash)))
    return Table(("asset", "units"), rows, "Holdings at the end")


def _accounts(everybody: Sequence[StrategyResult]) -> Table | None:
    """How the net asset values came about, in money, with the costs by kind."""
    accounts = [(one, one.reconciliation) for one in everybody if one.reconciliation is not None]
    if not accounts:
        return None
    kinds = dict.fromkeys(kind for one, _ in accounts for kind, amount in one.costs.items() if amount)
    rows = (
        ("net asset value at the start", *(money(sums.start_nav) for _, sums in accounts)),
        ("+ external flows", *(money(sums.flows) for _, sums in accounts)),
        ("+ gains before costs", *(money(sums.gains) for _, sums in accounts)),
        *((f"- {in_words(kind)}", *(money(one.costs.get(kind)) for one, _ in accounts)) for kind in kinds),
        ("= net asset value at the end", *(money(sums.end_nav) for _, sums in accounts)),
    )
    return Table(("", *(one.label for one, _ in accounts)), rows, "How the net asset value came about, in money")


def _events(first: StrategyResult) -> Table | None:
    if not first.asset_events:
        return None
    rows = tuple(
        (
            str(event.date),
            event.symbol,
            in_words(event.kind),
            f"{event.quantity_before:,.6g}",
            f"{event.quantity_after:,.6g}",
            money(event.cash),
        )
        for event in first.asset_events[:EVENTS_SHOWN]
    )
    caption = f"The first {len(rows)} of {first.asset_event_count} events of assets"
    return Table(("date", "asset", "event", "units before", "units after", "cash"), rows, caption)


def _failures(first: StrategyResult) -> Table | Paragraph:
    if not first.failed_rebalances:
        count = first.rebalances
        return Paragraph("The only rebalancing was done." if count == 1 else f"All {count} rebalancings were done.")
    rows = tuple((str(day), reason, message) for day, reason, message in first.failed_rebalances[:EVENTS_SHOWN])
    caption = f"The first {len(rows)} of {len(first.failed_rebalances)} rebalancings that failed"
    return Table(("date", "reason", "message"), rows, caption)
