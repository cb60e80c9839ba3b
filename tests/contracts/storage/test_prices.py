"""What every store of prices promises to readers: panels in files, the right days, and errors that name things."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.panel import PricePanel
from server.ports.market_data import PriceField, PriceImport, PriceQuery
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.prices import panel, whole

DAYS = range(10_000, 10_900)


async def test_a_panel_is_mapped_and_derived_once(storage: Storage) -> None:
    sent = panel("ABC", DAYS)
    await storage.market_data.import_prices(whole(sent))
    query = PriceQuery(("C", "A"), start=10_100, end=10_199)
    first, second = await storage.market_data.prices(query), await storage.market_data.prices(query)
    assert first.panel.values.tolist() == sent.values[100:200][:, [2, 0]].tolist()
    assert first.panel.dates.tolist() == list(range(10_100, 10_200))
    assert first.path == second.path
    assert isinstance(first.panel.values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        first.panel.values[0, 0] = 1.0
    assert len(list(first.path.parent.iterdir())) == 3


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\x93NUMPY broken")])
async def test_a_lost_or_damaged_file_is_derived_again(storage: Storage, damage: Callable[[Path], None]) -> None:
    sent = panel("AB", DAYS)
    await storage.market_data.import_prices(whole(sent))
    stored = await storage.market_data.prices(PriceQuery(("A", "B")))
    path = stored.path
    del stored
    damage(path)
    assert (await storage.market_data.prices(PriceQuery(("A", "B")))).panel.values.tolist() == sent.values.tolist()


async def test_new_prices_are_a_new_file(storage: Storage) -> None:
    market = storage.market_data
    await market.import_prices(whole(panel("AB", DAYS)))
    before = await market.prices(PriceQuery(("A",)))
    await market.import_prices(whole(PricePanel.of("B", [10_000], [7.0]), "of another symbol"))
    assert (await market.prices(PriceQuery(("A",)))).fingerprint == before.fingerprint
    await market.import_prices(whole(PricePanel.of("A", [10_000], [7.0]), "correction"))
    after = await market.prices(PriceQuery(("A",)))
    assert after.fingerprint != before.fingerprint
    assert after.panel.values[0, 0] == 7.0


async def test_the_order_of_symbols_and_the_range_are_part_of_a_panel(storage: Storage) -> None:
    market = storage.market_data
    await market.import_prices(whole(panel("AB", DAYS)))
    queries = [
        PriceQuery(("A", "B")), PriceQuery(("B", "A")), PriceQuery(("A",)), PriceQuery(("A", "B"), 10_001),
        PriceQuery(("A", "B"), None, 10_800),
    ]  # fmt: skip
    assert len({(await market.prices(query)).fingerprint for query in queries}) == len(queries)


async def test_days_on_which_only_some_have_prices(storage: Storage) -> None:
    """A has weekdays around a year's end, B every third day: where one has none there is NaN."""
    first = PricePanel.of("A", [-3, -1, 0, 2], [1.0, 2.0, 3.0, 4.0])
    second = PricePanel.of("B", [-1, 2, 5], [5.0, 6.0, 7.0])
    await storage.market_data.import_prices(PriceImport("i", PriceField.CLOSE, "", (first, second)))
    found = (await storage.market_data.prices(PriceQuery(("A", "B")))).panel
    assert found.dates.tolist() == [-3, -1, 0, 2, 5]
    np.testing.assert_array_equal(found.values, [[1.0, np.nan], [2.0, 5.0], [3.0, np.nan], [4.0, 6.0], [np.nan, 7.0]])
    found = (await storage.market_data.prices(PriceQuery(("B", "A"), 0, 2))).panel
    assert found.dates.tolist() == [0, 2]
    np.testing.assert_array_equal(found.values, [[np.nan, 3.0], [6.0, 4.0]])


@pytest.mark.parametrize("field", list(PriceField))
async def test_fields_are_apart(storage: Storage, field: PriceField) -> None:
    for i, one in enumerate(PriceField):
        await storage.market_data.import_prices(whole(PricePanel.of("A", [1], [1.0 + i]), str(one), one))
    found = await storage.market_data.prices(PriceQuery(("A",), field=field))
    assert found.panel.values.tolist() == [[1.0 + list(PriceField).index(field)]]


