"""Who may do what with what: every method of the contract by every kind of caller.

What is asked of a method would do something, if the caller were allowed to. Things belong to one user; others hear of
them what they hear of names that never were.
"""

import asyncio
import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
import pytest
from absfinance.v1 import backtest_pb2
from absfinance.v1.event_service_pb2 import WatchEventsRequest, WatchEventsResponse
from buf.validate import validate_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RequestInfo
from google.rpc.status_pb2 import Status

from server.identity.roles import ROLES
from server.ports.identity import Role
from tests.conftest import RunningServer, refusal_of
from tests.contracts.storage.catalogue import dump as dump_of_tables
from tests.e2e import test_authentication as authentication
from tests.e2e.asked_requests import (
    ANSWERED,
    ASKED,
    CHOSEN,
    ENDLESS,
    LONG,
    MIN_RISK,
    NAMING,
    NEEDS_WEBHOOK,
    OTHER_FIELDS,
    PRICES,
    Request,
    never,
    never_of,
)
from tests.e2e.event_log import signal, written_log
from tests.e2e.test_authentication import bearer, strangers
from tests.fuzzing.contract import ENDS_THE_SERVER, all_methods, new
from tests.server.identity.issuer import ISSUER, Issuer, running
from tests.supabase_stack import RunningStack

METHODS = {method.name: method for method in all_methods()}
SECONDS = 120.0
AUDIT = "audit_"
"""Tables of the audit log alone tell of calls that were refused."""
OF_ANY_CALL = ("secrets", "recorded_writes")
"""The secret of keys is drawn when the first call asks for it, and each transaction of the audit log has a token."""
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Guarded(authentication.Guarded):
    """A server that asks who calls, and all that its store has but for the audit log."""

    dump: Callable[[], object]
    notify: Callable[[str], None]

    def caller(self, name: str, role: Role) -> Metadata:
        return bearer(self.token(role, sub=name))


@dataclass(frozen=True)
class Store:
    """What a server is started with to use a store, how all that it has is read, and how an owner is notified."""

    flags: tuple[str, ...]
    dump: Callable[[RunningServer], object]
    notify: Callable[[RunningServer, str], None]


@pytest.fixture(scope="module")
def embedded_store() -> Store:
    def dump(server: RunningServer) -> list[str]:
        with closing(sqlite3.connect(f"file:{server.data_dir}/absfinance.sqlite3?mode=ro", uri=True)) as connection:
            return [line for line in connection.iterdump() if AUDIT not in line]

    def notify(server: RunningServer, owner: str) -> None:
        with written_log(server.data_dir) as log:
            log.append(signal(f"of {owner}", owner=owner, portfolio="own", notify=True))
        with closing(sqlite3.connect(server.data_dir / "absfinance.sqlite3")) as connection, connection:
            connection.execute("UPDATE notifications SET id = 'own' WHERE owner = ?", (owner,))

    return Store((), dump, notify)


@pytest.fixture(scope="module")
def supabase_store(wheel_stack: RunningStack) -> Store:
    stack = wheel_stack.stack

    async def dump() -> object:
        connection = await asyncpg.connect(stack.admin_url)
        try:
            tables = await dump_of_tables(connection)
            return {name: rows for name, rows in tables.items() if name not in OF_ANY_CALL and AUDIT not in name}
        finally:
            await connection.close()

    async def notify(owner: str) -> None:
        draft = signal(f"of {owner}", owner=owner, portfolio="own")
        event = {
            "owner": owner, "key": draft.dedupe_key, "type": draft.type, "time": draft.time, "kind": draft.kind,
            "severity": int(draft.severity), "portfolio": draft.portfolio, "symbol": draft.symbol,
            "payload": base64.b64encode(draft.payload).decode(),
            "notify": {"message": f"of {owner}", "deliver": False},
        }  # fmt: skip
        connection = await asyncpg.connect(stack.admin_url)
        try:
            await connection.execute("select absfin.store_events($1)", json.dumps([event]))
            await connection.execute("update absfin.notifications set id = 'own' where owner = $1", owner)
        finally:
            await connection.close()

    asyncio.run(wheel_stack.empty())
    flags = ("--storage", "supabase", "--supabase-url", stack.url, "--supabase-key", stack.secret_key)
    return Store(flags, lambda _: asyncio.run(dump()), lambda _, owner: asyncio.run(notify(owner)))


