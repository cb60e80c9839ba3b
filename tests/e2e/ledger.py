"""What a data folder says of signals and recomputations: read from the database beside the servers that write it."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from absfinance.v1.event_service_pb2 import WatchEventsResponse

from server.settings import DATABASE_NAME


def rows(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with closing(sqlite3.connect(f"file:{folder / DATABASE_NAME}?mode=ro", uri=True, timeout=10.0)) as connection:
        return connection.execute(statement, values).fetchall()


def signals(folder: Path, kind: str, portfolio_id: str) -> list[WatchEventsResponse.Signal]:
    """Stored signals of a kind about a portfolio, in order."""
    statement = "SELECT payload FROM events WHERE type = 'SIGNAL' AND kind = ? AND portfolio = ? ORDER BY sequence"
    found = rows(folder, statement, kind, portfolio_id)
    return [WatchEventsResponse.Signal.FromString(payload) for (payload,) in found]


def recomputations(folder: Path, portfolio_id: str | None = None) -> list[WatchEventsResponse.Recomputation]:
    """Events of recomputations that are over, in order; of one portfolio, or of all."""
    statement = "SELECT payload FROM events WHERE type = 'RECOMPUTATION' AND portfolio = ifnull(?, portfolio)"
    found = rows(folder, f"{statement} ORDER BY sequence", portfolio_id)
    return [WatchEventsResponse.Recomputation.FromString(payload) for (payload,) in found]


def causes(folder: Path, portfolio_id: str | None = None) -> Counter[str]:
    """How often each cause was answered by a recomputation that is over."""
    return Counter(cause for one in recomputations(folder, portfolio_id) for cause in one.causes)


def waiting(folder: Path) -> int:
    """Recomputations that are not over."""
    return int(rows(folder, "SELECT count(*) FROM recomputations WHERE finished_micros IS NULL")[0][0])


def begun(folder: Path) -> int:
    """Recomputations that a worker has."""
    statement = "SELECT count(*) FROM recomputations WHERE finished_micros IS NULL AND worker IS NOT NULL"
    return int(rows(folder, statement)[0][0])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits for something that happens behind the calls."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
