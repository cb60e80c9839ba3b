"""What every store of corporate actions promises: keys, pages, and what replaces what."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.market_data.panel import PricePanel
from server.ports.corporate_actions import ActionFilter
from server.ports.market_data import Instrument, PriceField
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.prices import whole
from tests.families import generated

EVERYTHING = ActionFilter()
SPLIT = CorporateAction("A", 10, Split(2.0))
DIVIDEND = CorporateAction("A", 10, CashDividend(0.1, 12))
DELISTING = CorporateAction("A", 20, Delisting(-0.3))
EXAMPLES = itertools.count()
ANY_ACTION = st.builds(
    CorporateAction,
    st.sampled_from(["A", "A.B", "\u00e9", "\U0001f600"]),
    st.integers(-700_000, 2_900_000),
    st.floats(1e-15, 1e15).map(Split)
    | st.floats(0.0, 1e300).map(CashDividend)
    | st.none().map(Delisting)
    | st.floats(-1.0, 1e300).map(Delisting),
)


async def test_any_symbol_is_kept(storage: Storage) -> None:
    store = storage.corporate_actions
    sent = tuple(CorporateAction(symbol, 10, Split(2.0)) for symbol in ("a", "a\0", "a\0b", "a\1", "a\x010"))
    await store.upsert(sent)
    for one in sent:
        assert await store.all(ActionFilter((one.symbol,))) == (one,)
    found, token = [], ""
    for _ in sent:
        page = await store.page(token, 1, EVERYTHING)
        found += page.actions
        token = page.next_token
    assert (set(found), len(found), token) == (set(sent), len(sent), "")


async def test_a_key_is_symbol_date_and_kind(storage: Storage) -> None:
    assert await storage.corporate_actions.upsert([SPLIT, DIVIDEND, DELISTING]) == 3
    assert await storage.corporate_actions.all(EVERYTHING) == (DIVIDEND, SPLIT, DELISTING)
    other = CorporateAction("A", 10, CashDividend(0.2))
    assert await storage.corporate_actions.upsert([other]) == 1
    assert await storage.corporate_actions.all(EVERYTHING) == (other, SPLIT, DELISTING)


async def test_a_delisting_replaces_the_one_of_its_symbol(storage: Storage) -> None:
    other = CorporateAction("B", 20, Delisting())
    await storage.corporate_actions.upsert([DELISTING, other])
    for day in (30, 15):
        moved = CorporateAction("A", day, Delisting())
        await storage.corporate_actions.upsert([moved])
        assert await storage.corporate_actions.all(EVERYTHING) == (moved, other)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_hold_everything_once(storage: Storage, size: int) -> None:
    sent = [CorporateAction(symbol, day, Split(2.0)) for symbol in ("A", "A.1", "B") for day in (-5, 3)]
    await storage.corporate_actions.upsert([*sent, DIVIDEND])
    found: list[CorporateAction] = []
    token = ""
    while True:
        page = await storage.corporate_actions.page(token, size, EVERYTHING)
        assert len(page.actions) <= size
        found += page.actions
        token = page.next_token
        if not token:
            break
    assert tuple(found) == await storage.corporate_actions.all(EVERYTHING)
    assert len(found) == 7


async def test_filters(storage: Storage) -> None:
    sent = [CorporateAction(symbol, day, Split(2.0)) for symbol in "ABC" for day in (1, 2, 3)]
    await storage.corporate_actions.upsert(sent)
    found = await storage.corporate_actions.all(ActionFilter(("C", "A", "unknown"), 2, 3))
    assert [(one.symbol, one.day) for one in found] == [("A", 2), ("A", 3), ("C", 2), ("C", 3)]
    assert (
        len(await storage.corporate_actions.all(ActionFilter(start=3)))
        == len(await storage.corporate_actions.all(ActionFilter(end=1)))
        == 3
    )


@pytest.mark.parametrize("token", ["x", "0123456789abcdef.1.SPLIT.", "0123456789abcdef.1.5.SPLIT.A", "1.SPLIT.A"])
async def test_what_is_no_token(storage: Storage, token: str) -> None:
    with pytest.raises(InvalidInput, match="is not a token"):
        await storage.corporate_actions.page(token, 5, EVERYTHING)


async def test_a_token_belongs_to_its_filters(storage: Storage) -> None:
    await storage.corporate_actions.upsert([SPLIT, DIVIDEND])
    token = (await storage.corporate_actions.page("", 1, ActionFilter(("A",)))).next_token
    assert (await storage.corporate_actions.page(token, 1, ActionFilter(("A",)))).actions == (SPLIT,)
    with pytest.raises(InvalidInput, match="other filters"):
        await storage.corporate_actions.page(token, 1, EVERYTHING)


async def test_the_first_day_of_each_symbol(storage: Storage) -> None:
    for i, (field, days) in enumerate(
        [(PriceField.CLOSE, [400, 800]), (PriceField.CLOSE, [390]), (PriceField.OPEN, [1])]
    ):
        await storage.market_data.import_prices(whole(PricePanel.of("A", days, [1.0] * len(days)), f"i{i}", field))
    await storage.market_data.upsert_instruments([Instrument("B")])
    assert await storage.corporate_actions.first_days(["A", "B", "C", "A"]) == {"A": 390, "B": None}


@given(st.lists(ANY_ACTION, max_size=12))
@generated(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_one_list_is_as_its_actions_one_by_one(storage: Storage, sent: list[CorporateAction]) -> None:
    """The independent computation is a dictionary that each action overwrites; floats come back bit by bit."""
    example = next(EXAMPLES)  # what earlier examples have stored stays: each has symbols of its own
    sent = [CorporateAction(f"{example} {one.symbol}", one.day, one.event) for one in sent]
    expected: dict[tuple[str, str, int | None], CorporateAction] = {}
    for one in sent:
        expected[one.symbol, one.kind, None if isinstance(one.event, Delisting) else one.day] = one
    assert await storage.corporate_actions.upsert(sent) == len(sent)
    found = await storage.corporate_actions.all(ActionFilter(tuple({one.symbol for one in sent}) or ("none",)))
    assert list(found) == sorted(expected.values(), key=lambda one: one.key)


async def test_thousands_of_actions(storage: Storage) -> None:
    """More than a hosted project returns in one list, and than one call of the store holds."""
    sent = [CorporateAction(f"S{i % 7}", i, CashDividend(0.01 * i)) for i in range(20_500)]
    assert await storage.corporate_actions.upsert(sent) == 20_500
    assert await storage.corporate_actions.all(EVERYTHING) == tuple(sorted(sent, key=lambda one: one.key))
    page = await storage.corporate_actions.page("", 1500, EVERYTHING)
    assert len(page.actions) == 1500


async def test_a_delisting_that_several_servers_move_is_one(opened: Opened) -> None:
    stores = [opened().corporate_actions for _ in range(2)]
    moved = [CorporateAction("A", day, Delisting(-0.1 * day)) for day in range(10)]
    await asyncio.gather(*(stores[i % 2].upsert([one, DIVIDEND]) for i, one in enumerate(moved)))
    found = await stores[0].all(EVERYTHING)
    assert len(found) == 2
    assert DIVIDEND in found
    assert any(one in found for one in moved)
