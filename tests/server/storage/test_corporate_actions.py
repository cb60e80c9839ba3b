"""Stored corporate actions with real SQLite: keys, pages, what replaces what, and those of a job."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.market_data.panel import PricePanel
from server.ports.corporate_actions import ActionFilter
from server.ports.errors import StorageFull
from server.ports.jobs import JobDraft, JobInputs
from server.ports.list_filter import ListFilter
from server.ports.market_data import Instrument, PriceField, PriceImport
from server.storage.corporate_action_rows import action_of, row_of
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.corporate_actions import EmbeddedCorporateActions
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import get_job
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.embedded.room import StorageLimits
from server.storage.panels import PanelFiles
from server.storage.workers import WorkerLocks
from tests.owners import MINE, OWNER

EVERYTHING = ActionFilter()
SPLIT = CorporateAction("A", 10, Split(2.0))
DIVIDEND = CorporateAction("A", 10, CashDividend(0.1, 12))
DELISTING = CorporateAction("A", 20, Delisting(-0.3))
ANY_ACTION = st.builds(
    CorporateAction,
    st.sampled_from(["A", "A.B", "\u00e9", "\U0001f600"]),
    st.integers(-700_000, 2_900_000),
    st.floats(1e-15, 1e15).map(Split)
    | st.floats(0.0, 1e300).map(CashDividend)
    | st.none().map(Delisting)
    | st.floats(-1.0, 1e300).map(Delisting),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "x.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def actions(database: Database) -> EmbeddedCorporateActions:
    return EmbeddedCorporateActions(database)


@given(ANY_ACTION)
def test_a_row_is_read_as_it_was_written(action: CorporateAction) -> None:
    assert action_of(*json.loads(json.dumps(row_of(action)))) == action


async def test_a_key_is_symbol_date_and_kind(actions: EmbeddedCorporateActions) -> None:
    assert await actions.upsert([SPLIT, DIVIDEND, DELISTING]) == 3
    assert await actions.all(EVERYTHING) == (DIVIDEND, SPLIT, DELISTING)
    other = CorporateAction("A", 10, CashDividend(0.2))
    assert await actions.upsert([other]) == 1
    assert await actions.all(EVERYTHING) == (other, SPLIT, DELISTING)


async def test_a_delisting_replaces_the_one_of_its_symbol(actions: EmbeddedCorporateActions) -> None:
    other = CorporateAction("B", 20, Delisting())
    await actions.upsert([DELISTING, other])
    for day in (30, 15):
        moved = CorporateAction("A", day, Delisting())
        await actions.upsert([moved])
        assert await actions.all(EVERYTHING) == (moved, other)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_hold_everything_once(actions: EmbeddedCorporateActions, size: int) -> None:
    sent = [CorporateAction(symbol, day, Split(2.0)) for symbol in ("A", "A.1", "B") for day in (-5, 3)]
    await actions.upsert([*sent, DIVIDEND])
    found: list[CorporateAction] = []
    token = ""
    while True:
        page = await actions.page(token, size, EVERYTHING)
        assert len(page.actions) <= size
        found += page.actions
        token = page.next_token
        if not token:
            break
    assert tuple(found) == await actions.all(EVERYTHING)
    assert len(found) == 7


async def test_filters(actions: EmbeddedCorporateActions) -> None:
    sent = [CorporateAction(symbol, day, Split(2.0)) for symbol in "ABC" for day in (1, 2, 3)]
    await actions.upsert(sent)
    found = await actions.all(ActionFilter(("C", "A", "unknown"), 2, 3))
    assert [(one.symbol, one.day) for one in found] == [("A", 2), ("A", 3), ("C", 2), ("C", 3)]
    assert len(await actions.all(ActionFilter(start=3))) == len(await actions.all(ActionFilter(end=1))) == 3


@pytest.mark.parametrize("token", ["x", "0123456789abcdef.1.SPLIT.", "0123456789abcdef.1.5.SPLIT.A", "1.SPLIT.A"])
async def test_what_is_no_token(actions: EmbeddedCorporateActions, token: str) -> None:
    with pytest.raises(InvalidInput, match="is not a token"):
        await actions.page(token, 5, EVERYTHING)


async def test_a_token_belongs_to_its_filters(actions: EmbeddedCorporateActions) -> None:
    await actions.upsert([SPLIT, DIVIDEND])
    token = (await actions.page("", 1, ActionFilter(("A",)))).next_token
    assert (await actions.page(token, 1, ActionFilter(("A",)))).actions == (SPLIT,)
    with pytest.raises(InvalidInput, match="other filters"):
        await actions.page(token, 1, EVERYTHING)


async def test_the_first_day_of_each_symbol(
    actions: EmbeddedCorporateActions, database: Database, tmp_path: Path
) -> None:
    market = EmbeddedMarketData(database, PanelFiles(tmp_path / "panels"))
    for i, (field, days) in enumerate(
        [(PriceField.CLOSE, [400, 800]), (PriceField.CLOSE, [390]), (PriceField.OPEN, [1])]
    ):
        panel = PricePanel.of("A", days, [1.0] * len(days))
        await market.import_prices(PriceImport(f"i{i}", field, "", (panel,)))
    await market.upsert_instruments([Instrument("B")])
    assert await actions.first_days(["A", "B", "C", "A"]) == {"A": 390, "B": None}


async def test_a_quota_is_kept(tmp_path: Path) -> None:
    small = Database(tmp_path / "x.sqlite3", StorageLimits(max_bytes=400_000))
    actions = EmbeddedCorporateActions(small)
    with pytest.raises(StorageFull):
        await actions.upsert([CorporateAction("A", day, Split(2.0)) for day in range(20_000)])
    assert await actions.all(EVERYTHING) == ()
    small.close()


async def test_a_job_has_its_actions_and_a_list_of_jobs_has_not(database: Database, tmp_path: Path) -> None:
    locks = WorkerLocks(tmp_path / "workers")
    jobs = EmbeddedBacktests(database, PanelFiles(tmp_path / "panels"), locks, 10)
    inputs = JobInputs("d", "prices", opens="o", actions=(SPLIT, DIVIDEND, DELISTING))
    record = await jobs.enqueue(OWNER, JobDraft(b"r", b"b", "l", "f", inputs, {}))
    assert record.inputs == inputs
    (listed,) = (await jobs.list(MINE, "", 5, ListFilter())).records
    assert listed.inputs.opens == "o"
    assert listed.inputs.actions == ()

    def as_before(connection: object) -> None:
        """A row as the version before wrote it."""
        connection.execute("UPDATE backtests SET inputs = json_remove(inputs, '$[7]', '$[6]')")  # type: ignore[attr-defined]

    await database.write(as_before)
    before = await database.read(lambda connection: get_job(connection, OWNER, record.id))
    assert before.inputs.opens == "o"
    assert before.inputs.actions == ()
    (listed,) = (await jobs.list(MINE, "", 5, ListFilter())).records
    assert listed.inputs.opens == "o"
    locks.close()
