"""Pictures of Vega-Lite specifications, drawn by vl-convert, which ships the renderer and needs no browser."""

import re
from collections.abc import Mapping
from typing import Any

FONT = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
LEGEND_ENTRY = 100  # pixels, which decides how many entries stand side by side
WITH_WIDTH = "container"  # of a specification: as wide as its surroundings
REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')


def drawn(spec: Mapping[str, Any], *, width: int, prefix: str) -> str:
    """An SVG element.

    Args:
        spec: A Vega-Lite specification with its data.
        width: Pixels of the plotted area, for a view whose width is "container".
        prefix: Beginning of every id within the element; unique among the pictures of a page.
    """
    import vl_convert  # an optional extra of this package

    svg = vl_convert.vegalite_to_svg(_configured(sized(spec, width), width))
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


def _configured(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """The specification on the background of its page, with its legend below the plotted area."""
    config = dict(spec.get("config", {}))
    legend = {**config.get("legend", {}), "orient": "bottom", "columns": width // LEGEND_ENTRY}
    return {**spec, "background": "transparent", "config": {**config, "font": FONT, "legend": legend}}
