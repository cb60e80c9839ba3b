"""Colours of charts on a light and on a dark background, all of them in the `config` of a specification.

Whoever draws a chart can replace `config` to change every colour: marks and encodings name none.
"""

from enum import StrEnum
from typing import Any

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class _Colours:
    text: str
    faint_text: str
    grid: str
    background: str
    category: tuple[str, ...]  # kinds of things
    diverging: tuple[str, str, str]  # below, at, and above the middle; text can be read on each of them
    ramp: tuple[str, str]  # from little to much


# Colours that are told apart with each of the usual kinds of colour blindness: Okabe and Ito 2008, "Color universal
# design", https://jfly.uni-koeln.de/color/; grey in the place of their black, and on white a darker yellow.
_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
_SKY, _VERMILION, _YELLOW = "#56B4E9", "#D55E00", "#F0E442"

_LIGHT = _Colours(
    text="#1f2328",
    faint_text="#57606a",
    grid="#d8dee4",
    background="#ffffff",
    category=(_BLUE, _VERMILION, _GREEN, _PURPLE, _ORANGE, _SKY, "#6e5c00", "#8a8f98"),
    diverging=(_ORANGE, "#f6f8fa", _SKY),
    ramp=("#e7f3fb", _BLUE),
)
_DARK = _Colours(
    text="#e6edf3",
    faint_text="#9aa4ae",
    grid="#30363d",
    background="#0d1117",
    category=(_SKY, _ORANGE, _GREEN, _PURPLE, _VERMILION, _YELLOW, _BLUE, "#8a8f98"),
    diverging=("#9a4a00", "#21262d", "#005f96"),
    ramp=("#16293a", _SKY),
)

MOST_COLOURS = len(_LIGHT.category)
"""Things that a chart tells apart by colour."""

WIDTH = 640
"""Width in pixels of a view that has no container, as of those below each other."""

FONT = "system-ui, sans-serif"


class Theme(StrEnum):
    """The background that a chart is drawn for."""

    LIGHT = "LIGHT"
    DARK = "DARK"

    @property
    def config(self) -> dict[str, Any]:
        """The `config` of a specification."""
        colours = _DARK if self is Theme.DARK else _LIGHT
        return {
            "background": colours.background,
            "font": FONT,
            "view": {"stroke": None, "continuousWidth": WIDTH, "discreteWidth": WIDTH},
            "title": {
                "color": colours.text,
                "subtitleColor": colours.faint_text,
                "anchor": "start",
                "fontSize": 15,
                "subtitleFontSize": 11,
                "offset": 12,
            },
            "axis": {
                "labelColor": colours.faint_text,
                "titleColor": colours.faint_text,
                "domainColor": colours.grid,
                "tickColor": colours.grid,
                "gridColor": colours.grid,
                "titleFontWeight": "normal",
                "labelLimit": 140,
            },
            "axisQuantitative": {"tickCount": 8},
            "legend": {"labelColor": colours.text, "titleColor": colours.faint_text, "orient": "bottom", "columns": 4},
            "mark": {"color": colours.category[0]},
            "text": {"color": colours.text, "fontSize": 10},
            "rule": {"color": colours.faint_text},
            "range": {
                "category": list(colours.category),
                "diverging": list(colours.diverging),
                "ramp": list(colours.ramp),
                "heatmap": list(colours.ramp),
            },
        }
