"""How long the trades of a reallocation take."""

from collections.abc import Sequence

from domain.charts.specification import (
    Row,
    Specification,
    bar_axis,
    colour_by,
    number_tooltip,
    single_view,
    text_tooltip,
)
from domain.charts.theme import Theme
from domain.records import dataclass

MOST_BARS = 40

STATES = ("sufficient", "insufficient", "partial", "unknown")
"""In the order of their colours, the same in each chart."""


@dataclass(frozen=True, slots=True)
class TradeLiquidity:
    """Liquidity of the trade of one asset."""

    symbol: str
    state: str  # one of STATES
    days_to_trade: float | None  # None where it is not known
    participation: float | None  # trade / average daily volume


def liquidity_chart(trades: Sequence[TradeLiquidity], theme: Theme) -> Specification:
    """Days that each trade takes at the largest participation, the slowest first; unknown ones have no bar."""
    slowest = sorted(trades, key=lambda trade: (trade.days_to_trade is None, -(trade.days_to_trade or 0.0)))
    shown = slowest[:MOST_BARS]
    rows: list[Row] = []
    for trade in shown:
        row: Row = {"symbol": trade.symbol, "state": trade.state}
        if trade.days_to_trade is not None:
            row["days"] = trade.days_to_trade
        if trade.participation is not None:
            row["participation"] = trade.participation
        rows.append(row)
    present = {trade.state for trade in shown}
    legend = {"title": "Liquidity", "values": [state for state in STATES if state in present]}
    encoding = {
        "y": {
            "field": "symbol",
            "type": "nominal",
            "sort": [trade.symbol for trade in shown],
            "axis": {"title": None},
        },
        "x": bar_axis("Days to trade at the largest participation", ",.2~f", "days"),
        "color": {**colour_by("state", STATES), "legend": legend},
        "tooltip": [
            text_tooltip("Asset", "symbol"),
            text_tooltip("Liquidity", "state"),
            number_tooltip("Days to trade", ",.2f", "days"),
            number_tooltip("Trade / average daily volume", ".1%", "participation"),
        ],
    }
    subtitle = f"the {len(shown)} slowest of {len(trades)} trades" if len(trades) > len(shown) else ""
    view = {"mark": {"type": "bar"}, "encoding": encoding}
    return single_view("Liquidity of the trades", subtitle, theme, rows, view, height={"step": 18})
