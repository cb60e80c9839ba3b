"""Deletes jobs that are older than they are to be kept, and data that was sent for jobs that never came."""

import asyncio

from server.observability import logger
from server.ports.errors import StorageUnavailable
from server.storage.panels import PanelFiles
from server.storage.supabase.rpc import Rpc

BATCH = 20
"""Jobs deleted in one transaction: others write in between."""

UNUSED_SECONDS = 3600.0
"""Data without a job that is older belongs to a call that ended before its job was stored."""

SECONDS_PER_DAY = 86_400.0


class JobRetention:
    """Deletes jobs that ended so many days ago; 0 keeps them for ever. Several servers may do so at once."""

    def __init__(self, rpc: Rpc, panels: PanelFiles, days: float) -> None:
        self._rpc = rpc
        self._panels = panels
        self._days = days

    async def sweep(self) -> int:
        """Deletes what is too old, by the clock of the database; how many jobs."""
        while await self._rpc.call("delete_unused_backtest_inputs", p_age_seconds=UNUSED_SECONDS, p_limit=BATCH):
            pass
        jobs = await self._old_jobs() if self._days else 0
        if jobs:
            logger.info("old results deleted", extra={"days": self._days, "backtests": jobs})
        return jobs

    async def _old_jobs(self) -> int:
        count, limit = 0, BATCH
        while True:
            try:
                deleted = await self._rpc.call(
                    "delete_expired_backtests", p_age_seconds=self._days * SECONDS_PER_DAY, p_limit=limit
                )
            except StorageUnavailable:
                if limit == 1:
                    raise
                limit = 1  # many large ones together may take longer than a statement may
                continue
            for name in deleted["names"]:
                await asyncio.to_thread(self._panels.remove, name)
            count += int(deleted["count"])
            if not deleted["count"]:
                return count
