"""Pictures of Vega-Lite specifications, drawn by vl-convert, which ships the renderer and needs no browser."""

import re
from collections.abc import Mapping
from typing import Any, Literal

Theme = Literal["page", "print"]

INK: Mapping[Theme, str] = {"page": "currentColor", "print": "#222222"}
"""Colour of text and lines: that of the surrounding page, which may be dark, or nearly black on paper."""

FONT = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
WITH_WIDTH = "container"  # of a specification: as wide as its surroundings
LEGEND_ENTRY = 100  # pixels, which decides how many entries stand side by side
REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')


def drawn(spec: Mapping[str, Any], *, width: int, theme: Theme, prefix: str) -> str:
    """An SVG element.

    Args:
        spec: A Vega-Lite specification with its data.
        width: Pixels of the plotted area, for a view whose width is "container".
        theme: "page" takes the text colour of the page around it.
        prefix: Beginning of every id within the element; unique among the pictures of a page.
    """
    import vl_convert  # an optional extra of this package

    svg = vl_convert.vegalite_to_svg(_themed(sized(spec, width), theme, width))
    return REFERENCE.sub(rf"\g<1>{prefix}-", svg)


def sized(value: Any, width: int) -> Any:
    """A specification with a width in pixels wherever it says "container"."""
    if isinstance(value, Mapping):
        return {
            key: width if key == "width" and entry == WITH_WIDTH else sized(entry, width)
            for key, entry in value.items()
            if key != "autosize"  # fits a container, which an SVG element does not have
        }
    if isinstance(value, list):
        return [sized(entry, width) for entry in value]
    return value


def _themed(spec: dict[str, Any], theme: Theme, width: int) -> dict[str, Any]:
    """The specification with colours of text and lines that suit the page, and its legend below the plotted area."""
    ink = INK[theme]
    guide = {
        "labelColor": ink,
        "titleColor": ink,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    line = {"domainColor": ink, "tickColor": ink, "gridColor": ink, "gridOpacity": 0.15}
    config = dict(spec.get("config", {}))
    config |= {
        "font": FONT,
        "background": "transparent",
        "axis": {**config.get("axis", {}), **guide, **line},
        "legend": {**config.get("legend", {}), **guide, "orient": "bottom", "columns": width // LEGEND_ENTRY},
        "title": {**config.get("title", {}), "color": ink, "subtitleColor": ink, "fontSize": 13, "anchor": "start"},
        "header": {**config.get("header", {}), **guide},
        "view": {**config.get("view", {}), "stroke": None},
    }
    return {**spec, "background": "transparent", "config": config}
