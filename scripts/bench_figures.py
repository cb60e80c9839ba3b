"""Writes what a benchmark printed into the documentation: `scripts/bench --docs JOB` gives it the lines of `--json`.

The tables are in benchmarks/README.md, each between its markers with the machine and the date. README.md has one figure
of them, in a sentence.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.measured import write

ROOT = Path(__file__).parents[1]
TABLES, FRONT = ROOT / "benchmarks/README.md", ROOT / "README.md"
LIBRARY = "riskfolio"
"""The peer of the figure of README.md."""

Line = Mapping[str, Any]


def main(job: str, printed: Iterable[str], tables: Path = TABLES, front: Path = FRONT) -> None:
    """Writes the lines of one job. Raises ValueError where there are none, or where a page has no place for them."""
    lines = [json.loads(line) for line in printed if line.strip()]
    if not lines:
        raise ValueError(f"{job} has printed nothing, so that the figures of the pages stay")
    write(tables, f"scripts/bench {job}", table(lines))
    if job == "optimize" and (ratios := _ratios(lines)):
        write_in_sentence(front, job, f"{_round(min(ratios))} to {_round(max(ratios))}")


def table(lines: Sequence[Line]) -> str:
    """Markdown: a table for the lines that have the same figures, in the order in which they were printed."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(name for name, value in line.items() if value is not None), []).append(line)
    return "\n\n".join(_table(names, group) for names, group in groups.items())


def write_in_sentence(page: Path, job: str, text: str) -> None:
    """Puts a figure between markers within a line. Raises ValueError where the page has none or several."""
    found, count = re.subn(
        rf"(<!-- scripts/bench {re.escape(job)} -->)[^\n]*?(<!-- end -->)",
        lambda one: f"{one[1]}{text}{one[2]}",
        page.read_text(),
    )
    if count != 1:
        raise ValueError(f"{page.name} has {count} places for {job} within a sentence")
    page.write_text(found)


def _table(names: Sequence[str], lines: Sequence[Line]) -> str:
    heads = [(f"{name[:-3]}, ms" if name.endswith("_ms") else name).replace("_", " ") for name in names]
    rows = [[_cell(line[name]) for name in names] for line in lines]
    below = "|" + "---|" * len(names)
    return "\n".join([_row(heads), below, *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " / ".join(_cell(one) for one in value)
    if isinstance(value, float):
        return _number(value)
    return str(value).replace("|", "\\|")


def _number(value: float) -> str:
    """Three digits that count; what follows says nothing of a time."""
    if abs(value) >= 100.0:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _ratios(lines: Sequence[Line]) -> list[float]:
    of_library = [line for line in lines if str(line.get("peer", "")).lower().startswith(LIBRARY)]
    return [ratio for line in of_library if (ratio := line.get("ratio"))]


def _round(value: float) -> str:
    """Two digits that count: a ratio varies by a third from run to run."""
    digits = max(0, len(str(int(value))) - 2)
    return f"{round(value, -digits):,.0f}".replace(",", " ")


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin)
