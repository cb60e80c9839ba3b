"""Drawings fit the width that they are made for, whatever their views and the names in their legends."""

import re
import subprocess
import sys
from typing import Any

import pytest
from absfin.reports.drawing import configured, drawn, side_by_side, sized, start_renderer

LONG = "a strategy with a long name"


def lines(names: tuple[str, ...]) -> dict[str, Any]:
    """A view of a line for each name, as the server sends it."""
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative", "axis": {"title": "a figure"}},
        "color": {"field": "s", "type": "nominal", "scale": {"domain": list(names)}, "legend": {"title": None}},
    }
    return {"mark": "line", "encoding": encoding}


def single(names: tuple[str, ...]) -> dict[str, Any]:
    fit = {"type": "fit-x", "contains": "padding"}
    return {**frame(names), "width": "container", "height": 100, "autosize": fit, **lines(names)}


def stacked(names: tuple[str, ...]) -> dict[str, Any]:
    return {**frame(names), "vconcat": [{"height": 100, **lines(names)}] * 2}


def frame(names: tuple[str, ...]) -> dict[str, Any]:
    points = [{"x": x, "y": x * (k + 1), "s": name} for k, name in enumerate(names) for x in range(5)]
    config = {"view": {"continuousWidth": 640}, "legend": {"columns": 4, "labelColor": "#1f2328"}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": "Lines",
        "data": {"values": points},
        "config": config,
    }


@pytest.mark.parametrize("width", [350, 760])
@pytest.mark.parametrize("build", [single, stacked])
@pytest.mark.parametrize("names", [("A", "B"), tuple(f"{LONG} {i}" for i in range(8))])
def test_a_drawing_has_the_width_of_its_page(build: Any, names: tuple[str, ...], width: int) -> None:
    svg = drawn(build(names), width=width, prefix="a")
    found = re.search(r'<svg[^>]* width="([0-9.]+)"', svg)
    assert found is not None
    assert abs(float(found[1]) - width) <= (1 if build is single else 40)
    assert svg.count("role-legend-symbol") == len(names)


def test_long_names_take_fewer_columns_of_a_legend() -> None:
    def columns(*names: str) -> int:
        found: int = configured(sized(single(names), 350), 350)["config"]["legend"]["columns"]
        return found

    assert columns("A", "B") >= 5
    assert columns(LONG, "B") == 1
    assert columns("x" * 500) == 1


def test_a_long_subtitle_is_broken_into_lines() -> None:
    words = "the same strategy where it decides on other dates, beside the median of all calendars"
    spec = single(("A", "B")) | {"title": {"text": "Timing luck", "subtitle": words}}
    for width, lines in ((350, 2), (760, 1)):
        svg = drawn(spec, width=width, prefix="a")
        found = re.search(r'role-title-subtitle".*?</g>', svg)
        assert found is not None
        texts = re.findall(r">([^<>]+)</t", found[0])
        assert (" ".join(texts), len(texts)) == (words, lines)
        assert max(len(text) * 5.4 for text in texts) < width


def test_other_settings_of_a_theme_stay() -> None:
    config = configured(single(("A", "B")), 760)["config"]
    assert config["legend"]["labelColor"] == "#1f2328"


def test_a_still_picture_has_no_tooltips_and_all_its_data() -> None:
    spec = single(("A", "B"))
    spec["encoding"]["tooltip"] = [{"field": "x", "title": "hidden"}]
    spec["data"]["values"][0]["tooltip"] = "container"
    still = sized(spec, 350)
    assert "tooltip" not in still["encoding"]
    assert still["data"] == spec["data"]
    assert "hidden" in str(spec)  # the chart itself stays as it is


def test_pictures_drawn_at_the_same_time_keep_their_order() -> None:
    specs = [single((f"name {i}", "B")) | {"height": {"step": 20}} for i in range(6)]
    start_renderer()  # once more does no harm
    found = side_by_side(lambda spec: drawn(spec, width=350, prefix="a"), specs)
    assert [re.findall(r">(name \d)<", svg) for svg in found] == [[f"name {i}"] for i in range(6)]


def test_the_renderer_writes_no_warning_to_the_terminal() -> None:
    program = (
        "from absfin.reports.drawing import drawn\n"
        "spec = {'data': {'values': [{'a': 1}]}, 'height': {'step': 20}, 'autosize': {'type': 'fit-x'}, 'mark': 'bar',"
        " 'encoding': {'x': {'field': 'a', 'type': 'quantitative'}, 'y': {'field': 'a', 'type': 'ordinal'}}}\n"
        "print(drawn(spec, width=350, prefix='a')[:4])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True)
    assert (done.stdout, done.stderr) == ("<svg\n", "")
