"""Migrations go forward, each as a whole, over the history that the Supabase CLI keeps."""

import asyncio
import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from scripts.migrations import FOLDER, Migration, MigrationError, apply, migrations_of, missing_of
from scripts.supabase_processes import PROJECT
from server.storage.supabase.versions import VERSIONS
from tests.contracts.storage.catalogue import dump, fill
from tests.scripts.supabase_cli import LAST_VERSIONS, folder_of_cli
from tests.supabase_stack import RunningStack

ALL = migrations_of(FOLDER)


@pytest.fixture(params=["system", "wheel"])
def stack(request: pytest.FixtureRequest) -> RunningStack:
    found: RunningStack = request.getfixturevalue(f"{request.param}_stack")
    return found


@pytest.fixture
async def url(stack: RunningStack) -> AsyncIterator[str]:
    """A database of the project without any migration."""
    admin = await asyncpg.connect(stack.stack.admin_url)
    await admin.execute("create database fresh owner postgres")
    try:
        inside = await asyncpg.connect(f"{stack.stack.admin_url.removesuffix('/postgres')}/fresh")
        await inside.execute(PROJECT.read_text())
        await inside.close()
        yield stack.stack.database_url.removesuffix("/postgres") + "/fresh"
    finally:
        await admin.execute("drop database fresh with (force)")
        await admin.close()


async def rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def test_the_server_knows_every_migration() -> None:
    assert sorted(VERSIONS) == [migration.version for migration in ALL]


@pytest.mark.parametrize("migration", ALL, ids=lambda migration: migration.name)
def test_each_file_ends_with_its_own_version(migration: Migration) -> None:
    """Without that its functions are open to everybody, and the server does not find it."""
    assert migration.statements[-1] == f"select absfin.complete_migration('{migration.version}')"


async def test_a_second_run_does_nothing(url: str) -> None:
    assert await missing_of(url, ALL) == ALL
    assert await apply(url, ALL) == ALL
    assert await apply(url, ALL) == []
    assert await missing_of(url, ALL) == []
    kept = await rows(url, "select * from supabase_migrations.schema_migrations order by version")
    assert [(row["version"], row["name"], row["statements"]) for row in kept] == [
        (migration.version, migration.name, migration.statements) for migration in ALL
    ]


async def test_each_goes_on_from_the_one_before_with_data_in_it(stack: RunningStack, url: str) -> None:
    """What was stored before a migration is there after it: rows of every table, compared column by column."""
    admin = await asyncpg.connect(f"{stack.stack.admin_url.removesuffix('/postgres')}/fresh")
    try:
        before: Mapping[str, list[dict[str, Any]]] = {}
        for migration in ALL:
            await apply(url, [other for other in ALL if other.version <= migration.version])
            after = await dump(admin)
            for table, kept in before.items():
                same = [{name: row[name] for name in kept[0]} for row in after[table]] if kept else []
                assert same == kept, (migration.name, table)
            await admin.reload_schema_state()
            await fill(admin, ["users/a", "users/b"])
            before = await dump(admin)
            assert all(before.values()), migration.name
    finally:
        await admin.close()


async def test_two_runs_at_once(url: str) -> None:
    found = await asyncio.gather(apply(url, ALL), apply(url, ALL))
    assert sorted(map(len, found)) == [0, len(ALL)]


async def test_what_fails_leaves_nothing(url: str) -> None:
    await apply(url, ALL)
    bad = Migration("29990101000000", "bad", "create table absfin.half (a int); select 1 / 0;")
    with pytest.raises(MigrationError, match="29990101000000_bad cannot be applied, and nothing of it was: division"):
        await apply(url, [*ALL, bad])
    assert await rows(url, "select 1 from pg_tables where tablename = 'half'") == []
    assert await missing_of(url, [*ALL, bad]) == [bad]


async def test_a_table_without_row_level_security_is_refused(url: str) -> None:
    script = "create table absfin.open (a int); select absfin.complete_migration('29990101000000');"
    with pytest.raises(MigrationError, match=r"table absfin\.open has no row level security"):
        await apply(url, [*ALL, Migration("29990101000000", "open", script)])


async def test_a_file_that_was_changed(url: str) -> None:
    await apply(url, ALL)
    first, *others = ALL
    with_comment = dataclasses.replace(first, script=f"-- another comment\n{first.script}")
    assert await missing_of(url, [with_comment, *others]) == []
    changed = dataclasses.replace(first, script=f"{first.script}\nselect 2;")
    for run in (apply, missing_of):
        with pytest.raises(MigrationError, match=f"{first.version}_base was changed after it was applied"):
            await run(url, [changed, *others])


