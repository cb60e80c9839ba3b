"""Pictures of Vega-Lite specifications, drawn by vl-convert, which ships the renderer and needs no browser."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from textwrap import wrap
from threading import Lock, Thread
from types import ModuleType
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FONT = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
LEGEND_SYMBOL, LETTER = 40, 6
"""Pixels of an entry of a legend beside its text, and of a letter; they decide how many entries stand side by side."""

LEGEND_LETTERS = 30
"""Letters of an entry, which Vega-Lite cuts at 160 pixels by default."""

BESIDE = 70
"""Pixels for the vertical axis of views below each other, whose width is that of the plotted area."""

WORKERS = 2
"""Pictures that are drawn at the same time, by an engine of JavaScript each."""

WITH_WIDTH = "container"  # of a specification: as wide as its surroundings
REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')

_starting = Lock()
_started: list[ModuleType] = []  # the library, once it has been started


def start_renderer() -> None:
    """Starts the renderer in the background, which takes as long as it takes a server to make the charts."""
    Thread(target=_start_if_installed).start()


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Results of work that draws, in the order of the items, as many at a time as the renderer can draw."""
    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(work, items))


def drawn(spec: Mapping[str, Any], *, width: int, prefix: str) -> str:
    """An SVG element.

    Args:
        spec: A Vega-Lite specification with its data.
        width: Pixels of the picture: of one whose width is "container" in all, of views below each other nearly.
        prefix: Beginning of every id within the element; unique among the pictures of a page.
    """
    svg = _renderer().vegalite_to_svg(configured(sized(spec, width), width))
    return REFERENCE.sub(rf"\g<1>{prefix}-", svg)


def _start_if_installed() -> None:
    with suppress(ImportError):  # whoever draws is told what is missing
        _renderer()


def _renderer() -> ModuleType:
    """The library, started at the first call. Raises ImportError without it."""
    with _starting:
        if not _started:
            vl_convert = import_module("vl_convert")  # an optional extra of this package
            # It tells of a height that it keeps as it is; an application that has set up logging still sees that.
            logging.getLogger("vl_convert").addHandler(logging.NullHandler())
            if hasattr(vl_convert, "warm_up_workers"):  # from 2.0 on; before, one picture is drawn after the other
                workers = max(WORKERS, vl_convert.get_config()["num_workers"])
                vl_convert.configure(num_workers=workers)
                vl_convert.warm_up_workers()
            else:
                vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})
            _started.append(vl_convert)
        return _started[0]


def sized(value: Any, width: int) -> Any:
    """A specification with a width in pixels wherever it says "container", without the tooltips of a live chart."""
    if isinstance(value, Mapping):
        return {key: _sized_entry(key, entry, width) for key, entry in value.items() if key != "tooltip"}
    if isinstance(value, list):
        return [sized(entry, width) for entry in value]
    return value


def _sized_entry(key: str, entry: Any, width: int) -> Any:
    if key == "width" and entry == WITH_WIDTH:
        return width
    return entry if key == "data" else sized(entry, width)


def configured(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """The specification on the background of its page, with views and a legend that fit into its width.

    Single marks get no ARIA descriptions: a page labels the whole drawing as one image.
    """
    config = dict(spec.get("config", {}))
    beside = width - BESIDE
    view = {**config.get("view", {}), "continuousWidth": beside, "discreteWidth": beside}
    legend = {**config.get("legend", {}), "orient": "bottom", "columns": _legend_columns(spec, beside)}
    return {
        **spec,
        "title": _broken(spec.get("title"), width),
        "background": "transparent",
        "config": {**config, "font": FONT, "view": view, "legend": legend, "aria": False},
    }


def _broken(title: Any, width: int) -> Any:
    """A title whose subtitle is broken into lines that fit."""
    if not isinstance(title, Mapping) or "subtitle" not in title:
        return title
    return {**title, "subtitle": wrap(title["subtitle"], width // LETTER)}


def _legend_columns(spec: Mapping[str, Any], width: int) -> int:
    """Entries side by side, of which each is as wide as the longest."""
    letters = max(map(len, _names(spec)), default=0)
    return max(1, width // (LEGEND_SYMBOL + LETTER * min(letters, LEGEND_LETTERS)))


def _names(part: Any) -> Iterator[str]:
    """The names that colours stand for."""
    if isinstance(part, Mapping):
        colour = part.get("color")
        if isinstance(colour, Mapping) and isinstance(colour.get("scale"), Mapping):
            yield from (name for name in colour["scale"].get("domain", ()) if isinstance(name, str))
        for key, value in part.items():
            if key not in ("data", "config"):
                yield from _names(value)
    elif isinstance(part, list):
        for value in part:
            yield from _names(value)
