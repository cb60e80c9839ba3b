"""Jobs as their owners see them, on Supabase."""

import asyncio

from server.ports.errors import NotFound
from server.ports.jobs import JobPage, JobRecord, JobState, kind_of, resource_name
from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.scope import Scope
from server.storage.job_refusals import no_series
from server.storage.pages import Position, micros_of, position_of, time_of, token_of
from server.storage.panels import PanelFiles
from server.storage.supabase.access import text_of
from server.storage.supabase.errors import FunctionRefused
from server.storage.supabase.frames import Frame
from server.storage.supabase.job_rows import listed_job_of, owned_job_of, require_own
from server.storage.supabase.rpc import Rpc
from server.storage.texts import kept_text, text_of_kept

KIND = "backtest"


class SupabaseJobs:
    """Jobs while they run and afterwards."""

    def __init__(self, rpc: Rpc, panels: PanelFiles) -> None:
        self._rpc = rpc
        self._panels = panels

    async def find(self, owner: str, request_id: str, body: bytes) -> JobRecord | None:
        """The job this request started before."""
        data = await self._rpc.read_bytes(
            "find_backtest", p_owner=owner, p_request_id=kept_text(request_id), p_body=text_of(body)
        )
        return await owned_job_of(data, owner)

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """One job."""
        record = await owned_job_of(await self._rpc.read_bytes("get_backtest", p_owner=owner, p_id=job_id), owner)
        if record is None:
            raise NotFound(kind_of(job_id), resource_name(job_id))  # it was deleted in this moment
        return record

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> JobPage:
        """A page of jobs, newest first."""
        after = position_of(token, KIND, scope, filters)
        rows = await self._rpc.call(
            "list_backtests",
            p_owner=None if scope.everyone else scope.owner,
            p_after_time=None if after is None else time_of(after.micros).isoformat(),
            p_after_id=None if after is None else after.id,
            p_after_key=None if after is None else after.key,
            p_limit=limit + 1,
            p_label=kept_text(filters.label) or None,
            p_state=filters.state,
            p_created_from=None if filters.created_from is None else filters.created_from.isoformat(),
            p_created_before=None if filters.created_before is None else filters.created_before.isoformat(),
        )
        records = tuple(listed_job_of(row) for row in rows[:limit])
        for record in records:
            require_own(record, scope)
        if len(rows) <= limit:
            return JobPage(records, "")
        last = Position(micros_of(records[-1].created), records[-1].id, records[-1].key)
        return JobPage(records, token_of(last, KIND, scope, filters))

    async def delete(self, owner: str, job_id: str) -> None:
        """Removes a job by its key, so that the same call again removes no other one of its name."""
        record = await self.get(owner, job_id)
        for name in await self._rpc.call("delete_backtest", p_key=record.key):
            await asyncio.to_thread(self._panels.remove, name)

    async def series(self, owner: str, job_id: str, label: str) -> tuple[str, bytes]:
        """The record of a strategy, piece by piece."""
        try:
            data = await self._rpc.read_bytes(
                "read_backtest_series", p_owner=owner, p_id=job_id, p_label=kept_text(label)
            )
        except FunctionRefused as refused:
            if refused.reason != "NO_SERIES":
                raise
            raise no_series(job_id, JobState(refused.detail["state"]), label) from None
        first = Frame(data)
        found = first.header
        pieces = [first.take(found["size"])]
        for number in range(1, found["pieces"]):
            piece = await self._rpc.read_bytes(
                "read_backtest_series_piece", p_key=found["key"], p_position=found["position"], p_number=number
            )
            if not piece:
                raise NotFound(kind_of(job_id), resource_name(job_id))  # deleted meanwhile
            pieces.append(piece)
        return text_of_kept(found["label"]), b"".join(pieces)