async def test_a_database_of_a_newer_version(url: str) -> None:
    newer = Migration("29990101000000", "newer", "select absfin.complete_migration('29990101000000');")
    await apply(url, [*ALL, newer])
    with pytest.raises(MigrationError, match="the database has 29990101000000, which this version does not know"):
        await apply(url, ALL)


async def test_a_file_that_comes_too_late(url: str) -> None:
    await apply(url, ALL)
    with pytest.raises(MigrationError, match=r"20200101000000 comes before .*, which is applied"):
        await apply(url, [Migration("20200101000000", "late", "select 1;"), *ALL])


async def test_migrations_of_others_are_left_alone(url: str) -> None:
    """A project has migrations of its own in the same history, of which this folder knows nothing."""
    await apply(url, ALL)
    connection = await asyncpg.connect(url)
    await connection.execute("insert into supabase_migrations.schema_migrations values ('29990101000000', null, 'own')")
    await connection.close()
    assert await apply(url, ALL) == []


async def test_the_history_of_the_cli(url: str) -> None:
    """The CLI keeps statements as they are in the file, comments and all, and older ones keep none."""
    await apply(url, ALL)
    connection = await asyncpg.connect(url)
    update = "update supabase_migrations.schema_migrations set statements = $1 where version = $2"
    await connection.execute(update, [f"-- a comment\n{part};" for part in ALL[0].statements], ALL[0].version)
    await connection.execute(update, None, ALL[-1].version)
    await connection.close()
    assert await apply(url, ALL) == []


def test_statements() -> None:
    script = """-- first; not the end
create function f() returns text language sql as $x$ select ';' || $$;$$ $x$; /* ; */
insert into t values ('it''s; here', "a;b"); select 1 - 2 / 1, $1
"""
    assert Migration("1", "x", script).statements == [
        "create function f() returns text language sql as $x$ select ';' || $$;$$ $x$",
        "insert into t values ('it''s; here', \"a;b\")",
        "select 1 - 2 / 1, $1",
    ]


@pytest.mark.parametrize(("names", "cause"), [
    (["1_x.sql"], "1_x.sql must be named YYYYMMDDhhmmss_name.sql"),
    (["20260101000000_a.sql", "20260101000000_b.sql"], "two files have the version 20260101000000"),
])  # fmt: skip
def test_names_of_files(tmp_path: Path, names: list[str], cause: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(MigrationError, match=cause):
        migrations_of(tmp_path)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.migrations", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin", **environment}
    )


async def test_the_command(url: str) -> None:
    status = await asyncio.to_thread(run, "--status", "--url", url)
    assert (status.returncode, status.stdout.splitlines()[0]) == (1, f"missing  {ALL[0].version}_base")
    done = await asyncio.to_thread(run, DATABASE_URL=url)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(ALL)), done.stderr
    status = await asyncio.to_thread(run, "--status", "--url", url)
    assert (status.returncode, status.stdout.splitlines()[-1]) == (0, f"applied  {ALL[-1].version}_{ALL[-1].name}")


def test_the_command_without_a_database() -> None:
    assert run().stderr == "migrate: name the database: --url postgresql://..., or DATABASE_URL\n"
    for wrong in ("postgresql://nobody:secret@127.0.0.1:1/x", "nonsense"):
        done = run("--url", wrong)
        assert done.returncode == 1
        assert done.stderr.startswith("migrate: the database cannot be reached: ")
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr


def program(folder: Path, version: str) -> Path:
    """A program that is called like the CLI, and notes how it was called."""
    made = folder / "supabase"
    made.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo {version}; exit; fi\n'
        f'echo "$@" > {folder}/called; pwd >> {folder}/called; exit 7\n'
    )
    made.chmod(0o755)
    return folder / "called"


