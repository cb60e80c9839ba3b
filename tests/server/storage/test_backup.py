"""Copies of a data folder: one moment of it, checked, whole or not at all. Runs the commands of docs/storage.md."""

import asyncio
import os
import re
import shlex
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.identity.api_keys import ApiKeyDraft, ApiKeys
from server.ports.errors import StorageUnavailable
from server.ports.identity import Role
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.settings import DATABASE_NAME, Settings
from server.storage.embedded.backup import CopyRefused, back_up, restore
from server.storage.embedded.factory import open_storage

ROOT = Path(__file__).parents[3]
COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/storage.md").read_text(), re.DOTALL)[0].splitlines()


def opened(folder: Path) -> Storage:
    return open_storage(Settings.read(("--data-dir", str(folder)), {}), QueuePolicy())


def closed(storage: Storage) -> None:
    storage.release_worker()
    storage.close()


async def key_of(storage: Storage, name: str) -> str:
    return (await ApiKeys(storage.api_keys).create(ApiKeyDraft(name, "", (Role.READER,), None))).secret


async def test_a_copy_has_one_moment_while_a_server_writes(tmp_path: Path) -> None:
    """Keys are made all the while: the copy has all up to some moment, and none after it."""
    storage = opened(tmp_path / "data")
    secrets = [await key_of(storage, "k0000")]
    size = await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "before")
    end = asyncio.Event()

    async def write() -> None:
        while not end.is_set():
            secrets.append(await key_of(storage, f"k{len(secrets):04}"))

    writing = asyncio.create_task(write())
    while len(secrets) < 5:  # noqa: ASYNC110  # of what is made one by one
        await asyncio.sleep(0.01)
    made = len(secrets)
    await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
    while len(secrets) < made + 5:  # noqa: ASYNC110  # the server goes on
        await asyncio.sleep(0.01)
    end.set()
    await writing
    closed(storage)
    assert size == sum(path.stat().st_size for path in (tmp_path / "before").iterdir())

    await asyncio.to_thread(restore, tmp_path / "copy", tmp_path / "again")
    restored = opened(tmp_path / "again")
    kept = [key.id for key in (await restored.api_keys.list("", 10_000)).keys]
    assert kept == [f"k{number:04}" for number in range(len(kept))]
    assert made <= len(kept) < len(secrets)
    for secret in secrets[: len(kept)]:
        assert (await ApiKeys(restored.api_keys).principal(secret)).role is Role.READER
    await restored.api_keys.revoke("k0000", datetime.now(UTC))  # it can be written
    closed(restored)
    for path in (tmp_path / "copy", tmp_path / "again"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir() if file.is_file()} == {0o600}


async def filled(folder: Path) -> str:
    storage = opened(folder)
    secret = await key_of(storage, "desk")
    closed(storage)
    return secret


async def test_what_is_refused(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    with pytest.raises(CopyRefused, match="there is no store in"):
        back_up(data, copy)
    await filled(data)
    with pytest.raises(CopyRefused, match="there is no folder"):
        back_up(data, tmp_path / "no" / "folder")
    back_up(data, copy)
    with pytest.raises(CopyRefused, match="exists: a copy goes to a new folder"):
        back_up(data, copy)
    with pytest.raises(CopyRefused, match="there is a store in"):
        restore(copy, data)
    with pytest.raises(CopyRefused, match="there is no copy of a store in"):
        restore(tmp_path / "none", tmp_path / "new")
    await filled(tmp_path / "other")
    (tmp_path / "other" / DATABASE_NAME).unlink()
    with pytest.raises(CopyRefused, match="belongs to another store"):
        restore(copy, tmp_path / "other")
    assert not (tmp_path / "other" / DATABASE_NAME).exists()


async def test_a_folder_that_a_server_uses_is_not_written(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "copy")
    storage = opened(tmp_path / "live")
    try:
        for path in (tmp_path / "live").glob(f"{DATABASE_NAME}*"):
            path.rename(tmp_path / path.name)
        with pytest.raises(CopyRefused, match="a server uses"):
            restore(tmp_path / "copy", tmp_path / "live")
    finally:
        closed(storage)


@pytest.mark.parametrize("side", ["store", "copy"])
def test_damage_is_found(tmp_path: Path, side: str) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    asyncio.run(filled(data))
    if side == "copy":
        back_up(data, copy)
    path = (data if side == "store" else copy) / DATABASE_NAME
    content = bytearray(path.read_bytes())
    content[4096:12288] = os.urandom(8192)
    path.write_bytes(content)
    with pytest.raises((CopyRefused, StorageUnavailable)):
        back_up(data, copy) if side == "store" else restore(copy, tmp_path / "new")
    assert not (tmp_path / "new" / DATABASE_NAME).exists()
    assert {found.name for found in tmp_path.iterdir()} <= {"data", "copy", "new"}
    assert (side == "copy") == copy.exists()


async def test_a_copy_of_a_newer_version(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / DATABASE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CopyRefused, match="has the schema 99, this version reads 1 to"):
        restore(tmp_path / "copy", tmp_path / "new")


def test_a_kill_leaves_no_copy_that_counts(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path / "data"))
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE_NAME)) as connection:
        connection.execute("CREATE TABLE large AS SELECT randomblob(60000000) AS data")
        connection.commit()
    command = [sys.executable, "-m", "server", "storage", "backup", str(tmp_path / "copy")]
    process = subprocess.Popen([*command, "--data-dir", str(tmp_path / "data")], stdout=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not list(tmp_path.glob(".copy.*")) and process.poll() is None:
        assert time.monotonic() < limit
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    if process.wait(20) != 0:  # else it was faster than we are
        assert not (tmp_path / "copy").exists()
        back_up(tmp_path / "data", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")


async def test_the_commands_of_the_page(tmp_path: Path) -> None:
    secret = await filled(tmp_path / "DIR")
    for command in COMMANDS:
        words = shlex.split(command.replace(".venv/bin/python", sys.executable))
        words = [str(tmp_path / word) if word in ("COPY", "DIR", "NEW") else word for word in words]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        again = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert again.returncode == 1
        assert again.stderr.startswith("abs-finance: storage ")
        assert again.stderr.count("\n") == 1
    restored = opened(tmp_path / "NEW")
    assert (await ApiKeys(restored.api_keys).principal(secret)).id == "apiKeys/desk"
    closed(restored)
