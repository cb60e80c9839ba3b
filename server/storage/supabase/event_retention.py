"""Removes changes that have been read, and events, notifications and recomputations that are old."""

import time

from server.storage.supabase.changes import SupabaseChanges
from server.storage.supabase.listener import SupabaseListener
from server.storage.supabase.rpc import Rpc

SECONDS_PER_DAY = 86_400.0
MICROS_PER_DAY = 86_400_000_000
CHANGE_DAYS = 7
"""How long changes stay that the listener has read, for whoever wants to know what happened."""

MOST_DAYS = 30
"""How long everything else stays, and changes that nobody reads: a listener that comes later reads all data anew."""

BATCH = 1_000


class EventRetention:
    """Keeps the logs of changes and events from growing without end. Several servers may do so at once."""

    def __init__(self, rpc: Rpc, changes: SupabaseChanges, listener: SupabaseListener) -> None:
        self._rpc = rpc
        self._changes = changes
        self._listener = listener

    async def sweep(self) -> int:
        """Removes what is too old; how many rows."""
        now = time.time_ns() // 1000
        state = await self._listener.load()
        removed = 0
        if state.cursor:
            removed += await self._changes.forget(state.cursor, now - CHANGE_DAYS * MICROS_PER_DAY)
        removed += await self._changes.forget(await self._changes.newest(), now - MOST_DAYS * MICROS_PER_DAY)
        for name in ("delete_old_events", "delete_old_notifications", "delete_old_recomputations"):
            while count := await self._rpc.call(name, p_age_seconds=MOST_DAYS * SECONDS_PER_DAY, p_limit=BATCH):
                removed += count
        return removed
