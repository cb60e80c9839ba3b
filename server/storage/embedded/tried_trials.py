"""Counts of trials in SQLite."""

import sqlite3
from collections.abc import Mapping

from domain.sweep.tried import EarlierTrials, SharpeSums
from server.storage.embedded.database import Database

ROW_BYTES = 512
"""What the count of a sweep on one set of data takes, about."""

_EARLIER = (
    "SELECT coalesce(sum(t.trials), 0), coalesce(sum(t.sharpe_count), 0), coalesce(sum(t.sharpe_sum), 0.0), "
    "coalesce(sum(t.sharpe_squares), 0.0) FROM tried_trials own JOIN tried_trials t "
    "ON t.owner = own.owner AND t.data = own.data AND t.key < own.key AND t.epoch <> own.epoch "
    "WHERE own.owner = ? AND own.epoch = ?"
)


class EmbeddedTriedTrials:
    """Those of one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, owner: str, epoch: str, trials: Mapping[str, int]) -> EarlierTrials:
        """Counts the trials of a sweep once; those that were counted before."""

        def work(connection: sqlite3.Connection) -> EarlierTrials:
            connection.executemany(
                "INSERT OR IGNORE INTO tried_trials (owner, data, epoch, trials) VALUES (?, ?, ?, ?)",
                [(owner, data, epoch, count) for data, count in trials.items()],
            )
            count, known, total, squares = connection.execute(_EARLIER, (owner, epoch)).fetchone()
            return EarlierTrials(count, SharpeSums(known, total, squares))

        return await self._database.write(work, ROW_BYTES * len(trials))

    async def scored(self, owner: str, epoch: str, sums: SharpeSums) -> None:
        """Keeps the Sharpe ratios of a sweep."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE tried_trials SET sharpe_count = ?, sharpe_sum = ?, sharpe_squares = ? "
                "WHERE owner = ? AND epoch = ?",
                (sums.count, sums.total, sums.squares, owner, epoch),
            )

        await self._database.write(work)
