"""Tables that cut no name: what is too wide for the terminal goes on to the next line."""

from collections.abc import Collection, Iterable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDE = 100
"""Columns of a terminal from which on headings stay on one line."""


def new_console(*, stderr: bool = False) -> Console:
    """Prints texts as they are: names may have square brackets and colons."""
    return Console(stderr=stderr, markup=False, emoji=False)


def new_table(columns: Iterable[str], numbers: Collection[str] = (), title: str = "") -> Table:
    """A table without rows. Numbers are on the right and stay on a line; texts are folded."""
    width = new_console().width
    # The name of a result stays on one line, so that it can be copied.
    table = Table(title=title or None, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.min_width = min(len(title) + 2, width) if title else None
    # A heading of two words takes two lines there: the names of rows need the room.
    is_narrow = width < WIDE
    for name in columns:
        if name in numbers:
            heading = name.replace(" ", "\n", 1) if is_narrow else name
            table.add_column(heading, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    return table


def listed_name(name: str) -> str:
    """The name of a resource for a list: the id alone, which commands accept, where the terminal has little room."""
    return name.rpartition("/")[2] if new_console().width < WIDE else name


def add_named_column(table: Table, name: str) -> None:
    """A column of numbers under the name of a strategy, which may be long."""
    table.add_column(name, justify="right", overflow="fold")


def moment(time: Timestamp) -> str:
    """A time in UTC, to the minute."""
    return f"{time.ToDatetime():%Y-%m-%d %H:%M}"


def stale_column(results: Iterable[Any]) -> tuple[str, ...]:
    """The header of a column that a table of stored results has where one of them is stale."""
    return ("stale since, UTC",) if any(one.HasField("stale_since") for one in results) else ()


def stale_cell(result: Any, column: tuple[str, ...]) -> tuple[str, ...]:
    """Since when a result is stale, empty where it is not; nothing without the column."""
    return (moment(result.stale_since) if result.HasField("stale_since") else "",) if column else ()