async def test_unknown_symbols_are_all_named(storage: Storage) -> None:
    await storage.market_data.import_prices(whole(panel("A", DAYS)))
    with pytest.raises(MissingMarketData, match="X, Y") as raised:
        await storage.market_data.prices(PriceQuery(("A", "X", "Y")))
    assert raised.value.metadata == {"field": "symbols", "symbols": "X, Y"}
    with pytest.raises(MissingMarketData, match="no volume prices"):
        await storage.market_data.prices(PriceQuery(("A",), field=PriceField.VOLUME))


@pytest.mark.parametrize(("start", "end"), [(30_000, None), (None, 9_999), (10_950, 10_960), (5_000, 5_001)])
async def test_a_range_without_prices_says_where_there_are_some(
    storage: Storage, start: int | None, end: int | None
) -> None:
    await storage.market_data.import_prices(whole(panel("A", range(10_000, 10_010)), "a"))
    await storage.market_data.import_prices(whole(panel("B", range(10_400, 10_900)), "b"))
    with pytest.raises(MissingMarketData, match="1997-05-19 to 1999-11-04") as raised:
        await storage.market_data.prices(PriceQuery(("A", "B"), start, end))
    assert raised.value.metadata["available"] == "1997-05-19 to 1999-11-04"


async def test_which_symbols_have_a_field(storage: Storage) -> None:
    market = storage.market_data
    await market.import_prices(whole(panel("AB", DAYS)))
    await market.import_prices(whole(panel("B", DAYS), "volumes", PriceField.VOLUME))
    assert await market.having(PriceField.CLOSE, ("X", "B", "A")) == ("B", "A")
    assert await market.having(PriceField.VOLUME, ("X", "B", "A")) == ("B",)
    assert await market.having(PriceField.OPEN, ("B",)) == await market.having(PriceField.CLOSE, ()) == ()


async def test_a_panel_of_many_symbols_and_years(storage: Storage) -> None:
    """More than one call of a store on a server holds: 12 MB."""
    symbols = [f"S{i:03d}" for i in range(250)]
    sent = panel(symbols, range(4_000))
    assert (await storage.market_data.import_prices(whole(sent))).inserted == 1_000_000
    found = (await storage.market_data.prices(PriceQuery(tuple(symbols[::-1])))).panel
    assert (found.values == sent.values[:, ::-1]).all()


async def test_a_failed_import_leaves_nothing(storage: Storage) -> None:
    sent = panel("AB", DAYS)
    market = storage.market_data
    with pytest.raises(InvalidInput, match="two values on 1997-05-19"):
        await market.import_prices(PriceImport("x", PriceField.CLOSE, "", (sent, PricePanel.of("A", [10_000], [99.0]))))
    assert await market.having(PriceField.CLOSE, "AB") == ()
    assert (await market.list_instruments("", 10, None)).instruments == ()
    assert (await market.import_prices(whole(sent, "x"))).inserted == 1800, "the id is free"


async def test_extreme_values_come_back_bit_by_bit(storage: Storage) -> None:
    values = [5e-324, 1e308, 1.0 + 2**-52, 0.1, 123456789.123456789]
    await storage.market_data.import_prices(whole(PricePanel.of("A", range(-700_000, -699_995), values)))
    found = (await storage.market_data.prices(PriceQuery(("A",)))).panel
    assert found.values[:, 0].tobytes() == np.array(values).tobytes()


async def test_symbols_of_any_script(storage: Storage) -> None:
    """Names are ordered by their bytes, in each store alike."""
    symbols = ("Z", "a", "B.C", "é", "\U0001f600", "_", "A b", "\\x41", '"', "{}", "NULL", "1")
    await storage.market_data.import_prices(whole(panel(symbols, range(3))))
    found = (await storage.market_data.list_instruments("", 100, None)).instruments
    assert [one.symbol for one in found] == sorted(symbols)
    assert (await storage.market_data.prices(PriceQuery(symbols))).panel.symbols == symbols
    assert set(await storage.market_data.having(PriceField.CLOSE, symbols)) == set(symbols)


async def test_servers_read_the_same(opened: Opened, stack: object, tmp_path: Path) -> None:
    """Two servers of one machine, or of two where the store allows it."""
    here = opened().market_data
    there = opened(folder=tmp_path / "other" if stack else None).market_data
    sent = panel("AB", DAYS)
    await here.import_prices(whole(sent))
    found = [await market.prices(PriceQuery(("A", "B"))) for market in (here, there)]
    assert found[0].fingerprint == found[1].fingerprint
    assert (found[1].panel.values == sent.values).all()
