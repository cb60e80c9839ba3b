"""Published quotes as plans and the listener take them: one price, on both ways to it."""

from pathlib import Path

import numpy as np
import pytest

from domain.monitoring.timestamps import DAY
from server.commands.stored import StoredData
from server.listeners.market_reading import price_observed
from server.ports.changes import Quote
from server.ports.market_data import PriceSelection
from server.ports.panels import StoredPanelRef
from server.tasks.stored_market import stored_snapshot

TODAY = 20_000
LAST_CLOSE = 90.0


@pytest.mark.parametrize(
    ("bid", "ask", "last", "price", "spread_bps"),
    [
        (99.0, 101.0, None, 100.0, 200.0),
        (99.0, 101.0, 104.0, 104.0, 200.0),
        (None, None, 104.0, 104.0, None),
        (99.0, None, None, None, None),
        (None, 101.0, None, None, None),
        (101.0, 99.0, None, None, None),
    ],
)
def test_a_plan_and_the_listener_take_the_same_price_of_a_quote(
    tmp_path: Path,
    bid: float | None,
    ask: float | None,
    last: float | None,
    price: float | None,
    spread_bps: float | None,
) -> None:
    quote = Quote("A", TODAY * DAY + 1, bid, ask, last)
    file = tmp_path / "closes.npy"
    np.save(file, np.array([[LAST_CLOSE]]))
    selection = PriceSelection(("A",))
    panel = StoredPanelRef(("A",), np.array([TODAY - 1], np.int32), file)
    planned = stored_snapshot(selection, StoredData(panels={selection: panel}, quotes={"A": quote})).quotes["A"]
    observed = price_observed(quote, quote.time)
    assert (planned.price, planned.spread_bps) == (LAST_CLOSE if price is None else price, spread_bps)
    assert (None if observed is None else (observed.price, observed.spread_bps)) == (
        None if price is None else (price, spread_bps)
    )
