"""The score of a sweep over one or two of its axes."""

from collections.abc import Mapping, Sequence

from domain.charts.specification import Row, Specification, finite_rows, number_tooltip, single_view, value_axis
from domain.charts.theme import Theme
from domain.records import dataclass
from domain.risk.figure import Absent
from domain.sweep.expansion import Grid

SCORE_FORMAT = ".4~g"
ROW_HEIGHT = 24
NO_GRID = "needs the axes of a grid, and the sweep is a list of backtests"
NO_NUMBERS = "needs an axis of numbers"
NO_SCORES = "needs a trial with a score"


@dataclass(frozen=True, slots=True)
class SweptScores:
    """A sweep that is over: its axes, those whose values are numbers, and the score of each trial that has one."""

    score: str
    grid: Grid | None  # None for a list of backtests
    numbers: Mapping[int, Sequence[float]]  # by the place of an axis
    scores: Mapping[int, float]  # by the place of a trial
    best: int | None


@dataclass(frozen=True, slots=True)
class Surface:
    """The score over one or two axes; the others stay at the values of the best trial."""

    axes: tuple[int, ...]
    points: tuple[tuple[tuple[float, ...], float], ...]  # values of these axes, and the score
    best: tuple[float, ...]


def surface_of(swept: SweptScores) -> Surface | Absent:
    """Over the first two axes of numbers that have several values, or the only one."""
    if swept.grid is None:
        return Absent(NO_GRID)
    if swept.best is None:
        return Absent(NO_SCORES)
    several = [axis for axis, values in sorted(swept.numbers.items()) if len(values) > 1]
    chosen = tuple((several or sorted(swept.numbers))[:2])
    if not chosen:
        return Absent(NO_NUMBERS)
    best = swept.grid.places(swept.best)
    points = []
    for trial, score in sorted(swept.scores.items()):
        places = swept.grid.places(trial)
        if all(places[k] == best[k] for k in range(len(best)) if k not in chosen):
            points.append((tuple(swept.numbers[axis][places[axis]] for axis in chosen), score))
    return Surface(chosen, tuple(points), tuple(swept.numbers[axis][best[axis]] for axis in chosen))


def sweep_surface_chart(swept: SweptScores, theme: Theme) -> Specification | Absent:
    """A line over one axis, or a heat map over two; the best trial is marked."""
    found = surface_of(swept)
    if isinstance(found, Absent) or swept.grid is None or swept.best is None:
        return found if isinstance(found, Absent) else Absent(NO_GRID)
    names = [swept.grid.axes[axis].path for axis in found.axes]
    rows = [_row(values, score, found.best) for values, score in found.points]
    title = f"{swept.score.replace('_', ' ').capitalize()} of the trials"
    subtitle = f"the best is {swept.grid.label(swept.best)}"
    fixed = len(swept.grid.axes) - len(found.axes)
    if fixed:
        subtitle += "; other axes as the best trial has them"
    tips = [number_tooltip(name, "~g", key) for name, key in zip(names, ("x", "y"), strict=False)]
    tips.append(number_tooltip("Score", SCORE_FORMAT))
    if len(names) == 1:
        return single_view(title, subtitle, theme, finite_rows(rows), _line(names[0], tips))
    scores = [score for _, score in found.points]
    height = {"step": ROW_HEIGHT}
    return single_view(title, subtitle, theme, finite_rows(rows), _map(names, tips, scores), height=height)


def _row(values: tuple[float, ...], score: float, best: tuple[float, ...]) -> Row:
    row: Row = {"x": values[0], "value": score}
    if len(values) > 1:
        row["y"] = values[1]
    return {**row, "best": 1} if values == best else row


def _line(name: str, tips: list[dict[str, object]]) -> Specification:
    encoding = {
        "x": value_axis(name, "~g", "x", zero=False),
        "y": value_axis("Score", "~g", zero=False),
        "tooltip": tips,
    }
    mark = {"type": "point", "shape": "diamond", "size": 140, "filled": True, "opacity": 1}
    layers = [
        {"mark": {"type": "line", "point": {"size": 18}}},
        {"transform": [{"filter": "datum.best == 1"}], "mark": mark},
    ]
    return {"encoding": encoding, "layer": layers}


def _map(names: list[str], tips: list[dict[str, object]], scores: Sequence[float]) -> Specification:
    least, greatest = min(scores), max(scores)
    half = 0.5 * (greatest - least) or abs(least) or 1.0
    middle = least + 0.5 * (greatest - least)
    colour = {
        "field": "value",
        "type": "quantitative",
        # On these colours the mark of the best one can be read.
        "scale": {"domain": [middle - half, middle, middle + half], "range": "diverging", "interpolate": "rgb"},
        "legend": {"title": "Score", "format": "~g", "gradientLength": 160},
    }
    place = {
        "x": {"field": "x", "type": "ordinal", "axis": {"title": names[0], "format": "~g", "labelAngle": 0}},
        "y": {"field": "y", "type": "ordinal", "sort": "descending", "axis": {"title": names[1], "format": "~g"}},
    }
    cells = {"mark": {"type": "rect"}, "encoding": {**place, "color": colour, "tooltip": tips}}
    best = {
        "transform": [{"filter": "datum.best == 1"}],
        "mark": {"type": "text", "text": "best"},
        "encoding": {**place, "tooltip": tips},
    }
    return {"layer": [cells, best]}
