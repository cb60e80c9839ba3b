"""A report as PDF pages or as one picture, set by Typst, which ships in a package and needs no browser."""

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from absfin.reports.document import Block, Figures, Paragraph, Picture, Report, Table
from absfin.reports.drawing import drawn, side_by_side

WIDTH = 720
"""Pixels of a chart, which fills the width of a page."""

PIXELS_PER_INCH = 144.0
"""Resolution of a PNG: 1 190 pixels across, twice those of the page on a screen."""


def pages_of(report: Report, output: Literal["pdf", "png"]) -> bytes:
    """A PDF of A4 pages, or a PNG of one page as high as the report. Drawing needs the extra `report`."""
    import typst  # an optional extra of this package

    with TemporaryDirectory() as folder:
        root = Path(folder)
        drawings = side_by_side(lambda one: drawn(one.spec, width=WIDTH, prefix="chart"), report.pictures())
        for number, svg in enumerate(drawings):
            (root / f"chart{number}.svg").write_text(svg, encoding="utf-8")
        (root / "report.json").write_text(json.dumps(_content(report)), encoding="utf-8")
        template = files("absfin.reports").joinpath("report.typ").read_text(encoding="utf-8")
        (root / "report.typ").write_text(template, encoding="utf-8")
        inputs = {"paper": "a4" if output == "pdf" else "scroll"}
        done = typst.compile(root / "report.typ", root=root, format=output, ppi=PIXELS_PER_INCH, sys_inputs=inputs)
    if not isinstance(done, bytes):
        raise TypeError("a report of one format is one file")
    return done


def _content(report: Report) -> dict[str, Any]:
    """The report as the template reads it: each block with its kind, pictures by their files."""
    numbers = {id(picture): i for i, picture in enumerate(report.pictures())}
    sections = [
        {"heading": one.heading, "blocks": [_block(block, numbers) for block in one.blocks]} for one in report.sections
    ]
    return {"title": report.title, "subtitle": report.subtitle, "facts": report.facts, "sections": sections}


def _block(block: Block, numbers: dict[int, int]) -> dict[str, Any]:
    match block:
        case Figures():
            return {"kind": "figures", **asdict(block)}
        case Table():
            return {"kind": "table", **asdict(block)}
        case Picture(title):
            return {"kind": "picture", "file": f"chart{numbers[id(block)]}.svg", "alt": title}
        case Paragraph():
            return {"kind": "paragraph", **asdict(block)}
