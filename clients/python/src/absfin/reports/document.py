"""What a report consists of: sections of figures, tables, pictures and paragraphs, all text ready to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    """A chart: a Vega-Lite specification with its data."""

    title: str
    spec: Mapping[str, Any]


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


def section(heading: str, *blocks: Block | None) -> Section:
    """A section of the blocks that there are."""
    return Section(heading, tuple(block for block in blocks if block is not None))


def with_content(*sections: Section) -> tuple[Section, ...]:
    """The sections that have a block."""
    return tuple(one for one in sections if one.blocks)
