"""Corporate actions as rows, the quota of the embedded store, and those of a job."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from server.ports.corporate_actions import ActionFilter
from server.ports.errors import StorageFull
from server.ports.jobs import JobDraft, JobInputs
from server.ports.list_filter import ListFilter
from server.storage.corporate_action_rows import action_of, row_of
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.corporate_actions import EmbeddedCorporateActions
from server.storage.embedded.database import Database
from server.storage.embedded.job_rows import get_job
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


async def test_a_quota_is_kept(tmp_path: Path) -> None:
    small = Database(tmp_path / "x.sqlite3", StorageLimits(max_bytes=800_000))
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
