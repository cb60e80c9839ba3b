"""Recorded fills on Supabase, each with its portfolio in one transaction."""

from server.ports.fills import FillsChange, FillsQuery, RecordedFills, StoredFill
from server.ports.portfolios import PortfolioRecord
from server.ports.scope import Scope
from server.storage.supabase.access import large_text_of, text_of
from server.storage.supabase.frames import Frame, require_owner
from server.storage.supabase.portfolios import portfolio_of, written
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, text_of_kept


class SupabaseFills:
    """The store of fills of a team."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def load(self, owner: str, query: FillsQuery) -> RecordedFills:
        """A portfolio with those fills that bear on new ones."""
        data = await self._rpc.read_bytes(
            "load_fills",
            p_owner=owner,
            p_portfolio=query.portfolio,
            p_reallocation=query.reallocation,
            p_fill_ids=[kept_text(fill_id) for fill_id in query.fill_ids],
            p_symbols=[kept_text(symbol) for symbol in query.symbols],
        )
        frame = Frame(data)
        header = frame.header
        require_owner(header, Scope(owner))
        if header.get("portfolio") is None:
            return RecordedFills(None, frame.take(header["plan"]))
        portfolio = portfolio_of(Scope(owner), header["portfolio"], frame)
        plan = None if header["plan"] is None else frame.take(header["plan"])
        fills = tuple(_fill(frame, *row) for row in header["fills"])
        return RecordedFills(portfolio, plan, fills, {text_of_kept(symbol): day for symbol, day in header["last_days"]})

    async def commit(self, owner: str, change: FillsChange) -> PortfolioRecord:
        """Stores portfolio and fills in one transaction."""
        data = await self._rpc.read_bytes(
            "commit_fills",
            p_owner=owner,
            p_portfolio=change.portfolio,
            p_etag=change.etag,
            p_payload=await large_text_of(change.payload),
            p_new=[_new(fill) for fill in change.new],
            p_changed=[_outcome(fill) for fill in change.changed],
            p_reallocation=change.reallocation,
            p_completes=change.completes,
            p_token=write_token(),
        )
        return written(owner, data, change.payload)


def _new(fill: StoredFill) -> dict[str, object]:
    return {
        **_outcome(fill),
        "symbol": kept_text(fill.symbol),
        "day": fill.day,
        "reallocation": fill.reallocation,
        "content": text_of(fill.content),
        "disallows": [kept_text(fill_id) for fill_id in fill.disallows],
    }


def _outcome(fill: StoredFill) -> dict[str, object]:
    return {
        "fill_id": kept_text(fill.fill_id),
        "is_open": fill.is_open,
        "outcome": text_of(fill.outcome),
    }


def _fill(
    frame: Frame,
    fill_id: str,
    symbol: str,
    day: int,
    reallocation: str,
    is_open: bool,
    content_bytes: int,
    outcome_bytes: int,
) -> StoredFill:
    content, outcome = frame.take(content_bytes), frame.take(outcome_bytes)
    return StoredFill(text_of_kept(fill_id), text_of_kept(symbol), day, content, outcome, reallocation, is_open=is_open)
