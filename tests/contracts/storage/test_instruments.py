"""What every store of instruments promises."""

import asyncio

from server.ports.market_data import Instrument, TradableState
from server.ports.storage import Storage
from tests.contracts.storage.prices import panel, whole

ODD = ("a\0", "a\1", "a\x010", "\\u0000'\"")
KNOWN = Instrument("A", "A corp. ü''", "CHF", {"sector": "Tech", "country": "CH=x"}, 0.1, TradableState.HALTED)


async def test_an_instrument_comes_back_as_it_was(storage: Storage) -> None:
    market = storage.market_data
    assert await market.upsert_instruments([KNOWN, Instrument("B", lot_size=100.0)]) == 2
    assert await market.instruments(["B", "X", "A"]) == {"A": KNOWN, "B": Instrument("B", lot_size=100.0)}
    assert (await market.list_instruments("", 10, None)).instruments == (KNOWN, Instrument("B", lot_size=100.0))
    await market.upsert_instruments([Instrument("B", lot_size=2.0**55 + 8.0)])
    assert repr((await market.instruments(["B"]))["B"].lot_size) == repr(2.0**55 + 8.0)
    assert await market.upsert_instruments([]) == 0
    assert await market.instruments([]) == {}


async def test_any_text_is_kept(storage: Storage) -> None:
    market = storage.market_data
    odd = [Instrument(f"{text}A", f"\0{text}", groups={f"k{text}": f"v{text}"}) for text in ODD]
    await market.upsert_instruments([*odd, Instrument("A")])
    symbols = [one.symbol for one in odd]
    assert await market.instruments(["X\0", *symbols]) == dict(zip(symbols, odd, strict=True))
    for one in odd:
        ((kind, name),) = one.groups.items()
        assert (await market.list_instruments("", 10, f"{kind}={name}")).instruments == (one,)
    found, after = [], ""
    for _ in range(len(odd) + 1):
        page = await market.list_instruments(after, 1, None)
        found += [one.symbol for one in page.instruments]
        after = page.next_token
    assert (sorted(found), after) == (sorted(["A", *symbols]), "")


async def test_instruments_replace_their_labels(storage: Storage) -> None:
    market = storage.market_data
    await market.upsert_instruments([Instrument("A", groups={"sector": "Tech"}), Instrument("B")])
    await market.upsert_instruments([Instrument("A", groups={"sector": "Oil"})])
    assert (await market.list_instruments("", 10, "sector=Tech")).instruments == ()
    (found,) = (await market.list_instruments("", 10, "sector=Oil")).instruments
    assert (found.symbol, found.has_prices) == ("A", False)


async def test_of_one_symbol_twice_the_last_counts(storage: Storage) -> None:
    sent = [Instrument("A", "first", groups={"k": "1"}), Instrument("B"), Instrument("A", "last", groups={"k": "2"})]
    assert await storage.market_data.upsert_instruments(sent) == 3
    assert await storage.market_data.instruments(["A"]) == {"A": sent[2]}
    assert (await storage.market_data.list_instruments("", 10, "k=1")).instruments == ()


async def test_prices_make_an_instrument_and_leave_what_is_known_of_it(storage: Storage) -> None:
    market = storage.market_data
    await market.upsert_instruments([KNOWN])
    await market.import_prices(whole(panel("AB", range(3))))
    found = await market.instruments(["A", "B"])
    assert (found["A"].display_name, found["A"].has_prices) == (KNOWN.display_name, True)
    assert found["B"] == Instrument("B", has_prices=True)
    await market.upsert_instruments([Instrument("B", "b")])
    assert (await market.instruments(["B"]))["B"].has_prices


async def test_pages_hold_everything_once(storage: Storage) -> None:
    """More than a hosted project returns in one list."""
    names = [f"{i:04d}" for i in range(1500)]
    await storage.market_data.upsert_instruments(
        [Instrument(name, groups={"third": str(int(name) % 3)}) for name in names]
    )
    for size in (1499, 1500, 400):
        found, after = [], ""
        while True:
            page = await storage.market_data.list_instruments(after, size, None)
            assert len(page.instruments) <= size
            found += [one.symbol for one in page.instruments]
            after = page.next_token
            if not after:
                break
        assert found == names
    third = await storage.market_data.list_instruments("0300", 3, "third=1")
    assert [one.symbol for one in third.instruments] == ["0301", "0304", "0307"]
    third = await storage.market_data.list_instruments(third.next_token, 2, "third=1")
    assert [one.symbol for one in third.instruments] == ["0310", "0313"]
    assert len(await storage.market_data.instruments(names)) == 1500


async def test_writers_at_once_do_not_stop_each_other(storage: Storage) -> None:
    names = [f"{i:02d}" for i in range(40)]
    orders = [names, names[::-1], names[20:] + names[:20], sorted(names, key=lambda name: name[::-1])]
    await asyncio.gather(
        *(
            storage.market_data.upsert_instruments([Instrument(name, str(i), groups={"g": str(i)}) for name in order])
            for i, order in enumerate(orders * 3)
        ),
        *(storage.market_data.import_prices(whole(panel(order, range(2)), str(i))) for i, order in enumerate(orders)),
    )
    found = (await storage.market_data.list_instruments("", 100, None)).instruments
    assert [one.symbol for one in found] == names
    for one in found:
        assert one.groups == {"g": one.display_name}
        labelled = (await storage.market_data.list_instruments("", 100, f"g={one.display_name}")).instruments
        assert one in labelled
