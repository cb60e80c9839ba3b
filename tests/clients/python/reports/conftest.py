"""A report with every kind of block, and text that would break a page which took it for markup."""

import pytest
from absfin.reports.document import Figure, Figures, Paragraph, Picture, Report, Table, section

HOSTILE = '<script>alert("x")</script> & #eval("1") $x$ *a* _b_ \\ @c'


def config(ink: str, first: str, heat: list[str]) -> dict[str, object]:
    """Colours of a theme."""
    guide = {"labelColor": ink, "titleColor": ink}
    return {"axis": guide, "title": {"color": ink}, "legend": guide, "range": {"category": [first], "heatmap": heat}}


LIGHT, DARK = config("#1f2328", "#0072B2", ["#ffffff", "#0072B2"]), config("#e6edf3", "#56B4E9", ["#000000", "#56B4E9"])


def line(offset: int) -> dict[str, object]:
    """A chart with a legend and a clip path, of which each has an id in the drawing; the last one mixes colours."""
    points = [{"x": i, "y": (i * 7 + offset) % 11, "s": "ab"[i % 2]} for i in range(40)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": 120,
        "title": f"Line {offset}",
        "data": {"values": points},
        "mark": {"type": "line" if offset < 2 else "rect", "clip": True},
        "config": LIGHT,
        "encoding": {
            "x": {"field": "x", "type": "quantitative"},
            "y": {"field": "y", "type": "quantitative"},
            "color": {"field": "s", "type": "nominal"} if offset < 2 else {"field": "y", "type": "quantitative"},
        },
    }


@pytest.fixture(scope="session")
def report() -> Report:
    months = ("year", *(f"month {i}" for i in range(1, 13)))
    years = tuple((str(year), *(f"{month / 10:.1f} %" for month in range(12))) for year in range(1990, 2023))
    return Report(
        title=HOSTILE,
        subtitle="1990-01-02 to 2022-12-30",
        facts=(("name", "backtests/abc"), ("input", "f" * 64)),
        sections=(
            section("Summary", Figures((Figure("Sharpe ratio", "1.234", "net"), Figure(HOSTILE, HOSTILE, HOSTILE)))),
            section("Charts", *(Picture(f"Line {i}", line(i), DARK) for i in range(3))),
            section("Tables", Table(months, years, "Returns by month"), Paragraph(HOSTILE), None),
        ),
    )
