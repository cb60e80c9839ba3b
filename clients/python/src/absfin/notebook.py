"""Results as a notebook shows them: plain tables, whose colours are those of the notebook."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Protocol

FIGURES = (
    ("final_wealth", "final wealth", "{:.4f}"),
    ("cagr", "per year", "{:.2%}"),
    ("volatility_annual", "volatility", "{:.2%}"),
    ("sharpe", "Sharpe", "{:.2f}"),
    ("max_drawdown", "max drawdown", "{:.2%}"),
    ("turnover_annual", "turnover a year", "{:.2%}"),
)


class Measured(Protocol):
    """A strategy or benchmark with its figures."""

    @property
    def label(self) -> str:
        """Its label."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its figures by name."""


def backtest_html(name: str, state: str, results: Sequence[Measured]) -> str:
    """The figures of a backtest; its state where it has none."""
    heads = ["", *(title for _, title, _ in FIGURES)]
    rows = [
        [one.label, *(shown.format(one.metrics[key]) if key in one.metrics else "" for key, _, shown in FIGURES)]
        for one in results
    ]
    return table_html(name, heads, rows) if rows else f"<p>{escape(name)}: {escape(state)}</p>"


def weights_html(name: str, weights: Mapping[str, float], figures: Mapping[str, float | None]) -> str:
    """Weights of a portfolio, the largest first, below its figures."""
    lines = [[key, "" if value is None else f"{value:.2%}"] for key, value in figures.items()]
    held = sorted(((symbol, one) for symbol, one in weights.items() if one), key=lambda item: -abs(item[1]))
    return table_html(name, ["", ""], [*lines, *([symbol, f"{one:.2%}"] for symbol, one in held)])


def table_html(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; every text is escaped."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
