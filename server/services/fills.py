"""RecordFills: computed in a worker from one state of the store, and stored if that is still the state."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from server.commands.call import Call
from server.commands.fills import RecordFillsCommand
from server.execution.process_pool import ProcessPool
from server.ports.errors import EtagMismatch
from server.ports.fills import FillsChange, FillStore
from server.ports.portfolios import PortfolioRecord
from server.tasks.fills import recording

ATTEMPTS = 50
"""How often fills are computed where others change the portfolio meanwhile; each time one of those was stored."""


class Fills:
    """Records fills of stored portfolios."""

    def __init__(self, store: FillStore, pool: ProcessPool) -> None:
        self._store = store
        self._pool = pool

    async def record(self, command: RecordFillsCommand, call: Call) -> tuple[bytes, PortfolioRecord]:
        """The answer without the portfolio, and the portfolio after the fills.

        Raises NotFound, EtagMismatch, RequestIdReused, InvalidInput, StorageFull.
        """
        for _ in range(ATTEMPTS - 1):
            # Where others were first; a caller who named an etag is told so by the next attempt.
            with suppress(EtagMismatch):
                return await self._attempt(command, call)
        return await self._attempt(command, call)

    async def _attempt(self, command: RecordFillsCommand, call: Call) -> tuple[bytes, PortfolioRecord]:
        state = await self._store.load(call.owner, command.query)
        answer = await self._pool.run(
            partial(recording, command, state, datetime.now(UTC)), call.deadline, caller=call.caller
        )
        after = answer.after
        return answer.payload, await self._store.commit(call.owner, after) if isinstance(after, FillsChange) else after
