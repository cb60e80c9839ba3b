"""A report as one HTML file without scripts: readable offline, on a phone, on paper, in light and dark."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from absfin.reports.document import Block, Figure, Figures, Paragraph, Picture, Report, Section, Table, with_content
from absfin.reports.drawing import drawn, side_by_side
from absfin.reports.themes import colour_pairs, mixed_pairs, name_of, used_range, with_variables

WIDTHS = {"wide": 760, "narrow": 350}
"""Pixels of a chart on a large and on a small screen, where it fills the page; the page shows the one that fits."""

PROSE = 32
"""Letters from which the text of a cell is broken into lines."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart for one size of screen, and the dark colours of the variables in it."""

    markup: str
    dark_colours: Mapping[str, str]


def html_of(report: Report) -> str:
    """The whole file. Drawing needs the extra `report`."""
    drawings = _drawings(report.pictures())
    style = _style("report.css") + _dark_colours(one for sizes in drawings.values() for one in sizes)
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.facts)
    sections = "\n".join(_section(one, drawings) for one in report.sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(report.title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{escape(report.title)}</h1>
<p>{escape(report.subtitle)}</p>
<dl>{facts}</dl>
</header>
<main>
{sections}
</main>
</body>
</html>
"""


def fragment_of(report: Report) -> str:
    """The figures and tables of a report for a notebook, which brings its own page; pictures are left out."""
    sections = [
        Section(one.heading, tuple(block for block in one.blocks if not isinstance(block, Picture)))
        for one in report.sections
    ]
    shown = "\n".join(_section(one, {}) for one in with_content(*sections))
    heading = f"<strong>{escape(report.title)}</strong> {escape(report.subtitle)}"
    return f'<div class="absfin"><style>\n{_style("notebook.css")}</style>\n<p>{heading}</p>\n{shown}\n</div>'


def _style(name: str) -> str:
    return files("absfin.reports").joinpath(name).read_text(encoding="utf-8")


def _section(section: Section, drawings: Mapping[int, Iterable[Drawing]]) -> str:
    blocks = "\n".join(_block(block, drawings) for block in section.blocks)
    return f"<section>\n<h2>{escape(section.heading)}</h2>\n{blocks}\n</section>"


def _block(block: Block, drawings: Mapping[int, Iterable[Drawing]]) -> str:
    match block:
        case Figures(entries):
            return f'<dl class="figures">{"".join(map(_figure, entries))}</dl>'
        case Table():
            return _table(block)
        case Picture():
            return f"<figure>{''.join(one.markup for one in drawings[id(block)])}</figure>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"


def _figure(figure: Figure) -> str:
    note = f"<small>{escape(figure.note)}</small>" if figure.note else ""
    return f"<div><dt>{escape(figure.label)}</dt><dd>{escape(figure.value)}{note}</dd></div>"


def _table(table: Table) -> str:
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    body = "".join(_row(row) for row in table.rows)
    # A wide table scrolls within its own box, so that the page keeps the width of a phone; the box takes the keyboard.
    label = escape(table.caption or "table")
    return (
        f'<div class="table" role="region" aria-label="{label}" tabindex="0">'
        f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: tuple[str, ...]) -> str:
    name, *cells = row
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_cell, cells))}</tr>'


def _cell(text: str) -> str:
    kind = ' class="prose"' if len(text) >= PROSE else ""
    return f"<td{kind}>{escape(text)}</td>"


def _drawings(pictures: Iterable[Picture]) -> dict[int, list[Drawing]]:
    """The drawings of each picture, by its identity."""
    tasks = [(picture, size, f"{size}{i}") for i, picture in enumerate(pictures) for size in WIDTHS]
    found: dict[int, list[Drawing]] = {}
    for (picture, _, _), drawing in zip(tasks, side_by_side(lambda task: _drawing(*task), tasks), strict=True):
        found.setdefault(id(picture), []).append(drawing)
    return found


def _drawing(picture: Picture, size: str, prefix: str) -> Drawing:
    """One for light and dark pages, or one for each where it has colours that no variable can name."""
    label, width = escape(picture.title), WIDTHS[size]

    def element(theme: str, svg: str) -> str:
        return f'<div class="{theme} {size}" role="img" aria-label="{label}">{svg}</div>'

    light = drawn(picture.spec, width=width, prefix=prefix)
    used = used_range(picture.spec, picture.dark_config)
    mixed = mixed_pairs(light, used)
    if mixed is None:
        dark = drawn({**picture.spec, "config": picture.dark_config}, width=width, prefix=f"dark-{prefix}")
        return Drawing(element("light", light) + element("dark", dark), {})
    pairs, scope = colour_pairs(picture.spec.get("config", {}), picture.dark_config), used.name if used else ""
    colours = {name_of(colour, scope): dark for colour, dark in (*pairs.items(), *mixed.items())}
    return Drawing(element("both", with_variables(light, pairs, mixed, scope)), colours)


def _dark_colours(drawings: Iterable[Drawing]) -> str:
    """The variables of the drawings on a dark page."""
    colours = {name: colour for drawing in drawings for name, colour in drawing.dark_colours.items()}
    values = " ".join(f"{name}: {colour};" for name, colour in colours.items())
    return f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {values} }} }}\n" if colours else ""
