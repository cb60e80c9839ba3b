"""Stored results of Optimize and of Reallocate on Supabase, each in a table of its own."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from server.ports.list_filter import EVERYTHING, ListFilter
from server.ports.results import EventOf, ResultDraft, ResultPage, ResultState, StoredResult
from server.ports.scope import Scope
from server.storage.pages import Position, position_of, time_of, token_of
from server.storage.supabase.access import large_text_of, text_of
from server.storage.supabase.frames import Frame, require_owner
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.used_data import used_argument
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, text_of_kept

Kind = Literal["optimization", "reallocation"]


class SupabaseResults:
    """The store of the results of one service."""

    def __init__(self, rpc: Rpc, kind: Kind) -> None:
        self._rpc = rpc
        self._kind = kind
        self._table = f"{kind}s"

    async def find(self, owner: str, request_id: str, body: bytes) -> StoredResult | None:
        """The answer to this request, if it was given before."""
        data = await self._rpc.read_bytes(
            "find_result",
            p_kind=self._table,
            p_owner=owner,
            p_request_id=kept_text(request_id),
            p_body=text_of(body),
        )
        frame = Frame(data)
        return None if frame.header is None else _stored(Scope(owner), frame.header, frame)

    async def save(self, owner: str, draft: ResultDraft) -> StoredResult:
        """Stores an answer, or returns the one that another call with the same id stored meanwhile."""
        data = await self._rpc.read_bytes(
            "save_result",
            p_kind=self._table,
            p_owner=owner,
            p_id=draft.id or secrets.token_hex(10),
            p_request_id=None if draft.request_id is None else kept_text(draft.request_id),
            p_body=text_of(draft.body),
            p_fingerprint=draft.input_fingerprint,
            p_subject=draft.subject,
            p_label=kept_text(draft.label),
            p_summary=text_of(draft.summary),
            p_payload=await large_text_of(draft.payload),
            p_digest=text_of(draft.subject_digest),
            p_token=write_token(),
            p_used=used_argument(draft.used),
        )
        frame = Frame(data)
        if frame.header["payload"] is not None:
            return _stored(Scope(owner), frame.header, frame)
        return _record(Scope(owner), frame.header, draft.summary, draft.payload)

    def save_at_once(self, owner: str, draft: ResultDraft, audit: EventOf | None = None) -> StoredResult | None:
        """None: every answer is on its way for some milliseconds, and `save` would wait for it."""
        return None

    async def get(self, owner: str, answer_id: str) -> StoredResult:
        """One answer."""
        frame = Frame(await self._rpc.read_bytes("get_result", p_kind=self._table, p_owner=owner, p_id=answer_id))
        return _stored(Scope(owner), frame.header, frame)

    async def list(self, scope: Scope, token: str, limit: int, filters: ListFilter = EVERYTHING) -> ResultPage:
        """A page of answers, newest first; payloads are read only of those without a summary."""
        after = position_of(token, self._kind, scope, filters)
        data = await self._rpc.read_bytes(
            "list_results",
            p_kind=self._table,
            p_owner=None if scope.everyone else scope.owner,
            p_after=None if after is None else after.micros,
            p_after_id=None if after is None else after.id,
            p_after_key=None if after is None else after.key,
            p_limit=limit,
            p_label=kept_text(filters.label) or None,
            p_subject=filters.subject or None,
            p_state=filters.result_state or None,
            p_created_from=_time_argument(filters.created_from),
            p_created_before=_time_argument(filters.created_before),
        )
        frame = Frame(data)
        headers = frame.header["records"]
        records = tuple(_stored(scope, header, frame) for header in headers)
        if not frame.header["more"]:
            return ResultPage(records, "")
        last = headers[-1]
        position = Position(last["created"], last["id"], last["key"])
        return ResultPage(records, token_of(position, self._kind, scope, filters))

    async def delete(self, owner: str, answer_id: str) -> None:
        """Removes an answer."""
        await self._rpc.call("delete_result", p_kind=self._table, p_owner=owner, p_id=answer_id, p_token=write_token())


def _time_argument(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _stored(scope: Scope, header: Mapping[str, Any], frame: Frame) -> StoredResult:
    summary = frame.take(header["summary"])
    return _record(scope, header, summary, frame.take(header["payload"]))


def _record(scope: Scope, header: Mapping[str, Any], summary: bytes, payload: bytes) -> StoredResult:
    require_owner(header, scope)
    superseded, request_id, stale = header.get("superseded"), header["request_id"], header.get("stale")
    return StoredResult(
        owner=header["owner"],
        id=header["id"],
        created=time_of(header["created"]),
        request_id=None if request_id is None else text_of_kept(request_id),
        payload=payload,
        input_fingerprint=header["fingerprint"],
        label=text_of_kept(header["label"]),
        summary=summary,
        state=ResultState(header.get("state", ResultState.CURRENT)),
        superseded=None if superseded is None else time_of(superseded),
        superseded_by=header.get("superseded_by", ""),
        stale_since=None if stale is None else time_of(stale),
    )
