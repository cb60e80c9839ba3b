"""The change log on Supabase.

A place in it is a transaction and a number. Transactions become visible in another order than they begin: what came
after one that is still open waits for it, so that nothing which becomes visible later lies before a place.
"""

import re
from collections.abc import Mapping
from typing import Any

from server.ports.changes import Change, ChangeKind, ChangeLag, ChangePage, PriceChange, Quote
from server.ports.errors import CursorGone
from server.ports.market_data import PriceField
from server.storage.supabase.errors import FunctionRefused
from server.storage.supabase.rpc import Rpc
from server.storage.texts import text_of_kept

MOST_COUNTED = 100_000
FORGOTTEN_AT_ONCE = 5_000
"""Changes removed in one transaction: others write in between."""

_PLACE = re.compile(r"([0-9]{1,19})\.([0-9]{1,18})", re.ASCII)

Place = tuple[str, int]
"""A transaction, which has 64 bits without a sign, and a number."""


class SupabaseChanges:
    """The change log of a project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def changes_since(self, cursor: str, limit: int) -> ChangePage:
        """Changes after a place that nothing can come before any more."""
        tx, number = place_of(cursor)
        try:
            found = await self._rpc.call("read_changes", p_tx=tx, p_id=number, p_limit=limit)
        except FunctionRefused as refused:
            if refused.reason != "CURSOR_GONE":
                raise
            raise CursorGone(f"changes after {cursor} are no longer retained") from None
        return ChangePage(tuple(map(_change, found["changes"])), _cursor(*found["next"]), is_last=not found["more"])

    async def newest(self) -> str:
        """The place after everything that can be read now."""
        return _cursor(*await self._rpc.call("find_newest_change"))

    async def lag(self, cursor: str) -> ChangeLag:
        """How far a place is behind, with what waits for an open transaction."""
        tx, number = place_of(cursor)
        found = await self._rpc.call("measure_change_lag", p_tx=tx or "0", p_id=number or 0, p_most=MOST_COUNTED)
        return ChangeLag(found["changes"], float(found["seconds"]))

    async def forget(self, cursor: str, before: int) -> int:
        """Removes changes up to a place that were written before a time, in short transactions."""
        tx, number = place_of(cursor)
        count = 0
        while removed := await self._rpc.call(
            "forget_changes", p_tx=tx or "0", p_id=number or 0, p_before=before, p_limit=FORGOTTEN_AT_ONCE
        ):
            count += removed
        return count


def place_of(cursor: str) -> Place | tuple[None, None]:
    """The place that a cursor names, nothing for the beginning. Raises CursorGone for a place of another log."""
    if not cursor:
        return None, None
    parts = _PLACE.fullmatch(cursor)
    if parts is None:
        raise CursorGone(f"{cursor!r} is no place in this log")
    return parts[1], int(parts[2])


def _cursor(tx: str, number: int) -> str:
    return f"{tx}.{number}"


def _change(row: Mapping[str, Any]) -> Change:
    name, prices, quote = text_of_kept(row["name"]), None, None
    if row["field"] is not None:
        prices = PriceChange(PriceField(row["field"]), row["first"], row["last"], replaced=row["replaced"])
    if row["quote"] is not None:
        time, *figures = row["quote"]
        quote = Quote(name, time, *map(_figure, figures))
    kind, cursor = ChangeKind(row["kind"]), _cursor(row["tx"], row["id"])
    return Change(cursor, kind, row["owner"], name, row["written"], row["id"], prices, quote)


def _figure(value: float | None) -> float | None:
    return None if value is None else float(value)  # it comes without a point where it is whole