STORES = ("embedded_store", "supabase_store")
"""Fixtures of the stores that all of this is asked of."""


@pytest.fixture(scope="module", params=STORES)
def guarded(request: pytest.FixtureRequest, start_server: Callable[..., RunningServer]) -> Iterator[Guarded]:
    store: Store = request.getfixturevalue(request.param)
    with running(Issuer()) as issuer:
        asking = ("--auth", "jwt,keys", "--jwks-url", issuer.url, "--jwt-issuer", ISSUER)
        # What a call stores is compared; a listener stores by itself, whoever calls.
        server = start_server(*asking, *store.flags, "--events", "off")
        yield Guarded(server, issuer, lambda: store.dump(server), lambda owner: store.notify(server, owner))


@pytest.fixture(scope="module")
def channel(guarded: Guarded) -> Iterator[grpc.Channel]:
    with guarded.server.channel() as opened:
        yield opened


@dataclass(frozen=True)
class Heard:
    """What a caller is told: all of it, but for the id of the call."""

    code: str
    reason: str
    status: bytes
    answers: tuple[bytes, ...]
    text: str = ""

    def renamed(self) -> "Heard":
        """As if it had been asked for what the owner has."""
        answers = tuple(answer.replace(b"/nix", b"/own") for answer in self.answers)
        status, text = self.status.replace(b"/nix", b"/own"), self.text.replace("/nix", "/own")
        return Heard(self.code, self.reason, status, answers, text)


def heard(channel: grpc.Channel, name: str, asked: Request, metadata: Metadata) -> Heard:
    """What comes of a call, whatever its shape."""
    method = METHODS[name]
    parts = asked if isinstance(asked, list) else [dict(asked)]
    messages = [json_format.ParseDict(part, new(method.request)).SerializeToString() for part in parts]
    sent: Any = iter(messages) if method.streams_requests else messages[0]
    shape = f"{'stream' if method.streams_requests else 'unary'}_{'stream' if method.streams_responses else 'unary'}"
    call = getattr(channel, shape)(method.path)
    try:
        answer = call(sent, metadata=metadata, timeout=SECONDS)
        if name in ENDLESS:
            first = next(answer)
            answer.cancel()
            return Heard("OK", "", b"", (first,))
        return Heard("OK", "", b"", tuple(answer) if method.streams_responses else (answer,))
    except grpc.RpcError as error:
        refusal = refusal_of(error)
        return Heard(refusal.code, refusal.reason, _status(error), (), refusal.message)


def _status(error: Any) -> bytes:
    """The status with all its details but the one that names the call."""
    status = Status.FromString(dict(error.trailing_metadata()).get("grpc-status-details-bin", b""))
    kept = [detail for detail in status.details if not detail.Is(RequestInfo.DESCRIPTOR)]
    packed: bytes = Status(code=status.code, message=status.message, details=kept).SerializeToString(deterministic=True)
    return packed


def called(channel: grpc.Channel, name: str, asked: Request, metadata: Metadata) -> Message:
    """The one answer of a call that must succeed."""
    found = heard(channel, name, asked, metadata)
    assert found.code == "OK", (name, found)
    answer = new(METHODS[name].response)
    answer.ParseFromString(found.answers[0])
    return answer


def store_own(channel: grpc.Channel, metadata: Metadata, **more: Any) -> list[Any]:
    return [called(channel, name, {**asked, key: "own", **more}, metadata) for name, (key, asked) in CHOSEN.items()]


@pytest.fixture(scope="module")
def owner(guarded: Guarded, channel: grpc.Channel) -> Metadata:
    """A trader who has stored something of each kind, has a notification, and prices that all share."""
    metadata = guarded.caller("owner", Role.TRADER)
    steps = [{"header": {"importId": "seed"}}, {"chunk": PRICES}, {"footer": {"valueCount": 6}}]
    called(channel, "MarketDataService/ImportPrices", steps, metadata)
    store_own(channel, metadata, requestId="seed")
    guarded.notify("users/owner")
    return metadata


