"""Tables that cut nothing: what is too wide for the terminal goes on to the next line."""

from collections.abc import Collection, Iterable

from google.protobuf.timestamp_pb2 import Timestamp
from rich.box import SIMPLE_HEAD
from rich.table import Table


def new_table(columns: Iterable[str], numbers: Collection[str] = (), title: str = "") -> Table:
    """A table without rows. Numbers are on the right and stay on a line; texts are folded."""
    table = Table(title=title or None, box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        if name in numbers:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    return table


def moment(time: Timestamp) -> str:
    """A time in UTC, to the minute."""
    return f"{time.ToDatetime():%Y-%m-%d %H:%M}"
