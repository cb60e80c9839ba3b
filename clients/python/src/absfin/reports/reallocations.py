"""The tear sheet of a reallocation."""

from collections.abc import Mapping

from absfin.formatting import in_words, money, number, percent
from absfin.reports.document import Figure, Figures, Paragraph, Picture, Report, Table, section, with_content
from absfin.reports.remarks import warning_table
from absfin.results import Reallocation, optional_figure


def reallocation_report(answer: Reallocation, charts: Mapping[str, Picture], title: str = "") -> Report:
    """The report of a trade list, or of the reason why there is none; `charts` by their names."""
    count = len(answer.trades)
    return Report(
        title=title or "Reallocation",
        subtitle=f"{count} trade{'' if count == 1 else 's'}" if answer.outcome == "plan" else in_words(answer.outcome),
        facts=(("name", answer.name), ("state", in_words(answer.state) or "not stored")),
        sections=with_content(
            section("Summary", _message(answer), _key_figures(answer), warning_table(answer.warnings)),
            section("Trades", _trades(answer)),
            section("Weights", *charts.values(), _weights(answer)),
            section("Left undone", _shortfalls(answer)),
            section("Restricted purchases", _restricted(answer)),
        ),
    )


def _message(answer: Reallocation) -> Paragraph | None:
    return Paragraph(answer.message) if answer.message else None


def _key_figures(answer: Reallocation) -> Figures:
    summary = answer.proto.summary
    shown = {
        "net asset value after": money(optional_figure(summary, "nav_after")),
        "cost": money(answer.cost),
        "cost, basis points": number(optional_figure(summary, "cost_bps")),
        "tax": money(answer.tax),
        "turnover, one-way": percent(answer.turnover_one_way),
        "residual drift": percent(answer.residual_drift),
        "cash after": money(answer.cash_after),
        "volatility before, annual": percent(optional_figure(summary, "volatility_annual_before")),
        "volatility after, annual": percent(optional_figure(summary, "volatility_annual_after")),
        "days": str(summary.days_to_complete),
    }
    return Figures(tuple(Figure(label, value) for label, value in shown.items() if value != "-"))


def _trades(answer: Reallocation) -> Table | None:
    rows = tuple(
        (
            trade.symbol,
            str(trade.step),
            str(trade.day),
            f"{trade.quantity:+,.6g}",
            money(trade.price),
            money(trade.cost),
            money(trade.cash_after),
        )
        for trade in answer.trades
    )
    if not rows:
        return None
    return Table(
        ("asset", "step", "day", "units", "price", "cost", "cash after"), rows, "In their order; amounts in money"
    )


def _weights(answer: Reallocation) -> Table | None:
    symbols = dict.fromkeys((*answer.weights_before, *answer.weights_after))
    rows = tuple(
        (symbol, percent(answer.weights_before.get(symbol, 0.0)), percent(answer.weights_after.get(symbol, 0.0)))
        for symbol in symbols
    )
    return Table(("asset", "before", "after"), rows) if rows else None


def _shortfalls(answer: Reallocation) -> Table | None:
    rows = tuple((symbol, ", ".join(map(in_words, causes))) for symbol, causes in answer.shortfalls.items())
    return Table(("asset", "traded less than requested because of"), rows) if rows else None


def _restricted(answer: Reallocation) -> Table | None:
    rows = tuple((symbol, str(day)) for symbol, day in answer.restricted_until.items())
    return Table(("asset", "a purchase would make a loss a wash sale until"), rows) if rows else None
