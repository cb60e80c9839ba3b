"""Recorded fills in SQLite: what does not fit is refused as a whole."""

from pathlib import Path

import pytest

from server.ports.errors import StorageFull
from server.ports.fills import FillsChange, FillsQuery, StoredFill
from server.ports.portfolios import PortfolioDraft
from server.storage.embedded.database import Database
from server.storage.embedded.fills import EmbeddedFills
from server.storage.embedded.portfolios import EmbeddedPortfolios
from server.storage.embedded.room import StorageLimits
from tests.owners import OWNER


async def test_a_full_store_takes_no_fills(tmp_path: Path) -> None:
    database = Database(tmp_path / "y.sqlite3", StorageLimits(max_bytes=800_000))
    try:
        store = EmbeddedFills(database)
        portfolio = await EmbeddedPortfolios(database).create(OWNER, PortfolioDraft(b"p", b"", "p"))
        large = StoredFill("f", "A", 0, bytes(1_000_000), b"o")
        with pytest.raises(StorageFull):
            await store.commit(OWNER, FillsChange("p", portfolio.etag, b"q", (large,), ()))
        state = await store.load(OWNER, FillsQuery("", "p", ("f",), ()))
        assert (state.portfolio, state.fills) == (portfolio, ())
    finally:
        database.close()
