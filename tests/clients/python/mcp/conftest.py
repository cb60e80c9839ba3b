"""A server with little data, for the tests of the tools."""

from collections.abc import Callable

import absfin
import numpy as np
import pytest

from tests.clients.python.mcp.host import DATES, SYMBOLS
from tests.conftest import RunningServer


@pytest.fixture(scope="module")
def engine(start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that nobody else calls, with prices of three assets."""
    running = start_server("--workers", "1")
    steps = np.random.default_rng(8).normal(0.0005, [0.01, 0.015, 0.02], (DATES, 3))
    panel = absfin.Panel.of(SYMBOLS, np.arange(18000, 18000 + DATES), 100.0 * np.cumprod(1.0 + steps, axis=0))
    with absfin.Client(running.address) as client:
        client.import_prices(panel)
        client.upsert_instruments([absfin.Instrument(symbol, groups={"sector": "Energy"}) for symbol in SYMBOLS])
    return running
