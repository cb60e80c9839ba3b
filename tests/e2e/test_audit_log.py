"""Who did what, over the wire, on both stores: changes, refusals, owners, no secrets, and a server that is killed."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceStub

from tests.conftest import ROOT, RunningServer, Wire
from tests.contracts.storage.catalogue import dump
from tests.e2e.test_two_servers_of_a_team import SMALL as OPTIMIZE
from tests.supabase_stack import RunningStack

FLAGS = ("--auth", "keys", "--workers", "1")
CREATE = "PortfolioService/CreatePortfolio"
SMALL = {"portfolio": {"cash": 1.0, "currency": "USD"}}


@dataclass
class Audited:
    """A server that asks for keys, over a store, and all secrets that it has issued."""

    start: Callable[..., RunningServer]
    stack: RunningStack | None
    running: RunningServer
    root: str
    secrets: list[str]
    ids: Iterator[int]

    def wire(self, token: str, **metadata: str) -> Wire:
        sent = {"authorization": f"Bearer {token}", **metadata}
        return Wire(self.running.channel(), tuple(sent.items()))

    def key(self, role: str, **more: object) -> tuple[str, str]:
        """The name of a new key, and its secret."""
        request = {"apiKeyId": f"k{next(self.ids)}", "roles": [role], **more}
        made = self.wire(self.root).call("AdminService/CreateApiKey", request)
        self.secrets.append(made["secret"])
        return made["name"], made["secret"]

    def events(self, token: str, **filters: object) -> list[dict[str, Any]]:
        """All events, oldest first, in pages of three."""
        found: list[dict[str, Any]] = []
        page = ""
        while True:
            request = {"pageSize": 3, "pageToken": page, **filters}
            answer = self.wire(token).call("AdminService/ListAuditEvents", request)
            found += answer.get("auditEvents", [])
            page = answer.get("nextPageToken", "")
            if not page:
                return found[::-1]

    def restart(self) -> None:
        self.running = self.start(*FLAGS, data_dir=self.running.data_dir, environment=environment(self.stack))

    def stored_text(self) -> bytes:
        """Everything that the store holds of the audit log, and of all else."""
        if self.stack is None:
            files = sorted(self.running.data_dir.glob("absfinance.sqlite3*"))
            return b"".join(file.read_bytes() for file in files)
        return _dumped(self.stack)


def environment(stack: RunningStack | None) -> dict[str, str]:
    return {} if stack is None else dict(stack.stack.environment)


def _dumped(stack: RunningStack) -> bytes:

    async def read() -> str:
        connection = await asyncpg.connect(stack.stack.admin_url)
        try:
            return repr(await dump(connection))
        finally:
            await connection.close()

    return asyncio.run(read()).encode()


@pytest.fixture(scope="module", params=["embedded", "supabase"])
def audited(
    request: pytest.FixtureRequest, start_server: Callable[..., RunningServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Audited]:
    stack: RunningStack | None = None
    if request.param == "supabase":
        stack = request.getfixturevalue("wheel_stack")
        asyncio.run(stack.empty())
    folder: Path = tmp_path_factory.mktemp("audited")
    command = [sys.executable, "-m", "server", "keys", "create", "--role", "admin", "--id", "root"]
    variables = {**os.environ, **environment(stack)}
    made = subprocess.run(
        [*command, "--data-dir", str(folder)], cwd=ROOT, env=variables, check=True, capture_output=True, timeout=60
    )
    root = made.stdout.decode().strip()
    running = start_server(*FLAGS, data_dir=folder, environment=environment(stack))
    found = Audited(start_server, stack, running, root, [root], itertools.count())
    yield found
    found.running.process.terminate()
    found.running.process.wait(timeout=30)


def short(events: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Method, resource and how it ended."""
    return [
        (event["method"].removeprefix("absfinance.v1."), event.get("resource", ""), event.get("code", ""))
        for event in events
    ]


