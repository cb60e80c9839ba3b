"""Results that became stale, on Supabase."""

from collections.abc import Sequence

from server.ports.stale_results import StaleResult
from server.storage.supabase.rpc import Rpc
from server.storage.texts import kept_texts, text_of_kept

TABLES = ("optimizations", "reallocations", "backtests")


class SupabaseStaleResults:
    """Those of one project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def since(self, symbols: Sequence[str], time: int, limit: int) -> Sequence[StaleResult]:
        """Results that corrections of symbols made stale, the newest of each kind."""
        found: list[StaleResult] = []
        for table in TABLES:
            rows = await self._rpc.call(
                "list_stale_results", p_table=table, p_symbols=kept_texts(symbols), p_time=time, p_limit=limit
            )
            found += [_result(table, *row) for row in rows]
        return found


def _result(table: str, owner: str, result_id: str, label: str, request_id: str | None, since: int) -> StaleResult:
    known = None if request_id is None else text_of_kept(request_id)
    return StaleResult(owner, f"{table}/{result_id}", text_of_kept(label), known, since)
