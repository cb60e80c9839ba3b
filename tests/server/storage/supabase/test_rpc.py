"""Calls of functions: what answers mean, when a call is made again, and how long it may take."""

import asyncio
import contextlib
import json
import pickle
import threading
import time
from collections.abc import AsyncIterator, Callable, ItemsView, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from domain.errors import InvalidInput
from scripts.free_port import free_port
from server.ports.deadline import call_deadline
from server.ports.errors import (
    AlreadyExists,
    EtagMismatch,
    LostClaim,
    NotFound,
    Overloaded,
    RequestIdReused,
    StillRunning,
    StorageFull,
    StorageUnavailable,
)
from server.storage.supabase.access import LARGE_BYTES, Access, bytes_of, is_large, read_in_thread_if_large, text_of
from server.storage.supabase.errors import FunctionRefused
from server.storage.supabase.rpc import Rpc, SyncRpc
from tests.supabase_stack import RunningStack

FUNCTIONS = Path(__file__).with_name("functions.sql")


@pytest.fixture(scope="module")
def stack(wheel_stack: RunningStack) -> Iterator[RunningStack]:
    """With functions of this test beside those of the schema, for as long as it runs."""

    async def run(script: str) -> None:
        connection = await asyncpg.connect(wheel_stack.stack.database_url)
        await connection.execute(script)
        await connection.execute("notify pgrst, 'reload schema'")
        await connection.close()

    asyncio.run(run(FUNCTIONS.read_text()))
    with httpx.Client(trust_env=False) as client:
        until(lambda: client.post(
            f"{wheel_stack.stack.url}/rest/v1/rpc/test_echo", json={"p_value": 1},
            headers={"apikey": wheel_stack.stack.secret_key, "Content-Profile": "absfin"},
        ).is_success)  # fmt: skip
    yield wheel_stack
    asyncio.run(run("do $$ declare f regprocedure; begin for f in select oid from pg_proc where proname like 'test!_%' "
                    "escape '!' loop execute format('drop function %s', f); end loop; end $$"))  # fmt: skip


