"""A Supabase of the tests' own: what scripts/supabase-local starts, ended with the tests."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from scripts.postgres_cluster import Source, StackError, find_binaries
from scripts.postgrest_program import find_postgrest
from scripts.supabase_local import stack_of
from scripts.supabase_processes import Stack
from tests.processes import first_line

ROOT = Path(__file__).parents[1]


def why_not(source: str) -> str:
    """Why there can be no stack on this machine; empty where there can."""
    try:
        find_binaries(_known(source))
        find_postgrest(install=False)
    except StackError as error:
        return str(error)
    return ""


def _known(source: str) -> Source:
    return "system" if source == "system" else "wheel"


@dataclass(frozen=True)
class RunningStack:
    """A stack that belongs to this process: when this process is gone, however it ends, so is the stack."""

    stack: Stack
    folder: Path
    process: subprocess.Popen[str]

    def stop_database(self) -> None:
        """Ends PostgreSQL; PostgREST and the gateway stay."""
        self._tell("stop database")

    def start_database(self) -> None:
        """Starts PostgreSQL again, on the same data."""
        self._tell("start database")

    async def empty(self) -> None:
        """Deletes everything that servers have stored."""
        connection = await asyncpg.connect(self.stack.admin_url)
        try:
            # Without it the audit log refuses; who may set it may drop the triggers as well.
            await connection.execute("set session_replication_role = replica")
            rows = await connection.fetch("select tablename from pg_tables where schemaname = 'absfin'")
            names = [f"absfin.{row['tablename']}" for row in rows if row["tablename"] != "migrations"]
            await connection.execute(f"truncate {', '.join(names)} restart identity")
        finally:
            await connection.close()

    def _tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        assert first_line(self.process).strip() == "done"


@contextmanager
def running_stack(source: str) -> Iterator[RunningStack]:
    """A new stack with the schema of this version, and nothing in it."""
    # Not in a folder of pytest: those are closed to the user that PostgreSQL runs as where the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="absfin-stack-"))
    command = [sys.executable, "-m", "scripts.supabase_local", "run", "--folder", str(folder), "--postgres", source]
    with (folder / "stack.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--forgetful", "--follow-input"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
        )  # fmt: skip
    try:
        yield RunningStack(stack_of(first_line(process), folder), folder, process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=60)
        finally:
            process.stdout.close()
            shutil.rmtree(folder, ignore_errors=True)
