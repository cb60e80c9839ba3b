"""What every store of the audit log promises: order, owners, pages, filters, and that nothing in it changes."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from domain.errors import InvalidInput
from server.ports.audit import AuditEvent, AuditFilter, AuditRecord
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.settings import DATABASE_NAME
from tests.contracts.storage.conftest import Opened
from tests.supabase_stack import RunningStack

NOW = datetime.now(UTC)
METHOD = "absfinance.v1.PortfolioService/UpdatePortfolio"
ALL = AuditFilter()
A, B = Scope("users/a"), Scope("users/b")
EVERYBODY = Scope("users/a", everyone=True)


def event(owner: str = "users/a", resource: str = "portfolios/main", **changed: object) -> AuditEvent:
    known = AuditEvent(owner, owner, METHOD, resource, "OK", "", "call-1", NOW)
    return replace(known, **changed)  # type: ignore[arg-type]


async def everything(storage: Storage, scope: Scope, limit: int, filters: AuditFilter = ALL) -> list[AuditRecord]:
    """All pages."""
    found: list[AuditRecord] = []
    token = ""
    while True:
        page = await storage.audit.list(scope, token, limit, filters)
        assert len(page.records) <= limit
        found += page.records
        token = page.next_token
        if not token:
            return found


async def test_events_come_back_as_they_were_newest_first_with_numbers_of_their_owner(storage: Storage) -> None:
    odd = event("users/ü\0'", caller="apiKeys/second", code="NOT_FOUND", reason="NOT_FOUND", count=7)
    await storage.audit.append([event(), odd, event(resource="")])
    await storage.audit.append([event(code="")])
    assert await everything(storage, A, 10) == [
        AuditRecord(3, event(code="")),
        AuditRecord(2, event(resource="")),
        AuditRecord(1, event()),
    ]
    assert await everything(storage, Scope(odd.owner), 10) == [AuditRecord(1, odd)]


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_pages_hold_each_event_once_while_others_are_appended(storage: Storage, limit: int) -> None:
    await storage.audit.append([event(f"users/{'ab'[i % 2]}", f"portfolios/{i}") for i in range(5)])
    first = await storage.audit.list(A, "", limit, ALL)
    await storage.audit.append([event(resource="portfolios/later")])
    found, token = list(first.records), first.next_token
    while token:
        page = await storage.audit.list(A, token, limit, ALL)
        found, token = [*found, *page.records], page.next_token
    assert [record.event.resource for record in found] == ["portfolios/4", "portfolios/2", "portfolios/0"]
    # Of an owner's list the token has the owner's number, not that of a row among everybody's.
    assert all(not first.next_token or first.next_token.startswith(f"{r.sequence}.") for r in first.records[-1:])
    everybody = await everything(storage, EVERYBODY, limit)
    assert [record.event.resource for record in everybody] == [
        "portfolios/later",
        *(f"portfolios/{i}" for i in range(4, -1, -1)),
    ]


async def test_an_owner_is_shown_nothing_of_another_by_any_filter(storage: Storage) -> None:
    await storage.audit.append([event(), event("users/b"), event("", caller="", method="", resource="")])
    for filters in (ALL, AuditFilter(caller="users/b"), AuditFilter(resource="portfolios/main"), AuditFilter(METHOD)):
        assert {record.event.owner for record in await everything(storage, A, 10, filters)} <= {"users/a"}
    assert {record.event.owner for record in await everything(storage, EVERYBODY, 10)} == {"users/a", "users/b", ""}


async def test_filters_hold_together(storage: Storage) -> None:
    later = NOW + timedelta(seconds=1)
    other = event(resource="portfolios/x", caller="apiKeys/k", method="m", time=later)
    await storage.audit.append([event(), other])
    for scope in (A, EVERYBODY):
        for filters in (
            AuditFilter(caller="apiKeys/k"),
            AuditFilter(method="m"),
            AuditFilter(resource="portfolios/x"),
            AuditFilter(since=later),
            AuditFilter(caller="apiKeys/k", method="m", resource="portfolios/x", since=later),
        ):
            assert [record.event for record in await everything(storage, scope, 10, filters)] == [other]
        before = await everything(storage, scope, 10, AuditFilter(before=later))
        assert [record.event for record in before] == [event()]
        assert await everything(storage, scope, 10, AuditFilter(method="m", before=later)) == []


async def test_a_token_counts_in_its_own_list_alone(storage: Storage) -> None:
    await storage.audit.append([event(), event(), event("users/b"), event("users/b")])
    token = (await storage.audit.list(A, "", 1, ALL)).next_token
    for scope, given, filters in (
        (B, token, ALL),
        (EVERYBODY, token, ALL),
        (A, token, AuditFilter(method="m")),
        (A, "1", ALL),
        (A, "9" * 19 + token[1:], ALL),
        (A, "²" + token[1:], ALL),
    ):
        with pytest.raises(InvalidInput) as raised:
            await storage.audit.list(scope, given, 1, filters)
        assert raised.value.field == "page_token"


async def test_the_oldest_beyond_what_is_retained_are_removed_and_numbers_go_on(opened: Opened) -> None:
    storage = opened("--audit-events", "1000")
    await storage.audit.append([event(resource=f"portfolios/{i}") for i in range(1003)])
    await storage.cleanup["audit"]()
    found = await everything(storage, A, 1000)
    assert [record.sequence for record in found] == list(range(1003, 3, -1))
    assert found[-1].event.resource == "portfolios/3"
    await storage.audit.append([event()])
    assert (await storage.audit.list(A, "", 1, ALL)).records[0].sequence == 1004


async def test_what_is_older_than_it_is_kept_is_removed(opened: Opened, stack: RunningStack | None) -> None:
    storage = opened("--audit-days", "30", "--audit-events", "0")
    old = event(time=NOW - timedelta(days=31))
    await storage.audit.append([old, event()])
    if stack is not None:
        await _age(stack)
    await storage.cleanup["audit"]()
    assert [record.event for record in await everything(storage, A, 10)] == [event()]


async def _age(stack: RunningStack) -> None:
    """PostgreSQL goes by its own clock: the first row is made older, past the trigger that refuses it."""
    connection = await asyncpg.connect(stack.stack.admin_url)
    try:
        await connection.execute(
            "set session_replication_role = replica; "
            "update absfin.audit_events set stored = stored - interval '31 days' where number = 1"
        )
    finally:
        await connection.close()


CHANGES = (
    "UPDATE {}audit_events SET code = 'NOT_FOUND'",
    "DELETE FROM {}audit_events",
    "DELETE FROM {}audit_events WHERE owner = 'users/b'",
    "UPDATE {}audit_log SET removed = -1",
    "DELETE FROM {}audit_log",
    "DELETE FROM {}audit_owners",
    "UPDATE {}audit_owners SET last = last - 1",
)
TRUNCATIONS = (
    *("TRUNCATE absfin.audit_events", "TRUNCATE absfin.audit_owners", "TRUNCATE absfin.audit_log"),
    "TRUNCATE absfin.portfolios, absfin.audit_events RESTART IDENTITY CASCADE",
)


async def test_nothing_is_changed_or_removed_by_a_statement(
    storage: Storage, stack: RunningStack | None, tmp_path: Path
) -> None:
    """Neither by one who may write to the whole database."""
    await storage.audit.append([event(), event("users/b")])
    if stack is None:
        connection = sqlite3.connect(tmp_path / DATABASE_NAME)
        for text in CHANGES:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(text.format(""))
            connection.rollback()
        connection.close()
    else:
        database = await asyncpg.connect(stack.stack.admin_url)
        try:
            await database.execute("insert into absfin.audit_log default values on conflict do nothing")
            for text in (*CHANGES, *TRUNCATIONS):
                with pytest.raises(asyncpg.RaiseError, match="append-only"):
                    await database.execute(text.format("absfin."))
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await database.execute("select absfin.delete_old_audit_events(0.5, 0, 10)")
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await database.execute("select absfin.delete_old_audit_events(0, 1, 10)")
            rights = await database.fetch(
                "select grantee, table_name, privilege_type from information_schema.role_table_grants "
                "where table_schema = 'absfin' and table_name in ('audit_events', 'audit_owners', 'audit_log') "
                "and grantee in ('PUBLIC', 'anon', 'authenticated', 'service_role')"
            )
            assert rights == []
        finally:
            await database.close()
    assert len(await everything(storage, EVERYBODY, 10)) == 2
