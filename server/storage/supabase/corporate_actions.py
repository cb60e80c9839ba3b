"""Corporate actions in PostgreSQL."""

import asyncio
from collections.abc import Mapping, Sequence

from domain.market_data.corporate_actions import CorporateAction
from server.ports.corporate_actions import ActionFilter, ActionPage
from server.storage.corporate_action_rows import Row, after_of, kept_action_of, kept_row_of, token_of
from server.storage.supabase.rpc import Rpc
from server.storage.texts import kept_text, kept_texts, text_of_kept

CALL_ROWS = 20_000
"""Rows in one answer, about a megabyte."""


class SupabaseCorporateActions:
    """The corporate actions of one project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def upsert(self, actions: Sequence[CorporateAction]) -> int:
        """Stores actions, replacing those of the same symbol, date and kind; a delisting replaces any of its symbol."""
        rows = await asyncio.to_thread(_rows_of, actions)
        return int(await self._rpc.call("upsert_corporate_actions", p_actions=rows))

    async def page(self, token: str, size: int, filters: ActionFilter) -> ActionPage:
        """A page of actions by symbol, date and kind."""
        found = await self._select(filters, after_of(token, filters), size + 1)
        return ActionPage(found[:size], token_of(found[size - 1], filters) if len(found) > size else "")

    async def all(self, filters: ActionFilter) -> tuple[CorporateAction, ...]:
        """All actions that a list would show."""
        found = await self._select(filters, None, CALL_ROWS)
        rows = list(found)
        while len(found) == CALL_ROWS:
            found = await self._select(filters, found[-1].key, CALL_ROWS)
            rows += found
        return tuple(rows)

    async def first_days(self, symbols: Sequence[str]) -> Mapping[str, int | None]:
        """Day of the first closing price of each symbol, None where it has none; unknown symbols are left out."""
        found = await self._rpc.call("find_first_days", p_symbols=kept_texts(dict.fromkeys(symbols)))
        return {text_of_kept(symbol): day for symbol, day in found.items()}

    async def _select(
        self, filters: ActionFilter, after: tuple[str, int, str] | None, limit: int
    ) -> tuple[CorporateAction, ...]:
        rows = await self._rpc.call(
            "list_corporate_actions",
            p_symbols=kept_texts(filters.symbols),
            p_start=filters.start,
            p_end=filters.end,
            p_after=None if after is None else (kept_text(after[0]), *after[1:]),
            p_limit=limit,
        )
        return await asyncio.to_thread(_actions, rows)


def _rows_of(actions: Sequence[CorporateAction]) -> list[Row]:
    return [kept_row_of(one) for one in actions]


def _actions(rows: Sequence[Row]) -> tuple[CorporateAction, ...]:
    return tuple(_action(*row) for row in rows)


def _action(symbol: str, day: int, kind: str, amount: float | None, pay_day: int | None) -> CorporateAction:
    # A whole number comes without a point, and Python would read another one than a float is.
    return kept_action_of(symbol, day, kind, None if amount is None else float(amount), pay_day)
