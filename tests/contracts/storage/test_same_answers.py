"""Whatever two owners do with portfolios, plans and fills: a store on Supabase answers as the embedded one does."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import DomainError
from server.bootstrap import STORAGE_BACKENDS
from server.ports.errors import ServiceError
from server.ports.fills import FillsChange, FillsQuery, RecordedFills, StoredFill
from server.ports.job_queue import QueuePolicy
from server.ports.list_filter import ListFilter
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord
from server.ports.results import ResultDraft, ResultPage, StoredResult
from server.ports.scope import Scope
from server.ports.storage import Storage
from server.settings import Settings

OWNERS, NAMES, REQUESTS = ("users/a", "users/b"), ("p", "q", "P-1"), (None, "r1", "r2")
STEPS = 250


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Storage]:
    settings = Settings.read(("--data-dir", str(tmp_path / "embedded")), {})
    opened = STORAGE_BACKENDS["embedded"](settings, QueuePolicy())
    yield opened
    opened.release_worker()
    opened.close()


class Caller:
    """Makes the same calls of one store as another caller with the same seed makes of another."""

    def __init__(self, storage: Storage, seed: int) -> None:
        self._storage = storage
        self._random = random.Random(seed)
        self._etags: dict[tuple[str, str], str] = {}  # as they were last read
        self.seen: set[str] = set()  # kinds of answers

    async def step(self) -> object:
        """The next call and its answer, without what differs between stores: times, and etags but for their end."""
        owner, name, payload = self._random.choice(OWNERS), self._random.choice(NAMES), self._random.randbytes(2)
        method = self._random.choice(
            (self._portfolio, self._portfolio, self._result, self._result, self._fills, self._list)
        )
        try:
            answer = await method(owner, name, payload)
        except (ServiceError, DomainError) as error:
            self.seen.add(type(error).__name__)
            return type(error).__name__, "" if "etag" in getattr(error, "metadata", {}) else str(error)
        self.seen.add(type(answer).__name__)
        return _compared(answer)

    async def _portfolio(self, owner: str, name: str, payload: bytes) -> Any:
        store, etag = self._storage.portfolios, self._etags.get((owner, name), "none")
        which = self._random.choice(("create", "create", "get", "get", "update", "update", "delete", "delete any"))
        if which == "create":
            return await store.create(owner, PortfolioDraft(payload, payload[:1], name, self._random.choice(REQUESTS)))
        if which == "get":
            record = await store.get(owner, name)
            self._etags[owner, name] = record.etag
            return record
        if which == "update":
            end = self._random.choice((b"", payload))
            return await store.update(owner, name, etag, lambda before: before + end)
        return await store.delete(owner, name, "" if which == "delete any" else etag)

    async def _result(self, owner: str, name: str, payload: bytes) -> Any:
        store = self._random.choice((self._storage.optimizations, self._storage.reallocations))
        request, subject = self._random.choice(REQUESTS), self._random.choice(("", *NAMES))
        which = self._random.choice(("save", "save", "save", "find", "get", "get", "delete"))
        body = bytes([self._random.randrange(2)])
        if which == "save":
            digest = self._random.choice((b"", hashlib.sha256(await self._content(owner, subject)).digest()))
            label, summary = self._random.choice(("", "l")), self._random.choice((b"", b"s"))
            drawn = self._random.choice((name, f"n{self._random.randrange(10**9)}"))
            return await store.save(
                owner,
                ResultDraft(payload, "f", body, request, subject, drawn, label, summary, (subject and digest) or b""),
            )
        if which == "find":
            return await store.find(owner, request or "r3", body)
        return await (store.get(owner, name) if which == "get" else store.delete(owner, name))

    async def _content(self, owner: str, name: str) -> bytes:
        try:
            return (await self._storage.portfolios.get(owner, name)).payload
        except ServiceError:
            return b""

    async def _fills(self, owner: str, name: str, payload: bytes) -> Any:
        ids = [f"f{self._random.randrange(10**9)}" for _ in range(self._random.randrange(3))]
        reallocation = self._random.choice(("", "", *NAMES))
        symbols = tuple(self._random.sample("ABC", 2))
        state = await self._storage.fills.load(
            owner, FillsQuery(reallocation, "" if reallocation else name, tuple(ids), symbols)
        )
        if state.portfolio is None or self._random.random() < 0.3:
            return state
        new = tuple(
            StoredFill(
                fill_id, self._random.choice("ABC"), self._random.randrange(9), payload, b"o", reallocation,
                tuple(fill.fill_id for fill in state.fills), is_open=self._random.random() < 0.7,
            )
            for fill_id in ids
        )  # fmt: skip
        etag = self._random.choice((state.portfolio.etag, state.portfolio.etag, "none"))
        changed = tuple(StoredFill(f.fill_id, f.symbol, f.day, b"", payload) for f in state.fills[:1])
        completes = self._random.random() < 0.5
        return await self._storage.fills.commit(
            owner, FillsChange(state.portfolio.id, etag, payload, new, changed, reallocation, completes)
        )

    async def _list(self, owner: str, name: str, payload: bytes) -> Any:
        scope, size = Scope(owner, everyone=self._random.random() < 0.3), self._random.randrange(1, 9)
        store = self._random.choice((self._storage.optimizations, self._storage.reallocations, None))
        states = ("", "CURRENT", "SUPERSEDED", "PARTLY_FILLED", "FILLED")
        state = self._random.choice(states) if store is self._storage.reallocations else ""
        filters = ListFilter(self._random.choice(("", "l")), self._random.choice(("", name)), result_state=state)
        pages: list[Any] = []
        token = ""
        for _ in range(2):
            page = await (
                self._storage.portfolios.list(scope, token, size) if store is None
                else store.list(scope, token, size, filters)
            )  # fmt: skip
            pages.append(page)
            token = page.next_token
            if not token:
                break
        return pages


def _compared(answer: object) -> object:
    if isinstance(answer, PortfolioRecord):
        return answer.owner, answer.id, answer.payload, answer.etag.rpartition("-")[2], answer.created == answer.updated
    if isinstance(answer, StoredResult):
        fields = ("owner", "id", "request_id", "payload", "input_fingerprint", "label", "summary", "state")
        return *(getattr(answer, name) for name in fields), answer.superseded is None, answer.superseded_by
    if isinstance(answer, RecordedFills):
        return _compared(answer.portfolio), answer.plan, tuple(answer.fills), dict(answer.last_days)
    if isinstance(answer, PortfolioPage | ResultPage):
        return [_compared(record) for record in answer.records], bool(answer.next_token)
    return [_compared(page) for page in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_stores_answer_the_same(storage: Storage, embedded: Storage, seed: int) -> None:
    one, other = Caller(storage, seed), Caller(embedded, seed)
    for step in range(STEPS):
        found, expected = await one.step(), await other.step()
        assert found == expected, step
    errors = {"NotFound", "AlreadyExists", "RequestIdReused", "EtagMismatch"}
    assert one.seen == {*errors, "PortfolioRecord", "StoredResult", "RecordedFills", "list", "NoneType"}