@pytest.mark.parametrize(("version", "database"), [("2.122.1", "--db-url "), ("3.1.0", "--remote=")])
async def test_how_the_cli_is_called(url: str, tmp_path: Path, version: str, database: str) -> None:
    called = program(tmp_path, version)
    done = await asyncio.to_thread(run, "--url", url, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 7, "its exit status is ours"
    line, folder = called.read_text().splitlines()
    assert line == f"migration up {database}{url} --include-all --yes"
    assert Path(folder) == FOLDER.parents[1]


async def test_the_cli_is_not_called_for_what_it_would_do_wrong(url: str, tmp_path: Path) -> None:
    """It would pass over a file that was changed, and refuse a project that has migrations of its own."""
    called, path = program(tmp_path, "3.1.0"), f"{tmp_path}:/usr/bin:/bin"
    await apply(url, ALL[:-1])
    connection = await asyncpg.connect(url)
    try:
        statements = "update supabase_migrations.schema_migrations set statements = $1 where version = $2"
        await connection.execute(statements, ["select 1"], ALL[0].version)
        done = await asyncio.to_thread(run, "--url", url, PATH=path)
        assert (done.returncode, "was changed after it was applied" in done.stderr) == (1, True)
        await connection.execute(statements, None, ALL[0].version)
        own = "insert into supabase_migrations.schema_migrations values ('20250101000000', null, 'own')"
        await connection.execute(own)
    finally:
        await connection.close()
    done = await asyncio.to_thread(run, "--url", url, PATH=path)
    assert (done.returncode, done.stdout) == (0, f"applied  {ALL[-1].version}_{ALL[-1].name}\n"), done.stderr
    done = await asyncio.to_thread(run, "--url", url, PATH=path)
    assert (done.returncode, done.stdout) == (0, ""), "nothing is missing"
    assert not called.exists()


@pytest.mark.parametrize("version", LAST_VERSIONS)
async def test_the_cli_and_the_runner_go_on_from_each_other(url: str, tmp_path: Path, version: str) -> None:
    """The genuine CLI: the same schema and the same history, whoever applied which part."""
    path = f"{folder_of_cli(version)}:{os.environ['PATH']}"
    await apply(url, ALL[:5])
    # Version 2 wants an encrypted connection unless the address says otherwise.
    given = ("--url", f"{url}?sslmode=disable")
    done = await asyncio.to_thread(run, *given, PATH=path, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"Applying migration {ALL[-1].version}_{ALL[-1].name}.sql" in done.stderr, "it was the CLI"
    kept = await rows(url, "select * from supabase_migrations.schema_migrations order by version")
    assert [(row["version"], row["name"], len(row["statements"])) for row in kept] == [
        (one.version, one.name, len(one.statements)) for one in ALL
    ]
    assert await missing_of(url, ALL) == [], "none of the files counts as changed"
    by_cli = await schema_of(url)
    await forget_all(url)
    assert await apply(url, ALL) == ALL
    assert await schema_of(url) == by_cli
    done = await asyncio.to_thread(
        subprocess.run,
        ["supabase", "migration", "up", "--db-url", given[1], "--include-all", "--yes"],
        cwd=FOLDER.parents[1], capture_output=True, text=True, timeout=60, env={"PATH": path, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout + done.stderr, "it finds the history of the runner complete"
    assert "Applying" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", LAST_VERSIONS)
async def test_what_fails_under_the_cli_leaves_nothing(url: str, tmp_path: Path, version: str) -> None:
    path = f"{folder_of_cli(version)}:{os.environ['PATH']}"
    folder = tmp_path / "supabase"
    (folder / "migrations").mkdir(parents=True)
    shutil.copy(FOLDER.parent / "config.toml", folder)
    shutil.copy(FOLDER / f"{ALL[0].version}_{ALL[0].name}.sql", folder / "migrations")
    (folder / "migrations" / "29990101000000_bad.sql").write_text("create table absfin.half (a int); select 1 / 0;")
    done = await asyncio.to_thread(
        subprocess.run,
        ["supabase", "migration", "up", "--db-url", f"{url}?sslmode=disable", "--include-all", "--yes"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, env={"PATH": path, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode, done.stdout
    assert "division by zero" in done.stderr
    assert await rows(url, "select 1 from pg_tables where tablename = 'half'") == []
    assert await apply(url, ALL) == ALL[1:], "the runner goes on where it stopped"


SCHEMA = (
    """
    select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid), a.attacl
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'absfin'::regnamespace and a.attnum > 0
    """,
    """
    select 'table', relname, relkind::text, relrowsecurity, relowner::regrole::text, relacl
    from pg_class where relnamespace = 'absfin'::regnamespace
    """,
    """
    select 'rule', conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'absfin'::regnamespace
    """,
    "select 'policy', tablename, policyname, roles, cmd, qual, with_check from pg_policies where schemaname = 'absfin'",
    """
    select 'function', pg_get_functiondef(oid), proowner::regrole::text, proacl from pg_proc
    where pronamespace = 'absfin'::regnamespace and prokind = 'f'
    """,
    """
    select 'trigger', pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'absfin'::regnamespace and not tgisinternal
    """,
    "select 'index', indexdef from pg_indexes where schemaname = 'absfin'",
)


async def schema_of(url: str) -> list[str]:
    """Columns, rules, policies, functions, and who may do what with them, as the catalogue describes them."""
    return sorted([str(tuple(row)) for query in SCHEMA for row in await rows(url, query)])


async def forget_all(url: str) -> None:
    """Takes the schema and the history away."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("drop schema absfin cascade; drop schema supabase_migrations cascade")
    finally:
        await connection.close()
