"""What a report consists of: sections of figures, tables, pictures and paragraphs, all text ready to be shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from absfin.charts import Chart
from absfin.choices import ChartName, ChartTheme


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its name; `note` says what it is measured on."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures side by side."""

    entries: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first column holds names, the others values."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError("each row of a table needs a cell for each column of its header")


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: a Vega-Lite specification with its data, and the `config` with the colours of a dark page."""

    title: str
    spec: Mapping[str, Any]
    dark_config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or more."""

    text: str


Block = Figures | Table | Picture | Paragraph


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A tear sheet. `facts` are pairs of a name and what identifies the result: its resource name, its dates."""

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    def pictures(self) -> tuple[Picture, ...]:
        """All pictures in their order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Picture))


def pictures_of(charts: Callable[[Sequence[ChartName], ChartTheme], Mapping[str, Chart]]) -> dict[str, Picture]:
    """Charts of the server as pictures, by their names.

    `charts` asks for those with the names, or for all, in the colours of a theme. One chart is asked for in dark
    colours: the `config` of a specification has all of them, the same for every chart.
    """
    light = charts((), "light")
    if not light:
        return {}
    smallest = min(light.values(), key=lambda chart: len(chart.rows)).name
    dark = charts((smallest,), "dark")[smallest].specification["config"]
    return {name: Picture(chart.title, chart.specification, dark) for name, chart in light.items()}


def section(heading: str, *blocks: Block | None) -> Section:
    """A section of the blocks that there are."""
    return Section(heading, tuple(block for block in blocks if block is not None))


def with_content(*sections: Section) -> tuple[Section, ...]:
    """The sections that have a block."""
    return tuple(one for one in sections if one.blocks)
