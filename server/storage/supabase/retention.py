"""Deletes results that are older than they are to be kept, and what is known of writes that are long done."""

from dataclasses import asdict

from domain.records import dataclass
from server.observability import logger
from server.storage.supabase.rpc import Rpc

BATCH = 20
"""Results deleted in one transaction: others write in between."""

WRITE_BATCH = 1000
"""Tokens of writes deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many results were deleted."""

    optimizations: int = 0
    reallocations: int = 0


class ResultRetention:
    """Deletes results older than so many days; 0 keeps them for ever. Several servers may do so at once."""

    def __init__(self, rpc: Rpc, days: float) -> None:
        self._rpc = rpc
        self._days = days

    async def sweep(self) -> Deleted:
        """Deletes answers that were stored too long ago, by the clock of the database."""
        await self._until_none("delete_recorded_writes", p_limit=WRITE_BATCH)
        if not self._days:
            return Deleted()
        deleted = Deleted(await self._results("optimizations"), await self._results("reallocations"))
        if deleted != Deleted():
            logger.info("old results deleted", extra={"days": self._days, **asdict(deleted)})
        return deleted

    async def _results(self, kind: str) -> int:
        return await self._until_none("delete_old_results", p_kind=kind, p_days=self._days, p_limit=BATCH)

    async def _until_none(self, name: str, **arguments: object) -> int:
        count = 0
        while deleted := await self._rpc.call(name, **arguments):
            count += deleted
        return count
