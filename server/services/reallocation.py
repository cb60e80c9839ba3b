"""Reallocate, and the plans it has stored."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from server.commands.call import Call
from server.commands.charts import ChartsCommand
from server.commands.stored import DataRequest, StoredData
from server.execution.process_pool import ProcessPool
from server.ports.errors import NotFound
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioStore
from server.ports.remote import RemoteServices, RemoteTargets
from server.ports.results import ResultDraft, ResultPage, ResultStore, StoredResult
from server.ports.scope import Scope
from server.services.market_data import MarketData
from server.services.optimization.optimize import ResultExists, find_stored_result
from server.services.rounds import in_rounds
from server.tasks.charts import of_reallocation
from server.tasks.reallocate import reallocation


class ReallocationService:
    """Plans trades and keeps the plans."""

    def __init__(
        self,
        market_data: MarketData,
        portfolios: PortfolioStore,
        store: ResultStore,
        pool: ProcessPool,
        *,
        remote: RemoteServices,
        targets: RemoteTargets,
    ) -> None:
        self._remote = remote
        self._targets = targets
        self._market_data = market_data
        self._portfolios = portfolios
        self._store = store
        self._pool = pool

    async def reallocate(self, request: bytes, call: Call) -> StoredResult | bytes:
        """The stored answer, or only its bytes where nothing was to be stored."""
        try:
            answer: ResultDraft | bytes
            look_up = partial(find_stored_result, self._store, call.owner)
            task = partial(reallocation, request, datetime.now(UTC).date(), services=self._targets)
            answer, found = await in_rounds(self._pool, task, call, partial(self._collect, call), look_up)
        except ResultExists as before:
            return before.record
        if not isinstance(answer, ResultDraft):
            return answer
        return await self._store.save(call.owner, replace(answer, used=found.used))

    async def get(self, owner: str, reallocation_id: str) -> StoredResult:
        """A stored answer."""
        return await self._store.get(owner, reallocation_id)

    async def charts(self, reallocation_id: str, command: ChartsCommand, call: Call) -> bytes:
        """Charts of a stored answer."""
        record = await self._store.get(call.owner, reallocation_id)
        work = partial(of_reallocation, record.payload, command)
        answer: bytes = await self._pool.run(work, call.deadline, caller=call.caller)
        return answer

    async def list(self, scope: Scope, token: str, size: int, filters: ListFilter) -> ResultPage:
        """A page of stored answers, newest first."""
        return await self._store.list(scope, token, size, filters)

    async def delete(self, owner: str, reallocation_id: str) -> None:
        """Removes a stored answer."""
        await self._store.delete(owner, reallocation_id)

    async def collect_stored(self, call: Call, request: DataRequest, known: StoredData | None) -> StoredData:
        """Adds what is requested; portfolios that are not there are left out."""
        found = await self._market_data.collect(request, known)
        payloads = {}
        for name in request.portfolios:
            with suppress(NotFound):
                payloads[name] = (await self._portfolios.get(call.owner, name)).payload
        return replace(found, portfolios={**found.portfolios, **payloads})

    async def _collect(self, call: Call, request: DataRequest, known: StoredData | None) -> StoredData:
        """Adds what is requested, answers of services outside among it: no worker waits for them."""
        found = await self._market_data.collect(request, known)
        payloads = {name: (await self._portfolios.get(call.owner, name)).payload for name in request.portfolios}
        answers = {one.service: await self._remote.call(one, call.remaining_seconds()) for one in request.calls}
        return replace(
            found,
            portfolios={**found.portfolios, **payloads},
            answers={**found.answers, **answers},
            target=request.target or found.target,
        )
