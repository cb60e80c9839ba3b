"""What every store promises of imports: invisible before the end, whole after it, counted exactly, once for each id."""

import asyncio
import itertools
import os
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.panel import PricePanel
from server.ports.errors import RequestIdReused
from server.ports.market_data import ImportReceipt, PriceField, PriceImport, PriceQuery
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.prices import panel, whole
from tests.families import generated
from tests.supabase_stack import RunningStack

EXAMPLES = itertools.count()
ROOT = Path(__file__).parents[3]


async def test_nothing_is_seen_before_the_end(storage: Storage) -> None:
    market = storage.market_data
    session = await market.begin_import("i", PriceField.CLOSE, "")
    for start in range(0, 3000, 300):
        await session.add(panel("AB", range(start, start + 300)))
        assert await market.having(PriceField.CLOSE, "AB") == ()
        assert (await market.list_instruments("", 10, None)).instruments == ()
    assert await session.finish(6000) == ImportReceipt("i", 6000, 0, 0, 2)
    assert (await market.prices(PriceQuery(("A", "B")))).panel.values.shape == (3000, 2)


async def test_any_text_is_kept(storage: Storage) -> None:
    market = storage.market_data
    symbols = ("a\0b", "a\1b", "a\x010b", "a")
    sent = panel(symbols, range(3))
    whole_one = PriceImport("i\0\1", PriceField.CLOSE, "\0", (sent,))
    receipt = ImportReceipt("i\0\1", 12, 0, 0, 4)
    assert await market.import_prices(whole_one) == receipt
    assert await market.import_prices(whole_one) == receipt, "it is known again"
    with pytest.raises(RequestIdReused) as raised:
        await market.import_prices(PriceImport("i\0\1", PriceField.CLOSE, "", (panel("A", range(3)),)))
    assert raised.value.request_id == "i\0\1"
    changed = panel(symbols, range(3), seed=1)
    assert await market.import_prices(whole(changed, "next")) == ImportReceipt("next", 0, 12, 0, 4)
    assert (await market.prices(PriceQuery(symbols))).panel.values.tolist() == changed.values.tolist()
    assert await market.having(PriceField.CLOSE, ("x\0", *symbols)) == symbols
    assert set((await storage.corporate_actions.first_days(["x\0", *symbols])).items()) == {(s, 0) for s in symbols}
    with pytest.raises(MissingMarketData, match="stored for x\0;"):
        await market.prices(PriceQuery(("x\0",)))
    with pytest.raises(MissingMarketData, match="there are some from 1970-01-01 to 1970-01-03"):
        await market.prices(PriceQuery(symbols, 100, 200))


async def test_an_import_with_another_number_of_values_is_refused(storage: Storage) -> None:
    session = await storage.market_data.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel("AB", range(1000)))
    with pytest.raises(InvalidInput, match="says 7 values, but 2000 have come") as raised:
        await session.finish(7)
    assert raised.value.field == "footer.value_count"
    await session.abandon()
    assert await storage.market_data.having(PriceField.CLOSE, "AB") == ()


async def test_an_abandoned_import_leaves_its_id_free(storage: Storage) -> None:
    session = await storage.market_data.begin_import("i", PriceField.CLOSE, "")
    await session.add(panel("AB", range(1000)))
    await session.abandon()
    receipt = await storage.market_data.import_prices(whole(panel("C", range(10))))
    assert receipt == ImportReceipt("i", 10, 0, 0, 1)
    assert await storage.market_data.having(PriceField.CLOSE, "ABC") == ("C",)


async def test_an_import_without_values(storage: Storage) -> None:
    sent = PricePanel.of("A", range(2), [np.nan, np.nan])
    assert await storage.market_data.import_prices(whole(sent)) == ImportReceipt("i", 0, 0, 0, 0)
    assert await storage.market_data.import_prices(whole(sent)) == ImportReceipt("i", 0, 0, 0, 0)
    assert (await storage.market_data.list_instruments("", 10, None)).instruments == ()


async def test_missing_values_overwrite_none(storage: Storage) -> None:
    await storage.market_data.import_prices(whole(PricePanel.of("A", [1, 2], [1.0, 2.0])))
    sent = PricePanel.of("A", [1, 2, 3], [np.nan, 5.0, np.nan])
    assert await storage.market_data.import_prices(whole(sent, "j")) == ImportReceipt("j", 0, 1, 0, 1)
    assert (await storage.market_data.prices(PriceQuery(("A",)))).panel.values.tolist() == [[1.0], [5.0]]


