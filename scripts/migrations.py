"""Applies supabase/migrations to a PostgreSQL: scripts/migrate --help

The history is the table of the Supabase CLI, so that either of the two can go on where the other stopped. Each file is
one transaction. There is no way back: what a later version does not want, a later file removes.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parents[1] / "supabase" / "migrations"
LOCK = 7_235_413_890_211
"""Of the advisory lock that keeps two runs apart; any number that others do not use."""

_HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
"""

_PIECES = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|;|[^;'\"$/-]+|.", re.DOTALL
)
"""Comments, quoted texts, names, bodies of functions, ends of statements, and what lies between."""


class MigrationError(Exception):
    """Migrations cannot be applied; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    version: str
    name: str
    script: str

    @property
    def statements(self) -> list[str]:
        """Its statements without the comments between them, as the history keeps them."""
        found, current = [], ""
        for piece in _PIECES.finditer(self.script):
            text = piece.group()
            if text == ";":
                found.append(current.strip())
                current = ""
            elif not text.startswith(("--", "/*")):
                current += text
        return [statement for statement in (*found, current.strip()) if statement]


def migrations_of(folder: Path) -> list[Migration]:
    """The files of a folder in their order. Raises MigrationError for a name that is none, or a version twice."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        parts = re.fullmatch(r"(\d{14})_(\w+)\.sql", path.name)
        if parts is None:
            raise MigrationError(f"{path.name} must be named YYYYMMDDhhmmss_name.sql")
        if found and found[-1].version == parts[1]:
            raise MigrationError(f"two files have the version {parts[1]}")
        found.append(Migration(parts[1], parts[2], path.read_text()))
    return found


async def apply(url: str, migrations: Sequence[Migration]) -> list[Migration]:
    """Applies what is missing, in order; what was applied now. Raises MigrationError."""
    connection = await _connect(url)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute("set client_min_messages = warning")  # not that a schema is there already
        await connection.execute(_HISTORY)
        missing = await _missing(connection, migrations)
        for migration in missing:
            await _apply_one(connection, migration)
        return missing
    finally:
        await connection.close()


async def missing_of(url: str, migrations: Sequence[Migration]) -> list[Migration]:
    """What would be applied. Raises MigrationError."""
    connection = await _connect(url)
    try:
        there = await connection.fetchval("select to_regclass('supabase_migrations.schema_migrations')")
        return await _missing(connection, migrations) if there else list(migrations)
    finally:
        await connection.close()


async def others_of(url: str, migrations: Sequence[Migration]) -> list[str]:
    """Versions of the history that are none of these files: those of the project itself. Raises MigrationError."""
    connection = await _connect(url)
    try:
        if await connection.fetchval("select to_regclass('supabase_migrations.schema_migrations')") is None:
            return []
        rows = await connection.fetch("select version from supabase_migrations.schema_migrations")
        return sorted({row["version"] for row in rows} - {migration.version for migration in migrations})
    finally:
        await connection.close()


async def _connect(url: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationError(f"the database cannot be reached: {error or type(error).__name__}") from None


async def _missing(connection: asyncpg.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    rows = await connection.fetch("select version, statements from supabase_migrations.schema_migrations")
    applied = {row["version"]: row["statements"] for row in rows}
    for migration in migrations:
        kept = applied.get(migration.version)
        if kept and _plain(kept) != _plain(migration.statements):
            raise MigrationError(
                f"{migration.version}_{migration.name} was changed after it was applied: restore the file, and write "
                "a new one for the change"
            )
    known = {migration.version for migration in migrations}
    if newer := sorted(set(await _ours(connection)) - known):
        raise MigrationError(f"the database has {newer[0]}, which this version does not know: take a newer version")
    last = max(known & applied.keys(), default="")
    missing = [migration for migration in migrations if migration.version not in applied]
    if missing and missing[0].version < last:
        raise MigrationError(f"{missing[0].version} comes before {last}, which is applied: give it a later version")
    return missing


async def _ours(connection: asyncpg.Connection) -> list[str]:
    """Versions that this schema says it has; the history has those of the rest of the project too."""
    if await connection.fetchval("select to_regclass('absfin.migrations')") is None:
        return []
    return [row["version"] for row in await connection.fetch("select version from absfin.migrations")]


async def _apply_one(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.script)
            await connection.execute(
                "insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)",
                migration.version, migration.statements, migration.name,
            )  # fmt: skip
    except asyncpg.PostgresError as error:
        where = f"{migration.version}_{migration.name}"
        raise MigrationError(f"{where} cannot be applied, and nothing of it was: {error}") from None


def _plain(statements: Sequence[str]) -> list[str]:
    """Statements as they compare, whoever split them: without comments, layout and the semicolon at the end."""
    whole = Migration("", "", ";\n".join(statement.strip().rstrip(";") for statement in statements))
    return ["".join(statement.split()) for statement in whole.statements]


def main(arguments: Sequence[str]) -> None:
    """Entry point of scripts/migrate."""
    given = _parser().parse_args(arguments)
    url = given.url or os.environ.get("DATABASE_URL", "")
    if not url:
        sys.exit("migrate: name the database: --url postgresql://..., or DATABASE_URL")
    try:
        migrations = migrations_of(FOLDER)
        if given.status:
            missing = asyncio.run(missing_of(url, migrations))
            for migration in migrations:
                print(f"{'missing' if migration in missing else 'applied'}  {migration.version}_{migration.name}")
            sys.exit(1 if missing else 0)
        if cli := _usable_cli(url, migrations):
            sys.exit(_run_cli(cli, url))
        for migration in asyncio.run(apply(url, migrations)):
            print(f"applied  {migration.version}_{migration.name}")
    except MigrationError as error:
        sys.exit(f"migrate: {error}")


def _usable_cli(url: str, migrations: Sequence[Migration]) -> str | None:
    """The Supabase CLI, where there is something for it to do that it does. Raises MigrationError.

    It compares no contents, so the files are compared with the history before it is called. And it refuses a history
    with migrations that are not in the folder, and advises to mark them as reverted: those of the project itself are.
    """
    cli = shutil.which("supabase")
    if cli is None or not asyncio.run(missing_of(url, migrations)) or asyncio.run(others_of(url, migrations)):
        return None
    return cli


def _run_cli(cli: str, url: str) -> int:
    """Applies what is missing with the CLI; its exit status. Without --yes it asks, and no terminal means no."""
    said = subprocess.run([cli, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603  # the user's own CLI
    major = re.search(r"\d+", said)
    # The name of the option since version 3, which warns that the old one will go.
    database = [f"--remote={url}"] if major and int(major[0]) >= 3 else ["--db-url", url]
    command = [cli, "migration", "up", *database, "--include-all", "--yes"]
    return subprocess.run(command, check=False, cwd=FOLDER.parents[1]).returncode  # noqa: S603  # the same


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/migrate",
        description="Brings a PostgreSQL to this version's schema: with the Supabase CLI where it is, else itself.",
    )
    parser.add_argument("--url", help="postgresql://USER:PASSWORD@HOST:PORT/DATABASE [DATABASE_URL]")
    parser.add_argument("--status", action="store_true", help="say what is applied; exit status 1 if something is not")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