def test_every_method_is_in_the_matrix(guarded: Guarded, channel: grpc.Channel) -> None:
    """A method that is not served says so, whoever may call it."""
    assert set(ROLES) == {method.path for method in METHODS.values()}
    root = guarded.caller("root", Role.ADMIN)
    for name in set(METHODS) - set(ASKED):
        if name.split("/")[-1] not in ENDS_THE_SERVER:
            assert heard(channel, name, {}, root).reason == "METHOD_NOT_BUILT", name


def test_strangers_can_do_nothing(guarded: Guarded, channel: grpc.Channel, owner: Metadata) -> None:
    before = guarded.dump()
    for way, (metadata, reason) in strangers(guarded, "owner").items():
        for name in METHODS:
            found = heard(channel, name, ASKED.get(name, {}), metadata)
            assert (found.code, found.reason) == ("UNAUTHENTICATED", reason), (way, name)
    assert guarded.dump() == before


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_a_role_calls_its_methods_and_what_others_have_is_not_there(
    guarded: Guarded, channel: grpc.Channel, owner: Metadata, role: Role | None
) -> None:
    metadata = bearer(guarded.token(role, sub=f"other-{role}"))
    for name, method in METHODS.items():
        if name.split("/")[-1] in ENDS_THE_SERVER and role is Role.ADMIN:
            continue
        before = guarded.dump()
        found = heard(channel, name, ASKED.get(name, {}), metadata)
        if (role or Role.READER) < ROLES[method.path]:
            assert (found.code, found.reason) == ("PERMISSION_DENIED", "ROLE_REQUIRED"), name
        elif name not in ASKED:
            assert found.reason == "METHOD_NOT_BUILT", name
        elif name in NAMING:
            assert found.code == ("OK" if name in ANSWERED else "NOT_FOUND"), (name, found)
            assert found == heard(channel, name, never(name), metadata).renamed(), name
        else:
            assert found.code == "OK", (name, found)
            continue
        assert guarded.dump() == before, name


def test_a_reader_reads_their_own_and_changes_nothing(guarded: Guarded, channel: grpc.Channel, owner: Metadata) -> None:
    metadata, before = guarded.caller("owner", Role.READER), guarded.dump()
    for name in NAMING:
        found = heard(channel, name, ASKED[name], metadata)
        expected = "OK" if ROLES[METHODS[name].path] is Role.READER else "PERMISSION_DENIED"
        assert found.code == expected, (name, found)
    assert guarded.dump() == before


LISTS = {
    "PortfolioService/ListPortfolios": "portfolios",
    "OptimizationService/ListOptimizations": "optimizations",
    "ReallocationService/ListReallocations": "reallocations",
    "BacktestService/ListBacktests": "backtests",
}


def test_every_list_of_things_with_an_owner_has_all() -> None:
    assert {*LISTS, "AdminService/ListAuditEvents"} == {
        name for name, method in METHODS.items() if "all" in method.request.fields_by_name
    }


@pytest.mark.parametrize("name", LISTS)
def test_admins_list_what_everybody_has(guarded: Guarded, channel: grpc.Channel, owner: Metadata, name: str) -> None:
    rows = LISTS[name]
    store_own(channel, guarded.caller("second", Role.TRADER), requestId="seed")
    root, before = guarded.caller("root", Role.ADMIN), guarded.dump()
    for role in (Role.READER, Role.ANALYST, Role.TRADER):
        refused = heard(channel, name, {"all": True}, guarded.caller("owner", role))
        assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "ROLE_REQUIRED")
        assert "with all needs the role admin" in refused.text

    def listed(metadata: Metadata, **asked: Any) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        token = ""
        for _ in range(50):
            page: Any = called(channel, name, {"pageSize": 2, "pageToken": token, **asked}, metadata)
            found += [(row.owner, row.name) for row in getattr(page, rows)]
            token = page.next_page_token
            if not token:
                return found
            others = {**asked, "all": not asked.get("all", False), "pageToken": token}
            assert heard(channel, name, others, root).reason == "INVALID_INPUT", "a token belongs to its list"
        pytest.fail("the pages never end")

    everybody = listed(root, all=True)
    assert {("users/owner", f"{rows}/own"), ("users/second", f"{rows}/own")} <= set(everybody)
    assert len(everybody) == len(set(everybody))
    assert listed(owner) == [("", f"{rows}/own")]
    assert not any(row.endswith("/own") for _, row in listed(root)), "without it they see what is theirs"
    assert guarded.dump() == before