def test_every_change_is_there_with_who_made_it(audited: Audited) -> None:
    name, secret = audited.key("trader")
    wire = audited.wire(secret, **{"x-request-id": "my-call"})
    made = wire.call(CREATE, {**SMALL, "portfolioId": "mine"})
    wire.call("PortfolioService/UpdatePortfolio", {"portfolio": {**made, "cash": 2.0}, "updateMask": "cash"})
    solved = wire.call("OptimizationService/Optimize", OPTIMIZE)["name"]
    wire.call("OptimizationService/Optimize", {**OPTIMIZE, "validateOnly": True})
    wire.call("OptimizationService/GetOptimization", {"name": solved})
    wire.call("OptimizationService/DeleteOptimization", {"name": solved})
    assert wire.refused("OptimizationService/DeleteOptimization", {"name": solved}).code == "NOT_FOUND"
    assert wire.refused("PortfolioService/CreatePortfolio", {**SMALL, "portfolioId": "mine"}).code == "ALREADY_EXISTS"
    assert wire.refused("AdminService/RevokeApiKey", {"name": "apiKeys/root"}).code == "PERMISSION_DENIED"
    wire.call("PortfolioService/DeletePortfolio", {"name": "portfolios/mine"})
    events = audited.events(secret)
    changed = [event for event in events if event["code"] == "OK"]
    assert short(changed) == [
        ("PortfolioService/CreatePortfolio", "portfolios/mine", "OK"),
        ("PortfolioService/UpdatePortfolio", "portfolios/mine", "OK"),
        ("OptimizationService/Optimize", solved, "OK"),
        ("OptimizationService/DeleteOptimization", solved, "OK"),
        ("PortfolioService/DeletePortfolio", "portfolios/mine", "OK"),
    ]
    failed = {(*one, event["reason"]) for one, event in zip(short(events), events, strict=True) if event not in changed}
    assert failed == {
        ("OptimizationService/DeleteOptimization", solved, "NOT_FOUND", "NOT_FOUND"),
        ("PortfolioService/CreatePortfolio", "", "ALREADY_EXISTS", "ALREADY_EXISTS"),
        ("AdminService/RevokeApiKey", "apiKeys/root", "PERMISSION_DENIED", "ROLE_REQUIRED"),
    }
    assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1))
    assert {(event["caller"], event["owner"], event["callId"], event["count"]) for event in events} == {
        (name, name, "my-call", 1)
    }
    assert all(event["eventTime"] for event in events)


def test_an_owner_sees_their_own_and_an_admin_everybodys(audited: Audited) -> None:
    (one, first), (two, second) = audited.key("trader"), audited.key("analyst")
    audited.wire(first).call(CREATE, {**SMALL, "portfolioId": "same"})
    audited.wire(second).call("OptimizationService/Optimize", OPTIMIZE)
    for filters in ({}, {"caller": one}, {"resource": "portfolios/same"}, {"method": f"absfinance.v1.{CREATE}"}):
        assert {event["owner"] for event in audited.events(second, **filters)} <= {two}
    refused = audited.wire(second).refused("AdminService/ListAuditEvents", {"all": True})
    assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ROLE_REQUIRED")
    everybody = audited.events(audited.root, all=True, resource="portfolios/same")
    assert [(event["owner"], event["caller"]) for event in everybody] == [(one, one)]
    assert {event["owner"] for event in audited.events(audited.root)} == {"apiKeys/root"}
    assert {event["caller"] for event in audited.events(audited.root, all=True, caller=two)} == {two}


def test_a_key_that_replaces_another_is_named_itself(audited: Audited) -> None:
    old, _ = audited.key("trader")
    new, secret = audited.key("trader", replaces=old)
    audited.wire(secret).call(CREATE, {**SMALL, "portfolioId": "moved"})
    (event,) = audited.events(secret)
    assert (event["owner"], event["caller"]) == (old, new)
    made = audited.events(audited.root, resource=new)
    assert short(made) == [("AdminService/CreateApiKey", new, "OK")]


