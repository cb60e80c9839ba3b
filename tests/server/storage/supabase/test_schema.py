"""A server that cannot use its project says so in one line when it starts, and says what to do."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from scripts.free_port import free_port
from server.ports.job_queue import QueuePolicy
from server.settings import Settings, WrongSetting
from server.storage.supabase.factory import open_storage
from server.storage.supabase.versions import VERSIONS
from tests.supabase_stack import RunningStack


def opened(folder: Path, **environment: str) -> None:
    environment = {"ABSFIN_STORAGE": "supabase", **environment}
    open_storage(Settings.read(("--data-dir", str(folder)), environment), QueuePolicy())


async def refused(folder: Path, **environment: str) -> str:
    with pytest.raises(WrongSetting) as raised:
        await asyncio.to_thread(opened, folder, **environment)
    text = str(raised.value)
    assert text.startswith("--supabase-url (SUPABASE_URL) cannot be used: http://127.0.0.1:")
    assert "\n" not in text
    return text


@pytest.fixture
async def database(wheel_stack: RunningStack) -> AsyncIterator[asyncpg.Connection]:
    """Versions that a test changes are put back."""
    connection = await asyncpg.connect(wheel_stack.stack.database_url)
    yield connection
    await connection.execute("delete from absfin.migrations where version > '2900'")
    await connection.executemany(
        "insert into absfin.migrations values ($1) on conflict do nothing", [(version,) for version in VERSIONS]
    )
    await connection.close()


async def test_a_migration_is_missing(wheel_stack: RunningStack, database: asyncpg.Connection, tmp_path: Path) -> None:
    await database.execute("delete from absfin.migrations where version = $1", VERSIONS[-1])
    text = await refused(tmp_path, **wheel_stack.stack.environment)
    assert text.endswith(f"its schema lacks the migration {VERSIONS[-1]}; run scripts/migrate")


async def test_a_newer_version_was_here(
    wheel_stack: RunningStack, database: asyncpg.Connection, tmp_path: Path
) -> None:
    await database.execute("insert into absfin.migrations values ('29990101000000')")
    text = await refused(tmp_path, **wheel_stack.stack.environment)
    assert text.endswith("a newer version wrote its schema (migration 29990101000000); start that version")


async def test_nothing_listens(tmp_path: Path) -> None:
    text = await refused(tmp_path, SUPABASE_URL=f"http://127.0.0.1:{free_port()}", SUPABASE_KEY="sb_secret_x")
    assert text.endswith("the database cannot be reached")


async def test_a_key_of_another_project(wheel_stack: RunningStack, tmp_path: Path) -> None:
    text = await refused(tmp_path, SUPABASE_URL=wheel_stack.stack.url, SUPABASE_KEY="sb_secret_of_another")
    assert text.endswith("the database does not accept the key of the server")


@pytest.mark.parametrize("code", ["PGRST202", "PGRST106"])
async def test_a_project_without_the_schema(tmp_path: Path, code: str) -> None:
    """As PostgREST answers where the function is missing, and where the schema is not among those it exposes."""
    body = f'{{"code":"{code}","message":"no"}}'.encode()
    answer = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    text = await refused(tmp_path, SUPABASE_URL=f"http://127.0.0.1:{port}", SUPABASE_KEY="sb_secret_x")
    server.close()
    assert "run scripts/migrate" in text
    assert ("Exposed schemas" in text) == (code == "PGRST106")


def test_the_process_says_it_in_one_line(tmp_path: Path) -> None:
    flags = (
        "--storage",
        "supabase",
        "--supabase-url",
        f"http://127.0.0.1:{free_port()}",
        "--supabase-key",
        "sb_secret_x",
    )
    command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # beside those of the log
    assert line.startswith("abs-finance: --supabase-url (SUPABASE_URL) cannot be used: ")
    assert "sb_secret" not in done.stderr
