"""Every chart against the JSON schema of Vega-Lite and its compiler, with ordinary data and with the edges of it."""

import calendar
import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from domain.charts.contributions import contributions_chart
from domain.charts.correlation import correlation_chart
from domain.charts.costs import costs_chart
from domain.charts.frontier import RiskAndReturn, frontier_chart
from domain.charts.lines import Line, drawdown_chart, equity_chart
from domain.charts.liquidity import STATES, TradeLiquidity, liquidity_chart
from domain.charts.monthly_returns import monthly_returns_chart
from domain.charts.rolling import RollingView, rolling_chart
from domain.charts.specification import dated_rows, finite_rows
from domain.charts.sweep_surface import SweptScores, sweep_surface_chart
from domain.charts.theme import MOST_COLOURS, Theme
from domain.charts.thinning import MOST_ROWS
from domain.charts.timing_luck import timing_luck_chart
from domain.charts.weights import CASH, REST, NamedWeights, weight_bars, weights_chart
from domain.estimation.clustering import Linkage, Tree
from domain.risk.correlation import Clustering, cluster
from domain.risk.figure import Absent
from domain.significance.timing_luck import LuckBand, TimingLuck
from domain.sweep.expansion import Axis, Grid
from tests.vega_lite import check, colours, rows

RNG = np.random.default_rng(16)
DATES = 2000
DAYS = np.arange(10_000, 10_000 + DATES, dtype=np.int32)
AWKWARD = ("A", "it's", 'a "b"', "c\\d", "e.f[0]", "<b>&", "µ漢", "x" * 64)
"""Names that a path, an expression or a page could take for something else."""


def curve(label: str, dates: int = DATES, *, is_benchmark: bool = False) -> Line:
    values = np.exp(np.cumsum(RNG.normal(3e-4, 0.01, dates)))
    return Line(label, DAYS[:dates], values, is_benchmark)


def correlated(size: int) -> np.ndarray:
    return np.corrcoef(RNG.normal(size=(size, 60)) + 0.7 * RNG.normal(size=60)).reshape(size, size)


def correlation_of(names: tuple[str, ...], theme: Theme) -> dict[str, Any]:
    matrix = correlated(len(names))
    return correlation_chart(names, matrix, cluster(matrix, Clustering(Linkage.AVERAGE)).tree, theme)


CURVES = [curve(name, is_benchmark=i > 3) for i, name in enumerate(AWKWARD)]
WEIGHTS = RNG.dirichlet(np.ones(12), DATES) * 0.9
NAMES = tuple(f"S{i}" for i in range(12))
GAPS = np.where(np.arange(DATES) % 3 == 0, np.nan, CURVES[0].values)

BAND = LuckBand((1, 2, 3), (1.0, 3.0, 0.0), (1.0, 1.0, 0.0), (1.0, 2.0, 0.0), (1.0, 4.0, 1.0))


def swept(count: int, *, equal: bool = False) -> SweptScores:
    """A sweep over so many axes of numbers, and one of texts; one of its trials has no score."""
    paths = ("costs.commission_bps", AWKWARD[2])[:count]
    axes = [Axis(path, ("0", "5", "20")) for path in paths]
    grid = Grid((*axes, Axis("execution.fill", ("FILL_NEXT_OPEN", "FILL_SAME_CLOSE"))))
    scores = {trial: 0.0 if equal else 1.0 - 0.1 * abs(trial - 3) for trial in range(grid.count) if trial != 1}
    return SweptScores("sharpe", grid, dict.fromkeys(range(count), (0.0, 5.0, 20.0)), scores, 3)


def sweep_chart(found: SweptScores, theme: Theme) -> dict[str, Any]:
    specification = sweep_surface_chart(found, theme)
    assert not isinstance(specification, Absent)
    return specification


