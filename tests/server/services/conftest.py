"""Real stores in a folder, and real worker processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from domain.market_data.panel import PricePanel
from server.execution.process_pool import ProcessPool
from server.execution.template import Template
from server.ports.job_queue import QueuePolicy
from server.ports.market_data import Instrument, PriceField, PriceImport
from server.ports.storage import Storage
from server.services.market_data import MarketData
from server.services.optimization.batch import Collect
from server.settings import Settings
from server.storage.embedded.factory import open_storage

MOST_SECONDS = 60.0

Encode = Callable[..., bytes]


def for_any_call(market_data: MarketData) -> Collect:
    """What a batch collects where it names no portfolio."""
    return lambda _, request, known: market_data.collect(request, known)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """A request in the JSON of the contract, as bytes."""

    def encoded(kind: type[Message], **fields: Any) -> bytes:
        return json_format.ParseDict(fields, kind()).SerializeToString()

    return encoded


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    made = Template(("server.tasks.all_tasks", "tests.server.services.test_rounds"))
    yield made
    asyncio.run(made.close())


@pytest.fixture
async def pool(template: Template) -> AsyncIterator[ProcessPool]:
    made = ProcessPool(workers=2, template=template, max_seconds=MOST_SECONDS)
    await asyncio.wait_for(made.start(), MOST_SECONDS)
    yield made
    await made.close(5.0)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(Settings.read(["--data-dir", str(tmp_path)], {}), QueuePolicy())
    yield opened
    opened.release_worker()
    opened.close()


@pytest.fixture
def market_data(storage: Storage) -> MarketData:
    return MarketData(storage.market_data, storage.corporate_actions, storage.published)


@pytest.fixture
async def prices(storage: Storage) -> PricePanel:
    """Prices of A, B and C over days 100 to 139, stored with labels: A and B are in "sector=x"."""
    growth = np.random.default_rng(7).normal(0.001, 0.02, (40, 3))
    panel = PricePanel.of(("A", "B", "C"), range(100, 140), np.exp(growth.cumsum(axis=0)))
    await storage.market_data.import_prices(PriceImport("prices", PriceField.CLOSE, "test", (panel,)))
    labelled = [Instrument("A", groups={"sector": "x"}), Instrument("B", groups={"sector": "x"}), Instrument("D")]
    await storage.market_data.upsert_instruments(labelled)
    return panel
