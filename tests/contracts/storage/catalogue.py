"""The schema as the catalogue of PostgreSQL has it, and rows for every table that is in it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import asyncpg

WRITTEN_BY_MIGRATIONS = ("migrations",)


@dataclass(frozen=True)
class Column:
    """A column that a row must give a value."""

    name: str
    type: str
    parent: str = ""  # table and column that it refers to
    parent_column: str = ""
    allowed: str = ""  # one of the texts that a check allows


@dataclass(frozen=True)
class Table:
    """A table of the schema."""

    name: str
    columns: tuple[Column, ...]
    all_names: tuple[str, ...]

    @property
    def parents(self) -> set[str]:
        """Tables that its required columns refer to."""
        return {column.parent for column in self.columns if column.parent and column.parent != self.name}


VALUES: Mapping[str, object] = {
    "boolean": True, "jsonb": "{}", "json": "{}", "double precision": 1.0, "numeric": 1, "bytea": bytes(32),
}  # fmt: skip


PARTICULAR: Mapping[tuple[str, str], Callable[[int], object]] = {
    ("price_revisions", "position"): lambda number: number + 1,  # finished: before that nobody sees it
    ("price_chunks", "sha256"): lambda _: sha256(bytes(32)).digest(),
    ("backtests", "state"): lambda _: "SUCCEEDED",  # before that its series do not count
}
"""Columns whose value a rule of the schema asks for, by the number of the row."""


async def tables_of(connection: asyncpg.Connection) -> list[Table]:
    """Every table, those first that others refer to."""
    found: dict[str, Table] = {}
    names = await connection.fetch(
        "select oid, relname from pg_class where relnamespace = 'absfin'::regnamespace and relkind in ('r', 'p')"
    )
    for oid, name in names:
        all_names = await connection.fetch(
            "select attname from pg_attribute where attrelid = $1 and attnum > 0 and not attisdropped", oid
        )
        found[name] = Table(name, tuple(await _columns(connection, oid)), tuple(row[0] for row in all_names))
    ordered: list[Table] = []
    while found:
        ready = [table for table in found.values() if table.parents.isdisjoint(found)]
        assert ready, f"tables refer to each other: {sorted(found)}"
        for table in sorted(ready, key=lambda table: table.name):
            ordered.append(found.pop(table.name))
    return ordered


async def _columns(connection: asyncpg.Connection, oid: int) -> list[Column]:
    """Those that a row must have, and those that refer to another table."""
    rows = await connection.fetch(
        """
        select a.attname as name, format_type(a.atttypid, null) as type, a.attnotnull as required,
          a.atthasdef or a.attidentity <> '' as filled, k.confrelid::regclass::text as parent,
          f.attname as parent_column
        from pg_attribute a
        left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'f' and a.attnum = any (k.conkey)
        left join pg_attribute f
          on f.attrelid = k.confrelid and f.attnum = k.confkey[array_position(k.conkey, a.attnum)]
        where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum
        """,
        oid,
    )
    checks = await connection.fetch(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1 and contype = 'c'", oid
    )
    allowed: dict[str, str] = {}
    for (check,) in checks:
        if match := re.match(r"CHECK \(\((\w+) = ANY \(ARRAY\['([^']*)'", check):
            allowed[match[1]] = match[2]
    unique: dict[str, Column] = {}
    for row in rows:
        if row["required"] and (row["parent"] or not row["filled"]):
            parent = (row["parent"] or "").removeprefix("absfin.")
            unique.setdefault(
                row["name"],
                Column(row["name"], row["type"], parent, row["parent_column"] or "", allowed.get(row["name"], "")),
            )
    return list(unique.values())


async def fill(connection: asyncpg.Connection, owners: Sequence[str]) -> None:
    """A row of each owner in every table that has none; the connection must be that of a superuser.

    Where a table has no column `owner`, a row belongs to the owner of the row that it refers to.
    """
    rows: dict[tuple[str, int], Mapping[str, Any]] = {}
    for table in await tables_of(connection):
        if table.name in WRITTEN_BY_MIGRATIONS:
            continue
        there = await connection.fetch(f"select * from absfin.{table.name} order by ctid limit {len(owners)}")  # noqa: S608
        for number, owner in enumerate(owners):
            if there:
                rows[table.name, number] = dict(there[min(number, len(there) - 1)])
                continue
            values = {column.name: _value(column, number, owner, rows) for column in table.columns}
            if "owner" in table.all_names:
                values["owner"] = owner
            values |= {name: of(number) for (known, name), of in PARTICULAR.items() if known == table.name}
            rows[table.name, number] = await _insert(connection, table, values, number)


def _value(column: Column, number: int, owner: str, rows: Mapping[tuple[str, int], Mapping[str, Any]]) -> object:
    if column.parent and (column.parent, number) in rows:
        return rows[column.parent, number][column.parent_column]
    if column.name == "owner":
        return owner
    if column.allowed:
        return column.allowed
    if column.type.endswith("[]"):
        return []
    if column.type in ("smallint", "integer", "bigint"):
        return number + 1
    if column.type == "uuid":
        return f"00000000-0000-4000-8000-{number:012}"
    if column.type.startswith(("timestamp", "date")):
        return None
    return VALUES.get(column.type, f"{column.name}-{number}")


async def _insert(
    connection: asyncpg.Connection, table: Table, values: Mapping[str, object], number: int
) -> Mapping[str, Any]:
    """Inserts a row; a time that must be given is now."""
    types = {column.name: column.type for column in table.columns}
    given = {name: value for name, value in values.items() if value is not None}
    texts = [f"${place}" if name not in types or types[name] != "jsonb" else f"${place}::jsonb"
             for place, name in enumerate(given, 1)]  # fmt: skip
    now = [name for name, value in values.items() if value is None]
    names = ", ".join((*given, *now))
    slots = ", ".join((*texts, *("now()" for _ in now)))
    statement = f"insert into absfin.{table.name} ({names}) values ({slots}) returning *"  # noqa: S608
    if not names:
        statement = f"insert into absfin.{table.name} default values returning *"  # noqa: S608
    try:
        row = await connection.fetchrow(statement, *given.values())
    except asyncpg.UniqueViolationError:
        row = await connection.fetchrow(f"select * from absfin.{table.name} limit 1")  # noqa: S608  # one row for all
    except asyncpg.PostgresError as error:
        raise AssertionError(f"no row for {table.name}: {error}: {values}") from error
    return dict(row)


async def dump(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but those that migrations write."""
    return {
        table.name: [
            dict(row)
            for row in await connection.fetch(f"select * from absfin.{table.name} t order by t::text")  # noqa: S608
        ]
        for table in await tables_of(connection)
        if table.name not in WRITTEN_BY_MIGRATIONS
    }
