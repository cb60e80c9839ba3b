"""The efficient frontier with a chosen portfolio."""

from collections.abc import Sequence

from domain.charts.specification import (
    SHORT_PERCENT,
    Specification,
    finite_rows,
    number_tooltip,
    single_view,
    text_tooltip,
    value_axis,
)
from domain.charts.theme import Theme
from domain.records import dataclass

FRONTIER, CHOSEN = "efficient frontier", "chosen portfolio"


@dataclass(frozen=True, slots=True)
class RiskAndReturn:
    """A portfolio by its annual volatility and its expected annual return."""

    volatility_annual: float
    expected_return_annual: float


def frontier_chart(
    frontier: Sequence[RiskAndReturn], chosen: RiskAndReturn, theme: Theme, subtitle: str = ""
) -> Specification:
    """Portfolios of a frontier joined by a line, and the chosen one."""
    rows = [
        {"kind": FRONTIER, "risk": one.volatility_annual, "return": one.expected_return_annual, "place": k}
        for k, one in enumerate(frontier)
    ]
    rows.append({"kind": CHOSEN, "risk": chosen.volatility_annual, "return": chosen.expected_return_annual, "place": 0})
    encoding = {
        "x": value_axis("Volatility, % a year", SHORT_PERCENT, "risk", zero=False),
        "y": value_axis("Expected return, % a year", SHORT_PERCENT, "return", zero=False),
        "color": {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": [FRONTIER, CHOSEN]},
            "legend": {"title": None},
        },
        "tooltip": [
            text_tooltip("Portfolio", "kind"),
            number_tooltip("Volatility", field="risk"),
            number_tooltip("Expected return", field="return"),
        ],
    }
    line = {
        "transform": [{"filter": {"field": "kind", "equal": FRONTIER}}],
        "mark": {"type": "line", "point": {"size": 18}},
        "encoding": {"order": {"field": "place", "type": "quantitative"}},
    }
    point = {
        "transform": [{"filter": {"field": "kind", "equal": CHOSEN}}],
        "mark": {"type": "point", "shape": "diamond", "size": 140, "filled": True, "opacity": 1},
    }
    view = {"encoding": encoding, "layer": [line, point]}
    return single_view("Efficient frontier", subtitle, theme, finite_rows(rows), view)