async def test_corrections_replace_values_one_by_one(storage: Storage) -> None:
    sent = panel("A", range(1000))
    await storage.market_data.import_prices(whole(sent, "first"))
    for i in range(3):
        receipt = await storage.market_data.import_prices(whole(PricePanel.of("A", [500], [10.0 + i]), f"c{i}"))
        assert receipt == ImportReceipt(f"c{i}", 0, 1, 0, 1)
    values = (await storage.market_data.prices(PriceQuery(("A",)))).panel.values[:, 0]
    assert values[500] == 12.0
    assert (np.delete(values, 500) == np.delete(sent.values[:, 0], 500)).all()


async def test_what_is_inserted_changed_and_unchanged(storage: Storage) -> None:
    """Two symbols over three years: one known, one new; of the known one a year is sent unchanged."""
    await storage.market_data.import_prices(whole(panel("A", range(700), seed=1), "old"))
    again = panel("A", range(700), seed=1).values[:, 0].copy()
    again[400:410] += 1.0
    both = np.stack([np.append(again, [1.0, 2.0]), np.append(np.full(690, np.nan), np.ones(12))], axis=1)
    receipt = await storage.market_data.import_prices(whole(PricePanel.of("AB", range(702), both), "new"))
    assert receipt == ImportReceipt("new", 2 + 12, 10, 690, 2)


async def test_the_same_again_gives_the_first_receipt(storage: Storage) -> None:
    market = storage.market_data
    sent = panel("AB", range(1000))
    first = await market.import_prices(whole(sent))
    parts = tuple(
        PricePanel.of("AB", sent.dates[start : start + 100], sent.values[start : start + 100])
        for start in range(0, 1000, 100)
    )
    again = PriceImport("i", PriceField.CLOSE, "elsewhere", parts[::-1])
    assert await market.import_prices(again) == first, "in other parts, in another order"
    await market.import_prices(whole(PricePanel.of("A", [5], [9.0]), "correction"))
    assert await market.import_prices(again) == first
    assert (await market.prices(PriceQuery(("A",)))).panel.values[5, 0] == 9.0, "it changes nothing"
    for other in (
        PriceImport("i", PriceField.CLOSE, "", parts[1:]),
        whole(sent, field=PriceField.OPEN),
        whole(panel("AB", range(1000), seed=1)),
        whole(panel("AC", range(1000))),
    ):
        with pytest.raises(RequestIdReused) as raised:
            await market.import_prices(other)
        assert raised.value.field == "header.import_id"


async def test_one_import_sent_several_times_at_once_counts_once(opened: Opened, stack: object, tmp_path: Path) -> None:
    """As a client does that hears no answer and asks another server."""
    folders = [tmp_path / str(i) if stack else None for i in range(3)]
    stores = [opened(folder=folder).market_data for folder in folders]
    receipts = await asyncio.gather(*(store.import_prices(whole(panel("AB", range(1000)))) for store in stores))
    assert receipts == [ImportReceipt("i", 2000, 0, 0, 2)] * 3
    other = await stores[0].import_prices(whole(panel("AB", range(1000)), "j"))
    assert other == ImportReceipt("j", 0, 0, 2000, 2)


async def test_imports_of_two_servers_at_once_all_count(opened: Opened, stack: object, tmp_path: Path) -> None:
    """Neither may overwrite what the other has merged; and the receipts are those of some order of them all."""
    stores = [opened(folder=tmp_path / str(k) if stack else None).market_data for k in range(2)]
    sent = {(k, i): panel("AB", range(i, 2000, 7), seed=i) for k in range(2) for i in range(k, 7, 2)}
    await asyncio.gather(*(stores[k].import_prices(whole(one, f"{k}{i}")) for (k, i), one in sent.items()))
    for store in stores:
        values = (await store.prices(PriceQuery(("A", "B")))).panel.values
        for (_, i), one in sent.items():
            assert (values[i::7] == one.values).all()


async def test_imports_of_the_same_days_at_once_end_as_in_one_order(
    opened: Opened, stack: object, tmp_path: Path
) -> None:
    """Each of five writes its own number to every day.

    The last one wins everywhere, and of the receipts one has inserted and the others have changed.
    """
    stores = [opened(folder=tmp_path / str(k) if stack else None).market_data for k in range(2)]
    symbols = [f"S{i}" for i in range(20)]
    sent = [PricePanel.of(symbols, range(1000), np.full((1000, 20), 1.0 + i)) for i in range(5)]
    receipts = await asyncio.gather(*(stores[i % 2].import_prices(whole(one, str(i))) for i, one in enumerate(sent)))
    assert sorted((receipt.inserted, receipt.changed, receipt.unchanged) for receipt in receipts) == [
        (0, 20_000, 0), (0, 20_000, 0), (0, 20_000, 0), (0, 20_000, 0), (20_000, 0, 0),
    ]  # fmt: skip
    found = (await stores[0].prices(PriceQuery(tuple(symbols)))).panel
    assert found.values.shape == (1000, 20)
    assert len(np.unique(found.values)) == 1


