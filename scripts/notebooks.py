"""Runs the notebooks of clients/python/notebooks and compares what they show with what the server really answers.

    python scripts/notebooks.py ADDRESS            # compare
    python scripts/notebooks.py ADDRESS --write    # put the real outputs in

The server must be fresh and hold the sample data.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "clients/python/notebooks"
SECONDS = 120
"""The longest that a cell may take."""

VOLATILE = re.compile(r"(backtests|optimizations|reallocations|portfolios)/[\w-]+")


def main() -> None:
    """Exits with 1 where an output is not the one shown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of a fresh server with the sample data")
    parser.add_argument("--write", action="store_true", help="store the real outputs")
    arguments = parser.parse_args()
    os.environ["ABSFIN_SERVER"] = arguments.address
    wrong = [line for path in sorted(FOLDER.glob("*.ipynb")) for line in run(path, write=arguments.write)]
    print("\n".join(wrong))
    sys.exit(bool(wrong))


def run(path: Path, *, write: bool = False) -> list[str]:
    """Runs a notebook in a kernel of its own, and returns a line for each cell that shows something else.

    Raises CellExecutionError where a cell does.
    """
    shown = nbformat.read(path, as_version=4)
    real = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(real, timeout=SECONDS, kernel_name="python3", resources=place).execute()
    if write:
        for cell in real.cells:
            cell.metadata.pop("execution", None)  # the times at which it ran
        real.metadata.pop("language_info", None)  # of this machine's Python
        nbformat.write(real, path)
        return []
    pairs = zip(shown.cells, real.cells, strict=True)
    return [
        f"{path.name}, cell {i}: shows\n{_texts(old)}\nbut the server answers\n{_texts(new)}"
        for i, (old, new) in enumerate(pairs, 1)
        if _texts(old) != _texts(new)
    ]


def _texts(cell: Any) -> list[str]:
    return [VOLATILE.sub(r"\1/...", text) for text in _outputs(cell)]


def _outputs(cell: Any) -> Iterator[str]:
    """What is printed together is one text: a kernel sends it in as many as its clock has it."""
    for kind, outputs in groupby(cell.get("outputs", []), key=lambda output: output.get("name", "")):
        if kind:
            yield "".join(output.text for output in outputs)
        else:
            yield from (output.data["text/plain"] for output in outputs)


if __name__ == "__main__":
    main()
