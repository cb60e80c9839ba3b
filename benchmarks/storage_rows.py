"""One row for each price: how prices would be read without chunks, through the same client and the same connections."""

import asyncio
from collections.abc import Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from server.storage.supabase.access import Access
from supabase import AsyncClient, AsyncClientOptions

PAGE = 1000
"""Rows in an answer: what a hosted project returns at most."""

AT_ONCE = 3
"""Calls, as the store makes."""

SYMBOLS_IN_CALL = 20

TABLE = """
create table public.bench_prices (
  symbol text collate "C", field text, day int, value double precision, primary key (symbol, field, day)
);
grant select on public.bench_prices to service_role;
create function public.bench_window(p_symbols text[], p_first int, p_last int) returns jsonb language sql stable as $$
  select jsonb_object_agg(symbol, prices) from (
    select symbol, jsonb_build_array(jsonb_agg(day order by day), jsonb_agg(value order by day)) as prices
    from public.bench_prices
    where symbol = any (p_symbols) and field = 'CLOSE' and day between p_first and p_last group by symbol
  ) s
$$;
grant execute on function public.bench_window to service_role;
notify pgrst, 'reload schema';
"""


async def fill(database_url: str, symbols: Sequence[str], values: NDArray[np.float64]) -> None:
    """Makes the table of rows, over days from 0. Values (T, N)."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(TABLE)
        for j, symbol in enumerate(symbols):
            column = values[:, j].tolist()
            records = [(symbol, "CLOSE", day, value) for day, value in enumerate(column)]
            await connection.copy_records_to_table("bench_prices", schema_name="public", records=records)
        await connection.execute("analyze public.bench_prices")
    finally:
        await connection.close()


class Rows:
    """Reads windows of the table of rows."""

    def __init__(self, access: Access) -> None:
        self._http = access.async_http()
        options = AsyncClientOptions(
            schema="public",
            httpx_client=self._http,
            auto_refresh_token=False,
            persist_session=False,
            postgrest_client_retry=False,
        )
        self._client = AsyncClient(access.url, access.key, options)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def by_pages(self, symbols: Sequence[str], first: int, last: int) -> NDArray[np.float64]:
        """(T, N), as a client of the table reads them: by symbol, in pages that begin after the last day."""
        columns = await asyncio.gather(*(self._column(symbol, first, last) for symbol in symbols))
        return np.stack(columns, axis=1)

    async def by_function(self, symbols: Sequence[str], first: int, last: int) -> NDArray[np.float64]:
        """(T, N), by a function that returns the rows of some symbols as one JSON value."""
        parts = [symbols[start : start + SYMBOLS_IN_CALL] for start in range(0, len(symbols), SYMBOLS_IN_CALL)]
        found = await asyncio.gather(*(self._window(part, first, last) for part in parts))
        return np.stack([column for part in found for column in part], axis=1)

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def _column(self, symbol: str, first: int, last: int) -> NDArray[np.float64]:
        values: list[float] = []
        day = first
        async with self._room:
            while day <= last:
                chosen = (
                    self._client.table("bench_prices").select("day,value").eq("symbol", symbol).eq("field", "CLOSE")
                )
                page = (await chosen.gte("day", day).lte("day", last).order("day").limit(PAGE).execute()).data
                values += [row["value"] for row in page]
                if len(page) < PAGE:
                    break
                day = page[-1]["day"] + 1
        return np.array(values)

    async def _window(self, symbols: Sequence[str], first: int, last: int) -> list[NDArray[np.float64]]:
        arguments = {"p_symbols": list(symbols), "p_first": first, "p_last": last}
        async with self._room:
            found = (await self._client.rpc("bench_window", arguments).execute()).data
        return [np.array(found[symbol][1], dtype=float) for symbol in symbols]