def naming_fields(message: Descriptor, path: tuple[str, ...] = (), inside: frozenset[str] = frozenset()) -> set[str]:
    """The fields of a request that name what somebody has, as paths of JSON names."""
    found: set[str] = set()
    for field in message.fields:
        here = (*path, field.json_name)
        rules = str(field.GetOptions().Extensions[validate_pb2.field])
        if any(f"^{rows}/" in rules for rows in (*LISTS.values(), "notifications", "sweeps")):
            found.add(".".join(here))
        inner = field.message_type
        if inner is not None and inner.full_name.startswith("absfinance.") and inner.full_name not in inside:
            found |= naming_fields(inner, here, inside | {inner.full_name})
    return found


def has_name(content: Any, path: list[str]) -> bool:
    """Whether a request names something of the owner at a path."""
    if isinstance(content, list):
        return any(has_name(one, path) for one in content)
    if not path:
        return str(content).endswith("/own")
    return isinstance(content, dict) and has_name(content.get(path[0]), path[1:])


def test_every_field_that_names_a_thing_is_asked_about() -> None:
    requests = [*ASKED.items(), *OTHER_FIELDS.values()]
    missing = [
        f"{name} {path}"
        for name in ASKED
        for path in sorted(naming_fields(METHODS[name].request))
        if not any(has_name(asked, path.split(".")) for method, asked in requests if method == name)
    ]
    assert missing == []


@pytest.mark.parametrize("what", OTHER_FIELDS)
def test_a_name_in_another_field_is_not_there_either(
    guarded: Guarded, channel: grpc.Channel, owner: Metadata, what: str
) -> None:
    """Whatever the answer is, it is that of a name that nobody has; what is answered anew each time is left out."""
    name, asked = OTHER_FIELDS[what]
    other, never_there = guarded.caller("fields", Role.TRADER), never_of(asked)
    reading = [method for method in NAMING if "/Get" in method]
    kept = [heard(channel, method, ASKED[method], owner) for method in reading]
    before = guarded.dump()
    found, none = heard(channel, name, asked, other), heard(channel, name, never_there, other).renamed()
    assert (found.code, found.reason, found.text, found.status) == (none.code, none.reason, none.text, none.status)
    if name not in ("PortfolioService/CreatePortfolio", *ENDLESS):
        assert found.answers == none.answers
        assert guarded.dump() == before
    assert [heard(channel, method, ASKED[method], owner) for method in reading] == kept


def test_events_and_notifications_are_shown_to_their_owner_alone(
    guarded: Guarded, channel: grpc.Channel, owner: Metadata
) -> None:
    """Of the rest a caller gets a heartbeat, which comes where nothing happened: an admin's list is their own too."""
    callers = {
        "owner": owner,
        "other": guarded.caller("other", Role.READER),
        "root": guarded.caller("root", Role.ADMIN),
    }
    watch = channel.unary_stream("/absfinance.v1.EventService/WatchEvents")
    asked = WatchEventsRequest(heartbeat_interval=Duration(seconds=1)).SerializeToString()
    for who, metadata in callers.items():
        listed: Any = called(channel, "EventService/ListNotifications", {}, metadata)
        assert [row.name for row in listed.notifications] == (["notifications/own"] if who == "owner" else [])
        stream = watch(asked, metadata=metadata, timeout=SECONDS)
        first, second = (WatchEventsResponse.FromString(next(stream)) for _ in range(2))
        stream.cancel()
        assert first.WhichOneof("event") == "snapshot"
        assert second.WhichOneof("event") == ("signal" if who == "owner" else "heartbeat"), who


