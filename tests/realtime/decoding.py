"""Inserted rows of one table, from the log of PostgreSQL by logical decoding with its own plugin test_decoding."""

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Self

import asyncpg

COLUMN = re.compile(r"([\w\"]+)\[([^\]]+)\]:('(?:[^']|'')*'|\S+)")

READ = "select data from pg_logical_slot_get_changes($1, null, null, 'include-xids', '0', 'skip-empty-xacts', '1')"


@dataclass(frozen=True, slots=True)
class Row:
    """An inserted row as texts, and the types of its columns."""

    types: Mapping[str, str]
    values: Mapping[str, str | None]


class Decoder:
    """A slot that ends with its connection: what is written while there is none is not decoded later."""

    def __init__(self, connection: asyncpg.Connection, slot: str, table: str) -> None:
        self._connection = connection
        self._slot = slot
        self._begin = f"table {table}: INSERT: "

    @classmethod
    async def open(cls, url: str, table: str) -> Self:
        """Waits for the transactions that are open."""
        connection = await asyncpg.connect(url)
        slot = f"realtime_{secrets.token_hex(8)}"
        await connection.execute("select pg_create_logical_replication_slot($1, 'test_decoding', true)", slot)
        return cls(connection, slot, table)

    async def rows(self) -> AsyncIterator[Row]:
        """Rows that were committed since the last time, in the order of commits."""
        for record in await self._connection.fetch(READ, self._slot):
            line: str = record["data"]
            if line.startswith(self._begin):
                yield row_of(line.removeprefix(self._begin))


def row_of(text: str) -> Row:
    """A row from `id[bigint]:1 name[text]:'it''s' field[text]:null`."""
    found = COLUMN.findall(text)
    return Row({name: kind for name, kind, _ in found}, {name: _value(value) for name, _, value in found})


def _value(text: str) -> str | None:
    if text == "null":
        return None
    return text[1:-1].replace("''", "'") if text.startswith("'") else text