async def test_a_panel_that_is_read_while_imports_go_on_is_of_one_import(
    opened: Opened, stack: object, tmp_path: Path
) -> None:
    """Every import writes one number to all values: a panel with two of them was never stored."""
    stores = [opened(folder=tmp_path / str(k) if stack else None).market_data for k in range(2)]
    symbols = tuple(f"S{i:02d}" for i in range(60))

    async def write() -> None:
        for i in range(8):
            await stores[0].import_prices(
                whole(PricePanel.of(symbols, range(800), np.full((800, 60), 1.0 + i)), str(i))
            )

    writing = asyncio.create_task(write())
    seen: set[float] = set()
    while not writing.done():
        if await stores[1].having(PriceField.CLOSE, symbols[:1]):
            values = (await stores[1].prices(PriceQuery(symbols))).panel.values
            assert values.shape == (800, 60)
            assert len(np.unique(values)) == 1
            seen.add(float(values[0, 0]))
        await asyncio.sleep(0.01)
    await writing
    assert (await stores[1].prices(PriceQuery(symbols))).panel.values[0, 0] == 8.0
    assert seen


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.integers(0, 1200), st.sampled_from([1.0, 2.0, float("nan")])),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 5),
)
@generated(10, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_in_parts_or_value_by_value(storage: Storage, values: list[tuple[str, int, float]], size: int) -> None:
    """The independent computation is a dictionary that later values overwrite, one import for each."""
    example = next(EXAMPLES)  # what earlier examples have stored stays: each has symbols and ids of its own
    values = [(f"{example} {symbol}", day, value) for symbol, day, value in values]
    market = storage.market_data
    expected: dict[tuple[str, int], float] = {}
    counts = np.zeros(3, int)
    for start in range(0, len(values), size):
        group = {(symbol, day): value for symbol, day, value in values[start : start + size]}
        session = await market.begin_import(f"{example} {start}", PriceField.CLOSE, "")
        for (symbol, day), value in group.items():
            await session.add(PricePanel.of([symbol], [day], [value]))
            if not np.isnan(value):
                old = expected.get((symbol, day))
                counts += [old is None, old is not None and old != value, old == value]
        receipt = await session.finish(len(group))
        counts -= [receipt.inserted, receipt.changed, receipt.unchanged]
        expected |= {key: value for key, value in group.items() if not np.isnan(value)}
    assert counts.tolist() == [0, 0, 0]
    for symbol in (f"{example} {letter}" for letter in "ABC"):
        days = sorted(day for name, day in expected if name == symbol)
        assert bool(days) == bool(await market.having(PriceField.CLOSE, [symbol]))
        if days:
            found = (await market.prices(PriceQuery((symbol,)))).panel
            assert found.dates.tolist() == days
            assert found.values[:, 0].tolist() == [expected[symbol, day] for day in days]


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.5])
async def test_a_kill_during_an_import_leaves_all_or_nothing(
    opened: Opened, stack: RunningStack | None, tmp_path: Path, delay: float
) -> None:
    script = textwrap.dedent(
        """
        import asyncio, sys
        import numpy as np
        from domain.market_data.panel import PricePanel
        from server.bootstrap import STORAGE_BACKENDS
        from server.ports.job_queue import QueuePolicy
        from server.ports.market_data import PriceField, PriceImport
        from server.settings import Settings
        import os

        async def main():
            settings = Settings.read(("--data-dir", sys.argv[1]), os.environ)
            market = STORAGE_BACKENDS[settings.storage](settings, QueuePolicy()).market_data
            panel = PricePanel.of([f"S{i}" for i in range(100)], np.arange(4000), np.ones((4000, 100)))
            print("begin", flush=True)
            await market.import_prices(PriceImport("big", PriceField.CLOSE, "", (panel,)))
            print("end", flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(stack.stack.environment if stack else {})},
    )  # fmt: skip
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60.0) == b"begin\n"
    await asyncio.sleep(delay)
    process.kill()
    await asyncio.wait_for(process.communicate(), 20.0)
    market = opened().market_data
    symbols = [f"S{i}" for i in range(100)]
    seen = len(await market.having(PriceField.CLOSE, symbols))
    assert seen in (0, 100)
    if seen:
        assert (await market.prices(PriceQuery(tuple(symbols)))).panel.values.shape == (4000, 100)
    again = PricePanel.of(symbols, range(4000), np.ones((4000, 100)))
    assert (await market.import_prices(whole(again, "big"))) == ImportReceipt("big", 400_000, 0, 0, 100)
    assert (await market.import_prices(whole(again, "other"))) == ImportReceipt("other", 0, 0, 400_000, 100)