def test_a_token_of_a_page_is_of_no_use_to_others(guarded: Guarded, channel: grpc.Channel, owner: Metadata) -> None:
    users = [guarded.caller(f"pages-{i}", Role.TRADER) for i in range(2)]
    for metadata in users:
        for _ in range(2):
            called(channel, "PortfolioService/CreatePortfolio", {"portfolio": {"cash": 1}}, metadata)
            called(channel, "OptimizationService/Optimize", MIN_RISK, metadata)
    for name in ("PortfolioService/ListPortfolios", "OptimizationService/ListOptimizations"):
        page: Any = called(channel, name, {"pageSize": 1}, users[0])
        following = {"pageSize": 1, "pageToken": page.next_page_token}
        assert heard(channel, name, following, users[1]).reason == "INVALID_INPUT"
        assert called(channel, name, following, users[0]) != page


def test_two_users_have_things_of_one_name(guarded: Guarded, channel: grpc.Channel, owner: Metadata) -> None:
    """Nor does the id of a request tell what somebody else has asked: each gets their own answer."""
    other = guarded.caller("namesake", Role.TRADER)
    reading = [name for name in NAMING if "/Get" in name]
    kept = [heard(channel, name, ASKED[name], owner) for name in reading]
    # Under an id that the owner sent with another content: it would be REQUEST_ID_REUSED, had they sent it.
    other_label = {"requestId": "seed", "label": "theirs"}
    portfolio = {"portfolioId": "own", "requestId": "seed", "portfolio": {"cash": 7}}
    assert called(channel, "PortfolioService/CreatePortfolio", portfolio, other) == called(
        channel, "PortfolioService/CreatePortfolio", portfolio, other
    )
    jobs = ("BacktestService/Backtest", "BacktestService/Sweep")
    for name in ("OptimizationService/Optimize", "ReallocationService/Reallocate", *jobs):
        key, asked = CHOSEN[name]
        made: Any = called(channel, name, {**asked, key: "own", **other_label}, other)
        assert made.label == "theirs"
        again: Any = called(channel, name, {**asked, key: "own", **other_label}, other)
        assert (again.name, again.create_time) == (made.name, made.create_time), "it is known by its id"
    for name, collection in LISTS.items():
        rows: Any = getattr(called(channel, name, {}, other), collection)
        assert [row.name for row in rows] == [f"{collection}/own"]
    theirs = [heard(channel, name, ASKED[name], other) for name in reading]
    assert {answer.code for answer in theirs} == {"OK"}
    for name in ("Backtest", "Optimization", "Reallocation", "Portfolio"):
        called(channel, f"{name}Service/Delete{name}", {"name": f"{name.lower()}s/own"}, other)
    called(channel, "BacktestService/DeleteBacktest", {"name": "sweeps/own"}, other)
    assert {heard(channel, name, ASKED[name], other).code for name in reading} == {"NOT_FOUND"}
    assert [heard(channel, name, ASKED[name], owner) for name in reading] == kept