def test_the_first_key_is_there_too(audited: Audited) -> None:
    (made,) = audited.events(
        audited.root, all=True, resource="apiKeys/root", method="absfinance.v1.AdminService/CreateApiKey"
    )
    assert (made["owner"], made["caller"]) == ("local", "python -m server keys create")


def test_strangers_are_counted_and_not_listed_one_by_one(audited: Audited) -> None:
    def strangers() -> list[dict[str, Any]]:
        return [event for event in audited.events(audited.root, all=True) if not event.get("owner")]

    before = sum(event["count"] for event in strangers())
    wire = audited.wire("absfin_nobody." + "x" * 43)
    for i in range(40):
        method = (CREATE, "PortfolioService/ListPortfolios")[i % 2]
        assert wire.refused(method, {}).code == "UNAUTHENTICATED"
    found = strangers()
    assert sum(event["count"] for event in found) == before + 40
    assert len(found) < 20, "one a second at most"
    assert {(event["code"], event["reason"]) for event in found} == {("UNAUTHENTICATED", "TOKEN_INVALID")}
    assert not any(name in event for event in found for name in ("caller", "method", "resource", "callId"))


def test_a_stream_that_changes_something_has_an_event_before_its_first_answer(audited: Audited) -> None:
    _, secret = audited.key("trader")
    publish: Any = MarketDataServiceStub(audited.running.channel())  # type: ignore[no-untyped-call]
    goes_on = threading.Event()

    def requests() -> Iterator[PublishMarketDataRequest]:
        bar = {"symbol": "A", "date": {"year": 2020, "month": 1, "day": 10}, "close": 1.1}
        yield PublishMarketDataRequest(batch_id="audited", bars=[bar])
        goes_on.wait(20)

    call = publish.PublishMarketData(requests(), metadata=(("authorization", f"Bearer {secret}"),), timeout=30)
    next(call)
    method = "MarketDataService/PublishMarketData"
    assert short(audited.events(secret)) == [(method, "", "")]
    goes_on.set()
    assert list(call) == []
    assert short(audited.events(secret)) == [(method, "", ""), (method, "", "OK")]


def test_no_secret_is_stored_wherever_a_caller_puts_it(audited: Audited) -> None:
    _, secret = audited.key("trader")
    wire = audited.wire(secret, **{"x-request-id": secret})
    wire.call(CREATE, {**SMALL, "portfolioId": "quiet"})
    for method, request in (
        ("PortfolioService/DeletePortfolio", {"name": secret}),
        ("PortfolioService/UpdatePortfolio", {"portfolio": {"name": secret}}),
        ("AdminService/RevokeApiKey", {"name": f"apiKeys/{secret}"}),
    ):
        wire.refused(method, request)
    events = audited.events(secret)
    assert len(events) == 4
    assert not any(event.get("callId") for event in events)
    found = audited.stored_text()
    assert b"portfolios/quiet" in found
    for known in audited.secrets:
        assert known.partition(".")[2].encode() not in found


def test_what_was_acknowledged_before_the_server_is_killed_is_there(audited: Audited) -> None:
    _, secret = audited.key("trader")
    acknowledged: list[str] = []
    enough = threading.Event()

    def create(worker: int) -> None:
        wire = audited.wire(secret)
        with suppress(grpc.RpcError):
            for i in range(1000):
                acknowledged.append(wire.call(CREATE, {**SMALL, "portfolioId": f"w{worker}-{i}"})["name"])
                if len(acknowledged) >= 40:
                    enough.set()

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(create, worker) for worker in range(8)]
        assert enough.wait(30)
        audited.running.process.send_signal(signal.SIGKILL)
        for one in running:
            one.result(timeout=30)
    audited.running.process.wait(timeout=20)
    audited.restart()
    request = {"pageSize": 1000, "method": f"absfinance.v1.{CREATE}"}
    events = audited.wire(secret).call("AdminService/ListAuditEvents", request).get("auditEvents", [])
    named = {event["resource"] for event in events if event["code"] == "OK"}
    assert set(acknowledged) <= named
    assert len(acknowledged) >= 40
