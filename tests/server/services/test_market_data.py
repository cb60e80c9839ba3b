"""What requests name instead of sending: prices, volumes, groups, instruments and actions, from a real store."""

import numpy as np
import pytest

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.corporate_actions import CorporateAction, Delisting, Split
from domain.market_data.panel import Panel, PricePanel
from server.commands.stored import DataRequest, StoredData
from server.ports.corporate_actions import ActionFilter
from server.ports.market_data import PriceField, PriceImport, PriceSelection
from server.ports.storage import Storage
from server.services import market_data as module
from server.services.market_data import MarketData

pytestmark = pytest.mark.usefixtures("prices")

BOTH = PriceSelection(("B", "A"))
SECTOR = PriceSelection(universe="sector=x", symbols_path="market_data.universe")
SPLIT = CorporateAction("A", 110, Split(2.0))


async def test_prices_in_the_order_of_the_request(market_data: MarketData, prices: PricePanel) -> None:
    stored = await market_data.prices(PriceSelection(("C", "A"), start=105, end=107))
    assert stored.panel.symbols == ("C", "A")
    assert stored.panel.dates.tolist() == [105, 106, 107]
    np.testing.assert_array_equal(stored.panel.values, prices.values[5:8, [2, 0]])
    reference = await market_data.stored(PriceSelection(("C", "A"), start=105, end=107))
    np.testing.assert_array_equal(reference.prices().values, stored.panel.values)


@pytest.mark.parametrize("page", [1, 2, 1000])
async def test_a_universe_is_all_of_its_pages(
    market_data: MarketData, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(module, "PAGE", page)
    assert (await market_data.prices(SECTOR)).panel.symbols == ("A", "B")
    assert await market_data.groups(["sector=x", "sector=y"]) == {"sector=x": ("A", "B")}


@pytest.mark.parametrize(
    ("selection", "field"),
    [
        (PriceSelection(("A", "Z"), symbols_path="market_data.symbols"), "market_data.symbols"),
        (PriceSelection(("D",), symbols_path="benchmark_symbol"), "benchmark_symbol"),
        (PriceSelection(("A",), start=500, symbols_path="market_data.symbols"), "market_data"),
        (PriceSelection(universe="sector=y", symbols_path="market_data.universe"), "market_data.universe"),
    ],
)
async def test_what_is_not_stored_is_named_as_the_request_named_it(
    market_data: MarketData, selection: PriceSelection, field: str
) -> None:
    with pytest.raises(MissingMarketData) as raised:
        await market_data.prices(selection)
    assert raised.value.metadata["field"] == field


async def test_volumes_of_those_that_have_any(storage: Storage, market_data: MarketData) -> None:
    selections = (BOTH, PriceSelection(("A", "B"), start=120), PriceSelection(("C",)))
    found = await market_data.collect(DataRequest(volumes=selections), None)
    assert found.volumes == dict.fromkeys(selections)
    volumes = Panel(("B",), np.array([105, 106], np.int32), np.array([[7.0], [8.0]]))
    await storage.market_data.import_prices(PriceImport("volumes", PriceField.VOLUME, "test", (volumes,)))
    found = await market_data.collect(DataRequest(volumes=selections), None)
    some = found.volumes[BOTH]
    assert some is not None
    assert (some.symbols, some.rows) == (("B",), 2)
    assert [found.volumes[selection] for selection in selections[1:]] == [None, None]


async def test_what_was_collected_before_stays(market_data: MarketData) -> None:
    await market_data.upsert_corporate_actions([SPLIT])
    first = await market_data.collect(DataRequest(panels=(BOTH,), groups=("sector=x",)), None)
    assert (set(first.panels), first.groups_requested, first.instruments_requested) == ({BOTH}, True, False)
    requested = DataRequest(panels=(SECTOR,), instruments=("A", "Z"), actions=(BOTH, PriceSelection(("A",), end=105)))
    both = await market_data.collect(requested, StoredData(groups=first.groups, panels=first.panels))
    assert set(both.panels) == {BOTH, SECTOR}
    assert both.groups == {"sector=x": ("A", "B")}
    assert list(both.instruments) == ["A"]
    assert both.actions == {BOTH: (SPLIT,), PriceSelection(("A",), end=105): ()}
    assert (both.groups_requested, both.instruments_requested) == (False, True)
    third = await market_data.collect(DataRequest(), both)
    assert (third.panels, third.actions, third.instruments) == (both.panels, both.actions, both.instruments)
    assert third.instruments_requested


async def test_actions_are_of_what_is_stored(market_data: MarketData) -> None:
    unlisted = CorporateAction("D", 1, Delisting())
    assert await market_data.upsert_corporate_actions([SPLIT, unlisted, CorporateAction("A", 100, Delisting())]) == 3
    page = await market_data.list_corporate_actions("", 10, ActionFilter(("A", "D")))
    assert {action.day for action in page.actions} == {1, 100, 110}
    for action, field in (
        (CorporateAction("Z", 1, Delisting()), "symbol"),
        (CorporateAction("B", 99, Split(2.0)), "ex_date"),
    ):
        with pytest.raises(InvalidInput) as raised:
            await market_data.upsert_corporate_actions([SPLIT, action])
        assert raised.value.field == f"corporate_actions[1].{field}"


async def test_an_import_that_fails_leaves_nothing(market_data: MarketData) -> None:
    late = PriceSelection(("Z",))

    async def fail_after_a_panel() -> None:
        async with market_data.importing("next", PriceField.CLOSE, "test") as session:
            await session.add(PricePanel.of("Z", [1], [2.0]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_a_panel()
    with pytest.raises(MissingMarketData):
        await market_data.prices(late)
    async with market_data.importing("next", PriceField.CLOSE, "test") as session:
        await session.add(PricePanel.of("Z", [1], [2.0]))
        assert (await session.finish(1)).inserted == 1
    assert (await market_data.prices(late)).panel.values.tolist() == [[2.0]]


async def test_instruments(market_data: MarketData) -> None:
    page = await market_data.list_instruments("A", 2, None)
    assert [one.symbol for one in page.instruments] == ["B", "C"]
    assert await market_data.upsert_instruments(page.instruments) == 2
