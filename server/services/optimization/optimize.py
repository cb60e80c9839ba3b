"""Optimize, and the answers it has stored."""

from dataclasses import replace
from functools import partial

from server.commands.call import Call
from server.commands.stored import RequestKey
from server.execution.process_pool import ProcessPool
from server.execution.small_tasks import SmallTasks
from server.ports.list_filter import ListFilter
from server.ports.results import ResultDraft, ResultPage, ResultStore, StoredResult
from server.ports.scope import Scope
from server.services.audit import call_event
from server.services.market_data import MarketData
from server.services.rounds import in_rounds
from server.tasks.charts import of_optimization
from server.tasks.optimize import optimize
from server.tasks.small_optimize import MOST_BYTES, optimize_if_small

Answer = ResultDraft | StoredResult | bytes
"""Before it is stored, after it, or only what a check has found."""


class ResultExists(Exception):
    """The result of this request is stored already; nothing has to be computed."""

    def __init__(self, record: StoredResult) -> None:
        super().__init__(record.id)
        self.record = record


class Optimization:
    """Solves problems and keeps the answers."""

    def __init__(self, market_data: MarketData, store: ResultStore, pool: ProcessPool, small: SmallTasks) -> None:
        self._market_data = market_data
        self._store = store
        self._pool = pool
        self._small = small

    async def optimize(self, request: bytes, call: Call) -> StoredResult | bytes:
        """The stored answer, or only its bytes where the request asked to check it."""
        answer: Answer | None = None
        # Where others wait, the processor of the event loop is theirs.
        if len(request) <= MOST_BYTES and self._pool.is_idle:
            answer = await self._small.run(partial(optimize_if_small, request), partial(self._stored, call.owner))
        try:
            if answer is None:
                answer = await self._in_process(request, call)
        except ResultExists as before:
            return before.record
        return await self._store.save(call.owner, answer) if isinstance(answer, ResultDraft) else answer

    def _stored(self, owner: str, answer: Answer) -> Answer:
        """In the thread of small requests: the answer stored, unless that would have to wait for others.

        With its event, which would take as long as the answer to store by itself.
        """
        if not isinstance(answer, ResultDraft):
            return answer
        event = call_event.get()
        if event is None:
            return self._store.save_at_once(owner, answer) or answer
        # A caller who leaves meanwhile is told of by the event of what they have changed.
        event.is_being_stored = True
        try:
            stored = self._store.save_at_once(owner, answer, lambda answer_id: event.of(f"optimizations/{answer_id}"))
            event.is_stored = stored is not None
        finally:
            event.is_being_stored = False
        return stored or answer

    async def _in_process(self, request: bytes, call: Call) -> ResultDraft | bytes:
        answer: ResultDraft | bytes
        look_up = partial(find_stored_result, self._store, call.owner)
        task = partial(optimize, request)
        answer, found = await in_rounds(self._pool, task, call, self._market_data.collect, look_up)
        return replace(answer, used=found.used) if isinstance(answer, ResultDraft) else answer

    async def get(self, owner: str, optimization_id: str) -> StoredResult:
        """A stored answer."""
        return await self._store.get(owner, optimization_id)

    async def charts(self, optimization_id: str, request: bytes, call: Call) -> bytes:
        """Charts of a stored answer."""
        record = await self._store.get(call.owner, optimization_id)
        task = partial(of_optimization, request, record.payload)
        answer, _ = await in_rounds(self._pool, task, call, self._market_data.collect)
        return answer

    async def list(self, scope: Scope, token: str, size: int, filters: ListFilter) -> ResultPage:
        """A page of stored answers, newest first."""
        return await self._store.list(scope, token, size, filters)

    async def delete(self, owner: str, optimization_id: str) -> None:
        """Removes a stored answer."""
        await self._store.delete(owner, optimization_id)


async def find_stored_result(store: ResultStore, owner: str, key: RequestKey) -> None:
    """Raises ResultExists where the request has a stored result, RequestIdReused where its id belongs to another."""
    record = await store.find(owner, key.request_id, key.body)
    if record is not None:
        raise ResultExists(record)
