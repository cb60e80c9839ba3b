"""The embedded backend as it is opened for a server: its stores work together, and a bad folder is a wrong setting."""

from contextlib import closing
from pathlib import Path

import pytest

from server.bootstrap import STORAGE_BACKENDS
from server.ports.errors import StorageFull
from server.ports.job_queue import QueuePolicy
from server.ports.results import ResultDraft
from server.ports.storage import Storage
from server.settings import DATABASE_NAME, Settings, WrongSetting
from server.storage.embedded.factory import open_storage
from tests.owners import MINE, OWNER

PROJECT = {"supabase": ("--supabase-url", "https://x", "--supabase-key", "sb_secret_x")}


def settings_of(folder: Path, *arguments: str) -> Settings:
    return Settings.read(("--data-dir", str(folder), *arguments), {})


def opened(folder: Path) -> Storage:
    return open_storage(settings_of(folder), QueuePolicy())


def test_each_backend_can_be_chosen_by_its_setting(tmp_path: Path) -> None:
    chosen = {settings_of(tmp_path, "--storage", name, *PROJECT.get(name, ())).storage for name in STORAGE_BACKENDS}
    assert chosen == set(STORAGE_BACKENDS)
    assert settings_of(tmp_path).storage in STORAGE_BACKENDS


async def test_results_of_the_two_services_are_apart_and_outlive_the_process(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    with closing(storage):
        draft = ResultDraft(request_id="r", body=b"b", payload=b"p", input_fingerprint="f", label="one")
        saved = await storage.optimizations.save(OWNER, draft)
        storage.release_worker()
    with closing(opened(tmp_path)) as again:
        assert (await again.optimizations.get(OWNER, saved.id)).payload == b"p"
        assert (await again.reallocations.list(MINE, "", 10)).records == ()
        assert again.worker != storage.worker
        again.release_worker()


async def test_every_cleanup_task_runs_and_keeps_what_is_in_use(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as storage:
        async with storage.new_file() as file:
            assert set(storage.cleanup) == {"audit", "imports", "scratch", "workers", "retention", "events"}
            for task in storage.cleanup.values():
                await task()
            assert file.exists()
        assert not file.exists()
        locks = list((tmp_path / "workers").iterdir())
        assert [lock.stem for lock in locks] == [storage.worker]
        storage.release_worker()
        assert not locks[0].exists()


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--max-storage-bytes", "10000000", "--min-free-bytes", "1"), "raise ABSFIN_MAX_STORAGE_BYTES"),
        (("--min-free-bytes", str(10**17)), "lower ABSFIN_MIN_FREE_BYTES"),
    ],
)
async def test_what_breaks_a_limit_of_the_settings_is_not_stored(
    tmp_path: Path, arguments: tuple[str, ...], cause: str
) -> None:
    """A quarter of all is for panels: 7.5 MB of 10 remain for results, and no disk has 100 PB free."""
    draft = ResultDraft(request_id=None, body=b"b", payload=bytes(8_000_000), input_fingerprint="f", label="large")
    with closing(open_storage(settings_of(tmp_path, *arguments), QueuePolicy())) as storage:
        with pytest.raises(StorageFull, match=cause):
            await storage.optimizations.save(OWNER, draft)
        storage.release_worker()


async def test_what_breaks_no_limit_is_stored(tmp_path: Path) -> None:
    arguments = ("--max-storage-bytes", "10000000", "--min-free-bytes", "1")
    draft = ResultDraft(request_id=None, body=b"b", payload=bytes(5_000_000), input_fingerprint="f", label="large")
    with closing(open_storage(settings_of(tmp_path, *arguments), QueuePolicy())) as storage:
        await storage.optimizations.save(OWNER, draft)
        storage.release_worker()


def test_a_file_that_is_no_database_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(WrongSetting, match=r"--data-dir \(ABSFIN_DATA_DIR\) cannot be used: .*"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "panels").write_text("a file where a folder should be")
    with pytest.raises(WrongSetting, match=r"cannot be used: .*panels: "):
        opened(tmp_path)