def test_a_backtest_is_followed_by_its_owner_alone_while_it_runs(
    guarded: Guarded, channel: grpc.Channel, owner: Metadata
) -> None:
    """Also where somebody else has one of the same name, whose stream is another one."""
    users = [guarded.caller(f"follows-{i}", Role.TRADER) for i in range(3)]
    for metadata in users[:2]:
        called(channel, "BacktestService/Backtest", {**LONG, "backtestId": "long"}, metadata)
    follow = channel.unary_stream("/absfinance.v1.BacktestService/BacktestProgress")
    asked = json_format.ParseDict(
        {"backtest": "backtests/long"}, new(METHODS["BacktestService/BacktestProgress"].request)
    ).SerializeToString()
    streams = [follow(asked, metadata=metadata, timeout=SECONDS) for metadata in users[:2]]
    epochs = []
    for stream in streams:
        message: Any = new(METHODS["BacktestService/BacktestProgress"].response)
        message.ParseFromString(next(stream))
        epochs.append(message.epoch)
    assert epochs[0] != epochs[1]
    stranger = heard(channel, "BacktestService/BacktestProgress", {"backtest": "backtests/long"}, users[2])
    none = heard(channel, "BacktestService/BacktestProgress", {"backtest": "backtests/none"}, users[2])
    assert stranger.code == "NOT_FOUND"
    assert stranger.status == none.status.replace(b"/none", b"/long")
    cancelled: Any = called(channel, "BacktestService/CancelBacktest", {"name": "backtests/long"}, users[1])
    assert cancelled.state == backtest_pb2.BACKTEST_STATE_CANCELLED
    going_on: Any = called(channel, "BacktestService/GetBacktest", {"name": "backtests/long"}, users[0])
    assert going_on.state in (backtest_pb2.BACKTEST_STATE_QUEUED, backtest_pb2.BACKTEST_STATE_RUNNING)
    for stream in streams:
        stream.cancel()
    called(channel, "BacktestService/CancelBacktest", {"name": "backtests/long"}, users[0])


def test_the_owner_does_all_of_it(guarded: Guarded, channel: grpc.Channel, owner: Metadata) -> None:
    """The last test of its store: what is not denied does something, in this order."""
    for name in sorted(NAMING, key=lambda name: ("/Delete" in name, "/Update" in name, "Fills" in name)):
        asked = ASKED[name]
        if name == "PortfolioService/UpdatePortfolio":
            portfolio: Any = called(channel, "PortfolioService/GetPortfolio", {"name": "portfolios/own"}, owner)
            asked = {"portfolio": {"name": "portfolios/own", "etag": portfolio.etag, "cash": 7}}
        if ROLES[METHODS[name].path] is not Role.ADMIN:
            expected = "UNIMPLEMENTED" if name in NEEDS_WEBHOOK else "OK"
            assert heard(channel, name, asked, owner).code == expected, name
    called(channel, "BacktestService/DeleteBacktest", {"name": "sweeps/own"}, owner)
    for name in NAMING:
        if "/Get" in name:
            assert heard(channel, name, ASKED[name], owner).code == "NOT_FOUND", name


def test_drain_is_for_admins(guarded: Guarded, start_server: Callable[..., RunningServer]) -> None:
    asking = ("--auth", "jwt", "--jwks-url", guarded.issuer.url, "--jwt-issuer", ISSUER, "--workers", "1")
    with start_server(*asking).channel() as channel:
        for role in (Role.READER, Role.ANALYST, Role.TRADER):
            found = heard(channel, "AdminService/Drain", {}, guarded.caller("x", role))
            assert (found.code, found.reason) == ("PERMISSION_DENIED", "ROLE_REQUIRED")
        found = heard(channel, "AdminService/Drain", {}, guarded.caller("x", Role.ADMIN))
        assert (found.code, found.reason) in (("OK", ""), ("UNIMPLEMENTED", "METHOD_NOT_BUILT"))


def test_a_user_is_one_caller_over_several_connections(
    guarded: Guarded, start_server: Callable[..., RunningServer]
) -> None:
    """Jobs that wait are counted by who sends them, whatever connection they use."""
    asking = ("--auth", "jwt", "--jwks-url", guarded.issuer.url, "--jwt-issuer", ISSUER)
    server = start_server(*asking, "--workers", "1", "--max-queued-jobs", "1")
    one, two = guarded.caller("one", Role.TRADER), guarded.caller("two", Role.TRADER)

    def sent(metadata: Metadata) -> str:
        with server.channel() as connection:
            return heard(connection, "BacktestService/Backtest", LONG, metadata).reason

    assert [sent(one) for _ in range(3)].count("QUOTA_EXCEEDED") >= 1, "one runs at most, and one may wait"
    assert sent(one) == "QUOTA_EXCEEDED"
    assert sent(two) == ""
    with server.channel() as connection:
        for metadata in (one, two):
            jobs: Any = called(connection, "BacktestService/ListBacktests", {}, metadata)
            for job in jobs.backtests:
                called(connection, "BacktestService/CancelBacktest", {"name": job.name}, metadata)
