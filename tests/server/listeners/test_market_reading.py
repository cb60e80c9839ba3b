"""What is read of assets that become watched: the last prices of each, in few reads of the store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.market_data.panel import PricePanel
from domain.monitoring.events import HistoryLoaded
from domain.monitoring.timestamps import DAY
from server.bootstrap import STORAGE_BACKENDS
from server.listeners.market_reading import HISTORY_DAYS, WHOLE_SERIES, MarketReadings
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import MarketDataStore, PriceField, PriceImport, PriceQuery
from server.ports.panels import StoredPanel
from server.ports.storage import Storage
from server.settings import Settings

TODAY = 20_000


class Recorded:
    """A store that remembers what prices it was asked for."""

    def __init__(self, store: MarketDataStore) -> None:
        self._store = store
        self.queries: list[PriceQuery] = []
        self.having = store.having

    async def prices(self, query: PriceQuery) -> StoredPanel:
        self.queries.append(query)
        return await self._store.prices(query)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = STORAGE_BACKENDS["embedded"](Settings.read(("--data-dir", str(tmp_path)), {}), QueuePolicy())
    yield opened
    opened.release_worker()
    opened.close()


async def test_assets_without_recent_prices_are_read_together(storage: Storage) -> None:
    old = [f"OLD{i:03}" for i in range(WHOLE_SERIES + 10)]
    panels = [PricePanel.of(["NEW"], [TODAY - 2, TODAY], np.array([[1.0], [2.0]]))]
    for i, symbol in enumerate(old):  # each ends on a date of its own, and has one that is too long ago
        end = TODAY - 2 * HISTORY_DAYS - i
        days = [end - HISTORY_DAYS - 1, end - HISTORY_DAYS, end]
        panels.append(PricePanel.of([symbol], days, np.array([[3.0], [4.0], [5.0 + i]])))
    await storage.market_data.import_prices(PriceImport("all", PriceField.CLOSE, "", tuple(panels)))
    recorded = Recorded(storage.market_data)
    readings = MarketReadings(recorded, storage.corporate_actions, None)  # type: ignore[arg-type]  # only what is called
    events = await readings.histories(["NEW", "NONE", *old], TODAY * DAY)
    found = {
        series.symbol: (series.days.tolist(), series.prices.tolist())
        for event in events
        if isinstance(event, HistoryLoaded)
        for series in event.series
    }
    assert found.pop("NEW") == ([TODAY - 2, TODAY], [1.0, 2.0])
    ends = {symbol: TODAY - 2 * HISTORY_DAYS - i for i, symbol in enumerate(old)}
    assert found == {
        symbol: ([ends[symbol] - HISTORY_DAYS, ends[symbol]], [4.0, 5.0 + i]) for i, symbol in enumerate(old)
    }
    assert len(recorded.queries) == 3  # those with recent prices, and two parts of the others
