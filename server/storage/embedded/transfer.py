"""Rows of SQLite for a copy of the store."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from server.ports import transfer as port
from server.ports.changes import ChangeKind
from server.ports.transfer import PAGE_BYTES, Place, TransferRow, TransferTable, UsedByResult, Value
from server.storage.embedded.api_keys import PEPPER_NAME, kept_pepper
from server.storage.embedded.change_rows import record_change
from server.storage.embedded.correction_rows import ROW_BYTES as USED_BYTES
from server.storage.embedded.database import Database
from server.storage.embedded.transfer_statements import INSERTS, SELECTS
from server.storage.embedded.transfer_used import put_used_results, used_results
from server.storage.job_inputs import actions_of, actions_to_json, inputs_of, inputs_to_json
from server.storage.texts import kept_text, text_of_kept

ROW_BYTES = 4096
"""What a row takes beside its content, at most about."""

Fields = dict[str, Any]


class EmbeddedTransfer:
    """The rows of one data folder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, table: TransferTable, after: Place, limit: int) -> Sequence[TransferRow]:
        """Rows after a place."""
        return await self._database.read(partial(_rows, table=table, after=after, limit=limit))

    async def put(self, table: TransferTable, rows: Sequence[TransferRow]) -> None:
        """Stores rows in one transaction."""
        needed = sum(row.size + ROW_BYTES for row in rows)
        await self._database.write(partial(_put, table=table, rows=rows), needed)

    async def used(self, table: TransferTable, after: Place, limit: int) -> Sequence[UsedByResult]:
        """What results have used."""
        return await self._database.read(partial(used_results, table=table.name, after=after, limit=limit))

    async def put_used(self, table: TransferTable, results: Sequence[UsedByResult]) -> None:
        """Keeps what results have used, in one transaction."""
        needed = sum((len(one.ranges) + 1) * USED_BYTES for one in results)
        await self._database.write(partial(put_used_results, table=table.name, results=results), needed)

    async def keep_secret(self, secret: bytes) -> bytes:
        """The secret of API keys, this one where there was none."""
        return await asyncio.to_thread(kept_pepper, self._database.path.with_name(PEPPER_NAME), secret)


def _rows(connection: sqlite3.Connection, table: TransferTable, after: Place, limit: int) -> list[TransferRow]:
    cursor = connection.execute(SELECTS[table.name], (*after, limit))
    names = [column[0] for column in cursor.description]
    convert = _READ.get(table.name, _as_it_is)
    found: list[TransferRow] = []
    size = 0
    for values in cursor:
        fields = convert(dict(zip(names, values, strict=True)))
        row = TransferRow(tuple(fields[name] for name, _ in table.place), _values(table, fields))
        found.append(row)
        size += row.size
        if size >= PAGE_BYTES:
            break
    cursor.close()
    return found


def _values(table: TransferTable, fields: Fields) -> tuple[Value, ...]:
    return tuple(fields[name] for name, _ in table.columns)


def _put(connection: sqlite3.Connection, table: TransferTable, rows: Sequence[TransferRow]) -> None:
    names = [name for name, _ in (*table.place, *table.columns)]
    convert = _WRITTEN.get(table.name, _as_it_is)
    for row in rows:
        fields = convert(dict(zip(names, (*row.place, *row.values), strict=True)))
        for statement in INSERTS[table.name]:
            if connection.execute(statement, fields).rowcount == 0:
                break  # something else is there: nothing is added to it
        else:
            if table.name in _CHANGES:
                record_change(connection, _CHANGES[table.name], fields["owner"], fields["id"])


def _as_it_is(fields: Fields) -> Fields:
    return fields


def _read_fill(fields: Fields) -> Fields:
    return {
        **fields,
        "fill_id": text_of_kept(fields["fill_id"]),
        "symbol": text_of_kept(fields["symbol"]),
        "is_open": bool(fields["is_open"]),
        "disallows": tuple(sorted(text_of_kept(one) for one in json.loads(fields["disallows"]))),
    }


def _written_fill(fields: Fields) -> Fields:
    return {
        **fields,
        "fill_id": kept_text(fields["fill_id"]),
        "symbol": kept_text(fields["symbol"]),
        "disallows": json.dumps([kept_text(one) for one in fields["disallows"]]),
    }


def _read_backtest(fields: Fields) -> Fields:
    inputs = inputs_of(fields["inputs"])
    return {
        **fields,
        **_stage_of(fields["stage"]),
        # In today's words, whichever version wrote them.
        "inputs": inputs_to_json(replace(inputs, actions=())),
        "actions": actions_to_json(inputs.actions),
    }


def _written_backtest(fields: Fields) -> Fields:
    inputs = replace(inputs_of(fields["inputs"]), actions=actions_of(fields["actions"]))
    return {**fields, "stage": _stage_to_json(fields), "inputs": inputs_to_json(inputs)}


def _read_event(fields: Fields) -> Fields:
    return {**fields, **_stage_of(fields["stage"])}


def _written_event(fields: Fields) -> Fields:
    return {**fields, "stage": _stage_to_json(fields)}


def _stage_of(text: str) -> Fields:
    """The stage of a job or an event, and the figures of its decision, which an event has after them."""
    known = json.loads(text) if text else []
    names = ("stage_label", "stage_index", "stage_count", "benefit_annual", "cost_annual")
    return dict(zip(names, [*known, *[None] * (len(names) - len(known))], strict=True))


def _stage_to_json(fields: Fields) -> str:
    if fields["stage_label"] is None:
        return ""
    stage = [fields["stage_label"], fields["stage_index"], fields["stage_count"]]
    if fields.get("benefit_annual") is not None:
        stage += [fields["benefit_annual"], fields["cost_annual"]]
    return json.dumps(stage)


_CHANGES: Mapping[str, ChangeKind] = {
    port.PORTFOLIOS.name: ChangeKind.PORTFOLIO,
    port.OPTIMIZATIONS.name: ChangeKind.OPTIMIZATION,
    port.REALLOCATIONS.name: ChangeKind.REALLOCATION,
    port.BACKTESTS.name: ChangeKind.BACKTEST,
}

_READ: Mapping[str, Callable[[Fields], Fields]] = {
    port.FILLS.name: _read_fill,
    port.BACKTESTS.name: _read_backtest,
    port.EVENTS.name: _read_event,
}

_WRITTEN: Mapping[str, Callable[[Fields], Fields]] = {
    port.FILLS.name: _written_fill,
    port.BACKTESTS.name: _written_backtest,
    port.EVENTS.name: _written_event,
}
