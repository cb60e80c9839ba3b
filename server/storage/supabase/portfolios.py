"""Portfolios on Supabase, with a revision that every change must know."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from server.ports.errors import EtagMismatch
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord
from server.ports.scope import Scope
from server.storage.pages import place_of, place_token, time_of
from server.storage.supabase.access import large_text_of, text_of
from server.storage.supabase.frames import Frame, require_owner
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text


class SupabasePortfolios:
    """The store of portfolios of a team."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def create(self, owner: str, draft: PortfolioDraft) -> PortfolioRecord:
        """Stores a portfolio; the same request again gives the first."""
        data = await self._rpc.read_bytes(
            "create_portfolio",
            p_owner=owner,
            p_id=draft.id or secrets.token_hex(10),
            p_request_id=None if draft.request_id is None else kept_text(draft.request_id),
            p_body=text_of(draft.body),
            p_payload=await large_text_of(draft.payload),
            p_token=write_token(),
        )
        return written(owner, data, draft.payload)

    async def get(self, owner: str, portfolio_id: str) -> PortfolioRecord:
        """One portfolio."""
        frame = Frame(await self._rpc.read_bytes("get_portfolio", p_owner=owner, p_id=portfolio_id))
        return portfolio_of(Scope(owner), frame.header, frame)

    async def list(self, scope: Scope, token: str, limit: int) -> PortfolioPage:
        """Portfolios by id, or everybody's by their keys."""
        after = place_of(token, "portfolio", scope)
        data = await self._rpc.read_bytes(
            "list_portfolios",
            p_owner=None if scope.everyone else scope.owner,
            p_after_id="" if scope.everyone else after,
            p_after_key=int(after or 0) if scope.everyone else 0,
            p_limit=limit,
        )
        frame = Frame(data)
        headers = frame.header["records"]
        records = tuple(portfolio_of(scope, header, frame) for header in headers)
        if not frame.header["more"]:
            return PortfolioPage(records, "")
        last = str(headers[-1]["key"]) if scope.everyone else records[-1].id
        return PortfolioPage(records, place_token(last, "portfolio", scope))

    async def update(
        self, owner: str, portfolio_id: str, etag: str, change: Callable[[bytes], bytes]
    ) -> PortfolioRecord:
        """Changes a portfolio that is still the one that was read when the change is stored."""
        before = await self.get(owner, portfolio_id)
        if before.etag != etag:
            message = f"portfolios/{portfolio_id} has changed since it was read; read it again"
            raise EtagMismatch(message, before.etag)
        payload = await asyncio.to_thread(change, before.payload)
        data = await self._rpc.read_bytes(
            "update_portfolio",
            p_owner=owner,
            p_id=portfolio_id,
            p_etag=etag,
            p_payload=await large_text_of(payload),
            p_token=write_token(),
        )
        return written(owner, data, payload)

    async def delete(self, owner: str, portfolio_id: str, etag: str) -> None:
        """Removes a portfolio."""
        await self._rpc.call(
            "delete_portfolio", p_owner=owner, p_id=portfolio_id, p_etag=etag or None, p_token=write_token()
        )


def written(owner: str, data: bytes, payload: bytes) -> PortfolioRecord:
    """The portfolio that a write answers with; its payload is the one that was sent, unless another one is stored."""
    frame, scope = Frame(data), Scope(owner)
    stored = frame.header["payload"] is not None
    return portfolio_of(scope, frame.header, frame) if stored else _record(scope, frame.header, payload)


def portfolio_of(scope: Scope, header: Mapping[str, Any], frame: Frame) -> PortfolioRecord:
    """A portfolio whose payload comes next in a frame. Raises ForeignRow."""
    return _record(scope, header, frame.take(header["payload"]))


def _record(scope: Scope, header: Mapping[str, Any], payload: bytes) -> PortfolioRecord:
    require_owner(header, scope)
    created, updated = header["created"], header["updated"]
    # With the time of creation: a portfolio that was deleted and made again is another one.
    etag = f"{created:x}-{header['revision']}"
    return PortfolioRecord(header["owner"], header["id"], payload, etag, time_of(created), time_of(updated))