CHARTS: dict[str, Callable[[Theme], dict[str, Any]]] = {
    "equity": lambda theme: equity_chart(CURVES, theme),
    "equity of one curve": lambda theme: equity_chart(CURVES[:1], theme),
    "equity of two dates": lambda theme: equity_chart([curve("A", 2)], theme),
    "equity that is used up": lambda theme: equity_chart([Line("A", DAYS[:3], np.array([1.0, 0.5, 0.0]))], theme),
    "drawdown": lambda theme: drawdown_chart(CURVES, theme),
    "drawdown of one curve": lambda theme: drawdown_chart(CURVES[:1], theme),
    "rolling": lambda theme: rolling_chart(
        "Rolling", "a note", [RollingView("Volatility, %", tuple(CURVES)), RollingView("Sharpe", (CURVES[1],))], theme
    ),
    "rolling with gaps": lambda theme: rolling_chart(
        "Rolling", "", [RollingView("Sharpe", (Line("A", DAYS, GAPS),))], theme
    ),
    "weights": lambda theme: weights_chart(NAMES, DAYS, WEIGHTS, theme),
    "weights of one asset": lambda theme: weights_chart(("A",), DAYS, np.ones((DATES, 1)), theme),
    "weights of nothing": lambda theme: weights_chart(("A",), DAYS, np.zeros((DATES, 1)), theme),
    "weights with shorts": lambda theme: weights_chart(NAMES, DAYS, WEIGHTS - 0.05, theme),
    "weight bars": lambda theme: weight_bars([NamedWeights("now", dict.fromkeys(AWKWARD, 0.125))], theme),
    "weight bars of two": lambda theme: weight_bars(
        [NamedWeights("before", {"A": 0.6, "B": 0.4}), NamedWeights("after", {"A": 0.1, "C": -0.2})], theme
    ),
    "months": lambda theme: monthly_returns_chart(
        [(2000 + k // 12, k % 12 + 1, float(RNG.normal(0.0, 0.04))) for k in range(5, 40)],
        [(2000, 0.1), (2001, -0.2), (2002, 0.0)],
        "it's",
        theme,
    ),
    "one month": lambda theme: monthly_returns_chart([(2000, 1, 0.0)], [(2000, 0.0)], "", theme),
    "contributions": lambda theme: contributions_chart(
        "Contributions", "a note", "%", {**dict.fromkeys(AWKWARD, 0.1), "B": -0.2}, theme
    ),
    "no contributions": lambda theme: contributions_chart("Contributions", "", "%", {"A": 0.0}, theme),
    "frontier": lambda theme: frontier_chart(
        [RiskAndReturn(0.1 + 0.01 * k, 0.05 + 0.01 * k) for k in range(9)], RiskAndReturn(0.15, 0.08), theme
    ),
    "frontier of a point": lambda theme: frontier_chart([RiskAndReturn(0.1, 0.05)], RiskAndReturn(0.1, 0.05), theme),
    "correlation": lambda theme: correlation_of(AWKWARD, theme),
    "correlation of two": lambda theme: correlation_of(("A", "B"), theme),
    "correlation of one": lambda theme: correlation_chart(("A",), np.ones((1, 1)), Tree(np.zeros((0, 4))), theme),
    "timing luck": lambda theme: timing_luck_chart(TimingLuck(((1, -0.1), (2, 0.3)), {0: "no wealth"}), theme),
    "timing luck over time": lambda theme: timing_luck_chart(TimingLuck(((0, 0.2),), {}, BAND), theme),
    "costs by year": lambda theme: costs_chart(DAYS, np.full(DATES, 1e-5), np.full(DATES, 0.01), theme),
    "costs by month": lambda theme: costs_chart(DAYS[:90], np.zeros(90), np.full(90, 0.01), theme, "a note"),
    "sweep over two axes": lambda theme: sweep_chart(swept(2), theme),
    "sweep over one axis": lambda theme: sweep_chart(swept(1), theme),
    "sweep of equal scores": lambda theme: sweep_chart(swept(2, equal=True), theme),
    "liquidity": lambda theme: liquidity_chart(
        [TradeLiquidity("A", "sufficient", 0.5, 0.1), TradeLiquidity("it's", "unknown", None, None)], theme
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_specification_of_vega_lite(name: str) -> None:
    specification = CHARTS[name](Theme.LIGHT)
    assert specification["title"]["text"]
    assert "url" not in json.dumps({**specification, "$schema": ""}), "data are in the specification"
    check(specification)


@pytest.mark.parametrize("name", CHARTS)
def test_themes_differ_in_config_alone(name: str) -> None:
    state = RNG.bit_generator.state
    light = CHARTS[name](Theme.LIGHT)
    RNG.bit_generator.state = state  # the same random data again
    dark = CHARTS[name](Theme.DARK)
    assert light.pop("config") != dark.pop("config")
    assert light == dark
    assert not list(colours(light)), "colours stand in config"


@pytest.mark.parametrize("name", CHARTS)
def test_every_axis_and_tooltip_has_a_title(name: str) -> None:
    def encodings(part: Any) -> Any:
        if isinstance(part, dict):
            if isinstance(part.get("encoding"), dict):
                yield part["encoding"]
            for key, value in part.items():
                if key not in ("data", "config"):
                    yield from encodings(value)
        elif isinstance(part, list):
            for value in part:
                yield from encodings(value)

    tooltips = 0
    for encoding in encodings(CHARTS[name](Theme.LIGHT)):
        for channel in ("x", "y"):
            if encoding.get(channel, {}).get("type") == "quantitative" and "axis" in encoding[channel]:
                assert "title" in encoding[channel]["axis"]
        tooltips += len(encoding.get("tooltip", []))
        assert all(one["title"] for one in encoding.get("tooltip", []))
    assert tooltips


def test_values_that_are_no_numbers_are_left_out() -> None:
    drawn = rolling_chart("R", "", [RollingView("S", (Line("A", DAYS, GAPS),))], Theme.LIGHT)
    text = json.dumps(drawn, allow_nan=False)
    assert "null" not in text.partition('"vconcat"')[0]


def test_curves_beyond_the_colours_are_left_out_by_name() -> None:
    drawn = equity_chart([curve(f"S{i}", 5) for i in range(MOST_COLOURS + 3)], Theme.LIGHT)
    assert {row["label"] for row in rows(drawn)} == {f"S{i}" for i in range(MOST_COLOURS)}
    assert "3 more of 11 curves are not drawn" in drawn["title"]["subtitle"]


@pytest.mark.parametrize("name", ["equity", "drawdown", "rolling", "weights"])
def test_rows_of_a_chart_are_bounded(name: str) -> None:
    assert len(rows(CHARTS[name](Theme.LIGHT))) <= MOST_ROWS


def test_a_line_keeps_its_extremes_and_its_ends() -> None:
    line = CURVES[0]
    (low, high) = (line.values.min() / line.values[0], line.values.max() / line.values[0])
    drawn = [row["value"] for row in rows(equity_chart([line], Theme.LIGHT))]
    assert (min(drawn), max(drawn)) == (low, high)
    assert (drawn[0], drawn[-1]) == (1.0, line.values[-1] / line.values[0])
    assert len(drawn) < DATES


def test_dates_are_those_of_the_values() -> None:
    found = {row["date"]: row["value"] for row in rows(equity_chart([CURVES[0]], Theme.LIGHT))}
    for k in (0, DATES - 1):
        text = str(DAYS[k : k + 1].astype("datetime64[D]")[0])
        assert found[text] == CURVES[0].values[k] / CURVES[0].values[0]


def test_stacked_weights_sum_to_one() -> None:
    drawn = rows(weights_chart(NAMES, DAYS, WEIGHTS, Theme.LIGHT))
    by_date: dict[str, float] = {}
    for row in drawn:
        by_date[row["date"]] = by_date.get(row["date"], 0.0) + row["value"]
    assert max(abs(total - 1.0) for total in by_date.values()) < 1e-12
    assert {REST, CASH} < {row["label"] for row in drawn}


def test_an_asset_called_cash_is_no_cash() -> None:
    drawn = rows(weights_chart((CASH, "B"), DAYS[:2], np.full((2, 2), 0.3), Theme.LIGHT))
    assert {row["label"]: row["value"] for row in drawn} == {CASH: 0.3, "B": 0.3, f"({CASH})": pytest.approx(0.4)}


def test_bars_sum_to_the_whole() -> None:
    parts = {f"S{i}": float(RNG.normal()) for i in range(200)}
    drawn = rows(contributions_chart("C", "", "%", parts, Theme.LIGHT))
    assert sum(row["value"] for row in drawn) == pytest.approx(sum(parts.values()), rel=1e-12)
    assert [row["name"] for row in drawn][-1] == "171 others"


def test_sums_of_costs_by_year() -> None:
    costs = RNG.random(DATES) * 1e-4
    drawn = {row["period"]: row["cost"] for row in rows(costs_chart(DAYS, costs, costs, Theme.LIGHT))}
    years = DAYS.astype("datetime64[D]").astype("datetime64[Y]").astype(str)
    for year in set(years.tolist()):
        assert drawn[year] == pytest.approx(1e4 * costs[years == year].sum(), rel=1e-12)


def test_cells_of_a_correlation_stand_under_their_leaves() -> None:
    matrix = correlated(5)
    names = ("A", "B", "C", "D", "E")
    tree = cluster(matrix, Clustering(Linkage.AVERAGE)).tree
    drawn = rows(correlation_chart(names, matrix, tree, Theme.LIGHT))
    cells = [row for row in drawn if "value" in row]
    for cell in cells:
        assert cell["value"] == matrix[names.index(cell["one"]), names.index(cell["other"])]
        assert tree.order[cell["y"]] == names.index(cell["one"])
    first, second = (int(i) for i in tree.merges[0, :2])
    across = [row for row in drawn if "distance" in row][2]
    places = {names.index(cell["other"]): cell["x"] + 0.5 for cell in cells}
    assert {across["x"], across["x2"]} == {places[first], places[second]}


def test_years_do_not_take_the_colours_of_months() -> None:
    drawn = rows(monthly_returns_chart([(2000, 1, 0.01)], [(2000, 5.0)], "", Theme.LIGHT))
    assert [(row["month"], row["value"], row["shade"]) for row in drawn] == [("Jan", 0.01, 0.01), ("Year", 5.0, 0.0)]


def test_a_fan_of_timing_luck_is_over_the_median() -> None:
    drawn = rows(timing_luck_chart(TimingLuck(((0, 0.2),), {}, BAND), Theme.LIGHT))
    assert drawn == [
        {"date": "1970-01-02", "lowest": 0.0, "highest": 0.0, "chosen": 0.0},
        {"date": "1970-01-03", "lowest": -0.5, "highest": 1.0, "chosen": 0.5},
    ]  # no median on the third date


def test_without_a_result_of_its_own_calendar_timing_luck_is_bars() -> None:
    drawn = rows(timing_luck_chart(TimingLuck(((1, -0.1), (2, 0.3)), {0: "no wealth"}), Theme.LIGHT))
    assert [(row["name"], row["value"]) for row in drawn] == [
        ("1 date later", -0.1),
        ("2 dates later", 0.3),
        ("lowest", -0.1),
        ("median", pytest.approx(0.1)),
        ("highest", 0.3),
    ]


def test_drawdowns_go_down() -> None:
    drawn = rows(drawdown_chart([Line("A", DAYS[:3], np.array([2.0, 1.0, 4.0]))], Theme.LIGHT))
    assert [row["value"] for row in drawn] == [0.0, -0.5, 0.0]


def test_rows_hold_no_value_that_json_has_not() -> None:
    drawn = dated_rows(DAYS[:4], np.array([1.0, np.nan, np.inf, 2.0]))
    assert [row["value"] for row in drawn] == [1.0, 2.0]
    assert finite_rows([{"a": float("nan"), "b": 1.0, "c": "d"}]) == [{"b": 1.0, "c": "d"}]


def test_dates_are_drawn_in_utc() -> None:
    """A date is midnight in UTC: on a local axis west of Greenwich it would be the day before."""
    specification = equity_chart(CURVES, Theme.LIGHT)
    assert specification["encoding"]["x"]["scale"] == {"type": "utc"}
    (date,) = (one for one in specification["encoding"]["tooltip"] if one["field"] == "date")
    assert date["timeUnit"].startswith("utc")


@pytest.mark.parametrize("dates", [200, 700, DATES])
@pytest.mark.parametrize("width", [300, 720, 1100])
def test_a_month_on_the_axis_has_its_year(dates: int, width: int) -> None:
    """The label of January alone would not do: it is left out where labels are too close."""
    drawn = check(equity_chart([curve("A", dates)], Theme.LIGHT) | {"width": width})
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    months = [label for label in labels if label[:3] in calendar.month_abbr[1:]]
    assert months or any(re.fullmatch(r"\d{4}", label) for label in labels)
    assert all(re.fullmatch(r"[A-Z][a-z]{2} \d{4}", label) for label in months)


def test_numbers_of_months_do_not_overlap_on_a_phone() -> None:
    """Those below 10 %. A digit of a sans-serif font is 0.56 of its size wide at most, a minus 0.59, a point 0.28."""
    months = [(2020, month, -0.0949 if month % 2 else 0.0888) for month in range(1, 13)]
    width = 290
    drawn = check(monthly_returns_chart(months, [(2020, 0.2)], "A", Theme.LIGHT) | {"width": width})
    texts = re.findall(r'font-size="([0-9.]+)px"[^>]*>(−?\d+\.\d)<', drawn)
    assert len(texts) == 13
    for size, text in texts:
        room = 0.56 * sum(map(str.isdigit, text)) + 0.59 * text.count("−") + 0.28
        assert float(size) * room < width / 13


def drawn_as(path: str) -> tuple[str, str, str]:
    """Colour, dashes and opacity of an SVG path."""
    colour = re.search(r'(?:stroke|fill)="(#[0-9a-fA-F]{6})"', path)
    dashes = re.search(r'stroke-dasharray="([^"]*)"', path)
    opacity = re.search(r'[^-]opacity="([^"]*)"', path)
    assert colour is not None, path
    return colour[1], dashes[1] if dashes else "", opacity[1] if opacity else "1"


def legend_of(drawing: str) -> dict[str, tuple[str, str, str]]:
    """How each entry of a legend is drawn."""
    entries = re.findall(r'role-legend-symbol"[^>]*>(<path[^>]*>).*?<text[^>]*>([^<]*)<', drawing)
    return {label: drawn_as(symbol) for symbol, label in entries}


PLAIN = [curve(name, is_benchmark=name > "B") for name in ("A", "B", "C", "D")]
COLOURED: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "equity": ("label", lambda: equity_chart(PLAIN, Theme.LIGHT)),
    "drawdown": ("label", lambda: drawdown_chart(PLAIN, Theme.LIGHT)),
    "rolling": ("label", lambda: rolling_chart("R", "", [RollingView("S", tuple(PLAIN))] * 2, Theme.LIGHT)),
    "weights": ("label", lambda: weights_chart(NAMES, DAYS, WEIGHTS, Theme.LIGHT)),
    "weight bars": ("portfolio", lambda: CHARTS["weight bars of two"](Theme.LIGHT)),
    "frontier": ("kind", lambda: CHARTS["frontier"](Theme.LIGHT)),
    "timing luck": ("kind", lambda: CHARTS["timing luck"](Theme.LIGHT)),
    "liquidity": (
        "state",
        lambda: liquidity_chart(
            [TradeLiquidity("X", "sufficient", 0.5, 0.1), TradeLiquidity("Y", "partial", 2.0, 0.9)], Theme.LIGHT
        ),
    ),
}


@pytest.mark.parametrize("name", COLOURED)
def test_a_legend_shows_each_thing_as_it_is_drawn(name: str) -> None:
    field, build = COLOURED[name]
    drawing = check(build())
    legend = legend_of(drawing)
    assert len(legend) >= 2
    assert len({colour for colour, _, _ in legend.values()}) == len(legend)
    marks = re.findall(rf'(<path aria-label="[^"]*\b{field}: ([^;"]+)[^>]*>)', drawing)
    assert {label for _, label in marks} == set(legend)
    for path, label in marks:
        assert drawn_as(path) == legend[label]


def test_benchmarks_are_dashed_and_strategies_are_drawn_over_them() -> None:
    drawing = check(equity_chart(PLAIN, Theme.LIGHT))
    assert [dashes for _, dashes, _ in legend_of(drawing).values()] == ["1,0", "1,0", "5,3", "5,3"]
    assert re.findall(r'aria-label="[^"]*; label: (.);', drawing) == ["C", "D", "A", "B"]


def test_a_line_of_a_legend_has_its_colour_whole() -> None:
    """A line that is thinner than two pixels lies on two of them, and is drawn paler than its colour."""
    symbols = re.findall(
        r'role-legend-symbol"[^>]*><path[^>]*stroke-width="([0-9.]+)"', check(CHARTS["equity"](Theme.LIGHT))
    )
    assert len(symbols) == len(CURVES)
    assert min(map(float, symbols)) >= 3.0


def test_the_legend_of_a_fan_has_its_line_and_its_area() -> None:
    drawing = check(timing_luck_chart(TimingLuck(((0, 0.2),), {}, BAND), Theme.LIGHT))
    simulated, calendars = legend_of(drawing).values()
    paths = re.findall(r'<path [^>]*aria-roledescription="(area|line) mark"([^>]*)>', drawing)
    assert {kind: drawn_as(path) for kind, path in paths} == {"line": simulated, "area": calendars}


def test_weights_begin_at_zero_where_cash_is_rounding() -> None:
    invested = [0.5, 0.3, 0.2 + 2.3e-16]
    assert sum(invested) > 1.0
    drawn = weights_chart(("A", "B", "C"), DAYS[:3], np.array([[0.0] * 3, invested, invested]), Theme.LIGHT)
    assert min(row["value"] for row in rows(drawn)) >= 0.0
    labels = re.findall(r"<text[^>]*>(−?\d+%)</text>", check(drawn))
    assert (labels[0], labels[-1]) == ("0%", "100%")


def test_parts_that_are_the_rounding_of_sums_have_no_bar() -> None:
    parts = {"A": -40.0, "B": 0.05, "cash": 2.9e-16, "financing": -6.4e-16}
    assert [row["name"] for row in rows(contributions_chart("C", "", "%", parts, Theme.LIGHT))] == ["A", "B"]


@pytest.mark.parametrize("scale", [0.001, 0.0347, 0.3, 7.9, 63.0])
def test_labels_of_contributions_do_not_touch(scale: float) -> None:
    drawn = check(contributions_chart("C", "", "%", {"A": scale, "B": -0.26 * scale}, Theme.LIGHT) | {"width": 560})
    found = re.findall(
        r'<text text-anchor="(\w+)" transform="translate\(([0-9.]+),[0-9.]+\)"[^>]*>(−?[0-9.,]+%)<', drawn
    )
    assert len(found) >= 3
    ends = []
    for anchor, at, text in found:
        room = sum({"%": 8.9, "−": 5.9, ",": 2.8, ".": 2.8}.get(letter, 5.6) for letter in text)
        start = float(at) - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * room
        ends.append((start, start + room))
    assert all(left[1] < right[0] for left, right in pairwise(ends))


@pytest.mark.parametrize("build", [equity_chart, drawdown_chart])
def test_labels_of_small_steps_differ(build: Callable[[list[Line], Theme], dict[str, Any]]) -> None:
    """Of values that change by less than a per cent, and of two dates, between which there are hours."""
    drawing = check(build([Line("A", DAYS[:2], np.array([1.0, 0.9965]))], Theme.LIGHT) | {"width": 700})
    labels = re.findall(r'role-axis-label".*?</g>', drawing)
    assert len(labels) == 2
    for axis in labels:
        found = [text for text in re.findall(r">([^<]+)</text>", axis) if text.strip()]
        assert len(found) >= 2
        assert len(set(found)) == len(found)
    assert not re.search(r">\d+ [AP]M<", drawing)


def test_a_state_of_liquidity_has_one_colour() -> None:
    trades = [TradeLiquidity("X", state, 1.0, 0.1) for state in STATES]
    every = legend_of(check(liquidity_chart(trades, Theme.LIGHT)))
    assert list(every) == list(STATES)
    for trade in trades:
        assert legend_of(check(liquidity_chart([trade], Theme.LIGHT))) == {trade.state: every[trade.state]}


def test_without_costs_turnover_is_drawn_alone() -> None:
    drawn = costs_chart(DAYS[:90], np.zeros(90), np.full(90, 0.01), Theme.LIGHT)
    assert drawn["title"]["text"] == "Turnover"
    assert [view["encoding"]["y"]["field"] for view in drawn["vconcat"]] == ["turnover"]
    paid = costs_chart(DAYS[:90], np.full(90, 1e-4), np.full(90, 0.01), Theme.LIGHT)
    assert [view["encoding"]["y"]["field"] for view in paid["vconcat"]] == ["cost", "turnover"]


def test_the_legend_of_timing_luck_is_whole() -> None:
    outcomes = TimingLuck(((0, 0.1), (1, 0.2)), {}, BAND)
    assert ">from the lowest to the highest of all calendars<" in check(timing_luck_chart(outcomes, Theme.LIGHT))