def until(found: Callable[[], bool], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.fixture
async def rpc(stack: RunningStack) -> AsyncIterator[Rpc]:
    opened = Rpc(Access(stack.stack.url, stack.stack.secret_key))
    yield opened
    await opened.close()


@pytest.fixture
def sync_rpc(stack: RunningStack) -> Iterator[SyncRpc]:
    opened = SyncRpc(Access(stack.stack.url, stack.stack.service_key))
    yield opened
    opened.close()


VALUES = [None, 1, 0.1, "text ü \\ \" ' \n", [1, [2]], {"a": None, "b": []}, True, 12345678901234567890, "x" * 600_000]


class Watched(dict[str, str]):
    """Notes the threads in which it is written as JSON."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.threads: set[int] = set()

    def items(self) -> ItemsView[str, str]:  # type: ignore[override]  # of a dict: a view as well
        self.threads.add(threading.get_ident())
        return super().items()


async def test_what_is_large_is_written_and_read_in_a_thread(rpc: Rpc) -> None:
    """Also where it lies deeper, as a request within a job."""
    loop = threading.get_ident()
    small, large = Watched(text="x"), Watched(text="x" * LARGE_BYTES)
    assert await rpc.call("test_echo", p_value=small) == small
    assert await rpc.call("test_echo", p_value=[1, [large]]) == [1, [large]]
    assert loop in small.threads
    assert large.threads - {loop} == large.threads != set()
    assert await read_in_thread_if_large(lambda _: threading.get_ident(), b"x") == loop
    assert await read_in_thread_if_large(lambda _: threading.get_ident(), bytes(LARGE_BYTES)) != loop


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * LARGE_BYTES, True),
        (["x" * 10] * 30_000, True),
        ([1.5] * 40_000, True),
        ([["A", 1, "SPLIT", 2.0, None]] * 9_000, True),
        ({"a": {"b": ["x" * (LARGE_BYTES - 100)]}}, False),
        ([["A", 1, "SPLIT", 2.0, None]] * 1_000, False),
        (None, False),
    ],
)
def test_how_much_there_is_to_write_is_estimated(value: object, expected: bool) -> None:
    assert is_large({"p": value}) is expected


async def test_values_and_bytes_come_back_as_they_were(rpc: Rpc, sync_rpc: SyncRpc) -> None:
    for value in VALUES:
        assert await rpc.call("test_echo", p_value=value) == value
        assert sync_rpc.call("test_echo", p_value=value) == value
    for size in (0, 1, 255, 3_000_000):
        content = bytes(range(256)) * (size // 256 + 1)
        content = content[:size]
        assert await rpc.read_bytes("test_bytes", p_text=text_of(content)) == content
        assert sync_rpc.read_bytes("test_bytes", p_text=text_of(content)) == content
        assert bytes_of(await rpc.send_bytes("test_taken", content)) == content
    assert await rpc.read_bytes("test_bytes", p_text=None) == b""
    assert await rpc.call("test_nothing") is None


REFUSALS = [
    ("NOT_FOUND", {"kind": "portfolio", "name": "portfolios/x"}, NotFound, "there is no portfolio portfolios/x"),
    ("ALREADY_EXISTS", {"kind": "portfolio", "name": "portfolios/x"}, AlreadyExists, "portfolios/x exists already"),
    ("REQUEST_ID_REUSED", {"request_id": "r"}, RequestIdReused, "'r' was used before"),
    ("ETAG_MISMATCH", {"message": "it changed", "etag": "7"}, EtagMismatch, "it changed"),
    ("STILL_RUNNING", {"message": "it runs"}, StillRunning, "it runs"),
    ("OVERLOADED", {"message": "too many"}, Overloaded, "too many"),
    ("STORAGE_FULL", {"message": "no room"}, StorageFull, "no room"),
    ("INVALID_INPUT", {"field": "page_token", "rule": "is none"}, InvalidInput, "page_token: is none"),
    ("LOST_CLAIM", {}, LostClaim, ""),
]


@pytest.mark.parametrize(("reason", "detail", "kind", "text"), REFUSALS, ids=lambda value: str(value)[:20])
async def test_refusals(
    rpc: Rpc, sync_rpc: SyncRpc, reason: str, detail: dict[str, str], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as raised:
        await rpc.call("test_refuse", p_reason=reason, p_detail=detail)
    assert str(raised.value).startswith(text)
    with pytest.raises(kind):
        sync_rpc.call("test_refuse", p_reason=reason, p_detail=detail)
    with pytest.raises(kind):
        await rpc.read_bytes("test_refuse_bytes", p_reason=reason, p_detail=detail)


async def test_a_reason_that_one_store_knows(rpc: Rpc) -> None:
    with pytest.raises(FunctionRefused) as raised:
        await rpc.call("test_refuse", p_reason="SUPERSEDED", p_detail={"by": 3})
    assert (raised.value.reason, raised.value.detail) == ("SUPERSEDED", {"by": 3})


STATES = [
    ("53100", StorageFull, "the disk of the database is full"),
    ("25006", StorageFull, "the disk of the database is full"),
    ("54000", StorageFull, "larger than what the store takes in one piece"),
    ("57014", StorageUnavailable, "took too long for one step"),
    ("42501", StorageUnavailable, "does not accept the key"),
    ("42P01", StorageUnavailable, "run scripts/migrate"),
    ("22003", StorageUnavailable, "the log of the server says why"),
]


@pytest.mark.parametrize(("state", "kind", "text"), STATES)
async def test_errors_of_the_database(rpc: Rpc, state: str, kind: type[Exception], text: str) -> None:
    began = time.monotonic()
    with pytest.raises(kind, match=text) as raised:
        await rpc.call("test_state", p_state=state)
    assert "secret detail" not in str(raised.value)
    assert time.monotonic() - began < 3  # none of them is made again


@pytest.mark.parametrize("state", ["40001", "40P01", "53300", "55P03", "57P01", "08006"])
async def test_what_passes_is_called_again(rpc: Rpc, sync_rpc: SyncRpc, state: str) -> None:
    """A conflict of two transactions fails twice here, and the third try goes through."""
    for call in (rpc.call, lambda name, **arguments: asyncio.to_thread(sync_rpc.call, name, **arguments)):
        await rpc.call("test_reset")
        assert await call("test_third_time", p_state=state) == 3


async def test_an_unknown_function_and_a_wrong_key(rpc: Rpc, stack: RunningStack) -> None:
    with pytest.raises(StorageUnavailable, match="run scripts/migrate"):
        await rpc.call("none_of_that_name")
    for key, text in (
        ("sb_secret_wrong", "does not accept the key"),
        (stack.stack.anon_key, "does not accept the key"),
    ):
        other = Rpc(Access(stack.stack.url, key))
        with pytest.raises(StorageUnavailable, match=text):
            await other.call("get_schema_versions")
        await other.close()


async def test_a_statement_is_ended_by_the_limit_of_the_project(rpc: Rpc) -> None:
    with pytest.raises(StorageUnavailable, match="took too long for one step"):
        await rpc.call("test_sleep", p_seconds=9)


async def test_a_call_has_the_time_of_its_caller(rpc: Rpc) -> None:
    token = call_deadline.set(time.monotonic() + 0.5)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        await rpc.call("test_sleep", p_seconds=7)
    assert time.monotonic() - began < 6
    call_deadline.set(time.monotonic() - 1)  # what goes on after its call has the time of the store
    assert await rpc.call("test_sleep", p_seconds=0.1) is None
    call_deadline.reset(token)


async def test_many_calls_at_once(rpc: Rpc) -> None:
    found = await asyncio.gather(*(rpc.call("test_echo", p_value=number) for number in range(300)))
    assert found == list(range(300))


async def test_a_call_that_is_left_costs_no_connection(rpc: Rpc) -> None:
    for _ in range(60):
        task = asyncio.create_task(rpc.call("test_sleep", p_seconds=1))
        await asyncio.sleep(0.002)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(rpc.call("test_echo", p_value=n) for n in range(40))) == list(range(40))


class Unreliable:
    """A server that treats each connection in its own way, then answers `7`."""

    def __init__(self, *ways: bytes | None) -> None:
        self.ways = list(ways)
        self.asked: list[dict[str, object]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            self.asked.append(json.loads(await reader.readexactly(length)))
            way = self.ways.pop(0) if self.ways else answer(200, b"7")
            if way is None:
                await asyncio.sleep(30)
            writer.write(way or b"")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(status: int, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


@contextlib.asynccontextmanager
async def unreliable(*ways: bytes | None, patience: float = 4.0) -> AsyncIterator[tuple[Unreliable, Rpc]]:
    served, port = Unreliable(*ways), free_port()
    server = await asyncio.start_server(served.serve, "127.0.0.1", port)
    rpc = Rpc(Access(f"http://127.0.0.1:{port}", "sb_secret_x"), patience)
    yield served, rpc
    await rpc.close()
    server.close()


BROKEN = {
    "closed": b"",
    "cut": b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n7",
    "no HTTP": b"nonsense\r\n\r\n",
    "gateway": answer(502, b"<html>bad gateway</html>", "text/html"),
    "without its database": answer(503, b'{"code":"PGRST002","message":"no"}'),
    "timed out": answer(504, b'{"code":"PGRST003","message":"no"}'),
    "edge": answer(522, b""),
    "too many": answer(429, b"{}"),
}


@pytest.mark.parametrize("way", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_asked_for_again_with_the_same_arguments(way: bytes) -> None:
    async with unreliable(way, way) as (served, rpc):
        assert await rpc.call("f", p_id="same") == 7
    assert served.asked == [{"p_id": "same"}] * 3


@pytest.mark.parametrize("way", [answer(400, b"{}"), answer(500, b"<html>"), answer(404, b""), answer(413, b"")])
async def test_what_does_not_pass_is_asked_for_once(way: bytes) -> None:
    async with unreliable(way, way) as (served, rpc):
        with pytest.raises((StorageUnavailable, StorageFull)):
            await rpc.call("f", p_id="same")
    assert len(served.asked) == 1


async def test_patience_ends() -> None:
    async with unreliable(*[b""] * 1000, patience=1.5) as (served, rpc):
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await rpc.call("f")
        assert 0.5 < time.monotonic() - began < 10
        assert 3 < len(served.asked) < 30  # pauses grow


async def test_silence_ends_with_the_time_of_the_caller() -> None:
    async with unreliable(None, None) as (served, rpc):
        token = call_deadline.set(time.monotonic() + 0.3)
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await rpc.call("f", p_id=1)
        call_deadline.reset(token)
        assert len(served.asked) == 1


async def test_nobody_listens() -> None:
    access = Access(f"http://127.0.0.1:{free_port()}", "sb_secret_x")
    rpc, sync = Rpc(access, 0.2), SyncRpc(access, 0.2)
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await rpc.call("f")
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        sync.call("f")
    await rpc.close()
    sync.close()


def test_access_can_be_sent_and_does_not_show_its_key() -> None:
    access = Access("https://x", "sb_secret_hush")
    assert pickle.loads(pickle.dumps(access)) == access  # noqa: S301  # our own
    assert "hush" not in repr(access)
